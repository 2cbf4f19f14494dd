//! Outputs: what a run writes beside its verdict.

use super::Name;
use super::complaint::Complaint;
use super::cursor::{Cursor, Read};
use super::names::{Names, Sort};

/// Something that a run writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// `timeline`: what happened, a line an event.
    Timeline,
    /// `ladder USER`: who sent what to whom about one user.
    Ladder(Name),
    /// `json`: `result.json` and `trace.jsonl`.
    Json,
    /// `junit`: `junit.xml`.
    Junit,
}

/// Artefacts that a later release writes.
const LATER: &[&str] = &["svg", "mermaid", "pcap", "hep", "html"];

/// Reads what stands behind `output`. A word of a later release is a warning.
pub(super) fn read(line: &mut Cursor<'_>, names: &Names, warnings: &mut Vec<Complaint>) -> Read<Vec<Output>> {
    let mut outputs = Vec::new();
    loop {
        match line.peek_word() {
            "timeline" => outputs.push(Output::Timeline),
            "json" => outputs.push(Output::Json),
            "junit" => outputs.push(Output::Junit),
            "ladder" => {
                line.skip();
                outputs.push(Output::Ladder(line.name(names, &[Sort::User])?));
                if line.take(",") {
                    continue;
                }
                return Ok(outputs);
            }
            word if LATER.contains(&word) => {
                warnings.push(*line.warning());
                if word == "hep" {
                    line.skip();
                    line.word("where to send the packets")?;
                    if line.take(",") {
                        continue;
                    }
                    return Ok(outputs);
                }
            }
            _ => {
                let known = ["timeline", "ladder", "json", "junit"];
                let expected = "timeline, ladder USER, json, junit";
                return Err(line.complain("this is no output", expected).nearest_of(known));
            }
        }
        line.skip();
        if !line.take(",") {
            return Ok(outputs);
        }
    }
}
