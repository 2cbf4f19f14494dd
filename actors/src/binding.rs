//! One SIP registrar binding: runs [`sip::binding`].

use std::sync::Arc;

use actix::prelude::*;
use sip::binding::{Binding, Effect, Input, Report};

use crate::doors::Datagram;
use crate::messages::{Answer, Route, Unsent};
use crate::seat::{Flow, Seat, Seated};

/// What a line tells its binding.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Tell(pub Input);

/// What a binding reports to its line.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reported {
    /// The tier of the binding's server.
    pub tier: u8,
    /// What it reports.
    pub report: Report,
}
