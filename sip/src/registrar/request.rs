//! What one REGISTER wants of the table, free of how it was written.

use std::sync::Arc;
use std::time::Duration;

/// One REGISTER, as far as the table is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The canonical address of record: `sip:101@example.com`.
    pub aor: Arc<str>,
    /// Its Call-ID.
    pub call_id: Arc<str>,
    /// Its CSeq number.
    pub cseq: u32,
    /// What it wants.
    pub wish: Wish,
}

/// What a REGISTER wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// No Contact: the list (spec S-04).
    Query,
    /// `Contact: *` with `Expires: 0`: all contacts away.
    RemoveAll,
    /// These contacts, each to be bound or, with an interval of zero, removed.
    Change(Vec<Item>),
}

/// One Contact of a REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The URI as written.
    pub uri: Arc<str>,
    /// The header parameters that are listed again, from their `;` on, without `expires`.
    pub params: String,
    /// Its `+sip.instance`, whatever the model.
    pub instance: Option<Arc<str>>,
    /// The instance and reg-id by which outbound knows it; `None` when the URI counts.
    pub flow: Option<(String, u32)>,
    /// The requested interval, zero to remove; `None` when neither Contact nor Expires names one.
    pub expires: Option<Duration>,
    /// No more than this is granted, whatever the policy says about too little.
    pub most: Option<Duration>,
}
