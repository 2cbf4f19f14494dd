//! Whether a living record may be used, as far as the records of others decide that (spec SM-7).

use std::fmt;

/// Whether a user or a handset may be used. Whatever is not active is shown, kept and alarmed, but serves nobody; it
/// is never deleted for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Status {
    /// As the administrator wants it.
    #[default]
    Active,
    /// Another record has the number or the IPEI that this one asks for.
    Conflict,
    /// Two sites together created more than the platform holds; this is one of the newest (M-2.2.1).
    OverLimit,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Active => "active",
            Status::Conflict => "conflict",
            Status::OverLimit => "over-limit",
        })
    }
}
