//! The published AXI client at its prompt: one process, one session, a question a line.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::presence;

/// What it prints when it waits for a line.
const PROMPT: &[u8] = b"\n> ";

/// `ommclient2` without a command, logged in at one OMM.
pub(crate) struct Prompt {
    process: Child,
    to: ChildStdin,
    from: ChildStdout,
}

impl Prompt {
    /// Logs in at the OMM at this address, port 12621.
    pub(crate) fn open(at: SocketAddr) -> Prompt {
        let program = presence::find("ommclient2").unwrap_or_else(|| "ommclient2".into());
        let mut command = Command::new("timeout");
        command.args(["120"]).arg(program).args(["-n", &at.ip().to_string(), "-u", "sync"]);
        command.args(["-p", "sync-secret"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|e| panic!("ommclient2: {e}"));
        let (Some(to), Some(from)) = (process.stdin.take(), process.stdout.take()) else {
            panic!("ommclient2 without its pipes")
        };
        let mut prompt = Prompt { process, to, from };
        prompt.hear();
        prompt
    }

    /// What it prints in answer to a line.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        writeln!(self.to, "{line}").unwrap_or_else(|e| panic!("{line}: {e}"));
        self.hear()
    }

    fn hear(&mut self) -> String {
        let (mut told, mut byte) = (vec![b'\n'], [0]);
        while !told.ends_with(PROMPT) {
            let read = self.from.read_exact(&mut byte);
            read.unwrap_or_else(|e| panic!("{e} after {}", String::from_utf8_lossy(&told)));
            told.push(byte[0]);
        }
        String::from_utf8_lossy(&told).into_owned()
    }
}

impl Drop for Prompt {
    fn drop(&mut self) {
        // It ends by itself at the latest when its time is over.
        let _ = writeln!(self.to, "exit");
        let _ = self.process.wait();
    }
}
