//! Requests that are no INVITE, from the server's side (RFC 3261 17.2.2, RFC 4320): one table for all of them.
//!
//! ```text
//!  new --> Trying --100--> Proceeding --final--> Completed --Timer J--> (forgotten)
//!             |                 |
//!             +--- 64*T1 passed without an answer --> (forgotten)
//! ```
//!
//! A copy of a request is absorbed: it draws the answer given before, or none while there is none. An answer that is
//! late by 64*T1 is not sent at all: nobody listens any more (RFC 4320 4.2).

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use machine::time::Moment;

use super::LIFE;

/// Most transactions remembered. Ours: within one life of 32 s all 10,000 phones of a system (M-2.2.1) may come back
/// after a power cut, each with a request that is challenged and one that answers; the rest is room for others.
pub const TRANSACTIONS_MAX: usize = 32_768;

/// What makes two requests copies of one: topmost branch, sent-by and method, or for a peer of RFC 2543, whose
/// branch means nothing, everything that such a peer keeps equal (17.2.3).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Key(Arc<str>);

impl Key {
    /// The key of a request whose branch starts with the magic cookie.
    pub fn new(branch: &str, (host, port): (&str, Option<u16>), method: &str) -> Key {
        let port = port.unwrap_or(5060);
        let mut text = String::with_capacity(branch.len() + host.len() + method.len() + "\n\n65535\n".len());
        text.push_str(branch);
        text.push('\n');
        // Hosts compare without case (19.1.4), branches and methods with case.
        text.extend(host.chars().map(|letter| letter.to_ascii_lowercase()));
        // Writing to a String cannot fail.
        _ = write!(text, "\n{port}\n{method}");
        Key(text.into())
    }

    /// The key of a request of RFC 2543: Request-URI, To tag, From tag, Call-ID, CSeq and the topmost Via, whole.
    pub fn of_old(parts: &[&str]) -> Key {
        Key(format!("2543\n{}", parts.join("\n")).into())
    }
}

/// What to do with a request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Never seen: handle it.
    New,
    /// A copy of a request that has no answer yet: say nothing.
    Absorbed,
    /// A copy of a request that was answered: send these bytes again.
    Again(Bytes),
    /// Never seen, but the table is full: answer without remembering, if at all.
    Full,
}

#[derive(Clone, Debug)]
struct Entry {
    answer: Option<Bytes>,
    ends: (Moment, u64),
}

/// The server transactions of one endpoint.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    /// Looked up, never iterated: order cannot be seen.
    table: HashMap<Key, Entry>,
    /// The number tells transactions that end at one instant apart.
    ends: BTreeMap<(Moment, u64), Key>,
    serial: u64,
}

impl Servers {
    /// Looks a request up and, when it is new and there is room, remembers it.
    pub fn arrive(&mut self, now: Moment, key: &Key) -> Arrival {
        self.wake(now);
        match self.table.get(key) {
            Some(Entry { answer: Some(bytes), .. }) => return Arrival::Again(bytes.clone()),
            Some(Entry { answer: None, .. }) => return Arrival::Absorbed,
            None if self.table.len() >= TRANSACTIONS_MAX => return Arrival::Full,
            None => {}
        }
        self.put(key.clone(), None, now + LIFE);
        Arrival::New
    }

    /// Notes a 100, which is the only provisional answer there may be (RFC 4320 4.1). False when there is nothing to
    /// answer any more: do not send it.
    #[must_use]
    pub fn provisional(&mut self, now: Moment, key: &Key, bytes: Bytes) -> bool {
        self.wake(now);
        let entry = self.table.get_mut(key);
        entry.map(|entry| entry.answer = Some(bytes)).is_some()
    }

    /// Notes the final answer. False when there is nothing to answer any more: do not send it.
    #[must_use]
    pub fn finish(&mut self, now: Moment, key: &Key, bytes: Bytes, reliable: bool) -> bool {
        self.wake(now);
        let Some(entry) = self.table.remove(key) else { return false };
        self.ends.remove(&entry.ends);
        if !reliable {
            self.put(key.clone(), Some(bytes), now + LIFE);
        }
        true
    }

    /// Forgets a request that will get no answer.
    pub fn forget(&mut self, key: &Key) {
        if let Some(entry) = self.table.remove(key) {
            self.ends.remove(&entry.ends);
        }
    }

    /// When the next one is forgotten.
    pub fn deadline(&self) -> Option<Moment> {
        self.ends.first_key_value().map(|((at, _), _)| *at)
    }

    /// Forgets what is due.
    pub fn wake(&mut self, now: Moment) {
        while let Some(first) = self.ends.first_entry() {
            if first.key().0 > now {
                break;
            }
            self.table.remove(&first.remove());
        }
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    fn put(&mut self, key: Key, answer: Option<Bytes>, at: Moment) {
        self.serial += 1;
        let ends = (at, self.serial);
        self.ends.insert(ends, key.clone());
        self.table.insert(key, Entry { answer, ends });
        debug_assert_eq!(self.table.len(), self.ends.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::from_millis(millis)
    }

    fn key(branch: &str) -> Key {
        Key::new(branch, ("10.0.0.1", Some(5060)), "REGISTER")
    }

    #[test]
    fn a_copy_is_absorbed_and_after_the_answer_draws_it_again_for_32_seconds() {
        let (mut servers, key, ok) = (Servers::default(), key("z9hG4bKa"), Bytes::from_static(b"200"));
        assert_eq!(servers.arrive(at(0), &key), Arrival::New);
        assert_eq!(servers.arrive(at(500), &key), Arrival::Absorbed);
        assert!(servers.provisional(at(600), &key, Bytes::from_static(b"100")));
        assert_eq!(servers.arrive(at(1500), &key), Arrival::Again(Bytes::from_static(b"100")));
        assert!(servers.finish(at(2000), &key, ok.clone(), false));
        assert_eq!(servers.arrive(at(33_999), &key), Arrival::Again(ok));
        assert_eq!(servers.deadline(), Some(at(34_000)));
        assert_eq!(servers.arrive(at(34_000), &key), Arrival::New);
    }

    #[test]
    fn over_a_stream_nothing_is_kept_after_the_answer() {
        let mut servers = Servers::default();
        servers.arrive(at(0), &key("z9hG4bKa"));
        assert!(servers.finish(at(1), &key("z9hG4bKa"), Bytes::new(), true));
        assert!(servers.is_empty());
        assert_eq!(servers.deadline(), None);
    }

    #[test]
    fn an_answer_after_32_seconds_is_not_sent() {
        let mut servers = Servers::default();
        servers.arrive(at(0), &key("z9hG4bKa"));
        assert!(!servers.finish(at(32_000), &key("z9hG4bKa"), Bytes::new(), false));
        assert!(!servers.provisional(at(32_000), &key("z9hG4bKa"), Bytes::new()));
        assert!(servers.is_empty());
    }

    #[test]
    fn branch_sent_by_and_method_tell_requests_apart() {
        let base = Key::new("z9hG4bKa", ("Phone.example.com", None), "REGISTER");
        assert_eq!(base, Key::new("z9hG4bKa", ("phone.EXAMPLE.com", Some(5060)), "REGISTER"));
        assert_ne!(base, Key::new("z9hG4bKA", ("phone.example.com", None), "REGISTER"));
        assert_ne!(base, Key::new("z9hG4bKa", ("phone.example.com", Some(5070)), "REGISTER"));
        assert_ne!(base, Key::new("z9hG4bKa", ("phone.example.com", None), "OPTIONS"));
        assert_ne!(Key::of_old(&["sip:a", "1"]), Key::of_old(&["sip:a", "2"]));
    }

    #[test]
    fn a_full_table_takes_no_more_until_somebody_leaves() {
        let mut servers = Servers::default();
        for number in 0..TRANSACTIONS_MAX {
            assert_eq!(
                servers.arrive(at(number as u64 / 1000), &key(&format!("z9hG4bK{number}"))),
                Arrival::New
            );
        }
        assert_eq!(servers.arrive(at(100), &key("z9hG4bKlast")), Arrival::Full);
        assert_eq!(servers.arrive(at(100), &key("z9hG4bK7")), Arrival::Absorbed);
        servers.forget(&key("z9hG4bK7"));
        assert_eq!(servers.arrive(at(100), &key("z9hG4bKlast")), Arrival::New);
        servers.wake(at(100_000));
        assert!(servers.is_empty());
    }
}
