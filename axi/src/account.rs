//! Who may log in over AXI, and what for (axi 3).
//!
//! Accounts 1 and 2 are built in. Permissions imply others; what is implied is granted with them.

use std::collections::{BTreeMap, BTreeSet};

use machine::secret::Secret;

use crate::element::Element;
use crate::open::Permission;

/// The built-in account of applications and of other OMMs.
pub const OMM: u32 = 1;
/// The built-in account of the system's administrator.
pub const ROOT: u32 = 2;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its key.
    pub id: u32,
    /// Its name.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// What it may do, implied permissions included ([`implied`]).
    pub permissions: BTreeSet<Permission>,
}

/// All accounts of one OMM, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts(BTreeMap<u32, Account>);

impl Accounts {
    /// These accounts; of two with one key the last.
    pub fn of(accounts: impl IntoIterator<Item = Account>) -> Accounts {
        Accounts(accounts.into_iter().map(|account| (account.id, account)).collect())
    }

    /// The account with this name and password. Every password is compared, and each in a time that does not depend on
    /// where it differs. An empty password opens nothing.
    pub fn login(&self, username: &str, password: &Secret) -> Option<&Account> {
        let mut found = None;
        for account in self.0.values() {
            let fits = same(account.password.reveal(), password.reveal());
            if fits && account.username == username && !password.reveal().is_empty() {
                found = Some(account);
            }
        }
        found
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
            .with("active", "1")
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
        Account { id, username: username.into(), password: Secret::new(password), permissions }
    }

    #[test]
    fn a_login_needs_the_name_and_the_whole_password() {
        let accounts = Accounts::of([account(OMM, "omm", "geheim"), account(ROOT, "root", "")]);
        let login = |user, password| accounts.login(user, &Secret::new(password)).map(|account| account.id);
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
