//! `ipdect.cfg`: AXI requests one after another, without a root and without NULs (axi 8).
//!
//! Lines that begin with `#` are comments, but not within a value. The vendor's examples leave out quotes here and there
//! (`plainText=1`); they are put in before the XML is read. A request that cannot be read costs only itself, unless its
//! end is missing.

use crate::element::Element;
use crate::provision::{Entry, Mistake, Reading};

/// Elements within elements while looking for the end of a request; more are no request. Ours.
const DEPTH_MAX: usize = 8;

/// Reads a file.
pub fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut scan = Scan { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    loop {
        scan.skip_blanks();
        let line = scan.line;
        if scan.rest.is_empty() {
            return reading;
        }
        match scan.request() {
            Ok(Some(spelt)) => match Element::read(spelt.as_bytes()) {
                Ok(element) => reading.entries.push(Entry { line, request: element.into_owned() }),
                Err(bad) => reading.mistakes.push(Mistake {
                    line,
                    read: format!("something that is no XML: {bad}"),
                    expected: "an AXI request such as <CreatePPUser><user num=\"100\"/></CreatePPUser>"
                        .into(),
                    cure: "correct the request".into(),
                }),
            },
            Ok(None) => {}
            Err(mistake) => reading.mistakes.push(mistake),
        }
    }
}

/// Where the reader is.
struct Scan<'t> {
    rest: &'t str,
    line: u32,
}

/// What a tag does to the depth.
enum Tag {
    Opens,
    Closes,
    Stands,
}

impl<'t> Scan<'t> {
    fn take(&mut self, len: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(len);
        self.line += u32::try_from(taken.matches('\n').count()).unwrap_or(u32::MAX);
        self.rest = rest;
        taken
    }

    /// Up to this text and including it; `None` when it does not come.
    fn take_through(&mut self, end: &str) -> Option<&'t str> {
        let at = self.rest.find(end)?;
        Some(self.take(at + end.len()))
    }

    /// Skips blanks and comments. Called where no tag is open, so that a `#` here is in no value.
    fn skip_blanks(&mut self) {
        loop {
            let blanks = self.rest.len() - self.rest.trim_start().len();
            self.take(blanks);
            let skipped = if self.rest.starts_with('#') {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.take(end);
                true
            } else if self.rest.starts_with("<!--") {
                self.take_through("-->").is_some()
            } else if self.rest.starts_with("<?") {
                self.take_through("?>").is_some()
            } else {
                false
            };
            if !skipped {
                return;
            }
        }
    }

    /// The next request, all values quoted; `None` after something else was skipped without a word.
    fn request(&mut self) -> Result<Option<String>, Mistake> {
        let begin = self.line;
        let (mut spelt, mut depth) = (String::new(), 0_usize);
        loop {
            self.skip_blanks();
            if self.rest.is_empty() {
                return Err(unended(begin));
            }
            if !self.rest.starts_with('<') {
                let line = self.line;
                let end = self.rest.find(['<', '\n']).unwrap_or(self.rest.len());
                self.take(end.max(1).min(self.rest.len()));
                return Err(Mistake {
                    line,
                    read: "text outside of any tag".into(),
                    expected: "an AXI request, which begins with <".into(),
                    cure: "put a # before comments and remove anything else".into(),
                });
            }
            match self.tag(&mut spelt).ok_or_else(|| unended(begin))? {
                Tag::Opens => depth += 1,
                Tag::Closes if depth <= 1 => return Ok(Some(spelt)),
                Tag::Closes => depth -= 1,
                Tag::Stands if depth == 0 => return Ok(Some(spelt)),
                Tag::Stands => {}
            }
            if depth > DEPTH_MAX {
                return Err(unended(begin));
            }
        }
    }

    /// One tag, with quotes around every value; `None` when its end does not come, and then nothing is left.
    fn tag(&mut self, spelt: &mut String) -> Option<Tag> {
        let mut quote = None;
        let mut end = None;
        for (at, character) in self.rest.char_indices() {
            match (quote, character) {
                (None, '>') => {
                    end = Some(at);
                    break;
                }
                (None, '"' | '\'') => quote = Some(character),
                (Some(open), character) if open == character => quote = None,
                (_, _) => {}
            }
        }
        let Some(end) = end else {
            self.take(self.rest.len());
            return None;
        };
        let inside = self.take(end + 1).trim_start_matches('<').trim_end_matches('>');
        let (inside, stands) = match inside.strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        spelt.push('<');
        quoted(inside, spelt);
        spelt.push_str(if stands { "/>" } else { ">" });
        Some(match (stands, inside.starts_with('/')) {
            (true, _) => Tag::Stands,
            (false, true) => Tag::Closes,
            (false, false) => Tag::Opens,
        })
    }
}

/// Puts quotes around values that have none: what follows a `=` up to the next blank.
fn quoted(inside: &str, out: &mut String) {
    let mut rest = inside;
    while let Some(at) = rest.find('=') {
        let (name, value) = rest.split_at(at + 1);
        let value = value.trim_start();
        out.push_str(name);
        let len = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.get(1..).and_then(|text| text.find(quote)).map(|at| at + 2),
            Some(_) | None => None,
        };
        if let Some(len) = len {
            let (value, after) = value.split_at(len);
            out.push_str(value);
            // Two attributes may touch each other after a quote; XML wants a blank.
            if after.starts_with(|next: char| !next.is_whitespace()) {
                out.push(' ');
            }
            rest = after;
        } else {
            let (value, after) = value.split_at(value.find(char::is_whitespace).unwrap_or(value.len()));
            out.push('"');
            out.push_str(&value.replace('"', "&quot;"));
            out.push('"');
            rest = after;
        }
    }
    out.push_str(rest);
}

fn unended(line: u32) -> Mistake {
    Mistake {
        line,
        read: "a request without its end".into(),
        expected: "a closing tag, or /> in a request without children".into(),
        cure: "close the request that begins here; what follows it was not read".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (Vec<(u32, String)>, Vec<u32>) {
        let Reading { entries, mistakes } = read(text);
        let entries = entries.iter().map(|entry| (entry.line, entry.request.to_string())).collect();
        (entries, mistakes.iter().map(|mistake| mistake.line).collect())
    }

    #[test]
    fn requests_stand_one_after_another_with_comments_between_and_quotes_as_it_pleases() {
        let file = "\u{feff}# the site\n<?xml version=\"1.0\"?>\n<SetPARK park=1F102A7158 />\n\n\
            <CreatePPUser plainText=1 replaceData='1'>\n  # Anna\n  <user num=\"100\" name=\"A # B > C\"sipPw=x=y/>\n\
            </CreatePPUser><!-- gone -->\n   # <DeletePPDev ppn=\"1\"/>\n<SetDECTRegDomain regDomain=\"EMEA\"/>";
        let (entries, mistakes) = told(file);
        assert_eq!(
            entries,
            [
                (3, "<SetPARK park=\"1F102A7158\"/>".to_owned()),
                (
                    5,
                    "<CreatePPUser plainText=\"1\" replaceData=\"1\"><user num=\"100\" name=\"A # B &gt; C\" \
                     sipPw=\"x=y\"/></CreatePPUser>"
                        .to_owned()
                ),
                (10, "<SetDECTRegDomain regDomain=\"EMEA\"/>".to_owned()),
            ]
        );
        assert_eq!(mistakes, [0_u32; 0]);
    }

    #[test]
    fn a_mistake_names_its_line_and_costs_only_itself() {
        let (entries, mistakes) = told("<A b=\"1\" b=\"2\"/>\nhello\n<B/>\n<C><D/></E>\n<F/>");
        assert_eq!(entries.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 5]);
        assert_eq!(mistakes, [1, 2, 4]);
    }

    #[test]
    fn a_request_without_its_end_is_shown_where_it_begins() {
        for file in ["<B/>\n<A>\n<C/>\n", "<B/>\n<A b=\"1/>\n<C/>", "<B/>\n<A"] {
            let (entries, mistakes) = told(file);
            assert_eq!((entries.len(), mistakes), (1, vec![2]), "{file}");
        }
    }

    #[test]
    fn nothing_that_a_file_can_hold_stops_the_reader() {
        let pieces =
            ["<", ">", "/", "a", "=", "\"", "'", "#", "\n", " ", "<a b=c>", "</a>", "<!--", "<?", "ü"];
        let mut state = 1_u64;
        for _ in 0..2_000 {
            let mut file = String::new();
            for _ in 0..24 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                file.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let lines = file.matches('\n').count() as u32 + 1;
            let Reading { entries, mistakes } = read(&file);
            assert!(entries.iter().all(|entry| entry.line <= lines), "{file:?}");
            assert!(mistakes.iter().all(|mistake| mistake.line <= lines), "{file:?}");
        }
    }
}
