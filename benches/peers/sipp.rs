//! SIPp: the phones, and the measure of what a registrar can take.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::pbx::{DOMAIN, password};
use crate::process::Process;
use crate::{FIRST, address, presence};

/// Many phones, each with an account of its own.
pub(crate) struct Phones {
    home: TempDir,
    users: u64,
}

impl Phones {
    /// The phones of `users` users.
    pub(crate) fn of(users: u64) -> Phones {
        let home = TempDir::with_prefix("sipp-").expect("a temporary directory");
        let mut rows = String::from("SEQUENTIAL\n");
        for user in FIRST..FIRST + users {
            let password = password(user);
            let _ = writeln!(rows, "{user};[authentication username={user} password={password}];");
        }
        fs::write(home.path().join("users.csv"), rows).expect("the accounts");
        fs::write(home.path().join("register.xml"), SCENARIO.replace("DOMAIN", DOMAIN))
            .expect("the scenario");
        Phones { home, users }
    }

    /// Lets every phone register at `server` once, at most `parallel` at a time.
    pub(crate) fn start(&self, server: SocketAddr, parallel: u32) -> Process {
        let own = address::sip();
        let mut command = Command::new(presence::find("sipp").unwrap_or_else(|| "sipp".into()));
        command.arg(server.to_string()).args(["-sf", "register.xml", "-inf", "users.csv", "-nostdin"]);
        command.args(["-i", &own.ip().to_string(), "-p", &own.port().to_string()]);
        command.args(["-m", &self.users.to_string(), "-l", &parallel.to_string(), "-r", "50000"]);
        command.args(["-default_behaviors", "none", "-auth_uri", DOMAIN, "-timeout", "120"]);
        command.current_dir(self.home.path());
        Process::start(&mut command, &self.home.path().join("log"))
    }

    /// [`Phones::start`], to its end.
    ///
    /// # Panics
    /// If not every phone was let in.
    pub(crate) fn register(&self, server: SocketAddr) {
        let status = self.start(server, 16).end(Duration::from_secs(130));
        assert!(status.success(), "SIPp could not register every phone at {server}: {status}");
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
