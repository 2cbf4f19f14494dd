//! SIP as pure data and state machines: messages, transactions, digest, one binding kept alive, a registrar.
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
//! Around it stand the rules:
//!
//! - [`transaction`] repeats a request until it is answered, and answers a repeated one only once; [`digest`] proves
//!   who one is, and checks who others are.
//! - [`binding`] keeps one address of record registered at one server; [`line`] chooses the server among the tiers of
//!   a site; [`health`] says how a server stands, for all users at once. [`server`], [`report`] and [`timing`] are
//!   what they stand on.
//! - [`registrar`] keeps the bindings of others, [`uas`] answers whatever they ask.

#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

pub mod address;
pub mod binding;
pub mod check;
pub mod contact;
pub mod cseq;
pub mod delta;
pub mod digest;
pub mod draft;
pub mod extension;
pub mod flow;
pub mod flows;
pub mod frame;
pub mod grammar;
pub mod grant;
mod head;
pub mod health;
pub mod host;
pub mod line;
pub mod locate;
pub mod malformed;
pub mod message;
pub mod name;
pub mod overload;
pub mod param;
pub mod place;
pub mod registrar;
pub mod report;
pub mod server;
pub mod shaper;
pub mod srv;
pub mod stun;
pub mod subscription;
pub mod target;
pub mod timing;
pub mod transaction;
pub mod uas;
pub mod uri;
pub mod via;
