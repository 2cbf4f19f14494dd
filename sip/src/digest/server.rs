//! The asking side: issues nonces and checks what comes back.
//!
//! A nonce carries the time of its issue, a serial number and a proof that we made it, so nothing is stored for a
//! challenge that nobody answers. Once a nonce was used, its last count is kept until it expires: a count that does
//! not grow is a replay and gets `stale=true` with a new nonce (RFC 7616 3.3, 5.5).

use std::collections::BTreeMap;
use std::time::Duration;

use machine::secret::Secret;
use machine::time::Moment;
use subtle::ConstantTimeEq;

use super::challenge::{Parameters, quote};
use crate::uri::{self, Uri};

use super::{Algorithm, Hash, Qop, Request, key, response};

/// How long a nonce is good. RFC 7616 5.4 asks for a compromise; five minutes is ours (and Kamailio's default).
pub const NONCE_LIFE: Duration = Duration::from_secs(300);
/// Most nonces with a count; beyond that the oldest goes and counts as stale. Ours: six times the 10,000 users of
/// M-2.2.1-d.
pub const NONCES_MAX: usize = 65_536;
/// Digits of the proof inside a nonce: 128 bits.
const PROOF_LEN: usize = 32;

/// What a request proved about its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The sender knows this user's password. `info` is an Authentication-Info value for the 2xx.
    Passed {
        /// The username that was proven.
        user: String,
        /// `nextnonce` and `rspauth`; `None` when the gate does not rotate its nonces or the answer has no qop.
        info: Option<String>,
    },
    /// No credentials for our realm, or for no algorithm of ours: challenge.
    Missing,
    /// The right password for a nonce that is too old, used up, or not ours: challenge with `stale=true`.
    Stale,
    /// The wrong password, or a user that does not exist (which takes as long to find out): challenge anew.
    Wrong {
        /// The username as given.
        user: String,
    },
    /// A parameter is missing or impossible: 400 (RFC 7616 3.4).
    Malformed,
}

/// The keeper of one realm.
#[derive(Clone, Debug)]
pub struct Gate {
    realm: String,
    algorithms: Vec<Algorithm>,
    life: Duration,
    /// A shorter life, for a while.
    hurry: Option<Duration>,
    rotate: bool,
    key: Secret,
    serial: u64,
    /// Nonces below this serial that have no count were pushed out of the table.
    floor: u64,
    counts: BTreeMap<u64, Count>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    issued: Moment,
    last: u32,
}

/// The credentials of one header, as far as they parsed.
struct Given<'a> {
    user: &'a str,
    nonce: &'a str,
    uri: &'a str,
    response: &'a str,
    algorithm: Algorithm,
    turn: Option<(Qop, &'a str, &'a str)>,
    cnonce: &'a str,
    count: u32,
}

impl Gate {
    /// A gate for `realm` that offers these algorithms, the preferred one first (RFC 8760 2.3). `key` signs the
    /// nonces; it need not outlive the process.
    pub fn new(realm: impl Into<String>, algorithms: Vec<Algorithm>, key: Secret) -> Gate {
        let (life, counts) = (NONCE_LIFE, BTreeMap::new());
        Gate {
            realm: realm.into(),
            algorithms,
            life,
            hurry: None,
            rotate: false,
            key,
            serial: 0,
            floor: 0,
            counts,
        }
    }

    /// The same gate with another nonce lifetime.
    pub fn living(mut self, life: Duration) -> Gate {
        self.life = life;
        self
    }

    /// The same gate, which hands out a new nonce with every success.
    pub fn rotating(mut self) -> Gate {
        self.rotate = true;
        self
    }

    /// From now on nonces live only so long, those given out included; `None` for as long as usual.
    pub fn hurry(&mut self, life: Option<Duration>) {
        self.hurry = life;
    }

    /// No nonce given out so far is known any more.
    pub fn forget(&mut self) {
        (self.counts, self.floor) = (BTreeMap::new(), self.serial + 1);
    }

    fn life(&self) -> Duration {
        self.hurry.map_or(self.life, |life| life.min(self.life))
    }

    /// The WWW-Authenticate values of a 401, one for each algorithm, all with one new nonce.
    pub fn challenge(&mut self, now: Moment, stale: bool) -> Vec<String> {
        self.challenge_as(now, stale, None)
    }

    /// The same in the name of another realm, whose answers the gate will not take: what a stranger says.
    pub fn challenge_as(&mut self, now: Moment, stale: bool, realm: Option<&str>) -> Vec<String> {
        let nonce = self.issue(now);
        let stale = if stale { ", stale=true" } else { "" };
        let realm = quote(realm.unwrap_or(&self.realm));
        // `auth` alone: auth-int is understood but never asked for, too many phones and middle boxes break it.
        let value =
            |a| format!("Digest realm={realm}, nonce=\"{nonce}\", algorithm={a}, qop=\"auth\"{stale}");
        self.algorithms.iter().map(value).collect()
    }

    /// Checks the Authorization values of a request. `password` knows the users.
    pub fn check<'a, 'p>(
        &mut self,
        now: Moment,
        authorizations: impl IntoIterator<Item = &'a str>,
        request: &Request<'_>,
        password: impl Fn(&str) -> Option<&'p Secret>,
    ) -> Outcome {
        let ours =
            |value| Parameters::of_digest(value).filter(|given| given.get("realm") == Some(&self.realm));
        let Some(parameters) = authorizations.into_iter().find_map(ours) else { return Outcome::Missing };
        let Some(given) = Given::read(&parameters) else { return Outcome::Malformed };
        if !self.algorithms.contains(&given.algorithm) {
            return Outcome::Missing;
        }
        // The URI that was hashed has to mean the one that is asked for (RFC 7616 3.4.6).
        if !same_uri(given.uri, request.uri) {
            return Outcome::Malformed;
        }
        let nobody = Secret::default();
        let known = password(given.user);
        let who = (given.user, self.realm.as_str(), known.unwrap_or(&nobody));
        let key = key(given.algorithm, who, given.nonce, given.cnonce);
        let asked = Request { uri: given.uri, ..*request };
        let expected = response(given.algorithm.hash, &key, given.nonce, given.turn, &asked);
        let said = given.response.to_ascii_lowercase();
        let right = bool::from(expected.as_bytes().ct_eq(said.as_bytes()));
        let user = given.user.to_owned();
        if !right || known.is_none() {
            return Outcome::Wrong { user };
        }
        if !self.accept(now, &given) {
            return Outcome::Stale;
        }
        let info = self.info(now, &given, &key);
        Outcome::Passed { user, info }
    }

    /// Whether one of these answers a challenge of this gate that still counts, rightly or not.
    pub fn was_answered<'a>(&self, now: Moment, authorizations: impl IntoIterator<Item = &'a str>) -> bool {
        let is_ours = |value| {
            let given =
                Parameters::of_digest(value).filter(|given| given.get("realm") == Some(&self.realm))?;
            let (issued, _) = self.recognise(given.get("nonce")?)?;
            Some(issued <= now && now.since(issued) < self.life())
        };
        authorizations.into_iter().filter_map(is_ours).any(|is_fresh| is_fresh)
    }

    fn issue(&mut self, now: Moment) -> String {
        self.serial += 1;
        let (ms, serial) = (now.as_millis(), self.serial);
        let proof = self.proof(ms, serial);
        format!("{ms:x}.{serial:x}.{proof}")
    }

    fn proof(&self, ms: u64, serial: u64) -> String {
        let [key, realm] = [self.key.reveal(), &self.realm].map(str::as_bytes);
        let mut proof = Hash::Sha256.hex(&[key, &ms.to_be_bytes(), &serial.to_be_bytes(), realm]);
        proof.truncate(PROOF_LEN);
        proof
    }

    /// Whether the nonce is ours, fresh, and its count higher than before; notes the count.
    fn accept(&mut self, now: Moment, given: &Given<'_>) -> bool {
        self.prune(now);
        let Some((issued, serial)) = self.recognise(given.nonce) else { return false };
        if issued > now || now.since(issued) >= self.life() {
            return false;
        }
        match self.counts.get_mut(&serial) {
            // Without qop there is no count: such a peer may use its nonce for as long as it lives.
            Some(_) if given.turn.is_none() => return true,
            Some(count) if given.count <= count.last => return false,
            Some(count) => {
                count.last = given.count;
                return true;
            }
            None if serial < self.floor => return false,
            None => {}
        }
        if self.counts.len() >= NONCES_MAX
            && let Some((oldest, _)) = self.counts.pop_first()
        {
            self.floor = self.floor.max(oldest + 1);
        }
        self.counts.insert(serial, Count { issued, last: given.count });
        true
    }

    /// The issue time and serial of a nonce that this gate made.
    fn recognise(&self, nonce: &str) -> Option<(Moment, u64)> {
        let mut parts = nonce.split('.');
        let (ms, serial, proof) = (parts.next()?, parts.next()?, parts.next()?);
        let (ms, serial) = (u64::from_str_radix(ms, 16).ok()?, u64::from_str_radix(serial, 16).ok()?);
        let ours = bool::from(self.proof(ms, serial).as_bytes().ct_eq(proof.as_bytes()));
        (ours && parts.next().is_none()).then_some((Moment::from_millis(ms), serial))
    }

    /// Drops the counts of nonces that are too old anyway. Serials grow with time, so the oldest come first.
    fn prune(&mut self, now: Moment) {
        let life = self.life();
        while let Some(oldest) = self.counts.first_entry() {
            if now.since(oldest.get().issued) < life {
                break;
            }
            oldest.remove();
        }
    }

    fn info(&mut self, now: Moment, given: &Given<'_>, key: &Secret) -> Option<String> {
        let (qop, nc, cnonce) = given.turn.filter(|_| self.rotate)?;
        // RFC 7616 3.5: A2 has an empty method; a 2xx to REGISTER has no body.
        let answer = Request { method: "", uri: given.uri, body: b"" };
        let proof = response(given.algorithm.hash, key, given.nonce, given.turn, &answer);
        let (qop, next) = (qop.token(), self.issue(now));
        let cnonce = quote(cnonce);
        let info = format!("nextnonce=\"{next}\", rspauth=\"{proof}\", qop={qop}, nc={nc}, cnonce={cnonce}");
        Some(info)
    }
}

impl<'a> Given<'a> {
    fn read(parameters: &'a Parameters<'_>) -> Option<Given<'a>> {
        let cnonce = parameters.get("cnonce");
        let (turn, count) = match parameters.get("qop") {
            None => (None, 0),
            Some(qop) => {
                let nc = parameters.get("nc").filter(|nc| nc.len() == 8)?;
                (Some((Qop::read(qop)?, nc, cnonce?)), u32::from_str_radix(nc, 16).ok()?)
            }
        };
        let algorithm = match parameters.get("algorithm") {
            None => Algorithm::MD5,
            Some(token) => Algorithm::read(token)?,
        };
        Some(Given {
            user: parameters.get("username")?,
            nonce: parameters.get("nonce")?,
            uri: parameters.get("uri")?,
            response: parameters.get("response")?,
            algorithm,
            turn,
            cnonce: cnonce.unwrap_or(""),
            count,
        })
    }
}

/// Whether two spellings mean one Request-URI (RFC 8760 2.6, bullet 6).
fn same_uri(hashed: &str, asked: &str) -> bool {
    hashed == asked
        || match (Uri::parse(hashed), Uri::parse(asked)) {
            (Ok(hashed), Ok(asked)) => uri::equal(&hashed, &asked),
            _ => false,
        }
}

#[cfg(test)]
mod tests;
