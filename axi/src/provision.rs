//! Provisioning files: users and handsets that an administrator has written down (M-2.2.7-a, axi 8).
//!
//! Whatever the form of the file, each of its entries becomes one AXI request in its usual spelling, so that a file can
//! ask for exactly what an application can, and is checked by the same tables.
//!
//! - [`ipdect`]: `ipdect.cfg`, which is made of requests. [`bulk`]: the vendor's pre-configuration file.
//! - [`sheet`]: tables, such as CSV files. [`external`]: what a provisioning server has about one user.
//! - [`trial`]: what the entries would do to a directory.

use std::fmt;

use crate::element::Element;
use crate::error::{Complaint, ErrCode, Refused};
use crate::request::{Change, UserKey};

pub mod bulk;
pub mod external;
pub mod ipdect;
pub mod sheet;
pub mod trial;

/// The longest file, in bytes: 10,000 users with their handsets take about 4 MB. Ours.
pub const FILE_MAX: usize = 16 * 1024 * 1024;

/// One entry of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The line in which it begins, from 1.
    pub line: u32,
    /// What it asks for.
    pub request: Element<'static>,
}

/// What is wrong with a file. It never quotes a value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, from 1.
    pub line: u32,
    /// What was read.
    pub read: String,
    /// What was expected.
    pub expected: String,
    /// What to do.
    pub cure: String,
}

/// What is in a file: what can be understood of it, and what cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What it asks for, in its order.
    pub entries: Vec<Entry>,
    /// What is wrong, in its order.
    pub mistakes: Vec<Mistake>,
}

impl Entry {
    /// The change that it asks for; `None` when it is not about users and handsets, and so not ours.
    ///
    /// # Errors
    /// It is about them, but cannot be understood: which attribute, and why.
    pub fn change(&self) -> Result<Option<Change>, Refused> {
        let change = Change::provided(&self.request).map_err(|Complaint { why, .. }| why)?;
        let sealed = match &change {
            Some(change) if !is_plain(&self.request) => change.secrets().first().map(|(name, _)| *name),
            Some(_) | None => None,
        };
        match sealed {
            None => Ok(change),
            // The key pair of an OMM lives as long as its process: a file cannot be encrypted for it.
            Some(name) => Err(Refused {
                bad: Some(name.to_owned()),
                info: Some("an encrypted secret cannot be read from a file; write it in clear and add plainText=\"1\"".into()),
                ..Refused::new(ErrCode::Inval)
            }),
        }
    }

    /// What it is about, for people: the request and whom it names.
    pub fn subject(&self) -> String {
        let named = |child: &str, name: &str| {
            let text = self.request.child(child).and_then(|child| child.get(name));
            text.filter(|text| !text.is_empty())
        };
        let user = named("user", "num").map(|num| format!("user {num}"));
        let user = user.or_else(|| named("user", "uid").map(|uid| format!("uid {uid}")));
        let device = named("pp", "ipei").map(|ipei| format!("device {ipei}"));
        let device = device.or_else(|| named("pp", "ppn").map(|ppn| format!("ppn {ppn}")));
        let own = ["num", "uid", "ppn"]
            .into_iter()
            .find_map(|name| self.request.get(name).map(|value| format!("{name} {value}")));
        let told: Vec<String> = [user, device].into_iter().flatten().collect();
        match (told.is_empty(), own) {
            (false, _) => told.join(", "),
            (true, Some(own)) => own,
            (true, None) => self.request.name().to_owned(),
        }
    }
}

fn is_plain(request: &Element<'_>) -> bool {
    matches!(request.get("plainText"), Some("1" | "true" | "True"))
}

impl Change {
    /// Whether it can only take something away.
    pub fn deletes(&self) -> bool {
        match self {
            Change::DeleteUser(UserKey::Uid(_) | UserKey::Number(_)) | Change::DeleteDevice(_) => true,
            Change::CreateUser { .. }
            | Change::SetUser { .. }
            | Change::CreateDevice { .. }
            | Change::SetDevice { .. }
            | Change::CreateFixed { .. }
            | Change::SetPair { .. }
            | Change::SetRelation { .. } => false,
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mistake { line: _, read, expected, cure } = self;
        write!(f, "read {read}, expected {expected}; {cure}")
    }
}
