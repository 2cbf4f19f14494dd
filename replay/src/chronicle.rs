//! What a run writes while it goes: the trace, the timeline, the ladders.

use std::io::{self, Write};
use std::sync::Arc;

use crate::ladder::Ladder;
use crate::plan::Plan;
use crate::script::output::Output;
use crate::trace::Sight;

/// The writers of a run. `W` is where a line goes: a buffered file, or a `Vec<u8>`.
#[derive(Debug)]
pub struct Chronicle<W> {
    ladders: Vec<Ladder>,
    trace: Option<W>,
    timeline: Option<W>,
    line: String,
    broken: Option<io::Error>,
}

/// What was written.
#[derive(Debug)]
pub struct Written<W> {
    /// The ladders that the script asks for.
    pub ladders: Vec<Ladder>,
    /// The writers, given back.
    pub trace: Option<W>,
    /// See `trace`.
    pub timeline: Option<W>,
}

impl<W: Write> Chronicle<W> {
    /// The writers for this world. What is `None` is not printed.
    pub fn new(plan: &Arc<Plan>, trace: Option<W>, timeline: Option<W>) -> Chronicle<W> {
        let users = plan.outputs.iter().filter_map(|output| match output {
            Output::Ladder(name) => plan.users.iter().position(|user| user.name == *name),
            Output::Timeline | Output::Json | Output::Junit => None,
        });
        let ladders = users.map(|user| Ladder::new(plan, user)).collect();
        Chronicle { ladders, trace, timeline, line: String::new(), broken: None }
    }

    /// Takes an event in. A writer that fails is told at the end; the run goes on.
    pub fn see(&mut self, sight: &Sight<'_>) {
        for ladder in &mut self.ladders {
            ladder.see(sight);
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

    /// The run is over.
    ///
    /// # Errors
    /// The first thing that a writer said.
    pub fn finish(mut self) -> io::Result<Written<W>> {
        for writer in self.trace.iter_mut().chain(&mut self.timeline) {
            writer.flush()?;
        }
        match self.broken {
            Some(fault) => Err(fault),
            None => Ok(Written { ladders: self.ladders, trace: self.trace, timeline: self.timeline }),
        }
    }
}

#[cfg(test)]
mod tests {
    use machine::note::Note;
    use machine::time::Moment;

    use super::*;
    use crate::plan::{self, Override};
    use crate::script::reader;

    #[test]
    fn an_event_is_written_everywhere() {
        let text = "site c central\nproxy p at c\nuser anna\nat 1s expect anna registered\nat 9s end\noutput ladder anna\n";
        let script = reader::read("x.scn", text, &mut |_| Err(String::new())).unwrap();
        let plan = Arc::new(plan::make(&script, Override::default()).unwrap());
        let mut chronicle = Chronicle::new(&plan, Some(Vec::new()), Some(Vec::new()));
        let note = Note::new("bound").text("aor", "sip:101@x").text("contact", "sip:101@10.0.1.1");
        chronicle.see(&Sight::of(Moment::from_millis(500), "p", "registrar", &note));
        let told = chronicle.finish().unwrap();
        let timeline = String::from_utf8(told.timeline.unwrap()).unwrap();
        assert_eq!(timeline, "00:00:00.500 p registrar bound aor=sip:101@x contact=sip:101@10.0.1.1\n");
        assert!(String::from_utf8(told.trace.unwrap()).unwrap().starts_with("{\"t\":500,\"node\":\"p\""));
        assert!(told.ladders[0].print().contains("00:00:00.500"));
    }
}
