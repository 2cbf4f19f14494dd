//! SIP as pure data and state machines: messages, transactions, digest, one binding kept alive, a registrar.

pub mod digest;
pub mod transaction;
