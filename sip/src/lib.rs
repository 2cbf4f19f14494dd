//! SIP as pure data and state machines: messages, transactions, digest, one binding kept alive, a registrar.

pub mod binding;
pub mod digest;
pub mod health;
pub mod line;
pub mod message;
pub mod report;
pub mod server;
pub mod target;
pub mod timing;
pub mod transaction;
