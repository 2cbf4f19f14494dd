//! The central, asked whether it would let this remote in (M-2.3.1-a, B-13).
//!
//! The question is a trial: nobody is put on the roster by it, and a link that stands is not disturbed. The clock is
//! compared as on a link, by a ping: their time less ours in the middle of the round trip (SM-7).

use std::time::Duration;

use ::actors::clock::Clock;
use axi::frame::Frames;
use axi::link::{decode, encode};
use machine::time::{Moment, Wall};
use omm::link::frame::{Facts, Frame, Open, OpenError, Purpose};
use omm::link::pulse::Offset;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::{Finding, Verdict};
use crate::config::site::Site;
use crate::peer::tls::Greeter;
use crate::peer::{self, Stream};
use crate::service::birth;

/// What the central said to the trial.
struct Said {
    answer: Result<Facts, OpenError>,
    /// How far its clock is from ours.
    offset: Offset,
}

/// What there is to say of the central at `address`.
pub(super) async fn check(what: &str, address: &str, site: &Site, clock: &Clock) -> Vec<Finding> {
    let why = match timeout(site.timers.connect, ask(address, site, clock)).await {
        Ok(Ok(said)) => return findings(what, address, &said, site),
        Ok(Err(why)) => why,
        Err(_) => format!("no answer within {:?}", site.timers.connect),
    };
    let hint = "is the central running, is TCP to it let through (M-2.2.9-a), and is it believed ([link] ca, fingerprint)?";
    vec![Finding::new(what, Verdict::Fail, format!("{address}: {why}")).hint(hint)]
}

async fn ask(address: &str, site: &Site, clock: &Clock) -> Result<Said, String> {
    let link = site.link.as_ref().ok_or("there is no [link]")?;
    let greeter = link.tls.as_ref().map(Greeter::new).transpose().map_err(|unfit| unfit.to_string())?;
    match peer::connect(address, greeter).await.map_err(|error| error.to_string())? {
        Stream::Plain(stream) => try_out(stream, site, clock).await,
        Stream::Secret(stream) => try_out(*stream, site, clock).await,
    }
}

async fn try_out<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    site: &Site,
    clock: &Clock,
) -> Result<Said, String> {
    let link = site.link.as_ref().ok_or("there is no [link]")?;
    let mut talk = Talk { frames: Frames::default(), clock };
    let (sent, ours) = (clock.moment(), clock.wall());
    let ping = Frame::Ping { seq: 1 };
    let theirs = match talk.exchange(&mut stream, &ping).await? {
        Frame::Pong { seq: 1, wall } => wall,
        other => return Err(format!("an answer that does not fit: {}", word(&other))),
    };
    let offset = talk.offset(sent, ours, theirs);
    let facts = birth::facts(site, None, clock.wall());
    let (user, password) = (link.user.as_str().into(), link.password.clone());
    let open = Frame::Open(Box::new(Open { user, password, facts, door: None, purpose: Purpose::Trial }));
    match talk.exchange(&mut stream, &open).await? {
        Frame::OpenResult(answer) => Ok(Said { answer, offset }),
        other => Err(format!("an answer that does not fit: {}", word(&other))),
    }
}

/// Questions and answers in turn.
struct Talk<'c> {
    frames: Frames,
    clock: &'c Clock,
}

impl Talk<'_> {
    async fn exchange<S>(&mut self, stream: &mut S, question: &Frame) -> Result<Frame, String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let told = |error: std::io::Error| error.to_string();
        stream.write_all(&encode(question)).await.map_err(told)?;
        stream.flush().await.map_err(told)?;
        let mut buffer = vec![0; 4096];
        loop {
            if let Some(message) = self.frames.next() {
                let message = message.map_err(|broken| broken.to_string())?;
                return decode(&message).map_err(|fault| fault.to_string());
            }
            match stream.read(&mut buffer).await.map_err(told)? {
                0 => return Err("closed by the other side".into()),
                len => {
                    let bytes = buffer.get(..len).unwrap_or_default();
                    self.frames.push(bytes).map_err(|broken| broken.to_string())?;
                }
            }
        }
    }

    fn offset(&self, sent: Moment, ours: Wall, theirs: Wall) -> Offset {
        let half = u64::try_from(self.clock.moment().since(sent).as_millis() / 2).unwrap_or(u64::MAX);
        Offset::of(theirs, Wall::from_millis(ours.as_millis().saturating_add(half)))
    }
}

fn word(frame: &Frame) -> &'static str {
    match frame {
        Frame::Open(_) => "Open",
        Frame::OpenResult(_) => "OpenResp",
        Frame::Ping { .. } => "Ping",
        Frame::Pong { .. } => "PingResp",
        Frame::Word(_) => "a word about a roam",
        Frame::Directory(_) => "a word about the directory",
        Frame::Errand(_) => "an errand",
        Frame::Neighbours(_) => "a list of remotes",
        Frame::EndOfDownload => "the end of a download",
    }
}

fn findings(what: &str, address: &str, said: &Said, site: &Site) -> Vec<Finding> {
    let told = match &said.answer {
        Ok(central) => {
            let sari = central.sari.map_or_else(|| "none".into(), |sari| sari.to_string());
            let text = format!("{address} would let this OMM in; it is {}, SARI {sari}", central.omm);
            Finding::new(what, Verdict::Pass, text)
        }
        Err(error) => Finding::new(what, Verdict::Fail, format!("{address} would refuse this OMM: {error}"))
            .hint(cure(*error)),
    };
    vec![told, clock(what, said.offset, (site.timers.skew_warn, site.timers.skew_stop))]
}

fn clock(what: &str, Offset { by: offset, ahead }: Offset, (warn, stop): (Duration, Duration)) -> Finding {
    let side = if ahead { "ahead of" } else { "behind" };
    let text = format!("its clock is {:.3} s {side} ours", offset.as_secs_f64());
    let (what, hint) = (format!("{what} clock"), "set up NTP at both sites (M-2.2.10-a)");
    if offset > stop {
        return Finding::new(what, Verdict::Fail, text).hint(hint);
    }
    if offset > warn {
        return Finding::new(what, Verdict::Warn, text).hint(hint);
    }
    Finding::new(what, Verdict::Pass, text)
}

/// What to do about a refusal.
fn cure(error: OpenError) -> &'static str {
    use omm::link::frame::Mismatch;
    match error {
        OpenError::Auth => "write user and password of the central's [axi] into [link]",
        OpenError::Delayed(_) => "somebody there guesses passwords, or a remote has the wrong one",
        OpenError::Full => "`homing remotes remove` at the central takes one off its list",
        OpenError::NoSari => "`homing sari generate` at the central",
        OpenError::Inactive => "that is well if the other address answers for the pair",
        OpenError::Outranked => "that is well if the other member of this pair is the active one",
        OpenError::Stranger => "that is no central: look at omm1 in [link]",
        OpenError::Mismatch(Mismatch::Protocol) => {
            "the same software at both sites, the central's first (M-2.3.3-a)"
        }
        OpenError::Mismatch(Mismatch::Platform) => "one platform at all sites (M-2.1.1-d)",
        OpenError::Mismatch(Mismatch::Pli) => "one type of PARK at all sites (M-2.1.2.1-f)",
        OpenError::Mismatch(Mismatch::DuplicatePark) => "a PARK of its own for each site (M-2.1.2.1-a)",
        OpenError::Mismatch(Mismatch::Sari) => "`homing reinitialise` the system that joins (AMB-11)",
        OpenError::Mismatch(Mismatch::Clock) => "set up NTP at both sites (M-2.2.10-a)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_warn_from_two_seconds_and_fail_from_thirty() {
        let verdict = |millis| {
            clock(
                "omm1",
                Offset { by: Duration::from_millis(millis), ahead: true },
                (Duration::from_secs(2), Duration::from_secs(30)),
            )
            .verdict
        };
        assert_eq!(
            [2_000, 2_001, 30_000, 30_001].map(verdict),
            [Verdict::Pass, Verdict::Warn, Verdict::Warn, Verdict::Fail]
        );
    }
}
