//! `[[account]]`: who may log in over AXI beside the two built-in accounts (axi 3).

use axi::open::Permission;
use machine::secret::Secret;

use super::reader::Section;

/// Accounts in one file (axi 3, `Limits userId`).
const ACCOUNTS_MAX: usize = 100;
/// The longest name of an account in characters; ours.
const NAME_MAX: usize = 32;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: Secret,
    /// What it may do.
    pub permissions: Vec<Permission>,
}

/// Reads all `[[account]]`; `taken` are the names of the built-in ones.
pub(super) fn read(top: &Section<'_, '_>, taken: &[&str]) -> Vec<Account> {
    let mut accounts: Vec<Account> = Vec::new();
    for section in top.tables("account") {
        let (reader, span) = (section.reader, section.span.clone());
        let name = section.need_parsed("name", "the name of an account, such as \"exporter\"", name);
        let password = section.need_text("password", "its password");
        let permissions =
            section.need_parsed("permissions", "what it may do, such as \"AllCnfRead\"", permissions);
        section.finish();
        if accounts.len() == ACCOUNTS_MAX {
            let what = format!("there are at most {ACCOUNTS_MAX} accounts");
            reader.fault(span, what, format!("account {}", accounts.len() + 1), "no more accounts", None);
            return accounts;
        }
        let (Some(name), Some(password), Some(permissions)) = (name, password, permissions) else { continue };
        let known = accounts.iter().map(|account| account.name.as_str()).chain(taken.iter().copied());
        if known.into_iter().any(|known| known == name.value) {
            let what = "two accounts have one name";
            reader.fault(name.span, what, format!("{:?}", name.value), "another name", None);
            continue;
        }
        let (password, permissions) = (Secret::new(password.value), permissions.value);
        accounts.push(Account { name: name.value, password, permissions });
    }
    accounts
}

fn name(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=NAME_MAX => Ok(text.to_owned()),
        count => Err(format!("it has {count} characters")),
    }
}

/// Words with blanks between, as the vendor calls them.
fn permissions(text: &str) -> Result<Vec<Permission>, String> {
    let known = || Permission::ALL.iter().map(|known| known.as_str()).collect::<Vec<_>>().join(", ");
    let read = |word: &str| word.parse().map_err(|_| format!("there is no {word:?}; there are {}", known()));
    text.split_whitespace().map(read).collect()
}
