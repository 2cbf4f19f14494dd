//! homing: a telephony core with a SIP registration manager. This crate is the real world, wired.
//!
//! - [`cli`]: the command line; [`exit`]: how commands end; [`console`]: what they say; [`logging`]: what the service writes while it runs.
//! - [`config`]: the configuration of a site, and how mistakes in it are told.
//! - [`service`]: `homing serve`; [`status`]: how it stands; [`check`]: whether it could; [`demo`]: the whole, shown;
//!   [`diary`] and [`why`]: what happened, with the rule behind it; [`scenario`]: stories in virtual time; [`registrar`]: the registrar of both, alone.
//! - [`sockets`], [`peer`] (both stand on `connection`), [`store`], [`resolver`], [`control`], [`entropy`], [`keys`]: the doors to network, disk, DNS,
//!   operator and chance. [`provision`]: files of users and handsets; [`epr`]: those of a provisioning server; [`backup`]: all of it.

pub mod backup;
pub mod check;
pub mod cli;
pub mod config;
mod connection;
pub mod console;
pub mod control;
pub mod demo;
pub mod diary;
pub mod entropy;
pub mod epr;
pub mod exit;
pub mod explain;
pub mod keys;
mod local;
pub mod logging;
pub mod peer;
pub mod provision;
pub mod registrar;
pub mod resolver;
pub mod roll;
pub mod scenario;
pub mod service;
pub mod sockets;
pub mod status;
pub mod store;
pub mod why;
