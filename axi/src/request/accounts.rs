//! Requests that make, change and delete accounts (axi 3).
//!
//! ```text
//! <CreateAccount><account username="exporter" password="CIPHER" permission="AllCnfRead Monitoring"/></CreateAccount>
//! <SetAccount plainText="1"><account id="1000" active="0"/></SetAccount>
//! <DeleteAccount id="1000"/>
//! ```
//!
//! The attributes may also stand in the request itself, as the vendor's schema of 6.1 has them. How long a password lasts
//! (`aging`, `expire`, `state`) is skipped: passwords do not age here (ours).

use std::fmt;

use crate::element::Element;
use crate::error::Complaint;
use crate::fields::Fields;
use crate::open::Permission;

/// What is wanted of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountChange {
    /// What is to be done.
    pub deed: Deed,
    /// Its name.
    pub username: Option<String>,
    /// Its password: as it came, or in clear.
    pub password: Option<String>,
    /// What it may do, without what that implies.
    pub permissions: Option<Vec<Permission>>,
    /// Whether it may log in.
    pub active: Option<bool>,
}

/// What is to be done with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is new.
    Create,
    /// It becomes another.
    Set(u32),
    /// It ends.
    Delete(u32),
}

impl Deed {
    /// The account, unless it is new.
    pub fn id(self) -> Option<u32> {
        match self {
            Deed::Create => None,
            Deed::Set(id) | Deed::Delete(id) => Some(id),
        }
    }
}

impl fmt::Debug for AccountChange {
    /// The password shows as `..`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountChange")
            .field("deed", &self.deed)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| ".."))
            .field("permissions", &self.permissions)
            .field("active", &self.active)
            .finish()
    }
}

/// A change of an account; `None` when the request is none.
pub(super) fn read(element: &Element<'_>, name: &str) -> Result<Option<AccountChange>, Complaint> {
    let fields = Fields::of(element);
    let inner = element.child("account").unwrap_or(element);
    let id = || {
        let text = inner.get("id").ok_or_else(|| fields.missing("id"))?;
        text.parse().map_err(|_| fields.wrong("id", "expected a number"))
    };
    let deed = match name {
        "CreateAccount" => Deed::Create,
        "SetAccount" => Deed::Set(id()?),
        "DeleteAccount" => Deed::Delete(id()?),
        _ => return Ok(None),
    };
    let text = |name: &str| inner.get(name).map(str::to_owned);
    let active = match inner.get("active") {
        None => None,
        Some("0" | "false" | "False") => Some(false),
        Some("1" | "true" | "True") => Some(true),
        Some(_) => return Err(fields.wrong("active", "expected 0, 1, true or false")),
    };
    let permissions = inner.get("permission").map(|words| {
        let word =
            |word: &str| word.parse().map_err(|_| fields.wrong("permission", "there is no such permission"));
        words.split_whitespace().map(word).collect()
    });
    Ok(Some(AccountChange {
        deed,
        username: text("username"),
        password: text("password"),
        permissions: permissions.transpose()?,
        active,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(xml: &str) -> Result<Option<AccountChange>, String> {
        let element = Element::read(xml.as_bytes()).expect("an element");
        read(&element, element.name()).map_err(|complaint| complaint.answer().to_string())
    }

    #[test]
    fn attributes_stand_in_a_child_or_in_the_request_itself() {
        let child = change(
            r#"<SetAccount><account id="1000" password="x" active="0" permission="AllCnfRead"/></SetAccount>"#,
        );
        let root = change(r#"<SetAccount id="1000" password="x" active="False" permission="AllCnfRead"/>"#);
        let child = child.expect("it is read").expect("it is one");
        assert_eq!(Ok(Some(child.clone())), root);
        assert_eq!((child.deed, child.active), (Deed::Set(1000), Some(false)));
        assert!(!format!("{child:?}").contains('x'), "{child:?}");
    }

    #[test]
    fn what_is_missing_or_no_word_is_named() {
        assert!(
            change("<DeleteAccount/>")
                .is_err_and(|told| told.contains("EMissing") && told.contains("\"id\""))
        );
        let wrong = change(r#"<CreateAccount username="a" permission="Everything"/>"#);
        assert!(wrong.is_err_and(|told| told.contains("bad=\"permission\"")));
    }
}
