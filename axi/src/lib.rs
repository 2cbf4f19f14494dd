//! How OMMs and AXI clients spell it on the wire. Pure: bytes in, messages out, and back.
//!
//! - [`frame`]: where one message ends and the next begins (axi 1).
//! - [`element`]: one XML element, read strictly, written in one spelling.
//! - [`seq`]: the cookie that matches a response with its request (axi 2).
//! - [`error`]: what can be wrong, by whose fault it is.
//! - [`words`]: fixed vocabularies and words outside them.
//! - [`open`], [`ping`]: the session (axi 3).
//! - [`roam`]: what OMMs of ours say to each other about a roam.
//! - [`link`]: the frames of a sync link, as bytes.
//! - [`sync`]: what OMMs of ours say to each other about users and handsets.
//! - [`message`]: every message of a session with an AXI client.

#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

pub mod account;
pub mod attribute;
pub mod desk;
pub mod device;
pub mod edits;
pub mod element;
pub mod error;
mod fields;
pub mod frame;
pub mod health;
pub mod link;
pub mod look;
pub mod message;
pub mod neighbours;
pub mod news;
pub mod office;
pub mod open;
pub mod ping;
pub mod provision;
pub mod record;
pub mod reply;
pub mod request;
pub mod roam;
pub mod seq;
pub mod showing;
mod sibling;
pub mod strangers;
pub mod subscribe;
pub mod sync;
pub mod system;
pub mod throttle;
pub mod user;
pub mod words;
