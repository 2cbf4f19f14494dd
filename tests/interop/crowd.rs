//! A crowd: many users of one site, played by one SIPp, and the files that make the site know them.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use omm::ids::Ipei;
use tempfile::TempDir;

use crate::process::Process;
use crate::{address, presence};

/// The number of the first user.
pub(crate) const FIRST: u64 = 10_001;
/// How long all phones together may take (ours: ten thousand need a few seconds).
const PATIENCE: Duration = Duration::from_secs(120);
/// Phones that register at the same time; more would only wait in the site's socket.
const PARALLEL: u32 = 16;

/// Many phones, each with an account of its own.
pub(crate) struct Crowd {
    home: TempDir,
    users: u64,
    domain: &'static str,
}

impl Crowd {
    /// The phones of `users` users of a domain; the number follows `secret-` in the password.
    pub(crate) fn of(users: u64, domain: &'static str) -> Crowd {
        let home = TempDir::with_prefix("crowd-").unwrap_or_else(|e| panic!("a temporary directory: {e}"));
        let mut rows = String::from("SEQUENTIAL\n");
        for user in FIRST..FIRST + users {
            let _ = writeln!(rows, "{user};[authentication username={user} password=secret-{user}];");
        }
        let write = |name: &str, text: String| {
            fs::write(home.path().join(name), text).unwrap_or_else(|e| panic!("{name}: {e}"));
        };
        write("users.csv", rows);
        write("register.xml", SCENARIO.replace("DOMAIN", domain));
        Crowd { home, users, domain }
    }

    /// The users and their handsets, as a site's file lists them.
    pub(crate) fn listed(&self) -> String {
        let mut text = String::new();
        for user in FIRST..FIRST + self.users {
            let serial = u32::try_from(user).unwrap_or(u32::MAX);
            let ipei = Ipei::new(3074, serial).unwrap_or_else(|e| panic!("a handset for {user}: {e}"));
            let _ = write!(
                text,
                "[[user]]\nnumber = \"{user}\"\npassword = \"secret-{user}\"\ndevice = \"{ipei}\"\n"
            );
        }
        text
    }

    /// Lets every phone register once at `server`, at most `parallel` at a time.
    pub(crate) fn start(&self, server: SocketAddr, parallel: u32) -> Process {
        let own = address::sip();
        let mut command = Command::new(presence::find("sipp").unwrap_or_else(|| "sipp".into()));
        command.arg(server.to_string()).args(["-sf", "register.xml", "-inf", "users.csv", "-nostdin"]);
        command.args(["-i", &own.ip().to_string(), "-p", &own.port().to_string()]);
        // As fast as the answers come.
        command.args(["-m", &self.users.to_string(), "-l", &parallel.to_string(), "-r", "50000"]);
        command.args(["-default_behaviors", "none", "-auth_uri", self.domain]);
        command.args(["-timeout", &PATIENCE.as_secs().to_string(), "-timeout_error"]);
        command.current_dir(self.home.path());
        Process::start(&mut command, &self.home.path().join("log"))
    }

    /// [`Crowd::start`], to its end.
    ///
    /// # Panics
    /// If not every phone was let in.
    pub(crate) fn register(&self, server: SocketAddr) {
        let status = self.start(server, PARALLEL).end(PATIENCE + Duration::from_secs(10));
        assert!(status.success(), "not every phone could register at {server}: {status}");
    }
}

const SCENARIO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="register">
<send retrans="500"><![CDATA[
REGISTER sip:DOMAIN SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:[field0]@DOMAIN>;tag=[call_number]
To: <sip:[field0]@DOMAIN>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>;expires=3600
Content-Length: 0

]]></send>
<recv response="401" auth="true"/>
<send retrans="500"><![CDATA[
REGISTER sip:DOMAIN SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:[field0]@DOMAIN>;tag=[call_number]
To: <sip:[field0]@DOMAIN>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>;expires=3600
[field1]
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"#;
