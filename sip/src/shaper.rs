//! Who may send a REGISTER to one server, and when (spec SM-3, "Shaper"; 5.1).
//!
//! ```text
//!   Queue(rank)          a slot is free, it is time             Over, Leave, silence of 4 s
//!  -------------> waiting ------------------------> trying ---------------------------------> (slot free again)
//!                    |  Leave                         |  Again: the same exchange sends once more (a challenge)
//!                    +-------->                       +--+
//! ```
//!
//! - One machine a (site, server). A binding asks before the first REGISTER of an exchange, and holds its slot until the
//!   final answer of the whole exchange, or until nobody has answered for the fail-over timer.
//! - The most urgent is served first, and of equals the one that asked first. Of the adaptive slots, one in eight is
//!   kept for those in a roam: whoever stands before a phone never waits behind ten thousand start-ups.
//! - [`Mode::Fixed`]: so many slots and so much time between two starts (Mitel's sample values).
//! - [`Mode::Adaptive`]: starts are clocked by answers, not by timers. Twenty fast answers earn a slot; a silence, a 503
//!   or a report of overload halves them, once for all that were on their way (as TCP does); an answer so late that a
//!   copy was sent costs one (ours).
//! - Slots are no rate: four of them are thousands of REGISTERs a second at a registrar that refuses within a millisecond.
//!   So a 503 also halves how many may start within a second, and every second in which that many did start without a
//!   503 gives a quarter back (ours). A silence does not: it says nothing about the rate.
//! - Whatever the mode, no second sees more than so many REGISTER transactions start, challenges included.
//! - It also keeps the [`calendar`] that spreads refreshes.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use machine::chance::Chance;
use machine::step::Machine;
use machine::time::Moment;

use crate::report::Evidence;
use calendar::Calendar;
use ceiling::Ceiling;

pub mod calendar;
mod ceiling;
#[cfg(test)]
mod tests;

/// Slots of Mitel's sample configuration (spec 5.1).
pub const FIXED_SLOTS: u32 = 4;
/// Time between two starts in Mitel's sample configuration (spec 5.1).
pub const FIXED_SPACING: Duration = Duration::from_millis(40);
/// Slots to begin with. Ours: sixteen REGISTERs are 13 kB, which any receive buffer holds.
pub const SLOTS_FIRST: u32 = 16;
/// The most slots. Ours: a UDP socket of the usual 208 kB holds about 250 REGISTERs, and must not overflow.
pub const SLOTS_MAX: u32 = 128;
/// The fewest slots of the adaptive mode. Ours: as many as Mitel's.
pub const SLOTS_MIN: u32 = 4;
/// Transactions a second. Ours: three times what the fastest registrar known answers (6,000 registrations a second).
pub const PER_SECOND: u32 = 40_000;
/// Fast answers that earn a slot (SM-3).
pub const EARNED_AFTER: u32 = 20;
/// What a fast answer is (SM-3).
pub const FAST: Duration = Duration::from_millis(200);
/// An answer later than this has cost a copy (RFC 3261 17.1.2.2, Timer E starts at T1).
const COPIED: Duration = Duration::from_millis(500);
/// One slot in so many is kept for those in a roam (ours).
const KEPT_FOR_ROAMS: u32 = 8;
/// The window of the cap.
const WINDOW: Duration = Duration::from_secs(1);

/// Who asks, by a number that no other binding of the OMM has.
pub type Ticket = u64;

/// How urgent a REGISTER is (SM-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// A phone has just appeared from another OMM, or the user is a VIP.
    Roam,
    /// A renewal, an eviction, a removal: another OMM waits for it.
    Renew,
    /// A refresh, or a move to another tier because the present one does not serve.
    Refresh,
    /// A move back to an earlier tier; the user is served meanwhile.
    Failback,
    /// The OMM has started.
    StartUp,
}

/// How slots are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// So many at a time, with so much time between two starts.
    Fixed {
        /// Exchanges in flight at a time.
        slots: u32,
        /// Between two starts.
        spacing: Duration,
    },
    /// As fast as the registrar answers.
    Adaptive {
        /// Slots to begin with.
        first: u32,
        /// The most slots.
        most: u32,
    },
}

/// How a shaper is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How slots are given.
    pub mode: Mode,
    /// REGISTER transactions that may start within any second; at least 2, a challenge and its answer.
    pub per_second: u32,
    /// How long a slot is held without an answer: the fail-over timer.
    pub hold: Duration,
}

impl Shape {
    /// Mitel's values.
    pub const FIXED: Mode = Mode::Fixed { slots: FIXED_SLOTS, spacing: FIXED_SPACING };
    /// Ours.
    pub const ADAPTIVE: Mode = Mode::Adaptive { first: SLOTS_FIRST, most: SLOTS_MAX };
}

impl Default for Shape {
    fn default() -> Shape {
        Shape { mode: Shape::ADAPTIVE, per_second: PER_SECOND, hold: Duration::from_secs(4) }
    }
}

/// What a binding wants of the shaper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A slot. Said again with a more urgent rank, it moves up.
    Queue(Rank),
    /// The exchange has sent one more transaction.
    Again,
    /// One target of the server has failed like this, and the exchange goes on at another one.
    Told(Evidence),
    /// The exchange is over, and this is what it says about the server.
    Over(Option<Evidence>),
    /// It wants nothing any more: its place or slot is free.
    Leave,
    /// When to refresh, no sooner and no later than so long from now.
    Book {
        /// The soonest.
        from: Duration,
        /// The latest.
        to: Duration,
    },
}

/// What can happen to a shaper: somebody wants something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Who.
    pub who: Ticket,
    /// What.
    pub wish: Wish,
}

/// What a shaper says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// This one may send now.
    Grant(Ticket),
    /// This one is to refresh so long from now.
    Booked(Ticket, Duration),
}

/// A slot that is taken.
#[derive(Clone, Copy, Debug)]
struct Trying {
    who: Ticket,
    since: Moment,
    /// It has not sent its second transaction yet, for which there must be room in the second.
    reserves: bool,
}

/// The shaper of one server.
#[derive(Debug)]
pub struct Shaper {
    shape: Shape,
    /// The slots that there are at present.
    slots: u32,
    waiting: BTreeMap<(Rank, u64), Ticket>,
    places: BTreeMap<Ticket, (Rank, u64)>,
    /// How many have queued so far.
    queued: u64,
    /// In the order in which they sent last.
    trying: Vec<Trying>,
    /// When to look for silent ones next. It is not moved with every slot: an alarm costs more than an idle look.
    look: Option<Moment>,
    /// Starts of the last second, by millisecond.
    starts: VecDeque<(Moment, u32)>,
    started: u32,
    ceiling: Ceiling,
    last: Option<Moment>,
    /// When time alone will let somebody start.
    next: Option<Moment>,
    /// Fast answers that have not earned a slot yet.
    fast: u32,
    /// Who had started by then has been counted.
    halved: Option<Moment>,
    calendar: Calendar,
}

impl Shaper {
    /// A shaper with nobody in it. `chance` spreads refreshes.
    pub fn new(shape: Shape, chance: Chance) -> Shaper {
        let slots = match shape.mode {
            Mode::Fixed { slots, .. } => slots.max(1),
            Mode::Adaptive { first, most } => first.min(most).max(1),
        };
        Shaper {
            shape,
            slots,
            waiting: BTreeMap::new(),
            places: BTreeMap::new(),
            queued: 0,
            trying: Vec::new(),
            look: None,
            starts: VecDeque::new(),
            started: 0,
            ceiling: Ceiling::new(shape.per_second),
            last: None,
            next: None,
            fast: 0,
            halved: None,
            calendar: Calendar::new(chance),
        }
    }

    /// The slots that there are at present.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Exchanges in flight.
    pub fn in_flight(&self) -> usize {
        self.trying.len()
    }

    /// Bindings that wait for a slot.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn queue(&mut self, who: Ticket, rank: Rank) {
        if self.trying.iter().any(|trying| trying.who == who) {
            return;
        }
        if let Some(place) = self.places.get(&who) {
            if place.0 <= rank {
                return;
            }
            self.waiting.remove(place);
        }
        self.queued += 1;
        self.waiting.insert((rank, self.queued), who);
        self.places.insert(who, (rank, self.queued));
    }

    /// Gives the slot of `who` back, and says since when it was held.
    fn give_back(&mut self, who: Ticket) -> Option<Moment> {
        let at = self.trying.iter().position(|trying| trying.who == who)?;
        Some(self.trying.remove(at).since)
    }

    fn leave(&mut self, who: Ticket) {
        if let Some(place) = self.places.remove(&who) {
            self.waiting.remove(&place);
        }
        self.give_back(who);
    }

    /// One more transaction of an exchange. One whose slot was taken back takes it again: it is under way.
    fn again(&mut self, now: Moment, who: Ticket) {
        self.give_back(who);
        self.start(now, who, false);
    }

    fn over(&mut self, now: Moment, who: Ticket, evidence: Option<Evidence>) {
        let Some(since) = self.give_back(who) else { return self.leave(who) };
        if let Some(evidence) = evidence {
            self.weigh(now, since, evidence);
        }
    }

    /// What became of a transaction that started at `since`.
    fn weigh(&mut self, now: Moment, since: Moment, evidence: Evidence) {
        match evidence {
            Evidence::Alive => self.answered(now.since(since)),
            Evidence::Overloaded(_) | Evidence::Broken(503) => {
                if self.halve(now, since) {
                    self.forget(now);
                    self.ceiling.lower(now, self.started);
                }
            }
            Evidence::Silent | Evidence::Broken(408 | 504) => _ = self.halve(now, since),
            Evidence::Load(load) if load.share > 0 => _ = self.halve(now, since),
            Evidence::Broken(_)
            | Evidence::Unfit(_)
            | Evidence::Unreachable
            | Evidence::Lacks(_)
            | Evidence::Load(_)
            | Evidence::Settled(_)
            | Evidence::Audited(_)
            | Evidence::Passed(..) => {}
        }
    }

    fn answered(&mut self, took: Duration) {
        let Mode::Adaptive { most, .. } = self.shape.mode else { return };
        if took >= COPIED {
            self.slots = self.slots.saturating_sub(1).max(SLOTS_MIN.min(most).max(1));
        } else if took < FAST {
            self.fast += 1;
            if self.fast >= EARNED_AFTER {
                self.fast = 0;
                self.slots = (self.slots + 1).min(most.max(1));
            }
        }
    }

    /// The server cannot keep up with what was sent at `since`. Whether that was news: what was on its way when the slots
    /// were halved last is told by the same breath.
    fn halve(&mut self, now: Moment, since: Moment) -> bool {
        let Mode::Adaptive { most, .. } = self.shape.mode else { return false };
        if self.halved.is_some_and(|halved| since <= halved) {
            return false;
        }
        self.halved = Some(now);
        self.fast = 0;
        self.slots = (self.slots / 2).max(SLOTS_MIN.min(most).max(1));
        true
    }

    /// How many may be in flight when one of this rank starts.
    fn limit(&self, rank: Rank) -> u32 {
        match (self.shape.mode, rank) {
            (Mode::Adaptive { .. }, Rank::Renew | Rank::Refresh | Rank::Failback | Rank::StartUp) => {
                let kept = (self.slots / KEPT_FOR_ROAMS).max(1);
                self.slots.saturating_sub(kept).max(1)
            }
            (Mode::Adaptive { .. }, Rank::Roam) | (Mode::Fixed { .. }, _) => self.slots,
        }
    }

    /// When the next one may start as far as time is concerned.
    fn opens(&mut self, now: Moment) -> Moment {
        self.forget(now);
        let reserved = self.trying.iter().filter(|trying| trying.reserves).count();
        let expected = self.started.saturating_add(u32::try_from(reserved).unwrap_or(u32::MAX));
        let mut opens = now;
        if !self.ceiling.admits(now, expected.saturating_add(2)) {
            // With nothing started in this second, only those under way can make room.
            opens = self.starts.front().map_or(now + WINDOW, |(at, _)| *at + WINDOW);
        }
        match (self.shape.mode, self.last) {
            (Mode::Fixed { spacing, .. }, Some(last)) => opens.max(last + spacing),
            (Mode::Fixed { .. }, None) | (Mode::Adaptive { .. }, _) => opens,
        }
    }

    /// Starts that are a second ago count no more.
    fn forget(&mut self, now: Moment) {
        while let Some((at, count)) = self.starts.front().copied()
            && now.since(at) >= WINDOW
        {
            self.starts.pop_front();
            self.started -= count;
        }
    }

    fn start(&mut self, now: Moment, who: Ticket, reserves: bool) {
        self.trying.push(Trying { who, since: now, reserves });
        self.look.get_or_insert(now + self.shape.hold);
        match self.starts.back_mut() {
            Some((at, count)) if *at == now => *count += 1,
            Some(_) | None => self.starts.push_back((now, 1)),
        }
        self.started += 1;
    }

    /// Gives away what there is to give.
    fn admit(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.next = None;
        while let Some((place, who)) = self.waiting.first_key_value().map(|(place, who)| (*place, *who)) {
            if self.trying.len() >= self.limit(place.0) as usize {
                return;
            }
            let opens = self.opens(now);
            if opens > now {
                self.next = Some(opens);
                return;
            }
            self.waiting.remove(&place);
            self.places.remove(&who);
            self.start(now, who, true);
            self.last = Some(now);
            out.push(Effect::Grant(who));
        }
    }
}

impl Machine for Shaper {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, Input { who, wish }: Input, out: &mut Vec<Effect>) {
        match wish {
            Wish::Queue(rank) => self.queue(who, rank),
            Wish::Again => self.again(now, who),
            Wish::Told(evidence) => {
                let since = self.trying.iter().find(|trying| trying.who == who).map(|trying| trying.since);
                since.into_iter().for_each(|since| self.weigh(now, since, evidence));
            }
            Wish::Over(evidence) => self.over(now, who, evidence),
            Wish::Leave => self.leave(who),
            Wish::Book { from, to } => {
                let at = self.calendar.book(now, from, to);
                out.push(Effect::Booked(who, at));
            }
        }
        self.admit(now, out);
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        let silence = self.look.map(|at| (at, "slot-held"));
        let start = self.next.map(|at| (at, "next-start"));
        silence.into_iter().chain(start).min_by_key(|(at, _)| *at)
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(trying) = self.trying.first().copied()
            && trying.since + self.shape.hold <= now
        {
            self.trying.remove(0);
            self.halve(now, trying.since);
        }
        if self.look.is_some_and(|look| look <= now) {
            self.look = self.trying.first().map(|trying| trying.since + self.shape.hold);
        }
        self.admit(now, out);
    }
}
