//! Who exists, with which password, and whose contacts one may change (RFC 3261 10.3 steps 3 to 5).

use std::collections::{BTreeSet, HashMap};

use machine::secret::Secret;

/// One user of a registrar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// The canonical address of record: `sip:101@example.com`, see [`super::reading::Domains::canonical`].
    pub aor: String,
    /// The name in its credentials.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// All users of a registrar. Several may share a username, then with the last password given for it.
#[derive(Clone, Debug, Default)]
pub struct Subscribers {
    /// Looked up, never iterated, as the owners: order cannot be seen.
    passwords: HashMap<String, Secret>,
    owners: HashMap<String, String>,
    /// (username, aor), to find out when a username has no address any more.
    owned: BTreeSet<(String, String)>,
    /// The password of whoever was not added.
    everybody: Option<Secret>,
}

impl Subscribers {
    /// Adds a user, or changes the one with this address of record.
    pub fn put(&mut self, subscriber: Subscriber) {
        let Subscriber { aor, username, password } = subscriber;
        self.remove(&aor);
        self.passwords.insert(username.clone(), password);
        self.owned.insert((username.clone(), aor.clone()));
        self.owners.insert(aor, username);
    }

    /// Takes a user away; the contacts stay bound until they expire.
    pub fn remove(&mut self, aor: &str) {
        let Some(username) = self.owners.remove(aor) else { return };
        self.owned.remove(&(username.clone(), aor.to_owned()));
        let from = (username.clone(), String::new());
        let more = self.owned.range(from..).next().is_some_and(|(name, _)| *name == username);
        if !more {
            self.passwords.remove(&username);
        }
    }

    /// Whoever was not added has this password, and owns the address of record that the username names.
    pub fn admit_everybody(&mut self, password: Secret) {
        self.everybody = Some(password);
    }

    /// Whether that was said.
    pub fn admits_everybody(&self) -> bool {
        self.everybody.is_some()
    }

    /// The password of a username.
    pub fn password(&self, username: &str) -> Option<&Secret> {
        self.passwords.get(username).or(self.everybody.as_ref())
    }

    /// Whether the address of record exists (404 otherwise).
    pub fn knows(&self, aor: &str) -> bool {
        self.owners.contains_key(aor)
    }

    /// Whether this username may change the contacts of this address of record (403 otherwise).
    pub fn may_change(&self, username: &str, aor: &str) -> bool {
        match self.owners.get(aor) {
            Some(owner) => owner == username,
            None => {
                let named = aor.strip_prefix("sip:").and_then(|rest| rest.rsplit_once('@'));
                self.everybody.is_some() && named.is_some_and(|(user, _)| user == username)
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber(number: u32, username: &str, password: &str) -> Subscriber {
        let aor = format!("sip:{number}@example.com");
        Subscriber { aor, username: username.into(), password: Secret::new(password) }
    }

    #[test]
    fn a_username_lives_as_long_as_one_of_its_addresses() {
        let mut all = Subscribers::default();
        all.put(subscriber(101, "anna", "a"));
        all.put(subscriber(102, "anna", "b"));
        all.put(subscriber(103, "annabel", "c"));
        assert_eq!(all.password("anna").map(Secret::reveal), Some("b"));
        assert!(all.may_change("anna", "sip:101@example.com"));
        assert!(!all.may_change("anna", "sip:103@example.com"));
        all.remove("sip:101@example.com");
        assert!(all.password("anna").is_some() && !all.knows("sip:101@example.com"));
        all.remove("sip:102@example.com");
        assert!(all.password("anna").is_none());
        assert!(all.password("annabel").is_some());
    }

    #[test]
    fn everybody_has_the_common_password_and_an_own_address() {
        let mut all = Subscribers::default();
        all.put(subscriber(101, "anna", "a"));
        assert!(all.password("999").is_none() && !all.may_change("999", "sip:999@example.com"));
        all.admit_everybody(Secret::new("all"));
        assert_eq!(all.password("999").map(Secret::reveal), Some("all"));
        assert_eq!(all.password("anna").map(Secret::reveal), Some("a"));
        assert!(all.may_change("999", "sip:999@example.com"));
        assert!(!all.may_change("999", "sip:998@example.com"), "somebody else's");
        assert!(!all.may_change("101", "sip:101@example.com"), "that one belongs to anna");
    }

    #[test]
    fn a_changed_username_takes_its_former_one_away() {
        let mut all = Subscribers::default();
        all.put(subscriber(101, "anna", "a"));
        all.put(subscriber(101, "101", "z"));
        assert!(all.password("anna").is_none());
        assert!(all.may_change("101", "sip:101@example.com"));
        assert_eq!(all.len(), 1);
    }
}
