//! A user: a SIP account that may be with a handset (spec 6.2).

use std::time::Duration;

use machine::secret::Secret;

use crate::ids::{Ipei, Number};

/// One user, as every OMM of the system knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The natural key (I1).
    pub number: Number,
    /// What displays show.
    pub name: String,
    /// The name for digest authentication, when it is not the number.
    pub sip_auth_id: Option<String>,
    /// The SIP password; also what the phone proves itself with.
    pub password: Secret,
    /// The handset that the user is with.
    pub relation: Relation,
    /// Registered before the others after a restart.
    pub vip: bool,
    /// What its REGISTERs ask for; `None` for what the site asks for.
    pub expires: Option<Duration>,
}

/// How a user and a handset belong together; one-to-one (I2), kept at the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Logged out.
    Unbound,
    /// Logged in on this handset until logged out or logged in elsewhere.
    Dynamic(Ipei),
    /// Bound to this handset by the administrator; cannot log out.
    Fixed(Ipei),
}

impl User {
    /// A logged-out user without a display name, with the number as authentication name.
    pub fn new(number: Number, password: Secret) -> User {
        User {
            number,
            name: String::new(),
            sip_auth_id: None,
            password,
            relation: Relation::Unbound,
            vip: false,
            expires: None,
        }
    }

    /// The handset that the user is with.
    pub fn device(&self) -> Option<Ipei> {
        self.relation.device()
    }

    /// The name for digest authentication.
    pub fn auth_id(&self) -> &str {
        self.sip_auth_id.as_deref().unwrap_or(self.number.as_str())
    }
}

impl Relation {
    /// The handset, unless logged out.
    pub fn device(self) -> Option<Ipei> {
        match self {
            Relation::Unbound => None,
            Relation::Dynamic(ipei) | Relation::Fixed(ipei) => Some(ipei),
        }
    }
}
