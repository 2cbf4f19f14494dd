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
//!
//! Nothing in here opens a socket, reads a clock or draws from a random source: bytes come in, bytes and decisions
//! go out.
//!
//! The wire layer reads what others send and never changes it:
//!
//! - [`frame`] cuts a byte stream into messages, [`message`] reads one datagram; both keep the bytes they were given.
//! - [`name`] knows the header fields by their names, short forms included.
//! - [`uri`], [`host`], [`address`], [`contact`], [`via`], [`cseq`], [`delta`] and [`param`] are views into a
//!   message: they are made when somebody asks, and borrow its bytes.
//! - [`check`] says what a message deserves: to be served, to be answered with an error, or to be dropped.
//! - [`malformed`] names what can be wrong with other people's bytes; [`grammar`] holds the characters.
//! - [`draft`] builds a message; [`target`] says where to send it.
//!
//! On it stand the machines:
//!
//! - [`transaction`] makes UDP reliable enough, [`digest`] proves who somebody is.
//! - [`registrar`] is the location table, [`uas`] answers requests with it.
//! The registration side: [`binding`] keeps one address of record at one server, [`line`] chooses the server of a
//! user, [`health`] says how a server stands; [`server`], [`timing`] and [`report`] are what they share.

pub mod address;
pub mod binding;
pub mod check;
pub mod contact;
pub mod cseq;
pub mod delta;
pub mod digest;
pub mod draft;
pub mod frame;
pub mod grammar;
mod head;
pub mod health;
pub mod host;
pub mod line;
pub mod malformed;
pub mod name;
pub mod param;
pub mod registrar;
pub mod target;
pub mod transaction;
pub mod uas;

pub mod report;
pub mod server;
pub mod timing;
pub mod uri;
pub mod via;
