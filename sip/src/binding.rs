//! One address of record kept registered at ONE server (SM-3 without the tier choice, which is [`crate::line`]'s).
//!
//! ```text
//!          Register            2xx with our contact        refresh / Renew / Evict
//!   Idle -----------> Trying ------------------------> Registered <--------------+
//!    ^                 |  ^                               |  +--- REGISTER ------+
//!    |                 |  | timer, Renew, Retry           | every target failed / authoritative refusal
//!    |                 v  |                               v
//!    |              Backoff (S-28) / Rejected (120 s x2 .. 30 min) <----------+
//!    |
//!    | removed, nothing            Remove (any state)            failed, unknown
//!    +---------------- Removing <--------------------            |
//!    ^                    +-------------------------------> Cleanup: 30, 60, 120 .. s until it has aged out
//!    +---------------------------------------------------------- +
//!
//!   Rest: another tier serves. Nothing is sent; what may still be listed here is remembered for a later Remove.
//! ```
//!
//! - Before the first REGISTER of an exchange it waits for a slot of its server's [`crate::shaper`] (SM-3: Queued), in
//!   whichever state it is; `turn` keeps its place.
//! - Exactly one REGISTER is in flight (S-02, I8); whatever comes meanwhile waits behind it.
//! - A REGISTER that stays unanswered may have been carried out (RFC 4321): its transaction goes on listening, and a
//!   late 2xx counts (G-7). The true state after a timeout is unknown, never "not registered".
//! - `Contact: *` is never written (S-03, I9). The Call-ID stays the same for the life of this machine, CSeq grows by
//!   one with every new transaction, another target and a challenge included (S-01, S-06, S-26).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use machine::chance::Chance;
use machine::note::Note;
use machine::step::Machine;
use machine::time::Moment;
use machine::timers::Timers;

use crate::digest::client::Credentials;
use crate::extension::Extensions;
use crate::grant::Grant;
use crate::message::Message;
use crate::place::Place;
use crate::report::{Evidence, Leftover, Report, Rest};
use crate::server::{Account, Demands, Local, Server};
use crate::shaper::{Rank, Wish};
use crate::subscription::Subscription;
use crate::target::Target;
use crate::timing::Timing;

use adopting::Found;
use flight::{Errand, Flight, Orphan};
use orders::Wants;
use redirect::Detour;
pub use register::{Kind, Register};
use resting::Resting;
pub use state::State;
use timer::Timer;
use turn::Turn;

mod adopting;
mod alarm;
mod answer;
mod auditing;
mod checking;
mod contact;
mod flight;
mod flow;
mod landing;
mod notes;
mod orders;
mod plan;
mod redirect;
mod register;
mod request;
mod resting;
mod sending;
mod shedding;
mod state;
mod timer;
mod turn;
mod watching;

/// Sibling contacts that wait to be evicted. Ours: ten other OMMs (M-2.1.1-a), standby members included.
pub const EVICTIONS_MAX: usize = 22;
/// Former contacts of our own that are remembered. Ours: one more for each new epoch while the registrar is silent.
pub const OURS_MAX: usize = 8;
/// Transactions given up for another target that are still listened to. Ours: 32 s hold eight fail-over timers.
pub const ORPHANS_MAX: usize = 8;

/// What the line asks of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Keep this contact registered from now on (a full URI, `sip:101@10.0.1.1:5060;hm-site=..;hm-ep=..`). A new one
    /// replaces the former: the next REGISTER carries both, the old with expires=0. Leaves a back-off at once.
    Register {
        /// The contact URI.
        contact: Arc<str>,
    },
    /// One more REGISTER: now, or right behind the one in flight (M-2.1.4.1-e). Leaves a back-off at once.
    Renew,
    /// A REGISTER without Contact; the answer is reported as `Listed` (S-04).
    Query,
    /// The next REGISTER, sent at once, also carries these contacts with expires=0.
    Evict(Vec<String>),
    /// Remove our contact: waits for the REGISTER in flight, then expires=0 under the same Call-ID.
    Remove,
    /// Another tier serves the user: stop refreshing and trying, but remember what the registrar may still list.
    Rest,
    /// Come back from `Rest` with this contact; a back-off that was running goes on.
    Resume {
        /// The contact URI.
        contact: Arc<str>,
    },
    /// Send nothing before this time has passed (503 with Retry-After, told by the server's health, S-21).
    Hold(Duration),
    /// The link to the other OMMs is down: ask the registrar before each refresh (SM-3 query before refresh).
    Caution(bool),
    /// Contacts of ours from before a restart, perhaps still listed (G-13): the next REGISTER or removal takes them along.
    Inherit(Leftover),
    /// The server came back, or the credentials changed: try now if waiting.
    Retry,
    /// How urgent it is from now on that the user is registered here (until told, as urgent as a roam).
    Haste(Rank),
    /// A query of which only the server's health wants to know: no list is reported, and no failure.
    Prove,
    /// A query whether our contact is still listed, if it is registered. The server's health hears what was found.
    Audit,
    /// The server has forgotten its users: register again, if it was registered.
    Restore,
    /// What the server demands of all users of the site.
    Heed(Demands),
    /// The user roams: what comes next is sent to an overloaded server too.
    Urge,
    /// Another tier serves the user, or no longer does: that says how long to back off (S-28).
    Sheltered(bool),
}

/// What can happen to a binding.
#[derive(Clone, Debug)]
pub enum Input {
    /// The line wants something.
    Order(Order),
    /// A response that arrived with our Call-ID. Wrong branch, CSeq or method: counted and dropped.
    Answer(Message),
    /// The transport could not send to this address, or the stream to it broke.
    Unsent(SocketAddr),
    /// A flow that stood is gone, with whatever was in flight on it (RFC 5626 4.4).
    FlowLost(Target),
    /// The server's health found this target silent, and others may answer.
    Absent(Target),
    /// The server's health says that this target is passed over for so long, or no longer.
    Rests(Target, Duration, Rest),
    /// The server is found elsewhere now: another list of targets.
    Resolved(Arc<Server>),
    /// The account changed: another password, another lifetime. The address of record stays the same.
    Account(Arc<Account>),
    /// The shaper has given a slot.
    Granted,
    /// The shaper says when to refresh: so long from now.
    Booked(Duration),
    /// What the DNS says of a place: its targets in the order in which to try them, none when it knows none.
    Sought {
        /// The place.
        place: Arc<Place>,
        /// Where it is.
        targets: Vec<Target>,
    },
}

/// What a binding wants done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send a REGISTER.
    Send {
        /// Where to.
        to: Target,
        /// The complete message.
        bytes: Bytes,
        /// False for a retransmission.
        first: bool,
        /// For the trace.
        register: Register,
    },
    /// This target did not answer in time, and the next one is asked (trace).
    Silence(Target),
    /// A final answer arrived (trace).
    Answered {
        /// Its status code.
        code: u16,
    },
    /// The registrar does not list us, though it should: registers again (trace).
    Unlisted,
    /// Send a SUBSCRIBE, beside all REGISTERs: what the registrar knows of the user is evidence (RFC 3680).
    Subscribe {
        /// The server's name, for the trace.
        server: Arc<str>,
        /// Where to.
        to: Target,
        /// The complete message.
        bytes: Bytes,
        /// False for a retransmission.
        first: bool,
    },
    /// Ask the DNS where this place is (RFC 3263).
    Seek(Arc<Place>),
    /// Ask the DNS where the server is now; [`Input::Resolved`] is the answer, also when nothing has changed (S-22).
    Check,
    /// This target, over TLS, has to show the certificate of this domain or address (RFC 5922 7.1).
    Named {
        /// The target.
        to: Target,
        /// By which name we were sent there.
        domain: Arc<str>,
    },
    /// From now on answers and NOTIFYs with this Call-ID belong here too, or no longer.
    Dialog {
        /// The Call-ID.
        call_id: Arc<str>,
        /// Whether they do.
        open: bool,
    },
    /// The registrar refuses the user: an operator has to know (SM-3).
    Alarm(String),
    /// For the line.
    Report(Report),
    /// For the health of the server.
    Evidence(Evidence),
    /// For the shaper of the server.
    Shape(Wish),
}

/// One address of record at one server.
#[derive(Debug)]
pub struct Binding {
    account: Arc<Account>,
    server: Arc<Server>,
    local: Arc<Local>,
    timing: Arc<Timing>,
    chance: Chance,
    credentials: Credentials,
    call_id: Arc<str>,
    tag: u64,
    cseq: u32,
    state: State,
    /// The contact that is to be registered.
    wish: Option<Arc<str>>,
    /// Our contacts that the registrar may list.
    ours: Vec<Arc<str>>,
    /// Until when it may list them, at most.
    held: Option<Moment>,
    /// The last REGISTER with a contact succeeded, so that a lapse is news.
    stored: bool,
    /// Our contact that the question of a restart has found in the registrar's list.
    found: Option<Box<Found>>,
    /// Successes since it was last unregistered, up to [`plan::WIDE`].
    grown: u8,
    /// What to ask for, seconds: a 423 raises it (S-07).
    asked: u32,
    /// The target that answered last (facts: the first one must not be retried for ever).
    target: u8,
    /// What carries the registration where that is none of the list: another transport for a request of that size, or where
    /// a redirection led.
    aside: Option<Box<Target>>,
    /// The targets that are passed over.
    resting: Vec<Resting>,
    /// Failures in a row that another server might not have (S-28).
    failures: u16,
    /// Authoritative refusals in a row, or tries of a cleanup.
    refusals: u16,
    /// The codes of those that an operator was told of since the last success.
    alarmed: Vec<u16>,
    /// What the server does not understand (420, 439), as this binding or another of the site learned it.
    lacks: Extensions,
    /// Where a 301 sent us for good.
    moved: Option<Box<Detour>>,
    /// What the registrar granted beside the lifetime.
    grant: Option<Arc<Grant>>,
    /// How many percent of the requests the server is to be spared, and how often in a row it was.
    shed: u8,
    spared: u8,
    /// The lot has let the next exchange through, which may still wait for its turn: it is not drawn again.
    let_through: bool,
    urgent: bool,
    sheltered: bool,
    watch: Option<Box<Subscription>>,
    /// It takes no streams, so even a large request goes as a datagram.
    narrow: bool,
    cautious: bool,
    /// The line was told that nothing is left to do.
    retired: bool,
    /// How urgent its first registration is.
    haste: Rank,
    /// Its place at the shaper.
    turn: Turn,
    wants: Wants,
    flight: Option<Box<Flight>>,
    /// The errand that waits for the DNS; nothing is in flight then.
    seeking: Option<Box<Errand>>,
    orphans: Vec<Orphan>,
    timers: Timers<Timer>,
    dropped: u32,
}

impl Binding {
    /// A binding with nothing to do yet. `chance` makes its Call-ID, tag, branches, cnonces and jitter.
    pub fn new(
        account: Arc<Account>,
        server: Arc<Server>,
        local: Arc<Local>,
        timing: Arc<Timing>,
        mut chance: Chance,
    ) -> Binding {
        let call_id = format!("{}@{}", chance.hex(24), local.host).into();
        let tag = chance.next() & 0xff_ffff_ffff;
        let own = Chance::of(chance.next(), &account.aor);
        let credentials = Credentials::new(account.username.clone(), account.password.clone(), own)
            .only(account.options.realm.clone());
        let asked = u32::try_from(account.expires.as_secs()).unwrap_or(u32::MAX);
        Binding {
            account,
            server,
            local,
            timing,
            chance,
            credentials,
            call_id,
            tag,
            cseq: 0,
            state: State::Idle,
            wish: None,
            ours: Vec::new(),
            held: None,
            stored: false,
            found: None,
            grown: 0,
            asked,
            target: 0,
            aside: None,
            resting: Vec::new(),
            failures: 0,
            refusals: 0,
            alarmed: Vec::new(),
            lacks: Extensions::NONE,
            moved: None,
            grant: None,
            shed: 0,
            spared: 0,
            let_through: false,
            urgent: false,
            sheltered: false,
            watch: None,
            narrow: false,
            cautious: false,
            haste: Rank::Roam,
            turn: Turn::Free,
            retired: true,
            wants: Wants::default(),
            flight: None,
            seeking: None,
            orphans: Vec::new(),
            timers: Timers::default(),
            dropped: 0,
        }
    }

    /// The Call-ID of every request, by which answers find their way here.
    pub fn call_id(&self) -> &Arc<str> {
        &self.call_id
    }

    /// The Call-ID of its subscription, when it has one.
    pub fn watch_id(&self) -> Option<&str> {
        self.watch.as_ref().map(|watch| watch.call_id())
    }
}

impl Machine for Binding {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Order(order) => {
                self.obey(now, order);
                self.adopt(now, out);
            }
            Input::Answer(message) => self.hear(now, &message, out),
            Input::Unsent(addr) => self.unsent(now, addr, out),
            Input::FlowLost(flow) => self.flow_lost(now, flow, out),
            Input::Absent(target) => self.absent(now, target),
            Input::Rests(target, time, rest) => self.rests(now, target, time, rest),
            Input::Resolved(server) => {
                self.resolved(now, server);
                self.checked(now, out);
            }
            Input::Account(account) => self.change(account),
            Input::Granted => self.take_slot(out),
            Input::Booked(at) => self.booked(now, at),
            Input::Sought { place, targets } => self.sought(now, &place, &targets, out),
        }
        self.proceed(now, out);
        self.tend_watch(now, out);
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        let flight = self.flight.as_ref().and_then(|flight| flight.client.deadline());
        let orphans = self.orphans.iter().filter_map(|orphan| orphan.client.deadline());
        let watch = self.watch.as_ref().and_then(|watch| watch.deadline());
        self.timers.next().into_iter().chain(watch).chain(flight).chain(orphans).min_by_key(|(at, _)| *at)
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Again => self.again(),
                Timer::Failover => self.give_up(now, out),
                Timer::Seek => self.unsought(now, out),
                Timer::Lapse => self.lapse(out),
                Timer::Objection | Timer::Flow => self.wants.due = true,
                // Going on is what `proceed` does.
                Timer::Hold | Timer::Shed => {}
            }
            self.proceed(now, out);
        }
        self.resend(now, out);
        self.proceed(now, out);
        self.wake_watch(now, out);
        self.tend_watch(now, out);
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        notes::of(effect)
    }
}

#[cfg(test)]
mod tests;
