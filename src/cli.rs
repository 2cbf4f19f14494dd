//! The command line: what can be asked for, and which exit code it ends with.

use std::ffi::OsString;
use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::check;
use crate::config;
use crate::config::fault::Fault;
use crate::config::site::Site;
use crate::console::{complain, say};
use crate::demo;
use crate::entropy;
use crate::exit::Exit;
use crate::explain;
use crate::local;
use crate::logging::{self, Form};
use crate::registrar::args;
use crate::roll;
use crate::scenario;
use crate::service;
use crate::service::drill::{self, Drill};
use crate::status;
use crate::why;

mod asking;
mod backup;
mod hash;
mod office;
mod provision;

use asking::{ask, talk};

const AFTER: &str = "\
Exit codes:
  0  all checks passed; the service was told to stop and stopped
  1  a check or an expectation failed
  2  the command line, a configuration or a scenario is wrong
  3  the target or the environment is missing (no service to ask, a port taken)
  4  interrupted, or out of time before all checks ran
  5  only known, listed deviations

Environment:
  HOMING_LOG  error, warn, info, debug, trace or off, when no -v is given
  NO_COLOR    no colours, even on a terminal

Examples:
  homing demo --for 1m                  see a roam, a cut link and a silent phone
  homing check -c site.toml             is this site fit for service?
  homing replay scenarios/*.scn         play stories in virtual time
  homing serve -c site.toml             put it into service
  homing registrar --any-user --password x   be a SIP server, for tests
  homing status -c site.toml --json     ask the running service";

const REPLAY_AFTER: &str = "\
Examples:
  homing replay scenarios/*.scn                       everything, once
  homing replay scenarios/r1-*.scn --runs 1000        a thousand seeds of one story
  homing replay scenarios/sample.scn --check-determinism";

/// A telephony core with a SIP registration manager: several sites, one set of users, phones that roam.
///
/// Every site has an OMM that registers the users whose phones are there at the site's own SIP servers. When a phone
/// shows up at another site, its OMM registers the user at once, tells all the others, and the former one removes its
/// registration; when the network between the sites is down, each site goes on alone.
#[derive(Parser, Debug)]
#[command(name = "homing", version, after_help = AFTER, max_term_width = 110)]
struct Line {
    /// Say more on standard error: -v for debug, -vv for everything
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the OMM of one site until it is told to stop (Ctrl-C, SIGTERM)
    ///
    /// Listens for phones and SIP servers on [sip] listen, for other OMMs on [axi] listen, and for `homing status` on
    /// the control socket. State is kept in data_dir and survives a crash.
    Serve {
        #[command(flatten)]
        site: ConfigFile,
        /// How to write the log on standard error
        #[arg(long, value_enum, default_value_t = LogForm::Text)]
        log: LogForm,
    },
    /// Show three OMMs, a PBX and some phones at work in this process, on real sockets of this machine
    ///
    /// Nothing to configure, nothing is left behind. Phones appear, one roams, a link is cut and healed, one phone
    /// falls silent until the watchdog believes that it is gone. Times that would take hours are shortened, and the
    /// demo says so.
    Demo {
        /// Stop after so long, such as 1m; the story is told once and then the phones go on by themselves
        #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
        limit: Option<Duration>,
        /// One JSON object a line instead of the timeline
        #[arg(long)]
        json: bool,
    },
    /// Play scenarios in virtual time and say whether everything in them came out as they claim
    ///
    /// Hours take milliseconds, and the same seed gives the same trace, byte for byte. Each run writes trace.jsonl,
    /// result.json and what the script's `output` names to OUT/SCENARIO/SEED/. scenarios/LANGUAGE.md is the language.
    #[command(after_help = REPLAY_AFTER)]
    Replay {
        /// The scenarios
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The seed of every chance, instead of the one in the script
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        /// Play so many seeds, counting up from the first; only failing ones write artefacts
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
        runs: u64,
        /// End here even if the script goes on; what would come later counts as not run
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        until: Option<Duration>,
        /// Play it again in another process and compare the traces
        #[arg(long, conflicts_with = "runs")]
        check_determinism: bool,
        /// Where artefacts go
        #[arg(long, value_name = "DIR", default_value = "out")]
        out: PathBuf,
        /// One JSON object a scenario instead of the report
        #[arg(long)]
        json: bool,
    },
    /// A registrar on a UDP socket to test clients with: well-behaved, or wrong in the ways of the wild
    ///
    /// Answers REGISTER and OPTIONS until it is told to stop (Ctrl-C, SIGTERM), and says at its end what it has done.
    /// -v prints a line per event, -vv a line per answer too. Ends with 3 when it cannot listen.
    #[command(after_help = args::AFTER)]
    Registrar(args::Words),
    /// Say whether a site is fit for service: configuration, identity, clock, ports, data folder, SIP servers, central
    ///
    /// Nothing is changed, except that a file is written into data_dir and removed again. Ends with 0 when all checks
    /// passed, 1 when one failed, 2 when the configuration is wrong.
    Check {
        #[command(flatten)]
        site: ConfigFile,
        /// One JSON object instead of the report
        #[arg(long)]
        json: bool,
        /// Give up after so long
        #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
        time_limit: Duration,
    },
    /// Say how a running OMM stands: its link, its SIP servers, its users
    Status {
        #[command(flatten)]
        service: Service,
    },
    /// Move the users of a running site to another of its SIP servers, as a drill
    ///
    /// The other servers are shown as drained until `homing failback SITE`. Nobody is lost by it: should the server of the
    /// drill fail, the drained ones are used.
    Failover {
        /// The site's name
        site: String,
        /// The server to move to
        #[arg(long, value_enum)]
        to: Tier,
        #[command(flatten)]
        service: Service,
    },
    /// End a drill at once: the users go back to the best server
    Failback {
        /// The site's name
        site: String,
        #[command(flatten)]
        service: Service,
    },
    /// The system's shared identity, to which phones subscribe: show it, or generate it at the central
    ///
    /// A central has the SARI of its PARK from its first start on; with `sari = "generate"` in its [axi] it waits for this
    /// command, and lets no remote in before. A second time fails and changes nothing (exit code 1).
    Sari(office::SariWords),
    /// List the remotes on a central's roster, or take one off it
    ///
    /// A central has at most 10 remotes; one that is away keeps its place until it is removed.
    Remotes(office::RemotesWords),
    /// Let a remote go to its central, as its [link] says; it does so anyway unless it was detached
    Attach(office::AttachWords),
    /// Keep a remote from its central: users, devices and SARI stay, local telephony goes on
    Detach {
        #[command(flatten)]
        service: Service,
    },
    /// Make an OMM new that does not run: everything in its store is deleted, its SARI too
    ///
    /// For a system that joins another one. Its configuration and its certificate stay.
    Reinitialise(office::ReinitialiseWords),
    /// Bring users and handsets into a running OMM from a file: ipdect.cfg, the vendor's bulk file, or CSV
    ///
    /// Says of every entry what became of it. What is so already is left alone and costs nothing, so that a file may be
    /// imported again and again. Ends with 0, with 1 when an entry was refused (the others are imported), with 2 when
    /// the file has mistakes (nothing is imported), with 3 when no OMM runs. An empty cell of a table leaves the value as
    /// it is.
    Import(provision::ImportWords),
    /// Write the users and handsets of a running OMM into a CSV file, which `homing import` reads
    Export(provision::ExportWords),
    /// Write all records of a running OMM into a file: users, handsets, profiles, SARI, with their stamps and deletions
    ///
    /// Its secrets are sealed with a passphrase, or left out. What the site's configuration says is not in it.
    Backup(backup::BackupWords),
    /// Put a backup back into a running OMM
    ///
    /// `merge`: whichever was written later counts, deletions too, so that deleted users stay deleted. `authoritative`, at
    /// the central only: everything is as in the backup, at all sites; what is not in it is deleted. `mitel`: as merge, but
    /// deleted users come back. A backup without secrets restores users without passwords.
    Restore(backup::RestoreWords),
    /// Make the hash of a password, which a site's file may have in its place: `password_hash`, `root_password_hash`
    ///
    /// Reads the password from the first line of the standard input. Ends with 2 when there is none, or one too long.
    Hash(hash::HashWords),
    /// Explain what follows from a site's configuration
    Explain {
        /// What to explain
        #[arg(value_enum)]
        what: Explained,
        #[command(flatten)]
        site: ConfigFile,
        /// One JSON object instead of the table
        #[arg(long)]
        json: bool,
    },
    /// Say what happened to a user lately at a running OMM, each step with the rule behind it
    ///
    /// The rules are the ids of the functional specification, as ARCHITECTURE.md explains them. An OMM remembers some
    /// eight thousand steps of all its users; refreshes that went well are not among them.
    Why {
        /// The user's number
        number: String,
        #[command(flatten)]
        service: Service,
    },
    /// Show all that a running OMM knows of one user: its record, who has it, who owns it, where it was seen last
    Show {
        /// The user's number
        number: String,
        #[command(flatten)]
        service: Service,
    },
    /// List the users that a running OMM knows of, and where each of them is
    Users {
        #[command(flatten)]
        service: Service,
    },
}

/// The site's file.
#[derive(Args, Debug)]
struct ConfigFile {
    /// The site's configuration; examples/site.toml is one to start from
    #[arg(short, long = "config", value_name = "FILE")]
    config: PathBuf,
}

/// Which service to ask, and how to print.
#[derive(Args, Debug)]
struct Service {
    /// The site's configuration, which names the control socket
    #[arg(short, long = "config", value_name = "FILE", required_unless_present = "socket")]
    config: Option<PathBuf>,
    /// The control socket itself
    #[arg(long, value_name = "PATH", conflicts_with = "config")]
    socket: Option<PathBuf>,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// A SIP server of a site.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum Tier {
    Primary,
    Secondary,
    Tertiary,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum Explained {
    /// Worst-case times: how long until a failure is noticed, and until the last user has moved
    Timers,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum LogForm {
    Text,
    Json,
}

/// Does what `words` (the program's name first) ask for.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    let line = match Line::try_parse_from(words) {
        Ok(line) => line,
        Err(error) => {
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Passed,
                _ => Exit::Usage,
            };
        }
    };
    let form = match &line.command {
        Command::Serve { log: LogForm::Json, .. } => Form::Json,
        _ => Form::Text,
    };
    // Only the service writes a log unasked; the others print what they were asked for.
    let quiet = !matches!(line.command, Command::Serve { .. });
    if let Err(why) = logging::start(line.verbose, form, quiet) {
        complain(&why);
        return Exit::Usage;
    }
    match line.command {
        Command::Serve { site, .. } => with_site(&site.config, false, service::run),
        Command::Demo { limit, json } => demo::run(limit, json),
        Command::Replay { files, seed, runs, until, check_determinism, out, json } => {
            scenario::run(&scenario::Request { files, seed, runs, until, check_determinism, out, json })
        }
        Command::Check { site, json, time_limit } => {
            with_site(&site.config, json, |site| look(&site, json, time_limit))
        }
        Command::Status { service } => ask(&service, &json!({"ask": "status"}), status::overview),
        Command::Users { service } => ask(&service, &json!({"ask": "users"}), roll::users),
        Command::Show { number, service } => {
            ask(&service, &json!({"ask": "show", "number": number}), roll::show)
        }
        Command::Why { number, service } => {
            ask(&service, &json!({"ask": "why", "number": number}), why::story)
        }
        Command::Failover { site, to, service } => {
            let drill = Drill { site, to: Some(to as u8) };
            ask(&service, &drill.request(), drill::told)
        }
        Command::Failback { site, service } => {
            ask(&service, &Drill { site, to: None }.request(), drill::told)
        }
        Command::Sari(words) => put(&words.service, words.question()),
        Command::Remotes(words) => put(&words.service, words.question()),
        Command::Attach(words) => put(&words.service, words.question()),
        Command::Detach { service } => put(&service, office::detach()),
        Command::Reinitialise(words) => {
            with_site(&words.config, false, |site| office::reinitialise(&site, &words))
        }
        Command::Import(words) => words.run(),
        Command::Export(words) => words.run(),
        Command::Backup(words) => words.run(),
        Command::Restore(words) => words.run(),
        Command::Hash(words) => words.run(),
        Command::Explain { what: Explained::Timers, site, json } => with_site(&site.config, json, |site| {
            say(&if json { explain::to_json(&site).to_string() } else { explain::table(&site) });
            Exit::Passed
        }),
        Command::Registrar(words) => words.run(line.verbose, tell_faults),
    }
}

fn with_site(path: &Path, json: bool, act: impl FnOnce(Site) -> Exit) -> Exit {
    match config::load(path) {
        Ok(site) => act(site),
        Err(faults) => {
            tell_faults(&faults, json);
            Exit::Usage
        }
    }
}

fn tell_faults(faults: &[Fault], json: bool) {
    if json {
        say(&json!({"faults": faults.iter().map(Fault::to_json).collect::<Vec<_>>()}).to_string());
        return;
    }
    for fault in faults {
        complain(&fault.to_string());
    }
    complain(&match faults.len() {
        1 => "1 mistake; nothing was started".to_string(),
        many => format!("{many} mistakes; nothing was started"),
    });
}

fn look(site: &Site, json: bool, limit: Duration) -> Exit {
    let Some(seed) = entropy::seed() else { return Exit::Missing };
    let report = local::block_on(check::run(site, seed, limit));
    if json {
        let findings: Vec<Value> = report.findings.iter().map(check::Finding::to_json).collect();
        say(&json!({"site": site.name, "complete": report.complete, "findings": findings}).to_string());
    } else {
        let colours = logging::colours(stdout().is_terminal());
        for finding in &report.findings {
            say(&if colours { finding.coloured() } else { finding.to_string() });
        }
        if !report.complete {
            complain("out of time: not all checks ran");
        }
    }
    report.exit()
}

fn put(service: &Service, (request, print): office::Question) -> Exit {
    ask(service, &request, print)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn exit(words: &[&str]) -> Exit {
        run(std::iter::once("homing").chain(words.iter().copied()).map(OsString::from))
    }

    #[test]
    fn the_command_line_is_sound_and_every_command_is_described() {
        Line::command().debug_assert();
        for command in Line::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }

    #[test]
    fn each_kind_of_failure_has_its_own_exit_code() {
        let dir = tempfile::tempdir().expect("a folder");
        let bad = dir.path().join("bad.toml");
        std::fs::write(&bad, "nam = \"x\"\n").expect("a file");
        let bad = bad.to_str().expect("a path");
        let nobody = dir.path().join("no.sock");
        let nobody = nobody.to_str().expect("a path");
        assert_eq!(exit(&["--help"]), Exit::Passed);
        assert_eq!(exit(&["--version"]), Exit::Passed);
        assert_eq!(exit(&[]), Exit::Usage);
        assert_eq!(exit(&["sreve"]), Exit::Usage);
        assert_eq!(exit(&["check", "-c", bad]), Exit::Usage);
        assert_eq!(exit(&["serve", "-c", "nowhere.toml"]), Exit::Usage);
        assert_eq!(exit(&["status", "--socket", nobody]), Exit::Missing);
        assert_eq!(exit(&["demo", "--for", "90"]), Exit::Usage);
    }
}
