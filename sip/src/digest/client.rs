//! One user's credentials towards one server: which challenge to answer, and when a rejection is final.
//!
//! ```text
//!  (none) --challenge--> Answered --accepted--> Proven --preempt--> Ahead --accepted--> Proven
//!                           |                                         |
//!                           | challenge, not stale                    | challenge (the nonce ran out)
//!                           v                                         v
//!                        Rejected (S-27)                           Answered
//! ```
//!
//! There is one such session a realm (RFC 7616 3.6). Credentials that were just rejected are never sent again, except
//! when the server says `stale=true` (S-27, RFC 3261 22.1); that excuse is accepted [`STALE_MAX`] times a request.

use std::fmt::Write;
use std::sync::Arc;

use machine::chance::Chance;
use machine::secret::Secret;

use super::challenge::{Challenge, Parameters, quote_into};
use super::{Qop, Request, key, response};

/// How often one request follows `stale=true` before it counts as a rejection. Ours: some servers say so every time.
pub const STALE_MAX: u8 = 2;
/// Most realms with a session; a REGISTER passes a registrar and perhaps a proxy or two. Ours.
pub const REALMS_MAX: usize = 8;
/// Length of a cnonce in hexadecimal digits: 128 bits.
const CNONCE_LEN: usize = 32;
/// Room for an ordinary answer, in bytes: two SHA-256 sums and short names.
const USUAL_LINE: usize = 384;

/// Who challenges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The registrar: 401, WWW-Authenticate, Authorization.
    Registrar,
    /// A proxy on the way: 407, Proxy-Authenticate, Proxy-Authorization.
    Proxy,
}

/// A header line for the next request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whom it answers, which gives the header its name.
    pub scope: Scope,
    /// The value, `Digest username=...`.
    pub value: String,
}

impl Line {
    /// The header's name.
    pub fn name(&self) -> &'static str {
        match self.scope {
            Scope::Registrar => "Authorization",
            Scope::Proxy => "Proxy-Authorization",
        }
    }
}

/// What to do about a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Send the request again, CSeq + 1, same Call-ID (S-26), with all of these lines.
    Lines(Vec<Line>),
    /// The server knows these credentials and refuses them: do not send them again (S-27).
    Rejected,
    /// No challenge that we can answer: unknown algorithm, unknown realm, Basic only, or none at all.
    Unsupported,
}

/// How far the talk with one realm has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trust {
    /// The credentials went out once for this nonce, in answer to a challenge.
    Answered,
    /// The server accepted them.
    Proven,
    /// Accepted before, and sent ahead with a later request that has no answer yet.
    Ahead,
}

#[derive(Clone, Debug)]
struct Session {
    scope: Scope,
    challenge: Challenge,
    cnonce: String,
    /// H(A1); with `-sess` it stays that of the first nonce of the session (RFC 7616 3.4.2).
    key: Secret,
    /// How many answers carried this nonce.
    count: u32,
    trust: Trust,
    /// `stale=true` answers to the present request.
    stales: u8,
}

/// Username, password, and what the realms said so far.
#[derive(Clone, Debug)]
pub struct Credentials {
    username: Arc<str>,
    password: Secret,
    realm: Option<Arc<str>>,
    chance: Chance,
    sessions: Vec<Session>,
}

impl Credentials {
    /// The credentials of one account. `chance` makes the cnonces.
    pub fn new(username: impl Into<Arc<str>>, password: Secret, chance: Chance) -> Credentials {
        Credentials { username: username.into(), password, realm: None, chance, sessions: Vec::new() }
    }

    /// The same credentials, answered to no other realm than this one; to any when there is none.
    pub fn only(mut self, realm: Option<Arc<str>>) -> Credentials {
        self.realm = realm;
        self
    }

    /// The password changed: everything rejected so far may be tried again.
    pub fn change(&mut self, username: impl Into<Arc<str>>, password: Secret) {
        self.username = username.into();
        self.password = password;
        self.sessions.clear();
    }

    /// Forgets every nonce, so that the next request goes out bare.
    pub fn forget(&mut self) {
        self.sessions.clear();
    }

    /// The lines for a new request that answers no challenge: those of realms that accepted us before, with the
    /// same nonce and the next count. Call it once for every new request; never for one that answers a challenge.
    pub fn preempt(&mut self, request: &Request<'_>) -> Vec<Line> {
        // An answer whose fate we never learned is no proof of anything: start afresh.
        self.sessions.retain(|session| session.trust != Trust::Answered);
        for session in &mut self.sessions {
            session.trust = Trust::Ahead;
            session.stales = 0;
        }
        self.lines(request)
    }

    /// Takes the challenges of a 401 or 407, in the order of the headers, for `request`, which is to be sent again.
    /// Of each realm the topmost one that we support counts (RFC 8760 2.4).
    pub fn answer<'a>(
        &mut self,
        challenges: impl IntoIterator<Item = (Scope, &'a str)>,
        request: &Request<'_>,
    ) -> Answer {
        let mut chosen: Vec<(Scope, Challenge)> = Vec::new();
        for (scope, value) in challenges {
            let Some(challenge) = Challenge::read(value) else { continue };
            let foreign = self.realm.as_deref().is_some_and(|realm| realm != challenge.realm);
            let seen = chosen.iter().any(|(known, other)| *known == scope && other.realm == challenge.realm);
            if !foreign && !seen && chosen.len() < REALMS_MAX {
                chosen.push((scope, challenge));
            }
        }
        if chosen.is_empty() {
            return Answer::Unsupported;
        }
        if chosen.iter().any(|(scope, challenge)| self.is_rejection(*scope, challenge)) {
            self.sessions.clear();
            return Answer::Rejected;
        }
        for (scope, challenge) in chosen {
            self.take(scope, challenge);
        }
        Answer::Lines(self.lines(request))
    }

    /// The server accepted the credentials: any final answer other than 401 and 407 says so.
    pub fn accepted(&mut self) {
        for session in &mut self.sessions {
            session.trust = Trust::Proven;
            session.stales = 0;
        }
    }

    /// Takes an Authentication-Info (or Proxy-Authentication-Info) value: its `nextnonce` replaces the nonce
    /// (RFC 7616 3.5). `rspauth` is not checked: who can forge a 2xx on a plain path gains nothing by it here.
    pub fn learn(&mut self, scope: Scope, value: &str) {
        let Some(next) = Parameters::read(value).and_then(|given| given.get("nextnonce").map(str::to_owned))
        else {
            return;
        };
        // The header names no realm; the newest session of its scope is the one that was used last.
        let newest = self.sessions.iter_mut().rev().find(|session| session.scope == scope);
        if let Some(session) = newest.filter(|session| session.challenge.nonce != next) {
            session.challenge.nonce = next;
            session.count = 0;
        }
    }

    fn find(&self, scope: Scope, realm: &str) -> Option<&Session> {
        self.sessions.iter().find(|session| session.scope == scope && session.challenge.realm == realm)
    }

    /// Whether this challenge says that the credentials sent before are wrong.
    fn is_rejection(&self, scope: Scope, challenge: &Challenge) -> bool {
        let Some(session) = self.find(scope, &challenge.realm) else { return false };
        if challenge.stale {
            return session.stales >= STALE_MAX;
        }
        match session.trust {
            Trust::Answered => true,
            // Accepted before: this nonce ran out, and the server does not say stale. Only a new nonce is worth a try.
            Trust::Proven | Trust::Ahead => challenge.nonce == session.challenge.nonce,
        }
    }

    fn take(&mut self, scope: Scope, challenge: Challenge) {
        let stales = match self.find(scope, &challenge.realm) {
            Some(session) if challenge.stale => session.stales + 1,
            _ => 0,
        };
        self.sessions.retain(|session| session.scope != scope || session.challenge.realm != challenge.realm);
        if self.sessions.len() >= REALMS_MAX {
            self.sessions.remove(0);
        }
        let cnonce = self.chance.hex(CNONCE_LEN);
        let who = (&*self.username, challenge.realm.as_str(), &self.password);
        let key = key(challenge.algorithm, who, &challenge.nonce, &cnonce);
        self.sessions.push(Session {
            scope,
            challenge,
            cnonce,
            key,
            count: 0,
            trust: Trust::Answered,
            stales,
        });
    }

    fn lines(&mut self, request: &Request<'_>) -> Vec<Line> {
        // A count that cannot grow any more would be taken for a replay.
        self.sessions.retain(|session| session.count < u32::MAX);
        let username = &*self.username;
        self.sessions.iter_mut().map(|session| session.line(username, request)).collect()
    }
}

impl Session {
    fn line(&mut self, username: &str, request: &Request<'_>) -> Line {
        let Challenge { realm, nonce, opaque, algorithm, named, qop, stale: _ } = &self.challenge;
        self.count += 1;
        let nc = format!("{:08x}", self.count);
        let turn = qop.map(|qop| (qop, nc.as_str(), self.cnonce.as_str()));
        let response = response(algorithm.hash, &self.key, nonce, turn, request);
        let mut value = String::with_capacity(USUAL_LINE);
        for (name, text) in [
            ("Digest username=", username),
            (", realm=", realm),
            (", nonce=", nonce),
            (", uri=", request.uri),
        ] {
            value.push_str(name);
            quote_into(&mut value, text);
        }
        // Writing to a String cannot fail.
        _ = write!(value, ", response=\"{response}\"");
        if *named {
            _ = write!(value, ", algorithm={algorithm}");
        }
        if let Some(qop) = qop {
            _ = write!(value, ", cnonce=\"{}\", qop={}, nc={nc}", self.cnonce, Qop::token(*qop));
        } else if algorithm.session {
            _ = write!(value, ", cnonce=\"{}\"", self.cnonce);
        }
        if let Some(opaque) = opaque {
            value.push_str(", opaque=");
            quote_into(&mut value, opaque);
        }
        Line { scope: self.scope, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTER: Request<'static> = Request { method: "REGISTER", uri: "sip:example.com", body: b"" };

    fn anna() -> Credentials {
        Credentials::new("anna", Secret::new("hunter2"), Chance::of(1, "anna"))
    }

    fn challenge(nonce: &str, more: &str) -> String {
        format!("Digest realm=\"pbx\", nonce=\"{nonce}\", algorithm=SHA-256, qop=\"auth\"{more}")
    }

    fn ask(credentials: &mut Credentials, value: &str) -> Answer {
        credentials.answer([(Scope::Registrar, value)], &REGISTER)
    }

    fn read(answer: &Answer) -> Vec<Parameters<'_>> {
        let Answer::Lines(lines) = answer else { panic!("no lines: {answer:?}") };
        lines.iter().map(|line| Parameters::of_digest(&line.value).unwrap()).collect()
    }

    #[test]
    fn a_wrong_password_costs_one_round_and_the_next_request_goes_out_bare() {
        let mut anna = anna();
        assert!(anna.preempt(&REGISTER).is_empty());
        assert!(matches!(ask(&mut anna, &challenge("a", "")), Answer::Lines(_)));
        assert_eq!(ask(&mut anna, &challenge("b", "")), Answer::Rejected);
        assert!(anna.preempt(&REGISTER).is_empty());
    }

    #[test]
    fn stale_is_followed_a_bounded_number_of_times() {
        let mut anna = anna();
        ask(&mut anna, &challenge("a", ""));
        for round in 0..STALE_MAX {
            let answer = ask(&mut anna, &challenge(&format!("s{round}"), ", stale=TRUE"));
            let again = read(&answer);
            assert_eq!(again[0].get("nc"), Some("00000001"), "a new nonce starts its own count");
        }
        assert_eq!(ask(&mut anna, &challenge("z", ", stale=true")), Answer::Rejected);
    }

    #[test]
    fn a_proven_nonce_is_used_ahead_with_a_growing_count_and_may_run_out_without_stale() {
        let mut anna = anna();
        ask(&mut anna, &challenge("a", ""));
        for count in 2..5 {
            anna.accepted();
            let lines = anna.preempt(&REGISTER);
            let sent = Parameters::of_digest(&lines[0].value).unwrap();
            assert_eq!(sent.get("nc"), Some(format!("{count:08x}").as_str()));
            assert_eq!(sent.get("nonce"), Some("a"));
        }
        let answer = ask(&mut anna, &challenge("b", ""));
        let fresh = read(&answer);
        assert_eq!((fresh[0].get("nonce"), fresh[0].get("nc")), (Some("b"), Some("00000001")));
        assert_eq!(
            ask(&mut anna, &challenge("c", "")),
            Answer::Rejected,
            "the password was changed over there"
        );
    }

    #[test]
    fn the_same_nonce_again_is_a_rejection_even_of_proven_credentials() {
        let mut anna = anna();
        ask(&mut anna, &challenge("a", ""));
        anna.accepted();
        anna.preempt(&REGISTER);
        assert_eq!(ask(&mut anna, &challenge("a", "")), Answer::Rejected);
    }

    #[test]
    fn an_answer_that_got_lost_does_not_poison_the_next_request() {
        let mut anna = anna();
        ask(&mut anna, &challenge("a", ""));
        assert!(anna.preempt(&REGISTER).is_empty());
        assert!(matches!(ask(&mut anna, &challenge("b", "")), Answer::Lines(_)));
    }

    #[test]
    fn the_topmost_supported_challenge_of_each_realm_is_answered() {
        let mut anna = anna();
        let answer = anna.answer(
            [
                (Scope::Registrar, "Digest realm=\"pbx\", nonce=\"1\", algorithm=SHA-3, qop=\"auth\""),
                (Scope::Registrar, "Digest realm=\"pbx\", nonce=\"2\", algorithm=SHA-512-256, qop=\"auth\""),
                (Scope::Registrar, "Digest realm=\"pbx\", nonce=\"3\", algorithm=MD5, qop=\"auth\""),
                (Scope::Proxy, "Digest realm=\"edge\", nonce=\"4\", opaque=\"o\\\"p\""),
            ],
            &REGISTER,
        );
        let given = read(&answer);
        assert_eq!(given.len(), 2);
        assert_eq!((given[0].get("nonce"), given[0].get("algorithm")), (Some("2"), Some("SHA-512-256")));
        assert_eq!((given[1].get("nonce"), given[1].get("algorithm")), (Some("4"), None));
        assert_eq!(
            (given[1].get("opaque"), given[1].get("qop"), given[1].get("cnonce")),
            (Some("o\"p"), None, None)
        );
        let Answer::Lines(lines) = answer else { unreachable!() };
        assert_eq!(
            lines.iter().map(Line::name).collect::<Vec<_>>(),
            ["Authorization", "Proxy-Authorization"]
        );
    }

    #[test]
    fn a_second_realm_is_answered_without_dropping_the_first() {
        let mut anna = anna();
        let edge = [(Scope::Proxy, "Digest realm=\"edge\", nonce=\"e\", qop=\"auth\"")];
        anna.answer(edge, &REGISTER);
        let answer = ask(&mut anna, &challenge("a", ""));
        let both = read(&answer);
        assert_eq!((both[0].get("realm"), both[0].get("nc")), (Some("edge"), Some("00000002")));
        assert_eq!((both[1].get("realm"), both[1].get("nc")), (Some("pbx"), Some("00000001")));
        assert_eq!(anna.answer(edge, &REGISTER), Answer::Rejected);
    }

    #[test]
    fn nothing_to_answer_is_unsupported() {
        let mut anna = anna();
        assert_eq!(ask(&mut anna, "Basic realm=\"pbx\""), Answer::Unsupported);
        assert_eq!(anna.answer([], &REGISTER), Answer::Unsupported);
        let mut pinned =
            Credentials::new("a", Secret::new("b"), Chance::of(1, "p")).only(Some("home".into()));
        assert_eq!(ask(&mut pinned, &challenge("a", "")), Answer::Unsupported);
    }

    #[test]
    fn nextnonce_is_obeyed() {
        let mut anna = anna();
        ask(&mut anna, &challenge("a", ""));
        anna.accepted();
        anna.learn(Scope::Registrar, "qop=auth, nextnonce=\"b\"");
        anna.learn(Scope::Proxy, "nextnonce=\"c\"");
        let lines = anna.preempt(&REGISTER);
        let sent = Parameters::of_digest(&lines[0].value).unwrap();
        assert_eq!((sent.get("nonce"), sent.get("nc")), (Some("b"), Some("00000001")));
    }

    #[test]
    fn a_session_key_outlives_a_nextnonce() {
        let mut anna = anna();
        ask(&mut anna, "Digest realm=\"pbx\", nonce=\"a\", algorithm=MD5-sess, qop=\"auth\"");
        let first = anna.sessions[0].key.clone();
        anna.learn(Scope::Registrar, "nextnonce=\"b\"");
        anna.preempt(&REGISTER);
        assert!(anna.sessions.is_empty(), "not yet accepted, so not sent ahead");
        ask(&mut anna, "Digest realm=\"pbx\", nonce=\"a\", algorithm=MD5-sess, qop=\"auth\"");
        assert_ne!(anna.sessions[0].key, first, "another cnonce, another key");
        let second = anna.sessions[0].key.clone();
        anna.accepted();
        anna.learn(Scope::Registrar, "nextnonce=\"b\"");
        anna.preempt(&REGISTER);
        assert_eq!(anna.sessions[0].key, second);
    }

    #[test]
    fn no_debug_print_tells_the_password_or_what_stands_for_it() {
        let mut anna = anna();
        ask(&mut anna, &challenge("a", ""));
        let text = format!("{anna:?}");
        assert!(!text.contains("hunter2") && !text.contains(anna.sessions[0].key.reveal()));
    }
}
