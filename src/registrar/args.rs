//! The words of `homing registrar` on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use machine::secret::Secret;
use sip::digest::Algorithm;
use sip::registrar::Model;

use super::order::{self, Order};
use super::users::Known;
use super::{Request, run};
use crate::config;
use crate::config::fault::Fault;
use crate::console::complain;
use crate::exit::Exit;

/// What `homing registrar --help` ends with.
pub const AFTER: &str = "\
What it can do wrong (--behave, several with commas or several times; `after D` and `for D` at the end):
  silence [share P%]   late D   wrong-branch   wrong-cseq   duplicate   reorder   drops-own   foreign-contacts
  nonce endless|stale|short D|proxy|foreign   expires shrink [by D]   grant N|garbage|none   min-expires D|none|lower [early]
  storm CODE [retry-after TEXT] [share P%]   retry-after TEXT   overload N/s [silent]   crash   rport-moves
  oc P%   redirect 301|302 URI..   options-only   options-filtered   forgets NUMBER   lists-nothing
  (scenarios/LANGUAGE.md says what each is)

Examples:
  homing registrar                                                    any user, no password, on 127.0.0.1:5060
  homing registrar --listen 127.0.0.10:5060 --any-user --password s3cret -v
  homing registrar --domain example.com --users examples/users.toml --binding single-replace
  homing registrar --behave \"late 2s, duplicate after 10s for 1m\" --behave \"crash after 2m\"
  homing registrar --behave \"overload 500/s silent\" --json --every 1s";

/// The words.
#[derive(Args, Debug)]
pub struct Words {
    /// Where to listen (UDP)
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5060")]
    listen: SocketAddr,
    /// A domain of the users, such as example.com; any domain if none is named
    #[arg(long = "domain", value_name = "NAME")]
    domains: Vec<String>,
    /// What happens to the contacts of a user when another one registers
    #[arg(long, value_enum, default_value_t = Binding::Multi)]
    binding: Binding,
    /// The users, as in examples/users.toml; nobody else is known
    #[arg(long, value_name = "FILE", requires = "domains", conflicts_with = "any_user")]
    users: Option<PathBuf>,
    /// Any user is known who has this --password
    #[arg(long, requires = "password")]
    any_user: bool,
    /// The password of any user
    #[arg(long, value_name = "TEXT", requires = "any_user", value_parser = secret)]
    password: Option<Secret>,
    /// How passwords are asked for
    #[arg(long, value_enum, default_value_t = Digest::Md5)]
    auth: Digest,
    /// Shorter registrations are refused with 423
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    min_expires: Duration,
    /// Longer registrations are cut to this
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    max_expires: Duration,
    /// Do this wrong: "WORDS [after D] [for D]", listed below; may be given several times
    #[arg(long = "behave", value_name = "WORDS", value_parser = order::read)]
    orders: Vec<Order>,
    /// Say so often what was done; 10s with --json
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    every: Option<Duration>,
    /// Stop after so long
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    limit: Option<Duration>,
    /// One JSON object a line instead of text
    #[arg(long)]
    json: bool,
}

/// How often counts are told when `--json` says nothing else. Ours.
const EVERY: Duration = Duration::from_secs(10);

#[derive(ValueEnum, Clone, Copy, Debug)]
enum Binding {
    /// Every contact stands for itself (RFC 3261)
    Multi,
    /// The new one throws the others out
    SingleReplace,
    /// The second one is refused with 403
    SingleReject,
    /// One for each instance and reg-id (RFC 5626)
    Outbound,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum Digest {
    /// MD5
    Md5,
    /// SHA-256
    #[value(name = "sha-256")]
    Sha256,
    /// SHA-256, then MD5 (RFC 8760)
    Both,
}

fn secret(text: &str) -> Result<Secret, String> {
    if text.is_empty() { Err("it is empty".into()) } else { Ok(Secret::new(text)) }
}

impl Words {
    /// Does what they ask for. `tell` prints the faults of a file.
    pub fn run(self, verbose: u8, tell: impl FnOnce(&[Fault], bool)) -> Exit {
        if self.min_expires > self.max_expires {
            complain("--min-expires is longer than --max-expires");
            return Exit::Usage;
        }
        let known = match (&self.users, self.password) {
            (Some(path), _) => match config::load_users(path) {
                Ok(users) => Known::Listed(users, self.domains.first().cloned().unwrap_or_default()),
                Err(faults) => {
                    tell(&faults, self.json);
                    return Exit::Usage;
                }
            },
            (None, Some(password)) => Known::Everybody(password),
            (None, None) => Known::Open,
        };
        run(Request {
            listen: self.listen,
            domains: self.domains,
            model: match self.binding {
                Binding::Multi => Model::Multi,
                Binding::SingleReplace => Model::SingleReplace { removes_any: false },
                Binding::SingleReject => Model::SingleReject,
                Binding::Outbound => Model::Outbound,
            },
            known,
            algorithms: match self.auth {
                Digest::Md5 => vec![Algorithm::MD5],
                Digest::Sha256 => vec![Algorithm::SHA_256],
                Digest::Both => vec![Algorithm::SHA_256, Algorithm::MD5],
            },
            expires: (self.min_expires, self.max_expires),
            orders: self.orders,
            every: self.every.or(self.json.then_some(EVERY)),
            limit: self.limit,
            json: self.json,
            verbose,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_all_that_can_be_ordered() {
        for name in sip::uas::behave::words::NAMES {
            assert!(AFTER.split_whitespace().any(|word| word == *name || word.contains(name)), "{name}");
        }
    }
}
