//! `application/reginfo+xml`: what a registrar knows about an address of record (RFC 3680 5).
//!
//! Read with strict limits and no more than is needed: a DTD ends the reading, foreign elements are passed over.

use std::time::Duration;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event as Xml};
use quick_xml::reader::Reader;

use crate::malformed::Malformed;

/// Contacts of one document that are read. Ours: an address of record here has a few phones, not hundreds.
pub const CONTACTS_MAX: usize = 64;
/// Elements within elements; the schema nests three deep, extensions a little more. Ours.
const DEPTH_MAX: usize = 12;

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reginfo {
    /// One more with each document of a subscription (RFC 3680 5.1).
    pub version: u32,
    /// It tells everything, not only what changed.
    pub full: bool,
    /// The contacts of all its registrations.
    pub contacts: Vec<Entry>,
}

/// One contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its URI.
    pub uri: String,
    /// It is bound; otherwise it is so no longer.
    pub active: bool,
    /// What happened last.
    pub event: Event,
    /// What is left of its life.
    pub expires: Option<Duration>,
    /// When to come back, after a probation.
    pub retry_after: Option<Duration>,
}

/// What happened to a contact (RFC 3680 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was bound.
    Registered,
    /// Somebody else bound it, an administrator say.
    Created,
    /// It was bound again.
    Refreshed,
    /// The registrar shortened its life.
    Shortened,
    /// Its life ran out.
    Expired,
    /// It was taken away; it may come back at once.
    Deactivated,
    /// It was taken away; it may come back after a while.
    Probation,
    /// It was removed by a REGISTER.
    Unregistered,
    /// It was taken away and shall not come back.
    Rejected,
}

impl Event {
    const WORDS: [(Event, &'static str); 9] = [
        (Event::Registered, "registered"),
        (Event::Created, "created"),
        (Event::Refreshed, "refreshed"),
        (Event::Shortened, "shortened"),
        (Event::Expired, "expired"),
        (Event::Deactivated, "deactivated"),
        (Event::Probation, "probation"),
        (Event::Unregistered, "unregistered"),
        (Event::Rejected, "rejected"),
    ];

    fn of(word: &str) -> Option<Event> {
        Event::WORDS.iter().find(|(_, known)| *known == word.trim()).map(|(event, _)| *event)
    }
}

const BAD: Malformed = Malformed::Syntax("reginfo");

impl Reginfo {
    /// Reads the body of a NOTIFY.
    ///
    /// # Errors
    /// When it is no document of this kind, nests too deep, or holds too many contacts.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the enum is quick-xml's; text, comments and the like are nothing to us"
    )]
    pub fn parse(body: &[u8]) -> Result<Reginfo, Malformed> {
        let text = std::str::from_utf8(body).map_err(|_| BAD)?;
        let mut reader = Reader::from_str(text);
        let mut reading = Reading::default();
        loop {
            match reader.read_event().map_err(|_| BAD)? {
                Xml::Start(tag) => {
                    reading.open(&tag)?;
                    reading.depth += 1;
                    if reading.depth > DEPTH_MAX {
                        return Err(Malformed::TooLarge("reginfo"));
                    }
                }
                Xml::Empty(tag) => {
                    reading.open(&tag)?;
                    reading.close(tag.local_name().into_inner());
                }
                Xml::End(tag) => {
                    reading.depth = reading.depth.checked_sub(1).ok_or(BAD)?;
                    reading.close(tag.local_name().into_inner());
                }
                Xml::Text(text) if reading.in_uri => reading.uri.push_str(text.as_ref()),
                Xml::GeneralRef(name) if reading.in_uri && &*name == "amp" => reading.uri.push('&'),
                Xml::DocType(_) => return Err(Malformed::Unsupported("DTD")),
                Xml::Eof => break,
                _ => {}
            }
        }
        reading.document.filter(|_| reading.depth == 0).ok_or(BAD)
    }
}

/// How far the reading has come.
#[derive(Default)]
struct Reading {
    document: Option<Reginfo>,
    entry: Option<Entry>,
    in_uri: bool,
    uri: String,
    depth: usize,
}

impl Reading {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), Malformed> {
        match (tag.local_name().into_inner(), &mut self.document) {
            ("reginfo", None) => {
                let version = attribute(tag, "version").and_then(|text| text.parse().ok()).ok_or(BAD)?;
                let full = attribute(tag, "state").is_some_and(|state| state == "full");
                self.document = Some(Reginfo { version, full, contacts: Vec::new() });
            }
            (_, None) => return Err(BAD),
            ("contact", Some(document)) => {
                if document.contacts.len() >= CONTACTS_MAX {
                    return Err(Malformed::TooLarge("reginfo"));
                }
                let seconds = |name| {
                    let text = attribute(tag, name)?;
                    text.parse::<u32>().ok().map(|s| Duration::from_secs(s.into()))
                };
                self.uri.clear();
                self.entry = Some(Entry {
                    uri: String::new(),
                    active: attribute(tag, "state").is_some_and(|state| state == "active"),
                    event: attribute(tag, "event").and_then(|word| Event::of(&word)).ok_or(BAD)?,
                    expires: seconds("expires"),
                    retry_after: seconds("retry-after"),
                });
            }
            ("uri", Some(_)) => self.in_uri = self.entry.is_some(),
            (_, Some(_)) => {}
        }
        Ok(())
    }

    fn close(&mut self, name: &str) {
        match name {
            "uri" => self.in_uri = false,
            "contact" => {
                if let (Some(document), Some(mut entry)) = (&mut self.document, self.entry.take()) {
                    entry.uri = self.uri.trim().to_owned();
                    document.contacts.push(entry);
                }
            }
            _ => {}
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().flatten().find(|one| one.key.into_inner() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(contacts: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<ri:reginfo xmlns:ri=\"urn:ietf:params:xml:ns:reginfo\" version=\"3\" \
             state=\"partial\"><ri:registration aor=\"sip:101@example.com\" id=\"a7\" state=\"active\">{contacts}\
             </ri:registration></ri:reginfo>"
        )
    }

    #[test]
    fn contacts_are_read_with_what_happened_to_them() {
        let text = document(
            "<ri:contact id=\"76\" state=\"active\" event=\"shortened\" expires=\"120\"><ri:uri>\n  \
             sip:101@10.0.1.1:5060;hm-ep=1?a=b&amp;c=d </ri:uri><ri:display-name>x</ri:display-name></ri:contact>\
             <ri:contact id=\"77\" state=\"terminated\" event=\"probation\" retry-after=\"60\"><ri:uri>sip:a@h\
             </ri:uri></ri:contact>",
        );
        let seen = Reginfo::parse(text.as_bytes()).expect("a document");
        assert_eq!((seen.version, seen.full, seen.contacts.len()), (3, false, 2));
        let [one, two] = &seen.contacts[..] else { panic!("two contacts") };
        assert_eq!(one.uri, "sip:101@10.0.1.1:5060;hm-ep=1?a=b&c=d");
        assert_eq!(
            (one.active, one.event, one.expires),
            (true, Event::Shortened, Some(Duration::from_secs(120)))
        );
        assert_eq!((two.active, two.event), (false, Event::Probation));
        assert_eq!(two.retry_after, Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        let many = "<contact state=\"active\" event=\"created\"><uri>sip:a@h</uri></contact>".repeat(65);
        let deep = "<x>".repeat(40);
        for text in [
            "",
            "<a/>",
            "<reginfo version=\"1\">",
            "<reginfo/>",
            "<reginfo version=\"-1\"/>",
            "<!DOCTYPE reginfo [<!ENTITY a \"b\">]><reginfo version=\"1\"/>",
            &document("<contact state=\"active\" event=\"exploded\"/>"),
            &document(&many),
            &document(&deep),
        ] {
            assert!(Reginfo::parse(text.as_bytes()).is_err(), "{text:.80}");
        }
        assert!(Reginfo::parse(b"<reginfo version=\"0\" state=\"full\"/>").is_ok_and(|seen| seen.full));
    }
}
