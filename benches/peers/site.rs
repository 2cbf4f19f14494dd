//! homing: one site, its users in a file, its phones already seen.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::crowd::Crowd;
use crate::pbx::DOMAIN;
use crate::process::Process;
use crate::{address, poll};

/// The program that is measured.
const HOMING: &str = env!("CARGO_BIN_EXE_homing");
/// How long it may take to answer after its start.
const START: Duration = Duration::from_secs(60);

/// A site with so many users.
pub(crate) struct Site {
    home: TempDir,
    at: SocketAddr,
}

impl Site {
    /// Writes its files. `tiers` are its SIP servers, best first; registrations last for `expires`.
    pub(crate) fn new(crowd: &Crowd, tiers: &[SocketAddr], expires: &str) -> Site {
        let home = TempDir::with_prefix("homing-").expect("a temporary directory");
        let at = address::sip();
        let mut text = format!(
            "name = \"bench\"\nrole = \"central\"\nplatform = \"pc\"\npark = \"1F102F0E86\"\ndata_dir = \"data\"\n\
             users = \"users.toml\"\n[sip]\nlisten = \"{at}\"\ndomain = \"{DOMAIN}\"\ndigest = \"md5\"\n\
             [registration]\nexpires = \"{expires}\"\n"
        );
        for (index, tier) in tiers.iter().enumerate() {
            let _ = write!(text, "[[tier]]\nname = \"tier{index}\"\nuri = \"sip:{tier};transport=udp\"\n");
        }
        fs::write(home.path().join("site.toml"), text).expect("the site's file");
        fs::write(home.path().join("users.toml"), crowd.listed()).expect("the users' file");
        Site { home, at }
    }

    /// Where its phones register.
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    /// Starts the process.
    pub(crate) fn serve(&self) -> Process {
        let mut command = Command::new(HOMING);
        command.args(["serve", "-c", "site.toml"]).current_dir(self.home.path());
        Process::start(&mut command, &self.home.path().join("log"))
    }

    /// Waits until it answers `homing status`.
    pub(crate) fn wait(&self) {
        let ready = || {
            let asked = Command::new(HOMING)
                .args(["status", "-c", "site.toml", "--json"])
                .current_dir(self.home.path())
                .output();
            asked.is_ok_and(|asked| asked.status.success())
        };
        poll::until(START, "homing answers", ready, |yes| *yes);
    }
}
