//! What handsets do, as far as it is known without radio: they are there, or they leave (axi 5 `EventPPTransaction`).
//!
//! A phone's REGISTER stands for the location registration of a handset (M-2.1.4.3), and its removal for a detach. Of what the
//! vendor's base stations see beside that - links, pages, calls - there is nothing, and it is never told.

use std::time::Duration;

use crate::element::Element;
use crate::words::vocabulary;

vocabulary! {
    /// What a handset did.
    Transaction {
        /// It said that it is here.
        LocReg = "LocReg",
        /// It left.
        Detach = "Detach",
    }
}

/// What a handset did last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    /// What.
    pub what: Transaction,
    /// How long ago.
    pub ago: Duration,
}

impl Last {
    /// `<pp>` in `GetLastPPDevActionResp`; seconds ago. There is no base station to be named.
    pub fn element(self, ppn: u32) -> Element<'static> {
        Element::new("pp")
            .with("ppn", ppn.to_string())
            .with("trType", self.what.as_str())
            .with("relTime", self.ago.as_secs().to_string())
    }
}
