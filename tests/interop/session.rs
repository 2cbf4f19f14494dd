//! An AXI client of our own, for what published ones do not do; it writes and reads messages as they are.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The login of a sync client (axi 2.1).
const OPEN: &str =
    "<Open seq=\"0\" username=\"sync\" password=\"sync-secret\" UserDeviceSyncClient=\"true\"/>";

/// A session of a sync client.
pub(crate) struct Session(TcpStream);

impl Session {
    /// Connects and logs in; `None` when nobody is there.
    pub(crate) fn open(at: SocketAddr) -> Option<Session> {
        Session::over(TcpStream::connect_timeout(&at, PATIENCE).ok()?)
    }

    /// Logs in over this connection.
    pub(crate) fn over(link: TcpStream) -> Option<Session> {
        link.set_read_timeout(Some(PATIENCE)).ok()?;
        let mut session = Session(link);
        session.ask(OPEN).filter(|answer| !answer.contains("errCode")).map(|_| session)
    }

    /// Speaks on a connection on which nobody has logged in.
    pub(crate) fn stranger(link: TcpStream) -> Option<Session> {
        link.set_read_timeout(Some(PATIENCE)).ok()?;
        Some(Session(link))
    }

    /// Asks and hears the answer; `None` when the connection ends before it is complete.
    pub(crate) fn ask(&mut self, request: &str) -> Option<String> {
        self.0.write_all(format!("{request}\0").as_bytes()).ok()?;
        self.hear()
    }

    /// Hears the next message; `None` when the connection ends before it is complete.
    pub(crate) fn hear(&mut self) -> Option<String> {
        let (mut answer, mut byte) = (Vec::new(), [0]);
        loop {
            self.0.read_exact(&mut byte).ok()?;
            match byte {
                [0] => return String::from_utf8(answer).ok(),
                [other] => answer.push(other),
            }
        }
    }

    /// Asks for what is not refused.
    ///
    /// # Panics
    /// It is refused, or nobody answers.
    pub(crate) fn does(&mut self, request: &str) -> String {
        let answer = self.ask(request).unwrap_or_else(|| panic!("no answer to {request}"));
        assert!(!answer.contains("errCode"), "{request}: {answer}");
        answer
    }

    /// The record of the user with this number; `None` when there is none.
    pub(crate) fn user(&mut self, number: &str) -> Option<String> {
        let answer = self.ask(&format!("<GetPPUserByNumber seq=\"0\" num=\"{number}\"/>"))?;
        assert!(!answer.contains("errCode") || answer.contains("ENoEnt"), "{answer}");
        answer.contains("<user ").then_some(answer)
    }
}

/// The value of an attribute of the first element that has it.
pub(crate) fn attribute(answer: &str, name: &str) -> Option<String> {
    let (_, rest) = answer.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}
