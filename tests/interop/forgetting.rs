//! A registrar that is killed and back faster than anybody notices, and has forgotten everybody: they register again by
//! themselves, long before their refresh.

use std::fs;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::address;
use crate::crowd::Crowd;
use crate::kamailio::{DOMAIN, Kamailio, Model, answers_options};
use crate::omm::HOMING;
use crate::poll;
use crate::presence::needs;
use crate::process::Process;

const USERS: u64 = 300;
/// An audit each two seconds, two users who look, and three hundred who register; the rest is a busy machine. Ours.
const BACK: Duration = Duration::from_secs(30);

#[test]
fn a_registrar_that_forgets_and_is_back_at_once_has_all_users_again() {
    needs!("kamailio", "kamcmd", "sipp");
    let mut registrar = Kamailio::start(Model::Multi);
    let home = TempDir::with_prefix("homing-").unwrap_or_else(|e| panic!("a home: {e}"));
    let (at, crowd) = (address::sip(), Crowd::of(USERS, DOMAIN));
    // Nothing but the audit would notice before the refresh, 50 minutes later.
    let site = format!(
        "name = \"ward\"\nrole = \"central\"\nplatform = \"pc\"\npark = \"1F102F0E86\"\ndata_dir = \"data\"\n\
         users = \"users.toml\"\n[sip]\nlisten = \"{at}\"\ndomain = \"{DOMAIN}\"\n\
         [[tier]]\nname = \"pbx\"\nuri = \"sip:{};transport=udp\"\n\
         [timers]\naudit = \"2s\"\nprobe_idle = \"1h\"\nprobe = \"1s\"\n",
        registrar.at()
    );
    for (name, text) in [("site.toml", site), ("users.toml", crowd.listed())] {
        fs::write(home.path().join(name), text).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    let mut command = Command::new(HOMING);
    command.args(["serve", "-c", "site.toml"]).current_dir(home.path());
    let _site = Process::start(&mut command, &home.path().join("log"));
    poll::until(BACK, "the site answers", || answers_options(at), |yes| *yes);
    crowd.register(at);
    let all = |registrar: &Kamailio, wish: &str| {
        let ctl = registrar.ctl();
        poll::until(BACK, wish, || ctl.users(), |users| *users == Some(USERS));
    };
    all(&registrar, "all are registered");
    registrar.restart();
    all(&registrar, "all are registered again");
}
