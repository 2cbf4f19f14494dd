//! The commands that change what an OMM is: its SARI, its roster, its attachment; and the one that makes it new.

use std::fmt::Write;
use std::path::PathBuf;

use ::actors::identity::Attachment;
use ::actors::store::Write as Change;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::Service;
use crate::config::site::Site;
use crate::console::{complain, say};
use crate::exit::Exit;
use crate::local;
use crate::service::office::Order;
use crate::status::{list, text};
use crate::store;

/// `homing sari`.
#[derive(Args, Debug)]
pub(super) struct SariWords {
    /// What to do
    #[arg(value_enum)]
    act: SariAct,
    #[command(flatten)]
    pub(super) service: Service,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum SariAct {
    /// Print it
    Show,
    /// Give the central the one that follows from its PARK, once and for all
    Generate,
}

/// `homing remotes`.
#[derive(Args, Debug)]
pub(super) struct RemotesWords {
    /// What to do; without it they are listed
    #[arg(value_enum, requires = "remote")]
    act: Option<RemotesAct>,
    /// The remote's name, PARK or OMM number
    remote: Option<String>,
    #[command(flatten)]
    pub(super) service: Service,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum RemotesAct {
    /// Take one off the list: its connection ends, its place is free
    Remove,
}

/// `homing attach`.
#[derive(Args, Debug)]
pub(super) struct AttachWords {
    /// Bring users and devices of its own along; without it an OMM that has any is not attached for the first time
    #[arg(long)]
    adopt: bool,
    #[command(flatten)]
    pub(super) service: Service,
}

/// `homing reinitialise`.
#[derive(Args, Debug)]
pub(super) struct ReinitialiseWords {
    /// The site's configuration
    #[arg(short, long = "config", value_name = "FILE")]
    pub(super) config: PathBuf,
    /// The site's name, to show that it is meant
    #[arg(long, value_name = "SITE")]
    confirm: String,
}

/// A request and how to print its answer.
pub(super) type Question = (Value, fn(&Value) -> String);

impl SariWords {
    pub(super) fn question(&self) -> Question {
        match self.act {
            SariAct::Show => (json!({"ask": "status"}), |answer| text(answer, "sari").to_owned()),
            SariAct::Generate => (Order::GenerateSari.request(), done),
        }
    }
}

impl RemotesWords {
    pub(super) fn question(&self) -> Question {
        match (&self.act, &self.remote) {
            (Some(RemotesAct::Remove), Some(remote)) => (Order::RemoveRemote(remote.clone()).request(), done),
            (_, _) => (json!({"ask": "status"}), roster),
        }
    }
}

impl AttachWords {
    pub(super) fn question(&self) -> Question {
        (Order::Attach(Attachment { attached: true, adopt: self.adopt }).request(), done)
    }
}

/// `homing detach`.
pub(super) fn detach() -> Question {
    (Order::Attach(Attachment { attached: false, adopt: false }).request(), done)
}

fn done(answer: &Value) -> String {
    let more = match answer.get("restarting").and_then(Value::as_bool) {
        Some(true) => "; the OMM restarts for it, registrations stay as they are",
        Some(false) | None => "",
    };
    format!("{}{more}", text(answer, "done"))
}

fn roster(answer: &Value) -> String {
    if text(answer, "role") != "central" {
        return format!("{} is a remote: only a central has a roster (M-2.1.1-a)", text(answer, "site"));
    }
    let mut out = format!("{:<32} {:<12} {:<12} ON THE ROSTER SINCE", "REMOTE", "OMM", "CONNECTED");
    for remote in list(answer, "remotes") {
        let connected = remote.get("connected").and_then(Value::as_bool).unwrap_or_default();
        let _ = write!(
            out,
            "\n{:<32} {:<12} {:<12} {}",
            text(remote, "name"),
            text(remote, "omm"),
            if connected { "yes" } else { "no" },
            text(remote, "since"),
        );
    }
    out
}

/// Empties the store, SARI and all (AMB-11): what a system needs that joins another one. Its certificate stays.
pub(super) fn reinitialise(site: &Site, words: &ReinitialiseWords) -> Exit {
    if words.confirm != site.name {
        complain(&format!("this is {}, not {}: nothing was changed", site.name, words.confirm));
        return Exit::Usage;
    }
    let emptied = store::open(site.engine, &site.data_dir, "homing reinitialise").and_then(|store| {
        let all = store.load(b"")?;
        let count = all.len();
        let batch = all.into_iter().map(|(key, _)| Change::Delete(key)).collect();
        local::block_on(store.commit(batch))?;
        Ok(count)
    });
    match emptied {
        Ok(count) => {
            say(&format!(
                "{} is new: {count} records are gone, the SARI with them; what it had registered at SIP servers expires",
                site.name
            ));
            Exit::Passed
        }
        Err(fault) => {
            complain(&format!("nothing was changed: {fault}"));
            Exit::Missing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::actors::identity;
    use machine::time::Wall;

    #[test]
    fn a_roster_is_printed_as_a_table_and_a_remote_has_none() {
        let since = "2026-11-22T08:00:00Z";
        let answer = json!({"site": "hub", "role": "central", "remotes": [
            {"name": "berlin", "omm": "102F0E86", "connected": true, "since": since},
            {"name": "10187326", "omm": "10187326", "connected": false, "since": since},
        ]});
        let printed = roster(&answer);
        let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["berlin", "102F0E86", "yes", since]);
        assert_eq!(lines[2], ["10187326", "10187326", "no", since]);
        assert!(roster(&json!({"site": "berlin", "role": "remote"})).starts_with("berlin is a remote"));
    }

    #[test]
    fn a_site_is_made_new_only_by_its_name_and_never_while_it_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("site.toml");
        let text = "name = \"hub\"\nrole = \"central\"\nplatform = \"pc\"\npark = \"1F102F0E86\"\ndata_dir = \"data\"\n\
            [sip]\nlisten = \"127.0.0.1:5060\"\ndomain = \"example.com\"\n\
            [[tier]]\nname = \"pbx\"\nuri = \"sip:127.0.0.1:9\"\n";
        std::fs::write(&file, text).expect("a file");
        let site = crate::config::load(&file).unwrap_or_else(|faults| panic!("{faults:?}"));
        let words = |name: &str| ReinitialiseWords { config: file.clone(), confirm: name.into() };
        let store = store::open(site.engine, &site.data_dir, "test").expect("a store");
        let sari = omm::ids::park::Sari::derive(site.park);
        local::block_on(store.commit(vec![identity::keep_sari(sari, Wall::default())])).expect("kept");
        assert_eq!(reinitialise(&site, &words("hub")), Exit::Missing, "it is open");
        assert_eq!(identity::sari(store.as_ref()), Ok(Some(sari)));
        drop(store);
        assert_eq!(reinitialise(&site, &words("berlin")), Exit::Usage);
        // sled's own threads let go of the lock a moment after the store is dropped.
        let mut tries = (0..100_000).map(|_| {
            std::thread::yield_now();
            reinitialise(&site, &words("hub"))
        });
        assert_eq!(tries.find(|exit| *exit != Exit::Missing), Some(Exit::Passed));
        let mut tries = (0..100_000).filter_map(|_| {
            std::thread::yield_now();
            store::open(site.engine, &site.data_dir, "test").ok()
        });
        let store = tries.next().expect("a store");
        assert_eq!(store.load(b""), Ok(Vec::new()));
    }
}
