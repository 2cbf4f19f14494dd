//! The deadlines of a binding.

use machine::timers::Name;

/// The deadlines of a binding, beside those of its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// When to send the next REGISTER: refresh, end of a back-off, of a refusal, or the next removal.
    Again,
    /// When four seconds of silence are enough to turn to another target.
    Failover,
    /// When whatever the registrar may hold of us has aged out.
    Lapse,
    /// When the time is over for which the server asked to be left alone.
    Hold,
    /// When the owner has had time to object to the refresh.
    Objection,
    /// When to think again of a request that an overloaded server was spared.
    Shed,
    /// When to register over a new flow.
    Flow,
    /// When to wait no longer for the DNS.
    Seek,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Again => "again",
            Timer::Failover => "failover",
            Timer::Lapse => "lapse",
            Timer::Hold => "hold",
            Timer::Objection => "objection",
            Timer::Shed => "shed",
            Timer::Flow => "flow",
            Timer::Seek => "seek",
        }
    }
}
