//! A thousand users whose primary registrar dies: all of them at the secondary, none lost, and all back.
//!
//! Who is where is read from the registrars' own statistics.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::address;
use crate::crowd::Crowd;
use crate::kamailio::{Ctl, DOMAIN, Kamailio, Model, answers_options};
use crate::omm::HOMING;
use crate::poll::{self, Watch};
use crate::presence::needs;
use crate::process::Process;

const USERS: u64 = 1000;
/// Ours: detection takes less than 10 s and the moves one or two; the rest is a busy machine.
const MOVED: Duration = Duration::from_secs(60);

/// A site with two tiers and a thousand users.
struct Hospital {
    primary: Kamailio,
    secondary: Kamailio,
    at: SocketAddr,
    process: Process,
    home: TempDir,
}

impl Hospital {
    /// Everything runs, and every user is registered at the primary.
    fn open() -> Hospital {
        let (primary, secondary) = (Kamailio::start(Model::Multi), Kamailio::start(Model::Multi));
        let home = TempDir::with_prefix("homing-").unwrap_or_else(|e| panic!("a home: {e}"));
        let (at, crowd) = (address::sip(), Crowd::of(USERS, DOMAIN));
        // The hold is shorter than at a customer's.
        let site = format!(
            "name = \"ward\"\nrole = \"central\"\nplatform = \"pc\"\npark = \"1F102F0E86\"\ndata_dir = \"data\"\n\
             users = \"users.toml\"\n[sip]\nlisten = \"{at}\"\ndomain = \"{DOMAIN}\"\n\
             [[tier]]\nname = \"primary\"\nuri = \"sip:{};transport=udp\"\n\
             [[tier]]\nname = \"secondary\"\nuri = \"sip:{};transport=udp\"\n\
             [timers]\nprobe = \"1s\"\nprobe_max = \"2s\"\nfailback_hold = \"5s\"\n",
            primary.at(),
            secondary.at()
        );
        for (name, text) in [("site.toml", site), ("users.toml", crowd.listed())] {
            fs::write(home.path().join(name), text).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
        let process = serve(&home);
        let hospital = Hospital { primary, secondary, at, process, home };
        hospital.answers();
        crowd.register(at);
        hospital.all_at(&hospital.primary, "all are at the primary");
        hospital
    }

    fn answers(&self) {
        poll::until(MOVED, "the site answers", || answers_options(self.at), |yes| *yes);
    }

    fn all_at(&self, registrar: &Kamailio, wish: &str) {
        let ctl = registrar.ctl();
        poll::until(MOVED, wish, || ctl.users(), |users| *users == Some(USERS));
    }

    /// Watches for moments at which a user has a contact nowhere. Who is at both counts twice, so this is no proof; but
    /// when a failback is over everybody is at one.
    fn watch(&self) -> Watch<bool> {
        let both = [self.primary.ctl(), self.secondary.ctl()];
        Watch::begin(move || Some(held(&both)? >= USERS))
    }

    /// All are at the primary and none at the secondary, as before the failure.
    fn back_home(&self) {
        let (primary, secondary) = (self.primary.ctl(), self.secondary.ctl());
        let where_all_are = || (primary.users(), secondary.users());
        poll::until(MOVED, "all are back", where_all_are, |seen| *seen == (Some(USERS), Some(0)));
    }
}

fn held(registrars: &[Ctl; 2]) -> Option<u64> {
    let [primary, secondary] = registrars;
    // In the order of the moves: whoever moves between the two looks is counted twice, never not at all.
    let left = secondary.users()?;
    Some(left + primary.users()?)
}

fn serve(home: &TempDir) -> Process {
    let mut command = Command::new(HOMING);
    command.args(["serve", "-c", "site.toml"]).current_dir(home.path());
    let log: PathBuf = home.path().join("log");
    Process::start(&mut command, &log)
}

#[test]
fn a_thousand_users_survive_a_primary_that_freezes() {
    needs!("kamailio", "kamcmd", "sipp");
    let hospital = Hospital::open();
    hospital.primary.freeze();
    hospital.all_at(&hospital.secondary, "all are at the secondary");
    hospital.primary.thaw();
    let watch = hospital.watch();
    hospital.back_home();
    watch.since(|_| true, "everybody is registered somewhere during the failback", |all| *all);
}

#[test]
fn a_thousand_users_survive_a_primary_that_is_killed_and_forgets_them() {
    needs!("kamailio", "kamcmd", "sipp");
    let mut hospital = Hospital::open();
    hospital.primary.kill();
    hospital.all_at(&hospital.secondary, "all are at the secondary");
    hospital.primary.revive();
    let watch = hospital.watch();
    hospital.back_home();
    watch.since(|_| true, "everybody is registered somewhere during the failback", |all| *all);
}

#[test]
fn a_site_that_is_killed_with_its_primary_comes_back_at_the_secondary() {
    needs!("kamailio", "kamcmd", "sipp");
    let mut hospital = Hospital::open();
    hospital.primary.kill();
    hospital.process.kill();
    hospital.process = serve(&hospital.home);
    hospital.all_at(&hospital.secondary, "all are at the secondary");
    hospital.primary.revive();
    hospital.back_home();
}
