//! The states of SM-3, as a binding has them, and what is seen of it from outside.

use machine::time::Moment;

use super::Binding;
use crate::grant::Grant;

/// Where a binding stands in SM-3. A REGISTER may be in flight in each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is wanted, nothing is owed.
    Idle,
    /// To be registered, and it is its turn.
    Trying,
    /// Registered; the refresh is timed or in flight.
    Registered,
    /// Not (or no longer surely) registered; waits before the next try (S-28).
    Backoff,
    /// The registrar refused the user; waits before the next try.
    Rejected,
    /// Another tier serves the user.
    Resting,
    /// The removal is in flight, or waits for what is.
    Removing,
    /// The removal failed; it is tried again until the registration has aged out.
    Cleanup,
}

impl Binding {
    /// Where it stands in SM-3.
    pub fn state(&self) -> State {
        self.state
    }

    /// Until when the registrar may list one of our contacts.
    pub fn held(&self) -> Option<Moment> {
        self.held
    }

    /// What the registrar granted beside the lifetime, with the last 2xx.
    pub fn grant(&self) -> Option<&Grant> {
        self.grant.as_deref()
    }

    /// Answers that belonged to no transaction, so far.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }
}
