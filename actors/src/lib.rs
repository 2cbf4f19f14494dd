//! Who runs the machines: thin actix actors around one seat. No rule of the domain stands in here.
//!
//! One OMM is a tree: [`omm`] (the star) has a child for each user ([`user`], roaming), each link ([`link`]), each SIP
//! server of the site ([`server`], health), one [`endpoint`] (phones, and the way of every SIP message) and one
//! [`keeper`] (the store). A user that is served here has a [`line`], and a line has a [`binding`] for each server it
//! is registered at. A child holds a `Recipient` of its parent, never its address: that keeps it a tree.
//!
//! Whoever falls over in a panic tells its parent while it is torn down, and the parent hires another from what the
//! store knows ([`falls`]: not without end). Whoever ends takes those whom it hired along, because an actor lives as
//! long as anybody knows its address or it has a timer.
//!
//! [`seat`] is the only place where a machine meets the world; [`clock`] the only one that reads a clock; [`doors`]
//! are what the service (sockets, sled) and the replay (a virtual network, a map) hand in.

pub mod binding;
pub mod channel;
pub mod clock;
pub mod desk;
pub mod direct;
pub mod directory;
pub mod disorder;
pub mod doors;
pub mod endpoint;
pub mod epr;
pub mod errands;
pub mod falls;
pub mod flows;
pub mod identity;
pub mod keeper;
pub mod link;
pub mod locator;
pub mod messages;
pub mod office;
pub mod omm;
pub(crate) mod pipe;
pub mod record;
pub mod registrar;
pub mod seat;
pub mod server;
pub mod settings;
pub mod shaper;
pub mod site;
pub mod store;
pub mod trace;
pub mod user;
