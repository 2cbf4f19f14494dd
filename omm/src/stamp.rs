//! CONTRACT: spec 6.1.
/// One OMM, or one member of a standby pair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OmmId { pub pari: u32, pub member: u8 }   // Display/FromStr: `102A7C82` (member 1), `102A7C82-2`
/// Totally ordered, lexicographic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stamp { pub ms: u64, pub ctr: u16, pub omm: OmmId } // Display/FromStr: `1790000000000.0.102A7C82` (safe as a SIP URI parameter value)
// Hlc { last: (u64,u16), omm } : next(wall) -> Stamp; observe(Stamp)  (quarantine of > 30 s future is Issue 4)
