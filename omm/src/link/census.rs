//! What an OMM has of its own, before it becomes part of a system (M-2.3.1.2-a).

use std::fmt;

/// Users and handsets of an OMM. Those of the configuration do not count: all sites have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Users.
    pub users: usize,
    /// Handsets.
    pub devices: usize,
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count| if count == 1 { "" } else { "s" };
        let Census { users, devices } = *self;
        write!(f, "{users} user{}, {devices} device{}", plural(users), plural(devices))
    }
}
