//! Commands that ask a running service.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Service, tell_faults};
use crate::config;
use crate::console::{complain, say};
use crate::control::{self, Unasked};
use crate::exit::Exit;
use crate::local;

pub(super) fn ask(service: &Service, request: &Value, print: impl FnOnce(&Value) -> String) -> Exit {
    match talk(service, request, control::QUESTION) {
        Ok(answer) => {
            say(&if service.json { answer.to_string() } else { print(&answer) });
            Exit::Passed
        }
        Err(exit) => exit,
    }
}

/// Asks a running service, which may take so long; why there is no answer, it says itself.
pub(super) fn talk(service: &Service, request: &Value, patience: Duration) -> Result<Value, Exit> {
    let socket = match (&service.socket, &service.config) {
        (Some(socket), _) => socket.clone(),
        (None, Some(path)) => match config::load(path) {
            Ok(site) => site.control,
            Err(faults) => {
                tell_faults(&faults, service.json);
                return Err(Exit::Usage);
            }
        },
        (None, None) => return Err(Exit::Usage),
    };
    match local::block_on(control::ask(&socket, request, patience)) {
        Ok(answer) => Ok(answer),
        Err(error) => {
            if service.json {
                say(&json!({"error": error.to_string()}).to_string());
            } else {
                complain(&error.to_string());
            }
            Err(match error {
                Unasked::Nobody(..) | Unasked::Silent(_) => Exit::Missing,
                Unasked::Refused(_) => Exit::Failed,
            })
        }
    }
}
