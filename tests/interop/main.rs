//! homing among strangers: a real registrar (Kamailio), real phones (SIPp, baresip), a real AXI client
//! (mitel-ommclient2), real processes.
//!
//! `README.md` beside this file says what each peer is for and what was learned from it. A test whose peer is not
//! installed prints `skipped: NAME (reason)` and passes; with `CI=true` it fails instead, because a run that proves
//! nothing must not look like one that does.

mod accounts;
mod address;
mod attaching;
mod axi;
mod backups;
mod baresip;
mod beside;
mod crowd;
mod deaths;
mod edits;
mod events;
mod external;
mod failover;
mod foreign;
mod forgetting;
mod garbage;
mod hostile;
mod https;
mod journeys;
mod kamailio;
mod omm;
mod outbound;
mod partition;
mod phone;
mod poll;
mod portal;
mod presence;
mod process;
mod processors;
mod prompt;
mod provisioning;
mod registrar;
mod relay;
mod secure;
mod session;
mod spreading;
#[cfg(feature = "openssl")]
mod static_rsa;
mod system;
mod table;
mod transports;
mod trio;
