//! Who wrote last: a hybrid logical clock with the OMM as tie-break (spec 6.1).
//!
//! A [`Stamp`] carries the wall clock of the OMM that wrote, a counter for what happens within one millisecond or
//! while the clock runs backwards, and the OMM itself. Stamps are totally ordered, so that "the newest wins" means
//! the same at every site (M-2.1.5-c).

use std::fmt;
use std::str::FromStr;

use machine::time::Wall;

/// One OMM, or one member of a standby pair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OmmId {
    /// The primary access rights identity that the OMM broadcasts: distinct for every site (M-2.2.11).
    pub pari: u32,
    /// 1, or 2 for the second member of a standby pair.
    pub member: u8,
}

/// When something was written, and by whom. Ordered lexicographically.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stamp {
    /// Milliseconds since 1970-01-01 UTC by the writer's clock, or later when it had seen later ones.
    pub ms: u64,
    /// Tells apart what was written within the same millisecond.
    pub ctr: u16,
    /// The writer.
    pub omm: OmmId,
}

impl OmmId {
    /// The only or the first member at the site with this PARI.
    pub const fn new(pari: u32) -> OmmId {
        OmmId { pari, member: 1 }
    }
}

/// The writer of what every site has from the start: its configuration file or its script says so. No OMM is called so,
/// because a PARI of zero is none.
pub const ORIGIN: OmmId = OmmId::new(0);

/// Origin stamps lie below this, in milliseconds: in 2004, before any OMM ran.
const ORIGIN_END: u64 = 1 << 40;

impl Stamp {
    /// The stamp of what every site says of this thing from the start: older than anything that an OMM writes, and the
    /// same wherever the same thing is meant. 56 bits of a hash (FNV-1a) tell the things apart: among the 20,000 of a
    /// full system two share a stamp once in some 10^8 systems.
    pub fn origin(thing: &[u8]) -> Stamp {
        let hash = thing.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        // FNV leaves short texts alike in the upper bits; one multiplication spreads them.
        let hash = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Stamp { ms: (hash >> 8) % ORIGIN_END, ctr: (hash >> 48) as u16, omm: ORIGIN }
    }

    /// This stamp, or, when it is not later than `seen`, the least one by the same writer that is.
    pub fn above(self, seen: Stamp) -> Stamp {
        if self > seen {
            return self;
        }
        let (ms, ctr) = step((seen.ms, seen.ctr));
        Stamp { ms, ctr, omm: self.omm }
    }
}

/// The pair that follows; a full counter borrows a millisecond from the future.
fn step((ms, ctr): (u64, u16)) -> (u64, u16) {
    match ctr.checked_add(1) {
        Some(ctr) => (ms, ctr),
        None => (ms.saturating_add(1), 0),
    }
}

/// Mints the stamps of one OMM; they never run backwards, whatever the wall clock does.
#[derive(Clone, Debug)]
pub struct Hlc {
    last: (u64, u16),
    omm: OmmId,
}

impl Hlc {
    /// A clock that has seen nothing yet. After a restart, [`Hlc::observe`] the newest stamp in the store first.
    pub const fn new(omm: OmmId) -> Hlc {
        Hlc { last: (0, 0), omm }
    }

    /// A stamp later than every one minted or observed before (`max(wall, last)`, counter + 1 when equal).
    pub fn next(&mut self, wall: Wall) -> Stamp {
        let ms = wall.as_millis();
        self.last = if ms > self.last.0 { (ms, 0) } else { step(self.last) };
        Stamp { ms: self.last.0, ctr: self.last.1, omm: self.omm }
    }

    /// Takes note of a stamp that came from elsewhere, so that the next one minted here is later.
    pub fn observe(&mut self, stamp: Stamp) {
        self.last = self.last.max((stamp.ms, stamp.ctr));
    }
}

/// Why a text is no [`OmmId`] or [`Stamp`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadStamp {
    /// Neither eight hexadecimal digits nor eight with `-2` behind.
    Omm(String),
    /// Not `MILLISECONDS.COUNTER.OMM`.
    Parts(String),
}

impl fmt::Display for BadStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadStamp::Omm(read) => {
                write!(f, "`{read}` is no OMM; expected a PARI such as `102A7C82` or `102A7C82-2`")
            }
            BadStamp::Parts(read) => write!(f, "`{read}` is no stamp; expected `1790000000000.0.102A7C82`"),
        }
    }
}

impl std::error::Error for BadStamp {}

impl fmt::Display for OmmId {
    /// `102A7C82`, or `102A7C82-2` for the second member of a pair.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.member {
            1 => write!(f, "{:08X}", self.pari),
            member => write!(f, "{:08X}-{member}", self.pari),
        }
    }
}

impl FromStr for OmmId {
    type Err = BadStamp;

    fn from_str(text: &str) -> Result<OmmId, BadStamp> {
        let bad = || BadStamp::Omm(text.to_owned());
        let (pari, member) = match text.split_once('-') {
            None => (text, 1),
            Some((pari, "2")) => (pari, 2),
            Some(_) => return Err(bad()),
        };
        if pari.len() != 8 || !pari.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let pari = u32::from_str_radix(pari, 16).map_err(|_| bad())?;
        Ok(OmmId { pari, member })
    }
}

impl fmt::Display for Stamp {
    /// `1790000000000.0.102A7C82`: safe as the value of a SIP URI parameter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.ms, self.ctr, self.omm)
    }
}

impl FromStr for Stamp {
    type Err = BadStamp;

    fn from_str(text: &str) -> Result<Stamp, BadStamp> {
        let bad = || BadStamp::Parts(text.to_owned());
        let mut parts = text.splitn(3, '.');
        let (Some(ms), Some(ctr), Some(omm)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad());
        };
        if [ms, ctr].iter().any(|part| !part.bytes().all(|digit| digit.is_ascii_digit())) {
            return Err(bad());
        }
        let ms = ms.parse().map_err(|_| bad())?;
        let ctr = ctr.parse().map_err(|_| bad())?;
        Ok(Stamp { ms, ctr, omm: omm.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: OmmId = OmmId::new(0x102A_7C82);
    const B: OmmId = OmmId { pari: 0x102A_7C82, member: 2 };

    #[test]
    fn stamps_never_run_backwards_when_the_clock_does() {
        let mut clock = Hlc::new(A);
        let mut last = clock.next(Wall::from_millis(5_000));
        assert_eq!((last.ms, last.ctr), (5_000, 0));
        for wall in [5_000, 4_000, 0, 5_001, 5_000] {
            let next = clock.next(Wall::from_millis(wall));
            assert!(next > last, "{next} after {last}");
            last = next;
        }
        assert_eq!((last.ms, last.ctr), (5_001, 1));
    }

    #[test]
    fn what_was_seen_elsewhere_lies_before_what_is_minted_next() {
        let mut clock = Hlc::new(A);
        let ahead = Stamp { ms: 600_000, ctr: u16::MAX, omm: B };
        clock.observe(ahead);
        clock.observe(Stamp { ms: 5, ctr: 0, omm: B });
        let next = clock.next(Wall::from_millis(1_000));
        assert_eq!(next, Stamp { ms: 600_001, ctr: 0, omm: A });
    }

    #[test]
    fn above_changes_only_what_is_not_later_already() {
        let seen = Stamp { ms: 9, ctr: 3, omm: B };
        let late = Stamp { ms: 10, ctr: 0, omm: A };
        assert_eq!(late.above(seen), late);
        assert_eq!(Stamp { ms: 9, ctr: 3, omm: A }.above(seen), Stamp { ms: 9, ctr: 4, omm: A });
    }

    #[test]
    fn a_stamp_survives_its_own_print() {
        for omm in [A, B] {
            let stamp = Stamp { ms: 1_790_000_000_000, ctr: 7, omm };
            assert_eq!(stamp.to_string().parse(), Ok(stamp));
        }
        assert_eq!(Stamp { ms: 1_790_000_000_000, ctr: 0, omm: B }.to_string(), "1790000000000.0.102A7C82-2");
    }

    #[test]
    fn anything_else_is_refused_with_what_was_read() {
        for text in
            ["", "1.2", "x.0.102A7C82", "1.70000.102A7C82", "+1.0.102A7C82", "1.0.102A7C8", "1.0.102A7C82-3"]
        {
            assert!(text.parse::<Stamp>().is_err(), "{text}");
        }
        assert_eq!("12".parse::<OmmId>(), Err(BadStamp::Omm("12".to_owned())));
    }
}
