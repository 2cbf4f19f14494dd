//! How one answerer is set up.

use std::sync::Arc;

use machine::chance::Chance;
use machine::secret::Secret;
use machine::time::Wall;

use crate::digest::Algorithm;
use crate::digest::server::Gate;
use crate::registrar::Policy;
use crate::registrar::desk::Desk;
use crate::registrar::reading::Domains;

/// Digits of the key that signs nonces: 256 bits.
const KEY_LEN: usize = 64;

/// What an answerer is to be.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// The value of the Server line, if there is to be one.
    pub server: Option<Arc<str>>,
    /// Names and addresses that it answers for; see [`Domains::new`].
    pub domains: Vec<String>,
    /// Intervals, and how contacts of one user get on.
    pub policy: Policy,
    /// Whose password is asked for, and how; `None` lets everybody in.
    pub auth: Option<Auth>,
    /// Accepts addresses of record that nobody enrolled.
    pub open: bool,
    /// The password of whoever nobody enrolled: the username is then the user part of the address of record.
    pub everybody: Option<Secret>,
    /// How many transactions are remembered; `None` for [`crate::transaction::server::TRANSACTIONS_MAX`].
    pub transactions: Option<usize>,
    /// A REGISTER is answered only after a verdict.
    pub hold: bool,
    /// The host is asked about whoever nobody enrolled, before anybody is refused.
    pub strangers: bool,
    /// The calendar time at the start of the clock, for the Date line.
    pub began: Option<Wall>,
}

/// How passwords are asked for.
#[derive(Clone, Debug)]
pub struct Auth {
    /// The protection space.
    pub realm: String,
    /// The preferred algorithm first.
    pub algorithms: Vec<Algorithm>,
    /// Hands out a new nonce with every success.
    pub rotate: bool,
    /// How long a nonce lives; `None` for [`crate::digest::server::NONCE_LIFE`].
    pub life: Option<std::time::Duration>,
    /// Signs the nonces. `None` draws one from the machine's chance: enough for a test, not for the service, whose
    /// keys come from the operating system.
    pub key: Option<Secret>,
}

impl Auth {
    /// SHA-256, then MD5 (RFC 8760 2.3).
    pub fn new(realm: impl Into<String>) -> Auth {
        let algorithms = vec![Algorithm::SHA_256, Algorithm::MD5];
        Auth { realm: realm.into(), algorithms, rotate: false, life: None, key: None }
    }

    fn gate(self, chance: &mut Chance) -> Gate {
        let key = self.key.unwrap_or_else(|| Secret::new(chance.hex(KEY_LEN)));
        let gate = Gate::new(self.realm, self.algorithms, key);
        let gate = if self.rotate { gate.rotating() } else { gate };
        match self.life {
            Some(life) => gate.living(life),
            None => gate,
        }
    }
}

impl Profile {
    /// The desk of this answerer.
    pub(crate) fn desk(self, chance: &mut Chance) -> Desk {
        let gate = self.auth.map(|auth| auth.gate(chance));
        let open = self.open || self.everybody.is_some();
        let mut desk = Desk::new(Domains::new(&self.domains), self.policy, gate, open, self.began);
        if let Some(password) = self.everybody {
            desk.admit_everybody(password);
        }
        desk
    }
}
