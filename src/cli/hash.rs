//! `homing hash`: what a site's file may have instead of a password.

use std::io::{IsTerminal, stdin};

use axi::open::LOGIN_MAX;
use clap::Args;
use machine::secret::Secret;
use serde_json::json;

use crate::console::{complain, say};
use crate::exit::Exit;
use crate::hash;

/// `homing hash`.
#[derive(Args, Debug)]
pub(super) struct HashWords {
    /// One JSON object instead of the hash alone
    #[arg(long)]
    json: bool,
}

impl HashWords {
    /// Reads a password and says its hash.
    pub(super) fn run(&self) -> Exit {
        if stdin().is_terminal() {
            complain("the password, which shows as you type it:");
        }
        let mut line = String::new();
        if let Err(error) = stdin().read_line(&mut line) {
            complain(&format!("the password cannot be read: {error}"));
            return Exit::Missing;
        }
        let password = Secret::new(line.trim_end_matches(['\r', '\n']));
        match password.reveal().chars().count() {
            0 => {
                complain("there is no password on the standard input; an empty one opens nothing");
                return Exit::Usage;
            }
            length if length > LOGIN_MAX as usize => {
                complain(&format!(
                    "a password of {length} characters cannot log in; {LOGIN_MAX} are the most"
                ));
                return Exit::Usage;
            }
            _ => {}
        }
        let Some(hash) = hash::hash(&password) else {
            complain("the system gives no random numbers");
            return Exit::Missing;
        };
        let hash = hash.reveal();
        say(&if self.json { json!({"hash": hash}).to_string() } else { hash.to_owned() });
        Exit::Passed
    }
}
