//! AXI clients without TLS: who fills a directory, changes it, reads it, and listens to it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

/// Sessions that fill a directory, so that they share the disk's flushes.
const FILLERS: u32 = 32;
/// Records in one response (axi 3, `records`).
const PAGE: u32 = 20;
/// When an answer will not come any more.
const ANSWER: Duration = Duration::from_secs(30);

/// A session.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    seq: u32,
}

impl Client {
    /// Connects and logs in as a sync client.
    pub(crate) fn log_in(at: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(at)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER))?;
        let mut client = Client { stream: BufReader::new(stream), seq: 0 };
        let account = "username=\"sync\" password=\"sync-secret\" UserDeviceSyncClient=\"true\"";
        client.ask("Open", account, "")?;
        Ok(client)
    }

    /// Sends a request and waits for its response; what comes before is skipped.
    ///
    /// # Panics
    /// The response is a refusal other than `ENoEnt`.
    pub(crate) fn ask(&mut self, name: &str, attributes: &str, content: &str) -> io::Result<String> {
        self.seq += 1;
        let message = format!("<{name} seq=\"{}\" {attributes}>{content}</{name}>\0", self.seq);
        self.stream.get_mut().write_all(message.as_bytes())?;
        let response = format!("<{name}Resp seq=\"{}\"", self.seq);
        loop {
            let heard = self.hear()?;
            if let Some(rest) = heard.strip_prefix(&response) {
                let refused = heard.contains("errCode=") && !heard.contains("errCode=\"ENoEnt\"");
                assert!(!refused, "{message} is answered {heard}");
                return Ok(rest.to_owned());
            }
        }
    }

    /// The next message.
    pub(crate) fn hear(&mut self) -> io::Result<String> {
        let mut bytes = Vec::new();
        self.stream.read_until(0, &mut bytes)?;
        if bytes.pop() != Some(0) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}

/// Makes so many users, each with a handset of his own, subscribed and with all that a usual one has.
pub(crate) fn fill(at: SocketAddr, users: u32) {
    let filler = |first: u32| {
        let mut client = Client::log_in(at).expect("a session");
        for index in (first..users).step_by(FILLERS as usize) {
            let (number, key) =
                (20_000 + index, u128::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060));
            let user = format!(
                "<user num=\"{number}\" name=\"Subscriber {number}\" sipAuthId=\"{number}\" \
                 sipPw=\"{:016x}\" relType=\"Fixed\"/>",
                key as u64
            );
            let device = format!("<pp ipei=\"03074{index:07}\" s=\"Yes\" uak=\"{key:032X}\"/>");
            client.ask("CreateFixedPP", "plainText=\"1\"", &(user + &device)).expect("a user and a handset");
        }
    };
    thread::scope(|scope| {
        for first in 0..FILLERS {
            scope.spawn(move || filler(first));
        }
    });
}

/// Renames so many users at one site and changes as many handsets at another.
pub(crate) fn touch(users_at: SocketAddr, devices_at: SocketAddr, count: u32) {
    let (mut users, mut devices) =
        (Client::log_in(users_at).expect("a session"), Client::log_in(devices_at).expect("a session"));
    for row in (2..).step_by(7).take(count as usize) {
        rename(&mut users, row, "Renamed");
        let device = format!("<pp ppn=\"{row}\" hwType=\"GAP\"/>");
        devices.ask("SetPPDev", "plainText=\"1\"", &device).expect("a changed handset");
    }
}

/// Gives a user another name.
pub(crate) fn rename(client: &mut Client, uid: u32, name: &str) {
    let user = format!("<user uid=\"{uid}\" name=\"{name}\"/>");
    client.ask("SetPPUser", "plainText=\"1\"", &user).expect("a changed user");
}

/// All users and handsets, as the site shows them.
pub(crate) fn everything(at: SocketAddr) -> Vec<String> {
    let mut client = Client::log_in(at).expect("a session");
    let mut all = Vec::new();
    for (name, key) in [("GetPPUser", "uid"), ("GetPPDev", "ppn")] {
        let mut from = 1;
        loop {
            let page =
                client.ask(name, &format!("{key}=\"{from}\" maxRecords=\"{PAGE}\""), "").expect("a page");
            let last = last_row(&page, key);
            all.push(page);
            match last {
                Some(last) => from = last + 1,
                None => break,
            }
        }
    }
    all
}

/// The last row of a page, by its key.
fn last_row(page: &str, key: &str) -> Option<u32> {
    let (_, rest) = page.rsplit_once(&format!(" {key}=\""))?;
    rest.split('"').next()?.parse().ok()
}
