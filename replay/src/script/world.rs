//! What the world is made of: the statements before the first step.

pub mod read;

use std::sync::Arc;
use std::time::Duration;

use omm::platform::Platform;
use sip::target::Transport;

use super::action::Ends;
use super::setting::Setting;
use super::{Name, Place};

/// One statement about the world, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Where it stands.
    pub place: Place,
    /// The line as written, for complaints that show only when the whole is known.
    pub text: String,
    /// What it says.
    pub world: World,
}

/// One statement about the world.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the line above each member says what its parts are")]
pub enum World {
    /// `scenario "title"`
    Title(String),
    /// `about "source or spec ids"`
    About(String),
    /// `clock virtual [start RFC3339]`: calendar time at the start, milliseconds since 1970 UTC.
    Clock { start_ms: Option<u64> },
    /// `seed N`
    Seed(u64),
    /// `site NAME [central] [platform ..] [park HEX] [axi N] [without-sari] [omm1 SITE]`
    Site {
        name: Name,
        central: bool,
        platform: Platform,
        park: Option<Park>,
        axi: Option<u32>,
        without_sari: bool,
        omm1: Option<Name>,
    },
    /// `proxy NAME at SITE [binding ..] [transport ..]` and `registrar NAME [at SITE] [binding ..] [transport ..]`
    Server { name: Name, site: Option<Name>, binding: Binding, removes_any: bool, transport: Transport },
    /// `dns NAME srv PRIORITY WEIGHT SERVER [ttl D]` and `dns NAME a SERVER [ttl D]`
    Dns { name: Name, record: Record },
    /// `link A-B [latency D] [jitter D] [loss P] [bandwidth Nkbit]`
    Link {
        ends: Ends,
        latency: Option<Duration>,
        jitter: Option<Duration>,
        loss: Option<u32>,
        bandwidth: Option<u32>,
    },
    /// `proxies SITE: P, S, T`: first to third tier.
    Proxies { site: Name, servers: Vec<Name> },
    /// `users N [later] [home SITE P%, ..]`: shares per million, in the order of the line.
    Users { count: u32, homes: Vec<(Name, u32)>, later: bool },
    /// `user NAME ..`
    User(UserWords),
    /// `device NAME [ipei I] [at SITE] [pari-only] [dect|desk|softphone]`
    Device { name: Name, ipei: Option<Arc<str>>, site: Option<Name>, pari_only: bool, kind: Kind },
    /// `set KEY VALUE`
    Set(&'static str, Setting),
}

/// `user NAME [number N] [id N] [home SITE] [expires D] [auth A] [pari-only] [vip] [later] [dect|desk|softphone] [device D]`
#[derive(Clone, Debug, PartialEq)]
pub struct UserWords {
    /// The name used in the script.
    pub name: Name,
    /// The telephone number.
    pub number: Option<Arc<str>>,
    /// The additional id.
    pub id: Option<Arc<str>>,
    /// Where the user's phone is at the start.
    pub home: Option<Name>,
    /// The registration time asked for.
    pub expires: Option<Duration>,
    /// The digest algorithm with which the phone and the OMM authenticate.
    pub auth: Option<Auth>,
    /// The phone is subscribed to its OMM's own identity only (M-2.1.2.1).
    pub pari_only: bool,
    /// Moved before the others when a SIP server fails.
    pub vip: bool,
    /// In no directory until a step creates it; its phone is off until then.
    pub later: bool,
    /// The kind of phone.
    pub kind: Kind,
    /// The phone: the IPEI of the user's own one, or the name of a declared device.
    pub device: Option<PhoneWord>,
}

/// How a user's phone is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneWord {
    /// The IPEI of the phone named like the user; 12 or 13 characters without blanks.
    Ipei(Arc<str>),
    /// A phone declared with `device`.
    Named(Name),
}

/// The PARK of an OMM: 10 hexadecimal digits, the PLI octet and the 32 bits that also name the OMM (spec 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Park {
    /// How many bits a phone compares: 31 or 27.
    pub pli: u8,
    /// The E bit and the 31 bits of the ARI: `OmmId::pari`.
    pub pari: u32,
}

impl std::fmt::Display for Park {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02X}{:08X}", self.pli, self.pari)
    }
}

/// One record of a name in the DNS: it leads to a server of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Priority and weight; none for an address record.
    pub odds: Option<(u16, u16)>,
    /// Where it leads.
    pub server: Name,
    /// For how long it may be believed.
    pub ttl: Duration,
}

/// How a registrar treats a second contact of an address of record (spec SM-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Binding {
    /// Lists both (RFC 3261).
    #[default]
    Multi,
    /// The new one throws the old one out.
    SingleReplace,
    /// The new one is refused with 403.
    SingleReject,
    /// Keyed by instance and reg-id (RFC 5626).
    Outbound,
}

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Auth {
    /// RFC 2617.
    #[default]
    Md5,
    /// RFC 8760.
    Sha256,
}

/// A kind of phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Kind {
    /// A handset that repeats its location registration every two hours.
    #[default]
    Dect,
    /// A desk phone: it stays where it is.
    Desk,
    /// A softphone.
    Softphone,
}
