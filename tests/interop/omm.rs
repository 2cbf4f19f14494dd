//! A site: one `homing serve` process with a home of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::kamailio::{DOMAIN, answers_options, password};
use crate::{poll, presence, process::Process};

/// How long a site may take to answer after its start, on a busy machine.
const START: Duration = Duration::from_secs(30);
/// The numbers that every site knows, and the IPEIs of their handsets.
const USERS: [(&str, &str); 3] =
    [("101", "03074 0220259 3"), ("102", "02914 0376663 7"), ("103", "57005 0782068 7")];

/// What a site is told.
pub(crate) struct Plan {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its PARK, as 10 hexadecimal digits.
    pub(crate) park: &'static str,
    /// Where it talks SIP.
    pub(crate) sip: SocketAddr,
    /// Its SIP server, as a URI.
    pub(crate) pbx: String,
    /// Its place in the star.
    pub(crate) place: Place,
}

/// A place in the star.
pub(crate) enum Place {
    /// In the middle, where remotes call over TLS; with the names and PARKs of the remotes. Strangers may call without TLS
    /// at the port below.
    Central { listen: SocketAddr, remotes: Vec<(&'static str, &'static str)> },
    /// At the end of a wire; clients may call without TLS at this address.
    Remote { wire: SocketAddr, clients: SocketAddr },
}

/// A running site; it is killed when dropped.
pub(crate) struct Omm {
    plan: Plan,
    process: Process,
    home: TempDir,
    /// The network namespace that it runs in.
    space: Option<String>,
}

impl Omm {
    /// Writes the site's configuration, starts it, and waits until it answers.
    pub(crate) fn start(plan: Plan) -> Omm {
        Omm::start_told(plan, |file| file)
    }

    /// [`Omm::start`] with another configuration than the usual one.
    pub(crate) fn start_told(plan: Plan, edit: impl FnOnce(String) -> String) -> Omm {
        Omm::begin(plan, edit, None)
    }

    /// [`Omm::start`] in a network namespace.
    pub(crate) fn start_in(plan: Plan, space: Option<String>) -> Omm {
        Omm::begin(plan, |file| file, space)
    }

    fn begin(plan: Plan, edit: impl FnOnce(String) -> String, space: Option<String>) -> Omm {
        let home =
            TempDir::with_prefix(format!("homing-{}-", plan.name)).unwrap_or_else(|e| panic!("a home: {e}"));
        fs::write(home.path().join("site.toml"), edit(plan.toml()))
            .unwrap_or_else(|e| panic!("site.toml: {e}"));
        let process = serve(&home, space.as_deref());
        let omm = Omm { plan, process, home, space };
        omm.wait();
        omm
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        self.plan.name
    }

    /// Where phones register.
    pub(crate) fn sip(&self) -> SocketAddr {
        self.plan.sip
    }

    /// Where AXI clients are received without TLS.
    pub(crate) fn clients(&self) -> SocketAddr {
        match &self.plan.place {
            Place::Central { listen, .. } => plain(*listen),
            Place::Remote { clients, .. } => *clients,
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`Omm::kill`], with what its disk remembers.
    pub(crate) fn revive(&mut self) {
        self.process = serve(&self.home, self.space.as_deref());
        self.wait();
    }

    /// What it has written to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether the process is still there.
    pub(crate) fn lives(&mut self) -> bool {
        self.process.lives()
    }

    /// What `homing status --json` says, `None` if it fails.
    pub(crate) fn status(&self) -> Option<Value> {
        self.ask("status")
    }

    /// Where this site believes `user` to be, and since which claim: owner and epoch.
    pub(crate) fn belief(&self, user: &str) -> Option<(String, String)> {
        let answer = self.ask("users")?;
        let entry = answer["users"].as_array()?.iter().find(|entry| entry["number"] == user)?;
        Some((entry["owner"].as_str()?.to_owned(), entry["epoch"].as_str()?.to_owned()))
    }

    /// Runs a command about this site: its exit code and what it prints.
    pub(crate) fn command(&self, words: &[&str]) -> (Option<i32>, String) {
        let run = Command::new(HOMING).args(words).arg("-c").arg(self.file()).output();
        let run = run.unwrap_or_else(|e| panic!("{words:?}: {e}"));
        let text = [run.stdout, run.stderr].concat();
        (run.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    /// What `homing show` says of a user, `None` if it fails.
    pub(crate) fn show(&self, user: &str) -> Option<Value> {
        self.asked(&["show", user])
    }

    fn ask(&self, what: &str) -> Option<Value> {
        self.asked(&[what])
    }

    fn asked(&self, words: &[&str]) -> Option<Value> {
        let asked =
            Command::new(HOMING).args(words).arg("-c").arg(self.file()).arg("--json").output().ok()?;
        asked.status.success().then(|| serde_json::from_slice(&asked.stdout).ok()).flatten()
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("site.toml")
    }

    fn wait(&self) {
        // Whoever is in a namespace is asked by its control socket alone.
        let ready = || (self.space.is_some() || answers_options(self.plan.sip)) && self.status().is_some();
        poll::until(START, &format!("{} answers", self.plan.name), ready, |yes| *yes);
    }
}

/// Where a central that listens for TLS at this address listens without it.
pub(crate) fn plain(listen: SocketAddr) -> SocketAddr {
    SocketAddr::new(listen.ip(), listen.port() - 1)
}

/// The program under test.
pub(crate) const HOMING: &str = env!("CARGO_BIN_EXE_homing");

fn serve(home: &TempDir, space: Option<&str>) -> Process {
    let mut command = match space {
        Some(space) => {
            let mut command = Command::new(presence::find("ip").unwrap_or_else(|| "ip".into()));
            command.args(["netns", "exec", space, HOMING]);
            command
        }
        None => Command::new(HOMING),
    };
    command.args(["serve", "-c"]).arg(home.path().join("site.toml")).current_dir(home.path());
    Process::start(&mut command, &home.path().join("log"))
}

impl Plan {
    /// The site's file. The times of the link and of a dead server's probes are shorter than at a customer's.
    fn toml(&self) -> String {
        let Plan { name, park, sip, pbx, .. } = self;
        let account = "user = \"sync\"\npassword = \"sync-secret\"\n";
        let (role, place) = match &self.place {
            Place::Central { listen, remotes } => {
                let remotes = remotes
                    .iter()
                    .map(|(name, park)| format!("[[remote]]\nname = \"{name}\"\npark = \"{park}\"\n"));
                let (plain, remotes) = (plain(*listen), remotes.collect::<String>());
                let listen = format!("listen = \"{listen}\"\nlisten_plain = \"{plain}\"\n");
                ("central", format!("[axi]\n{listen}{account}{remotes}"))
            }
            // The central's certificate is of its own making.
            Place::Remote { wire, clients } => {
                let clients = format!("[axi]\ntls = false\nlisten = \"{clients}\"\n{account}");
                ("remote", format!("{clients}[link]\nomm1 = \"{wire}\"\nverify = false\n{account}"))
            }
        };
        let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sockets/certificates/ca.pem");
        let users = USERS.map(|(number, device)| {
            let password = password(number);
            format!("[[user]]\nnumber = \"{number}\"\npassword = \"{password}\"\ndevice = \"{device}\"\n")
        });
        format!(
            "name = \"{name}\"\nrole = \"{role}\"\nplatform = \"pc\"\npark = \"{park}\"\ndata_dir = \"data\"\n{place}\
             [sip]\nlisten = \"{sip}\"\ndomain = \"{DOMAIN}\"\ndigest = \"md5\"\nca = \"{ca}\"\n\
             [[tier]]\nname = \"pbx\"\nuri = \"{pbx}\"\n\
             [registration]\nexpires = \"1m\"\n\
             [timers]\nconnect = \"2s\"\nopen = \"2s\"\nlink_ping = \"500ms\"\nlink_dead = \"2s\"\nheld = \"1s\"\n\
             probe = \"1s\"\nprobe_max = \"2s\"\n\
             {}",
            users.concat()
        )
    }
}
