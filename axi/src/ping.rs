//! `Ping` and `PingResp`: "are you there, and what time is it?" (axi 3).
//!
//! ```text
//! C: <Ping seq="1"/>
//! S: <PingResp seq="1" timeStamp="1795299552"/>
//! S: <PingResp seq="1" timeStamp="1795299552" hmClock="1795299552123"/>     (to an OMM of ours)
//! ```
//!
//! The vendor's `timeStamp` is in whole seconds, too coarse for a skew warning at 2 s; ours adds milliseconds. The
//! extension counts only when it agrees with the seconds.

use machine::time::Wall;

use crate::element::Element;
use crate::error::{Complaint, Refused};
use crate::fields::Fields;
use crate::open::begin;
use crate::seq::Seq;

/// A ping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ping {
    /// The cookie.
    pub seq: Option<Seq>,
}

/// The answer to a ping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingResp {
    /// The cookie of the ping.
    pub seq: Option<Seq>,
    /// The calendar time of the speaker, or why it did not tell.
    pub clock: Result<Clock, Refused>,
}

/// A calendar time as it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Whole seconds since 1970 UTC.
    Seconds(u64),
    /// To the millisecond.
    Exact(Wall),
}

impl Clock {
    /// The time; the beginning of the second when no more was told.
    pub fn wall(self) -> Wall {
        match self {
            Clock::Seconds(seconds) => Wall::from_millis(seconds.saturating_mul(1000)),
            Clock::Exact(wall) => wall,
        }
    }
}

impl Ping {
    /// Reads a ping.
    pub fn read(element: &Element<'_>) -> Result<Ping, Complaint> {
        Ok(Ping { seq: Fields::of(element).seq()? })
    }

    /// The wire form.
    pub fn element(&self) -> Element<'_> {
        begin("Ping", self.seq.as_ref())
    }
}

impl PingResp {
    /// Reads the answer to a ping.
    pub fn read(element: &Element<'_>) -> Result<PingResp, Complaint> {
        let fields = Fields::of(element);
        let seq = fields.seq()?;
        if let Some(refused) = Refused::read(element) {
            return Ok(PingResp { seq, clock: Err(refused) });
        }
        let seconds = fields.value("timeStamp")?;
        let clock = match fields.maybe::<u64>("hmClock")? {
            Some(ms) if ms / 1000 == seconds => Clock::Exact(Wall::from_millis(ms)),
            Some(_) | None => Clock::Seconds(seconds),
        };
        Ok(PingResp { seq, clock: Ok(clock) })
    }

    /// The wire form.
    pub fn element(&self) -> Element<'_> {
        let mut element = begin("PingResp", self.seq.as_ref());
        match &self.clock {
            Ok(clock) => {
                element.set("timeStamp", (clock.wall().as_millis() / 1000).to_string());
                if let Clock::Exact(wall) = clock {
                    element.set("hmClock", wall.as_millis().to_string());
                }
            }
            Err(refused) => refused.write(&mut element),
        }
        element
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transcript_of_a_real_client_holds_byte_for_byte() {
        let ping = Ping::read(&Element::read(br#"<Ping seq="1"/>"#).unwrap()).unwrap();
        assert_eq!(ping.element().to_string(), r#"<Ping seq="1"/>"#);
        let answer = PingResp { seq: ping.seq, clock: Ok(Clock::Seconds(1_795_299_552)) };
        assert_eq!(answer.element().to_string(), r#"<PingResp seq="1" timeStamp="1795299552"/>"#);
    }

    #[test]
    fn an_answer_carries_the_cookie_if_and_only_if_the_ping_did() {
        let ping = Ping::read(&Element::read(b"<Ping/>").unwrap()).unwrap();
        let answer = PingResp { seq: ping.seq, clock: Ok(Clock::Seconds(1)) };
        assert_eq!(answer.element().to_string(), r#"<PingResp timeStamp="1"/>"#);
    }

    #[test]
    fn milliseconds_count_when_they_agree_with_the_seconds() {
        let read = |wire: &'static str| PingResp::read(&Element::read(wire.as_bytes()).unwrap());
        let told = |wire| read(wire).unwrap().clock.unwrap().wall().as_millis();
        assert_eq!(told(r#"<PingResp timeStamp="1795299552" hmClock="1795299552123"/>"#), 1_795_299_552_123);
        assert_eq!(told(r#"<PingResp timeStamp="1795299560" hmClock="1795299552123"/>"#), 1_795_299_560_000);
        assert_eq!(told(r#"<PingResp timeStamp="18446744073709551615"/>"#), u64::MAX);
        for (wire, bad) in [
            (r#"<PingResp timeStamp=""/>"#, "timeStamp"),
            (r#"<PingResp/>"#, "timeStamp"),
            (r#"<PingResp timeStamp="-1"/>"#, "timeStamp"),
            (r#"<PingResp timeStamp="1" seq=""/>"#, "seq"),
        ] {
            assert_eq!(read(wire).unwrap_err().why.bad.as_deref(), Some(bad), "{wire}");
        }
    }
}
