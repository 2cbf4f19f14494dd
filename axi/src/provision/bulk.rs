//! The vendor's pre-configuration file: instructions, then records (OM System Manual 6.1 10.1; 2.1 9.7; axi 8).
//!
//! ```text
//! # comment
//! start_number = 100          instructions fill what records leave empty
//! ac = number
//! data_sequence
//! 100;Anna;1234;00130 0000001 4;..  number;name;ac;ipei;additional id;SIP user;SIP password;SOS;man down;
//! ;Bert;;00130 0000002 1              locatable;localization;tracking
//! ```
//!
//! A record with an IPEI is a user and its handset, bound for good; one without is a user. What is there already becomes
//! like that, so that a file can be read twice.

use std::collections::BTreeMap;

use crate::element::Element;
use crate::provision::{Entry, Mistake, Reading};

/// The fields of a record in their order: the instruction that fills it, the attribute that it is, and how it is filled.
const FIELDS: &[(&str, &str, Fill)] = &[
    ("start_number", "num", Fill::Number),
    ("", "name", Fill::Never),
    ("ac", "ac", Fill::Counted),
    ("", "ipei", Fill::Never),
    ("additional_pin", "addId", Fill::Counted),
    ("sip_user", "sipAuthId", Fill::Counted),
    ("sip_pw", "sipPw", Fill::Counted),
    ("sos_number", "sosNum", Fill::Same),
    ("mandown_number", "manDownNum", Fill::Same),
    ("locatable", "locatable", Fill::Same),
    ("localization", "locRight", Fill::Same),
    ("tracking", "trackingActive", Fill::Same),
];

/// How a field is filled that a record leaves empty.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fill {
    /// Not at all.
    Never,
    /// With the value of the instruction.
    Same,
    /// With the number, when the instruction says `number`; a value of digits counts up from record to record.
    Counted,
    /// With the next number from `start_number` on, `no_of_number` times at most.
    Number,
}

/// Reads a file.
pub fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut rules: Option<Rules> = None;
    let mut instructions = BTreeMap::new();
    let mut last = 1;
    for (line, text) in (1..).zip(text.lines()) {
        last = line;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let read = match &mut rules {
            Some(rules) => rules.record(line, text).map(|entry| reading.entries.push(entry)),
            None if text == "data_sequence" => Rules::new(&instructions).map(|made| rules = Some(made)),
            None => instruction(line, text, &mut instructions),
        };
        if let Err(mistake) = read {
            reading.mistakes.push(mistake);
        }
    }
    if rules.is_none() && reading.mistakes.is_empty() {
        reading.mistakes.push(mistake(
            last,
            "no line `data_sequence`",
            "one between the instructions and the records",
            "add it; without it a file has no records",
        ));
    }
    reading
}

type Instructions<'t> = BTreeMap<&'t str, (u32, &'t str)>;

fn instruction<'t>(line: u32, text: &'t str, into: &mut Instructions<'t>) -> Result<(), Mistake> {
    let known =
        |tag: &str| tag == "no_of_number" || FIELDS.iter().any(|(own, ..)| *own == tag && !tag.is_empty());
    match text.split_once('=').map(|(tag, value)| (tag.trim(), value.trim())) {
        Some((tag, value)) if known(tag) => {
            into.insert(tag, (line, value));
            Ok(())
        }
        Some((tag, _)) => {
            Err(mistake(line, &format!("the instruction {tag:?}"), &tags(), "correct or remove it"))
        }
        None => Err(mistake(
            line,
            "a line without =",
            "an instruction such as `ac = number`, or `data_sequence`",
            "move records behind the line `data_sequence`",
        )),
    }
}

fn tags() -> String {
    let tags = FIELDS.iter().map(|(tag, ..)| *tag).filter(|tag| !tag.is_empty());
    format!("no_of_number, {}", tags.collect::<Vec<_>>().join(", "))
}

/// What fills the fields that are left empty, and how far it has come.
struct Rules {
    fills: Vec<Option<Filling>>,
    /// How many numbers may still be made.
    numbers: u32,
}

enum Filling {
    Text(String),
    LikeNumber,
    /// The next value, and how many digits it has.
    Next(u64, usize),
}

impl Rules {
    fn new(instructions: &Instructions<'_>) -> Result<Rules, Mistake> {
        let mut fills = Vec::with_capacity(FIELDS.len());
        for (tag, _, fill) in FIELDS {
            let Some((line, value)) = instructions.get(tag).filter(|(_, value)| !value.is_empty()) else {
                fills.push(None);
                continue;
            };
            let counts =
                || Some(Filling::Next(value.parse().ok().filter(|_| is_digits(value))?, value.len()));
            fills.push(match fill {
                Fill::Never => None,
                Fill::Same => Some(Filling::Text((*value).to_owned())),
                Fill::Counted if *value == "number" => Some(Filling::LikeNumber),
                Fill::Counted => counts().or_else(|| Some(Filling::Text((*value).to_owned()))),
                Fill::Number => {
                    Some(counts().ok_or_else(|| {
                        mistake(*line, "a start_number that is none", "digits", "correct it")
                    })?)
                }
            });
        }
        let numbers = match instructions.get("no_of_number") {
            None => u32::MAX,
            Some((line, value)) => value
                .parse()
                .map_err(|_| mistake(*line, "a no_of_number that is none", "digits", "correct it"))?,
        };
        Ok(Rules { fills, numbers })
    }

    fn record(&mut self, line: u32, text: &str) -> Result<Entry, Mistake> {
        let fields: Vec<&str> = text.split(';').map(str::trim).collect();
        if fields.iter().skip(FIELDS.len()).any(|field| !field.is_empty()) {
            let read = format!("a record of {} fields", fields.len());
            return Err(mistake(
                line,
                &read,
                "at most 12, with ; between them",
                "look for a ; that is too many",
            ));
        }
        let mut user = Element::new("user");
        let mut device = Element::new("pp");
        let mut number = String::new();
        for (place, (_, name, fill)) in FIELDS.iter().enumerate() {
            let written = fields.get(place).copied().unwrap_or_default();
            let value = match written {
                "" => self.filled(place, *fill, &number, line)?,
                written => Some(written.to_owned()),
            };
            let Some(value) = value else { continue };
            if *name == "num" {
                number.clone_from(&value);
            }
            match *name {
                "ac" | "ipei" => device.set(*name, value),
                name => user.set(name, value),
            }
        }
        if number.is_empty() {
            let cure = "write it in the first field, or add `start_number = ..` before `data_sequence`";
            return Err(mistake(line, "a record without a number", "the number of a user", cure));
        }
        if device.get("ipei").is_some() {
            return Ok(entry(line, "CreateFixedPP", [user, device]));
        }
        match fields.get(2).is_some_and(|ac| !ac.is_empty()) {
            true => Err(mistake(
                line,
                "an authentication code without an IPEI",
                "the IPEI of the handset that is to subscribe with it",
                "write the IPEI in the fourth field, or leave the third one empty",
            )),
            false => Ok(entry(line, "CreatePPUser", [user])),
        }
    }

    fn filled(
        &mut self,
        place: usize,
        fill: Fill,
        number: &str,
        line: u32,
    ) -> Result<Option<String>, Mistake> {
        match self.fills.get_mut(place).and_then(Option::as_mut) {
            None => Ok(None),
            Some(Filling::Text(text)) => Ok(Some(text.clone())),
            Some(Filling::LikeNumber) => Ok(Some(number.to_owned())),
            Some(Filling::Next(next, width)) => {
                if fill == Fill::Number {
                    self.numbers = self.numbers.checked_sub(1).ok_or_else(|| {
                        let cure = "raise no_of_number, or write the number in the first field";
                        mistake(
                            line,
                            "one record without a number too many",
                            "as many as no_of_number says",
                            cure,
                        )
                    })?;
                }
                let text = format!("{next:0width$}", width = *width);
                *next = next.saturating_add(1);
                Ok(Some(text))
            }
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A request in clear that overwrites what is there.
pub(super) fn entry(
    line: u32,
    name: &'static str,
    children: impl IntoIterator<Item = Element<'static>>,
) -> Entry {
    let mut request = Element::new(name).with("plainText", "1").with("replaceData", "1");
    for child in children {
        request.push(child);
    }
    Entry { line, request }
}

fn mistake(line: u32, read: &str, expected: &str, cure: &str) -> Mistake {
    Mistake { line, read: read.into(), expected: expected.into(), cure: cure.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn children(entry: &Entry) -> String {
        entry.request.children().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn instructions_fill_what_records_leave_empty() {
        let file = "# pre-configuration\r\nstart_number = 0100\nno_of_number = 2\nac = number\nsip_user=number\n\
            sip_pw = 7000\nsos_number = 110\n\ndata_sequence\n;Anna;;0000100000019\n42;Bert;;;77;;geheim\n;Cora;9;0000100000027\n";
        let Reading { entries, mistakes } = read(file);
        assert_eq!(mistakes, []);
        let told: Vec<(u32, &str, String)> =
            entries.iter().map(|entry| (entry.line, entry.request.name(), children(entry))).collect();
        let fixed = |num: &str, name: &str, pw: &str, ac: &str, ipei: &str| {
            format!(
                "<user num=\"{num}\" name=\"{name}\" sipAuthId=\"{num}\" sipPw=\"{pw}\" sosNum=\"110\"/>\
                 <pp ac=\"{ac}\" ipei=\"{ipei}\"/>"
            )
        };
        assert_eq!(told[0], (10, "CreateFixedPP", fixed("0100", "Anna", "7000", "0100", "0000100000019")));
        let bert =
            "<user num=\"42\" name=\"Bert\" addId=\"77\" sipAuthId=\"42\" sipPw=\"geheim\" sosNum=\"110\"/>";
        assert_eq!(told[1], (11, "CreatePPUser", bert.to_owned()));
        assert_eq!(told[2], (12, "CreateFixedPP", fixed("0101", "Cora", "7001", "9", "0000100000027")));
        assert!(!format!("{entries:?}").contains("geheim"), "secrets do not show");
    }

    #[test]
    fn each_mistake_names_its_line_what_was_read_and_what_to_do() {
        for (file, line, read_as) in [
            ("ac = 1\n1;Anna", 2, "a line without ="),
            ("colour = red\ndata_sequence\n", 1, "the instruction \"colour\""),
            ("start_number = x\ndata_sequence\n", 1, "a start_number that is none"),
            ("no_of_number = x\ndata_sequence\n", 1, "a no_of_number that is none"),
            ("data_sequence\n;Anna", 2, "a record without a number"),
            (
                "start_number=1\nno_of_number=1\ndata_sequence\n;A\n;B",
                5,
                "one record without a number too many",
            ),
            ("data_sequence\n1;;;;;;;;;;;;;x", 2, "a record of 14 fields"),
            ("data_sequence\n1;Anna;1234", 2, "an authentication code without an IPEI"),
            ("ac = 1\n", 1, "no line `data_sequence`"),
        ] {
            let mistakes = read(file).mistakes;
            assert!(!mistakes.is_empty(), "{file}");
            assert_eq!((mistakes[0].line, mistakes[0].read.as_str()), (line, read_as), "{file}");
        }
    }
}
