//! The commands that bring users and handsets into a running OMM from a file, and out of it into one.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use axi::provision::sheet::Sheet;
use axi::provision::{Entry, Reading};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Service, talk};
use crate::console::{complain, say};
use crate::control;
use crate::exit::Exit;
use crate::provision::{self, Form, table};
use crate::service::supply::Supply;
use crate::status::{list, text};

/// Entries in one request, so that the OMM does other things between them, and answers in time. Ours.
const PAGE: usize = 100;

/// `homing import`.
#[derive(Args, Debug)]
pub(super) struct ImportWords {
    /// The file
    file: PathBuf,
    /// Its form; without it the file's name and text show it
    #[arg(long, value_enum)]
    form: Option<FormWord>,
    /// Say what would become of each entry, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    service: Service,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum FormWord {
    /// ipdect.cfg: AXI requests one after another
    Ipdect,
    /// The vendor's pre-configuration file: instructions, then records
    Bulk,
    /// A table with the names of AXI attributes in its first row
    Csv,
}

/// `homing export`.
#[derive(Args, Debug)]
pub(super) struct ExportWords {
    /// The file to write, which must not exist; - for standard output
    file: PathBuf,
    /// With passwords, PINs and codes, in clear
    #[arg(long)]
    secrets: bool,
    #[command(flatten)]
    service: Service,
}

impl ImportWords {
    pub(super) fn run(&self) -> Exit {
        let text = match provision::text(&self.file) {
            Ok(text) => text,
            Err(why) => return fail(&self.service, &why, Exit::Usage),
        };
        let form = match self.form {
            Some(FormWord::Ipdect) => Form::Ipdect,
            Some(FormWord::Bulk) => Form::Bulk,
            Some(FormWord::Csv) => Form::Csv,
            None => Form::guess(&self.file, &text),
        };
        let reading = form.read(&text);
        if !reading.mistakes.is_empty() {
            return self.mistaken(&reading);
        }
        let mut tally = Tally::default();
        // Tried as a whole: a copy of the directory lives as long as one request.
        let page = if self.dry_run { usize::MAX } else { PAGE };
        for entries in reading.entries.chunks(page) {
            if let Err(exit) = self.send(entries, &mut tally) {
                return exit;
            }
        }
        tally.tell(&self.service, self.dry_run)
    }

    fn send(&self, entries: &[Entry], tally: &mut Tally) -> Result<(), Exit> {
        let wish = Supply::Import { entries: entries.to_vec(), dry_run: self.dry_run };
        let answer = talk(&self.service, &wish.request(), control::WORK)?;
        for result in list(&answer, "results") {
            tally.take(&self.file, result, self.service.json);
        }
        Ok(())
    }

    fn mistaken(&self, Reading { mistakes, .. }: &Reading) -> Exit {
        let file = self.file.display().to_string();
        if self.service.json {
            let told = mistakes.iter().map(|mistake| {
                json!({"file": file, "line": mistake.line, "read": mistake.read, "expected": mistake.expected,
                    "cure": mistake.cure})
            });
            say(&json!({"mistakes": told.collect::<Vec<_>>()}).to_string());
        } else {
            for mistake in mistakes {
                complain(&format!("{file}:{}: {mistake}", mistake.line));
            }
            let many = if mistakes.len() == 1 { "" } else { "s" };
            complain(&format!("{} mistake{many}; nothing was imported", mistakes.len()));
        }
        Exit::Usage
    }
}

/// What became of the entries of a file.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<String, usize>,
    results: Vec<Value>,
}

impl Tally {
    fn take(&mut self, file: &Path, result: &Value, json: bool) {
        let fate = text(result, "fate");
        *self.counts.entry(fate.to_owned()).or_default() += 1;
        if json {
            return self.results.push(result.clone());
        }
        let line = result.get("line").and_then(Value::as_u64).unwrap_or_default();
        let told = format!("{}:{line}: {fate:<9} {}", file.display(), text(result, "subject"));
        match fate {
            "refused" => complain(&format!("{told}: {}", text(result, "why"))),
            "ignored" => say(&format!("{told}: not about users and handsets")),
            _ => say(&told),
        }
    }

    fn count(&self, fate: &str) -> usize {
        self.counts.get(fate).copied().unwrap_or_default()
    }

    fn tell(&self, service: &Service, dry_run: bool) -> Exit {
        if service.json {
            say(&json!({"dry_run": dry_run, "counts": self.counts, "results": self.results}).to_string());
        } else {
            let fates = ["created", "changed", "deleted", "unchanged", "ignored", "refused"];
            let counts = fates.map(|fate| format!("{} {fate}", self.count(fate)));
            let tried = if dry_run { "; this was a trial, nothing was changed" } else { "" };
            say(&format!("{}{tried}", counts.join(", ")));
        }
        if self.count("refused") == 0 { Exit::Passed } else { Exit::Failed }
    }
}

impl ExportWords {
    pub(super) fn run(&self) -> Exit {
        let answer =
            match talk(&self.service, &Supply::Export { secrets: self.secrets }.request(), control::WORK) {
                Ok(answer) => answer,
                Err(exit) => return exit,
            };
        let rows = list(&answer, "rows").map(cells).collect();
        let heading = cells(answer.get("heading").unwrap_or(&Value::Null));
        let text = table::write(&Sheet { heading, rows });
        if self.file.as_os_str() == "-" {
            say(text.trim_end());
            return Exit::Passed;
        }
        match keep(&self.file, text.as_bytes()) {
            Ok(()) => {
                let many = list(&answer, "rows").count();
                say(&format!("{} holds {many} users and handsets", self.file.display()));
                Exit::Passed
            }
            Err(why) => fail(&self.service, &why, Exit::Missing),
        }
    }
}

fn cells(row: &Value) -> Vec<String> {
    let cells = row.as_array().map_or(&[][..], Vec::as_slice);
    cells.iter().map(|cell| cell.as_str().unwrap_or_default().to_owned()).collect()
}

/// Writes a new file that only its owner may read.
pub(super) fn keep(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = made.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => format!("{} exists already: name another file", path.display()),
        _ => format!("cannot write {}: {error}", path.display()),
    })
}

pub(super) fn fail(service: &Service, why: &str, exit: Exit) -> Exit {
    if service.json {
        say(&json!({"error": why}).to_string());
    } else {
        complain(why);
    }
    exit
}
