//! homing: a central and its remotes, each with a home of its own.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;
use crate::{PATIENCE, REMOTES, address, poll};

/// The program that is measured.
const HOMING: &str = env!("CARGO_BIN_EXE_homing");
/// AXI over TLS; one below without (axi 1).
const AXI: u16 = 12_622;

/// A site.
pub(crate) struct Site {
    name: String,
    home: TempDir,
    listen: SocketAddr,
    process: Process,
}

impl Site {
    /// Starts a central that expects ten remotes.
    pub(crate) fn central() -> Site {
        let remotes = (0..REMOTES).fold(String::new(), |mut text, index| {
            let _ = write!(text, "[[remote]]\nname = \"site-{index}\"\npark = \"{}\"\n", park(index + 1));
            text
        });
        Site::start("central".into(), 0, "central", "", &remotes)
    }

    /// Starts a remote whose way to the central begins at `wire`.
    pub(crate) fn remote(index: usize, wire: SocketAddr) -> Site {
        let link = format!(
            "[link]\nomm1 = \"{wire}\"\nuser = \"sync\"\npassword = \"sync-secret\"\nverify = false\n"
        );
        Site::start(format!("site-{index}"), index + 1, "remote", &link, "")
    }

    fn start(name: String, place: usize, role: &str, link: &str, remotes: &str) -> Site {
        let home = TempDir::with_prefix("homing-").expect("a temporary directory");
        let (listen, sip) = (SocketAddr::from((address::fresh(), AXI)), address::sip());
        let text = format!(
            "name = \"{name}\"\nrole = \"{role}\"\nplatform = \"pc\"\npark = \"{}\"\ndata_dir = \"data\"\n\
             users = \"users.toml\"\n{link}[axi]\nlisten = \"{listen}\"\nlisten_plain = \"{}\"\nuser = \"sync\"\n\
             password = \"sync-secret\"\n{remotes}[sip]\nlisten = \"{sip}\"\ndomain = \"example.com\"\n\
             digest = \"md5\"\n[[tier]]\nname = \"pbx\"\nuri = \"sip:127.0.0.1:9;transport=udp\"\n",
            park(place),
            plain(listen),
        );
        fs::write(home.path().join("site.toml"), text).expect("the site's file");
        // One user whom all sites know from their files; the others come over AXI.
        let planted = "[[user]]\nnumber = \"101\"\npassword = \"planted-101\"\n";
        fs::write(home.path().join("users.toml"), planted).expect("the users' file");
        let process = serve(&home);
        let site = Site { name, home, listen, process };
        poll::until(PATIENCE, &format!("{} answers", site.name), || site.status().is_some(), |yes| *yes);
        site
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where remotes connect.
    pub(crate) fn link(&self) -> SocketAddr {
        self.listen
    }

    /// Where clients connect.
    pub(crate) fn axi(&self) -> SocketAddr {
        plain(self.listen)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what its disk remembers.
    pub(crate) fn revive(&mut self) {
        self.process = serve(&self.home);
    }

    /// Waits until its link is up, or is not.
    pub(crate) fn waits_for_link(&self, up: bool) {
        let state = || self.link_state();
        let wish = format!("the link of {} is {}", self.name, if up { "up" } else { "down" });
        poll::until(PATIENCE, &wish, state, |state| (state.as_deref() == Some("up")) == up);
    }

    /// How its link stands.
    pub(crate) fn link_state(&self) -> Option<String> {
        Some(self.status()?["link"]["state"].as_str()?.to_owned())
    }

    fn status(&self) -> Option<Value> {
        let mut command = Command::new(HOMING);
        command.args(["status", "-c", "site.toml", "--json"]).current_dir(self.home.path());
        let asked = command.output().ok()?;
        asked.status.success().then(|| serde_json::from_slice(&asked.stdout).ok()).flatten()
    }
}

fn plain(listen: SocketAddr) -> SocketAddr {
    SocketAddr::new(listen.ip(), listen.port() - 1)
}

/// The PARK of the site at this place, of class B.
fn park(place: usize) -> String {
    format!("1F102F{:04X}", 0x0E86 + 8 * place)
}

fn serve(home: &TempDir) -> Process {
    let mut command = Command::new(HOMING);
    command.args(["serve", "-c", "site.toml"]).current_dir(home.path());
    Process::start(&mut command, &home.path().join("log"))
}
