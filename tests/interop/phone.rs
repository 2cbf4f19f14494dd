//! A phone played by SIPp: each registration is one SIPp run with a scenario written for it.
//!
//! The phone has an address, a Call-ID and a CSeq of its own that last as long as it does, as RFC 3261 10.2.4 asks.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::kamailio::DOMAIN;
use crate::{address, presence, process::Process};

/// How long a phone waits for an answer before the test calls it silence (ours).
const PATIENCE: Duration = Duration::from_secs(10);

/// What a phone does next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sends a REGISTER with these Contact values; `signed` with the answer to the last challenge.
    Register { contacts: Vec<String>, signed: bool },
    /// Waits for this status; another one ends the run.
    Expect(u16),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Status codes in the order received.
    pub(crate) codes: Vec<u16>,
    /// Contact values of the last response.
    pub(crate) contacts: Vec<String>,
    /// Every message of the run, as SIPp wrote it down.
    pub(crate) transcript: String,
}

impl Outcome {
    /// The last status, `None` if nobody answered.
    pub(crate) fn code(&self) -> Option<u16> {
        self.codes.last().copied()
    }

    /// Reads SIPp's message log: a dashed line above each message; an unexpected one stands there a second time.
    fn parse(transcript: String) -> Outcome {
        let blocks = transcript.split("-----------------------------------------------");
        let received =
            blocks.filter_map(|block| block.split_once("message received [")?.1.split_once("SIP/2.0 "));
        let responses: Vec<&str> = received.map(|(_, response)| response).collect();
        let codes = responses.iter().filter_map(|response| response.get(..3)?.parse().ok()).collect();
        let lines = responses.last().copied().unwrap_or_default().lines();
        let values =
            lines.filter_map(|line| line.strip_prefix("Contact: ")).flat_map(|line| line.split(", <"));
        let contacts = values.map(|value| format!("<{}", value.trim().trim_start_matches('<'))).collect();
        Outcome { codes, contacts, transcript }
    }
}

/// A phone with one account.
pub(crate) struct Phone {
    user: String,
    password: String,
    at: SocketAddr,
    cseq: Cell<u32>,
    home: TempDir,
}

impl Phone {
    /// A phone of `user`.
    pub(crate) fn new(user: &str, password: &str) -> Phone {
        let home = TempDir::with_prefix("phone-").unwrap_or_else(|e| panic!("a temporary directory: {e}"));
        Phone {
            user: user.to_owned(),
            password: password.to_owned(),
            at: address::sip(),
            cseq: Cell::new(0),
            home,
        }
    }

    /// The phone's own Contact value, with URI parameters such as `;x=1` and a life in seconds.
    pub(crate) fn contact(&self, parameters: &str, expires: u32) -> String {
        format!("<sip:{}@{}{parameters}>;expires={expires}", self.user, self.at)
    }

    /// Registers at `server`: an unsigned request, a challenge, the answer to it.
    pub(crate) fn register(&self, server: SocketAddr) -> Outcome {
        self.challenged(server, &[self.contact("", 120)])
    }

    /// Removes its registration at `server`.
    pub(crate) fn leave(&self, server: SocketAddr) -> Outcome {
        self.challenged(server, &[self.contact("", 0)])
    }

    /// Sends these Contact values to `server`, and again when challenged.
    pub(crate) fn challenged(&self, server: SocketAddr, contacts: &[String]) -> Outcome {
        self.begin(server, contacts).outcome()
    }

    /// Begins [`Phone::challenged`]; the test goes on meanwhile.
    pub(crate) fn begin(&self, server: SocketAddr, contacts: &[String]) -> Run {
        let register = |signed| Step::Register { contacts: contacts.to_vec(), signed };
        self.go(server, &[register(false), Step::Expect(401), register(true), Step::Expect(200)])
    }

    /// Goes through `steps` with `server`, to their end or to the first answer that was not expected.
    pub(crate) fn run(&self, server: SocketAddr, steps: &[Step]) -> Outcome {
        self.go(server, steps).outcome()
    }

    fn go(&self, server: SocketAddr, steps: &[Step]) -> Run {
        let name = format!("run-{}", self.cseq.get());
        let file = |ending: &str| self.home.path().join(format!("{name}.{ending}"));
        fs::write(file("xml"), self.scenario(steps)).unwrap_or_else(|e| panic!("a scenario for SIPp: {e}"));
        let mut command = Command::new(presence::find("sipp").unwrap_or_else(|| "sipp".into()));
        command.arg(server.to_string()).arg("-sf").arg(file("xml")).args(["-m", "1", "-nostdin"]);
        // A failed REGISTER is not to be followed by a BYE.
        command.args(["-default_behaviors", "abortunexp"]);
        command.args(["-i", &self.at.ip().to_string(), "-p", &self.at.port().to_string()]);
        command.args(["-cid_str", &format!("{}-{}", self.user, self.at.ip())]);
        // Without it SIPp signs another URI than the one it asks.
        command.args(["-auth_uri", DOMAIN]);
        command.arg("-trace_msg").arg("-message_file").arg(file("msg"));
        command.args(["-timeout", &PATIENCE.as_secs().to_string(), "-timeout_error"]);
        // SIPp writes other files into its working directory.
        command.current_dir(self.home.path());
        Run { process: Process::start(&mut command, &file("log")), messages: file("msg") }
    }

    fn scenario(&self, steps: &[Step]) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"phone\">\n");
        for step in steps {
            match step {
                Step::Register { contacts, signed } => {
                    let request = self.request(contacts, *signed);
                    let _ = write!(xml, "<send retrans=\"500\"><![CDATA[\n{request}\n]]></send>\n");
                }
                Step::Expect(code) => {
                    let auth = if *code == 401 { " auth=\"true\"" } else { "" };
                    let _ = writeln!(xml, "<recv response=\"{code}\"{auth}/>");
                }
            }
        }
        xml + "</scenario>\n"
    }

    fn request(&self, contacts: &[String], signed: bool) -> String {
        self.cseq.set(self.cseq.get() + 1);
        let (user, cseq) = (&self.user, self.cseq.get());
        let contacts: String = contacts.iter().map(|contact| format!("Contact: {contact}\n")).collect();
        let answer = format!("[authentication username={user} password={}]\n", self.password);
        format!(
            "REGISTER sip:{DOMAIN} SIP/2.0\n\
             Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch];rport\n\
             Max-Forwards: 70\n\
             From: <sip:{user}@{DOMAIN}>;tag=[pid]-{cseq}\n\
             To: <sip:{user}@{DOMAIN}>\n\
             Call-ID: [call_id]\n\
             CSeq: {cseq} REGISTER\n\
             {contacts}{}\
             Content-Length: 0\n",
            if signed { &answer } else { "" }
        )
    }
}

/// A phone in the middle of its steps.
pub(crate) struct Run {
    process: Process,
    messages: PathBuf,
}

impl Run {
    /// Waits for the end of the steps.
    pub(crate) fn outcome(mut self) -> Outcome {
        self.process.end(PATIENCE + Duration::from_secs(5));
        let transcript = fs::read(&self.messages).unwrap_or_default();
        Outcome::parse(String::from_utf8_lossy(&transcript).into_owned())
    }
}
