//! Everything that listens to a run, as one listener: the judge, the ladders, the trace and the timeline.

use std::io::{self, Write};
use std::sync::Arc;

use machine::time::Moment;

use crate::judge::{Findings, Judge};
use crate::ladder::Ladder;
use crate::plan::Plan;
use crate::script::output::Output;
use crate::trace::Sight;

/// The listeners of a run. `W` is where a line goes: a buffered file, or a `Vec<u8>`.
#[derive(Debug)]
pub struct Chronicle<W> {
    judge: Judge,
    ladders: Vec<Ladder>,
    trace: Option<W>,
    timeline: Option<W>,
    line: String,
    broken: Option<io::Error>,
}

/// What is left when a run is over.
#[derive(Debug)]
pub struct Told<W> {
    /// What the judge found.
    pub findings: Findings,
    /// The ladders that the script asks for.
    pub ladders: Vec<Ladder>,
    /// The writers, given back.
    pub trace: Option<W>,
    /// See `trace`.
    pub timeline: Option<W>,
}

impl<W: Write> Chronicle<W> {
    /// Listeners for this world. Without writers nothing is printed.
    pub fn new(plan: &Arc<Plan>, trace: Option<W>, timeline: Option<W>) -> Chronicle<W> {
        let users = plan.outputs.iter().filter_map(|output| match output {
            Output::Ladder(name) => plan.users.iter().position(|user| user.name == *name),
            Output::Timeline | Output::Json | Output::Junit => None,
        });
        Chronicle {
            judge: Judge::new(plan),
            ladders: users.map(|user| Ladder::new(plan, user)).collect(),
            trace,
            timeline,
            line: String::new(),
            broken: None,
        }
    }

    /// Takes an event in. A writer that fails is told at the end; the run goes on.
    pub fn see(&mut self, sight: &Sight<'_>) {
        self.judge.see(sight);
        for ladder in &mut self.ladders {
            ladder.see(sight, self.judge.ledger());
        }
        if let Err(fault) = self.write(sight) {
            self.broken.get_or_insert(fault);
        }
    }

    fn write(&mut self, sight: &Sight<'_>) -> io::Result<()> {
        if let Some(trace) = &mut self.trace {
            sight.write_json(trace)?;
        }
        if let Some(timeline) = &mut self.timeline {
            self.line.clear();
            sight.print_into(&mut self.line);
            self.line.push('\n');
            timeline.write_all(self.line.as_bytes())?;
        }
        Ok(())
    }

    /// See [`Judge::fired`].
    pub fn fired(&mut self) -> Vec<usize> {
        self.judge.fired()
    }

    /// The run is over at `end`.
    ///
    /// # Errors
    /// The first thing that a writer said.
    pub fn finish(mut self, end: Moment) -> io::Result<Told<W>> {
        for writer in self.trace.iter_mut().chain(&mut self.timeline) {
            writer.flush()?;
        }
        match self.broken {
            Some(fault) => Err(fault),
            None => Ok(Told {
                findings: self.judge.finish(end),
                ladders: self.ladders,
                trace: self.trace,
                timeline: self.timeline,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use machine::note::Note;

    use super::*;
    use crate::plan::{self, Override};
    use crate::script::reader;

    #[test]
    fn a_run_is_written_and_judged_at_once() {
        let text = "site c central\nproxy p at c\nuser anna\nat 1s expect anna registered\nat 9s end\noutput ladder anna\n";
        let script = reader::read("x.scn", text, &mut |_| Err(String::new())).unwrap();
        let plan = Arc::new(plan::make(&script, Override::default()).unwrap());
        let mut chronicle = Chronicle::new(&plan, Some(Vec::new()), Some(Vec::new()));
        let note = Note::new("bound").text("aor", "sip:101@x").text("contact", "sip:101@10.0.1.1");
        chronicle.see(&Sight::of(Moment::from_millis(500), "p", "registrar", &note));
        let told = chronicle.finish(plan.end).unwrap();
        let timeline = String::from_utf8(told.timeline.unwrap()).unwrap();
        assert_eq!(timeline, "00:00:00.500 p registrar bound aor=sip:101@x contact=sip:101@10.0.1.1\n");
        assert!(String::from_utf8(told.trace.unwrap()).unwrap().starts_with("{\"t\":500,\"node\":\"p\""));
        assert!(told.ladders[0].print().contains("00:00:00.500"));
        assert_eq!(crate::report::Report::new(&plan, &told.findings).exit_code(), 0);
    }
}
