//! Who may log in over AXI, and what for (axi 3).
//!
//! Accounts 1 and 2 are built in, those behind them stand in the configuration, and those from [`KEPT`] on were made over
//! AXI: of their passwords only a hash is kept, which whoever runs the office computes and compares. The names of accounts
//! are no secret (ours: a login for a name that nobody has is refused at once, without a hash).
//! Permissions imply others; what is implied is granted with them.

use std::collections::{BTreeMap, BTreeSet};

use machine::secret::Secret;

use crate::element::Element;
use crate::open::Permission;

/// The built-in account of applications and of other OMMs.
pub const OMM: u32 = 1;
/// The built-in account of the system's administrator.
pub const ROOT: u32 = 2;

/// The key of the first account that was made over AXI; lower ones stand in the configuration. Ours.
pub const KEPT: u32 = 1_000;
/// Accounts that are made over AXI (axi 3, `Limits userId`).
pub const ACCOUNTS_MAX: usize = 100;
/// The longest name of an account, in characters. Ours.
pub const NAME_MAX: usize = 32;
/// The shortest and the longest password that is set over AXI, in characters. Ours: the longest is what RSA can carry.
pub const PASSWORDS: (usize, usize) = (8, 64);

/// What a password is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The password itself: the configuration has it. An empty one opens nothing.
    Clear(Secret),
    /// A hash of it. What is in it only its maker knows; it is secret because it can be guessed against.
    Hashed(Secret),
}

/// What becomes of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match<'a> {
    /// Name and password fit.
    Right(&'a Account),
    /// The name fits; whether the password fits this hash has to be computed.
    Hashed(&'a Account, &'a Secret),
    /// They do not.
    Wrong,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its key.
    pub id: u32,
    /// Its name.
    pub username: String,
    /// Its password.
    pub password: Proof,
    /// What it may do, implied permissions included ([`implied`]).
    pub permissions: BTreeSet<Permission>,
    /// Whether it may log in.
    pub active: bool,
}

/// All accounts of one OMM, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts(BTreeMap<u32, Account>);

impl Accounts {
    /// These accounts; of two with one key the last.
    pub fn of(accounts: impl IntoIterator<Item = Account>) -> Accounts {
        Accounts(accounts.into_iter().map(|account| (account.id, account)).collect())
    }

    /// The account with this name and password. Every password that is known is compared, and each in a time that does not
    /// depend on where it differs. An empty password opens nothing.
    pub fn login(&self, username: &str, password: &Secret) -> Match<'_> {
        let mut found = Match::Wrong;
        for account in self.0.values() {
            let named = account.active && account.username == username && !password.reveal().is_empty();
            match &account.password {
                Proof::Clear(own) if same(own.reveal(), password.reveal()) && named => {
                    found = Match::Right(account);
                }
                Proof::Hashed(hash) if named => found = Match::Hashed(account, hash),
                Proof::Clear(_) | Proof::Hashed(_) => {}
            }
        }
        found
    }

    /// The account with this key.
    pub fn get(&self, id: u32) -> Option<&Account> {
        self.0.get(&id)
    }

    /// The account with this name.
    pub fn named(&self, username: &str) -> Option<&Account> {
        self.0.values().find(|account| account.username == username)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Adds accounts that were made over AXI. Of a name that the configuration has by now the configuration's counts.
    pub fn with(mut self, kept: impl IntoIterator<Item = Account>) -> Accounts {
        for account in kept {
            if self.named(&account.username).is_none() {
                self.put(account);
            }
        }
        self
    }

    /// The key of a new account; `None` when there are [`ACCOUNTS_MAX`].
    pub(crate) fn free(&self) -> Option<u32> {
        let kept = self.0.range(KEPT..).count();
        (KEPT..).find(|id| !self.0.contains_key(id)).filter(|_| kept < ACCOUNTS_MAX)
    }

    /// Adds an account, or puts it in the place of the one with its key.
    pub(crate) fn put(&mut self, account: Account) {
        self.0.insert(account.id, account);
    }

    /// Takes an account out.
    pub(crate) fn remove(&mut self, id: u32) {
        self.0.remove(&id);
    }

    /// Accounts whose key is `from` or higher, in order.
    pub fn from(&self, from: u32) -> impl Iterator<Item = &Account> {
        self.0.range(from..).map(|(_, account)| account)
    }
}

impl Account {
    /// The wire form, without its password.
    pub fn element(&self) -> Element<'static> {
        let permissions: Vec<&str> = self.permissions.iter().map(|permission| permission.as_str()).collect();
        Element::new("account")
            .with("id", self.id.to_string())
            .with("username", self.username.clone())
            .with("permission", permissions.join(" "))
            .with("active", if self.active { "1" } else { "0" })
            .with("aging", "none")
            .with("state", "dontCare")
    }
}

/// These permissions and those that they imply (axi 3): write takes read along, alerting messaging, and so on.
pub fn implied(given: impl IntoIterator<Item = Permission>) -> BTreeSet<Permission> {
    let mut all = BTreeSet::new();
    let mut open: Vec<Permission> = given.into_iter().collect();
    while let Some(permission) = open.pop() {
        if !all.insert(permission) {
            continue;
        }
        match permission {
            Permission::AllCnfWrite | Permission::Monitoring => open.push(Permission::AllCnfRead),
            Permission::Messaging => open.push(Permission::InfoMessaging),
            Permission::Alerting => open.push(Permission::Messaging),
            Permission::AllCnfRead
            | Permission::InfoMessaging
            | Permission::LocatingAlert
            | Permission::Locating
            | Permission::Conferencing
            | Permission::Video => {}
        }
    }
    all
}

/// Compares every byte of both.
fn same(ours: &str, theirs: &str) -> bool {
    let (ours, theirs) = (ours.as_bytes(), theirs.as_bytes());
    let longest = ours.len().max(theirs.len());
    let mut differs = ours.len() ^ theirs.len();
    for at in 0..longest {
        let ours = ours.get(at).copied().unwrap_or_default();
        let theirs = theirs.get(at).copied().unwrap_or_default();
        differs |= usize::from(std::hint::black_box(ours ^ theirs));
    }
    differs == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: u32, username: &str, password: &str) -> Account {
        let permissions = implied([Permission::AllCnfWrite]);
        let password = Proof::Clear(Secret::new(password));
        Account { id, username: username.into(), password, permissions, active: true }
    }

    #[test]
    fn a_login_needs_the_name_and_the_whole_password() {
        let accounts = Accounts::of([account(OMM, "omm", "geheim"), account(ROOT, "root", "")]);
        let login = |user, password| match accounts.login(user, &Secret::new(password)) {
            Match::Right(account) => Some(account.id),
            Match::Hashed(..) | Match::Wrong => None,
        };
        assert_eq!(login("omm", "geheim"), Some(OMM));
        for (user, password) in
            [("omm", "gehei"), ("omm", "geheimx"), ("root", "geheim"), ("root", ""), ("omm", "")]
        {
            assert_eq!(login(user, password), None, "{user} {password}");
        }
    }

    #[test]
    fn permissions_take_others_along() {
        let all = implied([Permission::Alerting, Permission::AllCnfWrite]);
        let expected = [
            Permission::AllCnfWrite,
            Permission::AllCnfRead,
            Permission::InfoMessaging,
            Permission::Messaging,
            Permission::Alerting,
        ];
        assert_eq!(all, BTreeSet::from(expected));
        assert!(!implied([Permission::Monitoring]).contains(&Permission::AllCnfWrite));
    }

    #[test]
    fn a_password_is_not_told() {
        let told = account(OMM, "omm", "geheim").element().to_string();
        assert!(told.starts_with("<account id=\"1\" username=\"omm\"") && !told.contains("geheim"), "{told}");
    }
}
