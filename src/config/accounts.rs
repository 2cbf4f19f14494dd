//! `[[account]]`: who may log in over AXI beside the two built-in accounts (axi 3).

use axi::account::Proof;
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
    /// Its password, or a hash of it.
    pub password: Proof,
    /// What it may do.
    pub permissions: Vec<Permission>,
}

/// Reads all `[[account]]`; `taken` are the names of the built-in ones.
pub(super) fn read(top: &Section<'_, '_>, taken: &[&str]) -> Vec<Account> {
    let mut accounts: Vec<Account> = Vec::new();
    for section in top.tables("account") {
        let (reader, span) = (section.reader, section.span.clone());
        let name = section.need_parsed("name", "the name of an account, such as \"exporter\"", name);
        let password = proof(&section, "password", "password_hash");
        if password.is_none() && !section.has("password") && !section.has("password_hash") {
            section.need_text("password", "its password, or `password_hash`");
        }
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
        let permissions = permissions.value;
        accounts.push(Account { name: name.value, password, permissions });
    }
    accounts
}

/// A password under the one key, or its hash under the other; `None` when neither is there, or what is there is wrong (and
/// told).
pub(super) fn proof(section: &Section<'_, '_>, clear: &'static str, hashed: &'static str) -> Option<Proof> {
    let password = section.text(clear, "a password");
    let hash = section.text(hashed, HASH);
    let (reader, name) = (section.reader, section.name.clone());
    match (password, hash) {
        (Some(_), Some(hash)) => {
            let what = format!("`{clear}` and `{hashed}` of {name} are two ways to say one thing");
            reader.fault(
                hash.span,
                what,
                "",
                "one of them; the hash, if nobody has to read the password",
                None,
            );
            None
        }
        (Some(password), None) => Some(Proof::Clear(Secret::new(password.value))),
        (None, Some(hash)) => match crate::hash::check(&hash.value) {
            Ok(()) => Some(Proof::Hashed(Secret::new(hash.value))),
            Err(unfit) => {
                let what = format!("`{hashed}` of {name} cannot be used: {unfit}");
                let hint = Some("`homing hash` makes one of a password on its standard input".into());
                reader.fault(hash.span, what, "", HASH, hint);
                None
            }
        },
        (None, None) => None,
    }
}

/// What is expected where a hash is written.
const HASH: &str = "a hash of Argon2id, such as \"$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH\"";

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
