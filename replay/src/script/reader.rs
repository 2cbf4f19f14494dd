//! From a text to a [`Script`]: which line is what, and to which step it belongs.

use std::sync::Arc;
use std::time::Duration;

use super::action::{self, Action};
use super::assert::{self, Assert, Span};
use super::complaint::Complaint;
use super::cursor::{Cursor, Read};
use super::names::Names;
use super::schedule::{Trigger, When};
use super::world::{self, Declared};
use super::{Deed, Place, Script, Step, output};

/// The words with which a time begins.
const TIMES: &[&str] = &["at", "after", "every", "during", "when"];
/// How deep files may include each other. Ours.
const INCLUDE_DEPTH_MAX: usize = 8;
/// The longest line that is read, in bytes; a longer one is no scenario. Ours.
const LINE_MAX: usize = 4096;
/// After so many errors the rest is not read: they are mostly the same one. Ours.
const COMPLAINTS_MAX: usize = 20;

/// Reads a scenario. `open` gives the text of an included file, named as in the script.
///
/// # Errors
/// Every complaint about the text, in the order of the lines, at most 20.
pub fn read(
    file: &str,
    text: &str,
    open: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Script, Vec<Complaint>> {
    let script = Script {
        file: Arc::from(file),
        story: None,
        world: Vec::new(),
        steps: Vec::new(),
        outputs: Vec::new(),
        warnings: Vec::new(),
    };
    let mut reader = Reader { script, names: Names::default(), anchor: None, triggers: 0, wrong: Vec::new() };
    reader.file(file, text, open, 0);
    if reader.wrong.is_empty() { Ok(reader.script) } else { Err(reader.wrong) }
}

struct Reader {
    script: Script,
    names: Names,
    /// The step above.
    anchor: Option<When>,
    triggers: usize,
    wrong: Vec<Complaint>,
}

type Open<'a> = &'a mut dyn FnMut(&str) -> Result<String, String>;

impl Reader {
    fn file(&mut self, file: &str, text: &str, open: Open<'_>, depth: usize) {
        let file: Arc<str> = Arc::from(file);
        for (index, source) in text.lines().enumerate() {
            if depth == 0 && index == 0 {
                self.script.story = source.strip_prefix("# story:").map(|story| story.trim().to_string());
            }
            let place = Place { file: Arc::clone(&file), line: index + 1 };
            let shown = if source.len() > LINE_MAX { "(a line of more than 4096 bytes)" } else { source };
            let mut line = Cursor::new(place, shown);
            let done = match line.peek_word() {
                _ if line.is_done() => Ok(()),
                "include" => self.include(&mut line, open, depth),
                _ => self.line(&mut line, source.starts_with(char::is_whitespace)),
            };
            if let Err(complaint) = done {
                self.wrong.push(*complaint);
            }
            if self.wrong.len() >= COMPLAINTS_MAX {
                return;
            }
        }
    }

    fn include(&mut self, line: &mut Cursor<'_>, open: Open<'_>, depth: usize) -> Read<()> {
        line.skip();
        let quoted = line.peek().is_some_and(|token| token.kind == super::lexer::Kind::Quoted);
        let path = if quoted { line.quoted("a file")? } else { line.word("a file")? };
        line.finish()?;
        if depth >= INCLUDE_DEPTH_MAX {
            return Err(
                line.complain_back("files include each other too deeply", "at most 8 files in each other")
            );
        }
        match open(path) {
            Ok(text) => self.file(path, &text, open, depth + 1),
            Err(why) => {
                return Err(line.complain_back("this file cannot be read", "a readable file").hint(why));
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &mut Cursor<'_>, indented: bool) -> Read<()> {
        let word = line.peek_word();
        if world::read::WORDS.contains(&word) {
            let text = line.rest().to_string();
            let world = world::read::read(line, &mut self.names)?;
            self.script.world.push(Declared { place: line.place.clone(), text, world });
            return line.finish();
        }
        if word == "output" {
            line.skip();
            let outputs = output::read(line, &self.names, &mut self.script.warnings)?;
            self.script.outputs.extend(outputs);
            return line.finish();
        }
        let timed = TIMES.contains(&word);
        let during = if timed { self.time(line)? } else { None };
        // `always`, `never` and `limit` at the left margin speak about the whole run; the rest belongs to the step above.
        let runs = !timed && !indented && ["always", "never", "limit"].contains(&line.peek_word());
        self.deed(line, runs, during)
    }

    /// Reads the time in front of a step; it becomes the anchor of the lines below.
    fn time(&mut self, line: &mut Cursor<'_>) -> Read<Option<Duration>> {
        match line.peek_word() {
            "at" => {
                line.skip();
                self.anchor = Some(When::At(line.duration()?));
            }
            "after" => {
                let later = self.after(line)?;
                self.anchor = Some(later);
            }
            "every" => {
                line.skip();
                let period = line.duration()?;
                if period.is_zero() {
                    return Err(line.complain_back("this would repeat without end", "a duration above zero"));
                }
                let from = line.span("from")?.unwrap_or(period);
                self.anchor = Some(When::Every { period, from, until: line.span("until")? });
                line.take(":");
            }
            "when" => {
                line.skip();
                let armed = match &self.anchor {
                    None | Some(When::Run) => Duration::ZERO,
                    Some(When::At(at)) => *at,
                    Some(When::Every { from, .. }) => *from,
                    Some(When::On { trigger, .. }) => trigger.armed,
                };
                let pattern = assert::pattern(line, &self.names)?;
                line.require(":")?;
                let trigger = Trigger { id: self.triggers, armed, pattern };
                self.triggers += 1;
                self.anchor = Some(When::On { trigger, plus: Duration::ZERO });
            }
            _ => {}
        }
        if !line.take("during") {
            return Ok(None);
        }
        let span = line.duration()?;
        line.require(":")?;
        Ok(Some(span))
    }

    fn after(&self, line: &mut Cursor<'_>) -> Read<When> {
        let anchor = self.anchor.clone();
        let complaint =
            line.complain("there is no step above with one moment", "`at` with a time after the start");
        line.skip();
        let later = line.duration()?;
        match anchor {
            Some(When::At(at)) => Ok(When::At(at.saturating_add(later))),
            Some(When::On { trigger, plus }) => Ok(When::On { trigger, plus: plus.saturating_add(later) }),
            None | Some(When::Run | When::Every { .. }) => Err(complaint),
        }
    }

    /// Reads an action or an assert and puts it where the time in front of it, or the step above, says.
    fn deed(&mut self, line: &mut Cursor<'_>, runs: bool, during: Option<Duration>) -> Read<()> {
        let word = line.peek_word();
        let text = line.rest().to_string();
        if let Some((_, instead)) = action::LATER.iter().find(|(later, _)| *later == word) {
            return Err(line.unsupported(instead));
        }
        let is_action = action::WORDS.contains(&word);
        if !is_action && !assert::WORDS.contains(&word) {
            return Err(self.unknown(line));
        }
        let when = if runs { When::Run } else { self.belongs(line, is_action)? };
        let start = Cursor::complain(line, "", "");
        let mut deed = if is_action {
            Deed::Act(action::read(line, &self.names)?)
        } else {
            Deed::Check(assert::read(line, &self.names, runs)?)
        };
        line.finish()?;
        if let Some(span) = during
            && !last(&mut deed, span)
        {
            let what = "`during` does not go with this".to_string();
            let expected =
                "`always`, `never`, or an action that can be undone: cut, flap, slow, drop, answer, call"
                    .to_string();
            return Err(Box::new(Complaint { what, expected, ..*start }));
        }
        let source = line.source().to_string();
        self.script.steps.push(Step { place: line.place.clone(), source, text, when, deed });
        Ok(())
    }

    /// The moment of a line: the step above.
    fn belongs(&self, line: &Cursor<'_>, is_action: bool) -> Read<When> {
        match &self.anchor {
            None if line.peek_word() == "expect" || is_action => {
                let hint = format!("write `at 0s {}`", line.rest());
                Err(line
                    .complain(
                        "there is no step above to which this belongs",
                        "a time: `at`, `after`, `every`, `when`",
                    )
                    .hint(hint))
            }
            None => Ok(When::Run),
            Some(When::On { .. }) if !is_action => Err(line
                .complain("an assert cannot wait for an event", "an action")
                .hint("put it under an `at` line")),
            Some(when) => Ok(when.clone()),
        }
    }

    fn unknown(&self, line: &Cursor<'_>) -> Box<Complaint> {
        if line.is_done() {
            return line.complain("a time needs something that happens", "an action or an assert");
        }
        let later = action::LATER.iter().map(|(word, _)| *word);
        let words = world::read::WORDS.iter().chain(TIMES).chain(action::WORDS).chain(assert::WORDS).copied();
        line.complain(
            "no statement begins like this",
            "a statement of the world, a time, an action, an assert, `output` or `include`",
        )
        .nearest_of(words.chain(later).chain(["output", "include"]))
    }
}

/// Lets a deed last so long; `false` when that makes no sense.
fn last(deed: &mut Deed, long: Duration) -> bool {
    match deed {
        Deed::Check(Assert::Always { span, .. } | Assert::Never { span, .. }) => *span = Span::For(long),
        Deed::Act(
            Action::Cut { span, .. }
            | Action::Slow { span, .. }
            | Action::Drop { span, .. }
            | Action::DropDns { span }
            | Action::Answer { span, .. }
            | Action::Behave { span, .. },
        ) => *span = Some(long),
        Deed::Act(Action::Flap { span, .. } | Action::Call { span, .. }) => *span = long,
        Deed::Act(_) | Deed::Check(_) => return false,
    }
    true
}
