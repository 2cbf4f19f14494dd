//! The commands that keep all records of a running OMM, and put them back.

use std::path::PathBuf;

use ::actors::clock::{Calendar, Clock, Origin};
use clap::{ArgAction, Args, ValueEnum};
use machine::secret::Secret;
use omm::directory::restore::Mode;
use omm::stamp::OmmId;
use serde_json::Value;

use super::provision::{fail, keep};
use super::{Service, talk};
use crate::backup::Backup;
use crate::console::say;
use crate::control;
use crate::exit::Exit;
use crate::provision;
use crate::service::supply::Supply;
use crate::status::{list, text};

/// `homing backup`.
#[derive(Args, Debug)]
pub(super) struct BackupWords {
    /// The file to write, which must not exist
    file: PathBuf,
    #[command(flatten)]
    seal: Seal,
    /// Without passwords, PINs and keys
    #[arg(long, conflicts_with = "passphrase_file")]
    without_secrets: bool,
    #[command(flatten)]
    service: Service,
}

/// `homing restore`.
#[derive(Args, Debug)]
pub(super) struct RestoreWords {
    /// The backup
    file: PathBuf,
    /// What counts: whatever is newer, the backup, or whatever is newer but no deletion
    #[arg(long, value_enum)]
    mode: ModeWord,
    /// Whether who was logged in on a handset is so again; with no, all are logged out
    #[arg(long, value_name = "yes|no", default_value = "yes", action = ArgAction::Set, value_parser = yes_or_no)]
    preserve_relations: bool,
    #[command(flatten)]
    seal: Seal,
    #[command(flatten)]
    service: Service,
}

#[derive(Args, Debug)]
struct Seal {
    /// A file whose first line is the passphrase
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum ModeWord {
    Merge,
    Authoritative,
    Mitel,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected yes or no".into()),
    }
}

impl Seal {
    fn passphrase(&self) -> Result<Option<Secret>, String> {
        let Some(file) = &self.passphrase_file else { return Ok(None) };
        let text = provision::text(file)?;
        match text.lines().next().map(str::trim_end).filter(|line| !line.is_empty()) {
            Some(line) => Ok(Some(Secret::new(line))),
            None => Err(format!("{}:1: expected a passphrase, read an empty line", file.display())),
        }
    }
}

impl BackupWords {
    pub(super) fn run(&self) -> Exit {
        let passphrase = match self.seal.passphrase() {
            Ok(None) if !self.without_secrets => {
                let why =
                    "name a --passphrase-file under which the secrets are sealed, or say --without-secrets";
                return fail(&self.service, why, Exit::Usage);
            }
            Ok(passphrase) => passphrase,
            Err(why) => return fail(&self.service, &why, Exit::Usage),
        };
        let answer = match talk(
            &self.service,
            &Supply::Backup { secrets: passphrase.is_some() }.request(),
            control::WORK,
        ) {
            Ok(answer) => answer,
            Err(exit) => return exit,
        };
        let records: Vec<String> =
            list(&answer, "records").filter_map(Value::as_str).map(str::to_owned).collect();
        let many = records.len();
        let clock = Clock::new(Origin::now(), Calendar::System, OmmId::new(0));
        let backup =
            Backup { site: text(&answer, "site").to_owned(), taken: clock.wall().as_millis(), records };
        match backup.write(passphrase.as_ref()).and_then(|text| keep(&self.file, text.as_bytes())) {
            Ok(()) => {
                say(&format!("{} holds {many} records", self.file.display()));
                Exit::Passed
            }
            Err(why) => fail(&self.service, &why, Exit::Missing),
        }
    }
}

impl RestoreWords {
    pub(super) fn run(&self) -> Exit {
        let named = |why: String| format!("{}: {why}", self.file.display());
        let read = || {
            let passphrase = self.seal.passphrase()?;
            Backup::read(&provision::text(&self.file)?, passphrase.as_ref()).map_err(named)
        };
        let Backup { taken, records, .. } = match read() {
            Ok(backup) => backup,
            Err(why) => return fail(&self.service, &why, Exit::Usage),
        };
        let mode = match self.mode {
            ModeWord::Merge => Mode::Merge,
            ModeWord::Authoritative => Mode::Authoritative,
            ModeWord::Mitel => Mode::Mitel,
        };
        let preserve_relations = self.preserve_relations;
        let wish = Supply::Restore { records, taken, mode, preserve_relations };
        match talk(&self.service, &wish.request(), control::WORK) {
            Ok(answer) => {
                let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
                let (users, devices, profiles) = (count("users"), count("devices"), count("profiles"));
                say(&if self.service.json {
                    answer.to_string()
                } else {
                    format!(
                        "restored: {users} users, {devices} handsets and {profiles} profiles are other than they were"
                    )
                });
                Exit::Passed
            }
            Err(exit) => exit,
        }
    }
}
