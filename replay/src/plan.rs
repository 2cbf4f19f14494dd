//! What a script comes to: a world to build, verbs in the order of their times, asserts with their windows.
//!
//! Everything relative is resolved here: names become places in the lists below, `for` becomes a second verb, shares
//! of users become users (chosen by the seed), `every` becomes its repetitions. Nothing in a plan needs the script.
//!
//! Defaults (ours): site `n` (from 1) has the address `10.0.n.1:5060` and the PARK `1F102A7nn0`; its servers are
//! `10.0.n.11:5060` upwards; a registrar outside the sites is `10.0.0.11:5060` upwards. Named users have numbers from
//! 101, the crowd of `users N` from 10001. Servers run from the start. A site's phones make themselves known when the
//! site starts for the first time, one second later and spread by its `over`.

pub mod lay;
pub mod unfold;

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use machine::time::{Moment, Wall};
use omm::platform::Platform;
use sip::target::Transport;
use sip::uas::behave::quirk::Quirk;

use crate::script::action::{Quality, Reply};
use crate::script::assert::{Metric, Pattern};
use crate::script::claim::{Claim, Op};
use crate::script::complaint::Complaint;
use crate::script::edit::Order;
use crate::script::external::Supply;
use crate::script::operate::Operation;
use crate::script::output::Output;
use crate::script::setting::Setting;
use crate::script::world::{Auth, Binding, Kind, Park};
use crate::script::{Name, Place, Script};

/// What the command line says over the script.
#[derive(Clone, Copy, Debug, Default)]
pub struct Override {
    /// `--seed N`
    pub seed: Option<u64>,
    /// `--until T`: the run ends here; what would have been checked later counts as not run.
    pub until: Option<Duration>,
}

/// Makes a plan of a script.
///
/// # Errors
/// What is wrong with the whole although each line is right: no site, two users of one number, steps after the end.
pub fn make(script: &Script, over: Override) -> Result<Plan, Vec<Complaint>> {
    let mut plan = lay::out(script, over.seed)?;
    unfold::steps(script, &mut plan, over.until)?;
    Ok(plan)
}

impl Plan {
    /// Whether the phone belongs to a user who is created later.
    pub fn is_later(&self, phone: &Phone) -> bool {
        phone.user.and_then(|user| self.users.get(user)).is_some_and(|user| user.later)
    }
}

/// A world and what happens in it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The file, for reports and for the command that replays it.
    pub file: Arc<str>,
    /// The scenario's title.
    pub title: String,
    /// Which requirements it is about.
    pub about: String,
    /// The seed of every chance in this world.
    pub seed: u64,
    /// Calendar time at [`Moment::START`].
    pub wall: Wall,
    /// The OMMs. The first one that is `central` is the centre of the star.
    pub sites: Vec<Site>,
    /// The registrars.
    pub servers: Vec<Server>,
    /// The names in the DNS.
    pub zones: Vec<Zone>,
    /// The links that the script names; two sites without one cannot reach each other.
    pub links: Vec<Link>,
    /// The users, named ones first.
    pub users: Vec<User>,
    /// The phones; those of the users first, in their order.
    pub phones: Vec<Phone>,
    /// `set KEY VALUE`; keys of [`crate::script::setting::KEYS`].
    pub settings: BTreeMap<&'static str, Setting>,
    /// What happens, in the order of time; of equal times in the order of the script.
    pub steps: Vec<Step>,
    /// What happens when an event is seen.
    pub triggers: Vec<Trigger>,
    /// What must be so.
    pub asserts: Vec<Assert>,
    /// What to write.
    pub outputs: Vec<Output>,
    /// When the run ends.
    pub end: Moment,
}

/// One OMM.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its name.
    pub name: Name,
    /// Whether it is the centre of the star.
    pub central: bool,
    /// What it runs on.
    pub platform: Platform,
    /// Its identity. `park.pari` is `OmmId::pari`.
    pub park: Park,
    /// The AXI protocol version that it speaks, if the script says so.
    pub axi: Option<u32>,
    /// A central whose SARI an administrator has yet to generate.
    pub without_sari: bool,
    /// Where it looks for its central first; the central's own address is its OMM2 then.
    pub omm1: Option<usize>,
    /// Its SIP address.
    pub address: SocketAddrV4,
    /// Its servers by tier, first to third; places in [`Plan::servers`]. Of a tier that is a name in the DNS, the server
    /// of the first record.
    pub tiers: Vec<usize>,
    /// Tiers that are a name in the DNS; places in [`Plan::zones`].
    pub named: BTreeMap<usize, usize>,
}

/// One registrar.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Its name; also its node in the trace.
    pub name: Name,
    /// At which site it stands; a registrar may stand outside all of them and is then reachable from everywhere.
    pub site: Option<usize>,
    /// How it treats a second contact.
    pub binding: Binding,
    /// Whether the removal of one contact removes any other too (SM-3, table of binding models).
    pub removes_any: bool,
    /// Its address.
    pub address: SocketAddrV4,
    /// What is spoken to it.
    pub transport: Transport,
}

/// One name in the DNS, as it is at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The name.
    pub name: Name,
    /// Its records.
    pub records: Vec<Leads>,
}

/// One record: it leads to a server of [`Plan::servers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leads {
    /// Priority and weight; none for an address record.
    pub odds: Option<(u16, u16)>,
    /// Where it leads.
    pub server: usize,
    /// For how long it may be believed.
    pub ttl: Duration,
}

/// One link between two sites. It carries AXI and, to the servers of the other site, SIP.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The two sites, in the order in which the script names them.
    pub ends: (usize, usize),
    /// The time one way.
    pub latency: Duration,
    /// Up to this much more.
    pub jitter: Duration,
    /// Lost SIP datagrams per million (AXI runs over TCP and is late instead).
    pub loss: u32,
    /// What its streams carry, in kbit/s; `None`: more than anybody has to say.
    pub bandwidth: Option<u32>,
}

/// One user.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The name in the script; the number for one of the crowd.
    pub name: Name,
    /// The telephone number; also `user/NUMBER` in the trace.
    pub number: Arc<str>,
    /// The additional id, under which the phone logs in with `set login id`.
    pub id: Option<Arc<str>>,
    /// Where the phone is at the start.
    pub home: usize,
    /// The registration time asked for; `None`: the setting `expires`, or the OMM's default.
    pub expires: Option<Duration>,
    /// The digest algorithm.
    pub auth: Auth,
    /// Moved before the others.
    pub vip: bool,
    /// In no directory until a step creates it.
    pub later: bool,
}

/// One phone.
#[derive(Clone, Debug, PartialEq)]
pub struct Phone {
    /// The name in the script and in `phone/NAME` of the trace: the user's, unless it was declared as a device.
    pub name: Name,
    /// 12 digits and the check character, without blanks.
    pub ipei: Arc<str>,
    /// The kind.
    pub kind: Kind,
    /// Subscribed to one OMM's own identity only.
    pub pari_only: bool,
    /// Who is logged in at the start.
    pub user: Option<usize>,
    /// Where it is at the start.
    pub site: usize,
}

/// A verb and its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When.
    pub at: Moment,
    /// Where it stands in the script.
    pub place: Place,
    /// What.
    pub verb: Verb,
}

/// A verb, `after` an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Events before this moment do not count.
    pub armed: Moment,
    /// The event to wait for; it fires once.
    pub pattern: Pattern,
    /// What to do, how long after the event; in the order of time.
    pub steps: Vec<(Duration, Place, Verb)>,
}

/// A node that can be started and stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A place in [`Plan::sites`].
    Site(usize),
    /// A place in [`Plan::servers`].
    Server(usize),
}

/// One thing that is done to the world. `site`, `server`, `link`, `phone`, `user` are places in the plan's lists.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the line above each member says what its parts are")]
pub enum Verb {
    /// Begins with what its store holds; nothing happens when it runs.
    Start(Node),
    /// Ends in good order.
    Stop(Node),
    /// Ends at once; what was not flushed is lost.
    Kill(Node),
    /// Nothing passes this link any more. The ends are not told.
    Cut { link: usize },
    /// Everything passes again.
    Heal { link: usize },
    /// From now on the link is like this.
    Slow { link: usize, quality: Quality },
    /// The server neither hears nor speaks; what it holds ages.
    Drop { server: usize },
    /// It hears and speaks again.
    Return { server: usize },
    /// The streams from a site to a server break, and both ends hear of it.
    Reset { site: usize, server: usize },
    /// The DNS answers nobody (`false`), or again (`true`).
    Dns { up: bool },
    /// A record of a name is put in the place of what led to the same server; without odds and life: it is taken away.
    Amend { zone: usize, server: usize, record: Option<Leads> },
    /// It answers like this; `method: None` is every method.
    Answer { server: usize, method: Option<Arc<str>>, reply: Reply },
    /// An operator moves the site's users to this tier; `None` ends that.
    Drill { site: usize, tier: Option<u8> },
    /// It misbehaves like this too.
    Behave { server: usize, quirks: Vec<Quirk> },
    /// The quirks of these names end; `None`: all of them.
    Improve { server: usize, names: Option<Vec<&'static str>> },
    /// The site's calendar clock is this wrong (`adds: false`), or this much more wrong (`adds: true`).
    Clock { site: usize, ahead_ms: i64, adds: bool },
    /// The phone is at this site from now on and makes itself known there at once; its period begins anew.
    Locate { phone: usize, site: usize },
    /// The phone says goodbye where it is, and is off.
    Detach { phone: usize, site: usize },
    /// The phone falls silent without a goodbye.
    Silence { phone: usize },
    /// A call of the phone's user begins where the phone is.
    CallBegins { user: usize },
    /// It ends.
    CallEnds { user: usize },
    /// The user logs in on this phone, which is at this site; where it was logged in, it is no more.
    Login { user: usize, phone: usize, site: usize },
    /// The user logs out of this phone.
    Logout { user: usize, phone: usize, site: usize },
    /// An administrator at this site gives an order; users are numbers in it, handsets IPEIs.
    Edit { site: usize, order: Order },
    /// An administrator does this to the OMM of a site.
    Operate { site: usize, operation: Operation },
    /// Every running site tells the digest of its directory, when it is another one than the last that it told.
    Weigh,
    /// Something about the provisioning server of external users; users are numbers in it.
    Supply(Supply),
    /// Words for the timeline.
    Note(String),
    /// The run is over.
    End,
}

/// An assert and its window.
#[derive(Clone, Debug, PartialEq)]
pub struct Assert {
    /// Where it stands.
    pub place: Place,
    /// The line as written.
    pub text: String,
    /// What must be so.
    pub form: Form,
    /// The window's first moment.
    pub from: Moment,
    /// The window's last moment; it belongs to the window.
    pub until: Moment,
}

/// What must be so in an assert's window.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// It holds at some moment of the window.
    Expect(Claim),
    /// It holds at every moment of the window.
    Always(Claim),
    /// It holds at no moment of the window.
    Never(Claim),
    /// The events are seen in this order within the window.
    Order {
        /// Only events about this user; a place in [`Plan::users`].
        user: Option<usize>,
        /// The events.
        events: Vec<Pattern>,
    },
    /// The count compares like this at the window's end.
    Limit {
        /// What is counted.
        metric: Metric,
        /// Only at this node.
        at: Option<Name>,
        /// The comparison.
        op: Op,
        /// With what.
        value: u64,
    },
}
