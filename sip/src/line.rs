//! One user's registration across the tiers of a site: which binding is the current one (SM-3, the tier choice).
//!
//! ```text
//!         Bind                        current fails / server down
//!   Off ---------> On(current) ------------------------------------> On(next tier), the old one rests
//!    ^              |     ^  |
//!    |              |     |  | earlier tier usable again, user idle
//!    |       Unbind |     |  v
//!    +--------------+     On(current) + trial(earlier)
//!                         |   success: earlier becomes current, the later one is removed, then one renewal (SM-3:
//!                         |            make before break)
//!                         +-- failure: the trial rests, nothing changed
//! ```
//!
//! - The lowest usable tier is chosen; then the lowest recovering one; when none is left, tier 0 all the same, so that
//!   total blacklisting cannot silence a user (SM-3, Queued).
//! - A binding that fails for reasons of its server moves the user on even before the server's health has a verdict;
//!   an authoritative 4xx moves nobody. When every tier failed, tier 0 goes on with its own back-off (S-28).
//! - A user who left a tier that never lost its good standing goes back to it after the failback hold (ours: nobody
//!   else would call the user back).
//! - A tier that was left on failure is not deregistered: the same contact stays valid there, and it will be needed
//!   again. `Unbind` removes at every tier at which something may be registered, and answers with the worst outcome.
//! - That is `top-down`. In [`Mode::Serial`] a user stays where he is until that fails, and then takes the next tier in
//!   turn; in [`Mode::Parallel`] he is registered at all tiers at once.
//! - A tier drained by a drill is used by nobody while there is another (ours).
//! - Loss of the link between the OMMs never changes a tier (AMB-29).

use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;
use machine::step::Machine;
use machine::time::Moment;
use machine::timers::{Name, Timers};

use crate::binding::Order;
use crate::grant::Grant;
use crate::report::{Failure, Leftover, Listed, Removal, Report};
use crate::server::{Demands, Standing};
use crate::shaper::Rank;
use crate::timing::Timing;

mod moves;
mod parallel;

/// Tiers of a site: primary, secondary, tertiary (M-2.1.3-a, spec section 0).
pub const TIERS_MAX: u8 = 3;

/// How the tiers of a site are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Always the first usable one.
    #[default]
    TopDown,
    /// The present one until it fails, then the next in turn; nobody goes back by himself.
    Serial,
    /// All at once.
    Parallel,
}

impl Mode {
    /// Every mode as operators call it.
    pub const WORDS: &[(&str, Mode)] =
        &[("top-down", Mode::TopDown), ("serial", Mode::Serial), ("parallel", Mode::Parallel)];
}

/// What can happen to a line.
#[derive(Clone, Debug)]
pub enum Input {
    /// Keep this contact registered, at the lowest usable tier.
    Bind {
        /// The full contact URI.
        contact: Arc<str>,
    },
    /// How urgent the next `Bind` is: a roam, unless said otherwise.
    Haste(Rank),
    /// One more REGISTER at the current tier (M-2.1.4.1-e).
    Renew,
    /// Ask the registrar of the current tier what it lists.
    Query,
    /// Remove these sibling contacts together with the next own REGISTER.
    Evict(Vec<String>),
    /// Remove the registration at every tier at which it may exist.
    Unbind,
    /// The link to the other OMMs is down: ask before each refresh (SM-3).
    Caution(bool),
    /// The user is in a call: fail back later.
    Busy(bool),
    /// How the server of this tier stands (SM-3H).
    Server {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// What its health says.
        standing: Standing,
    },
    /// What the server of this tier demands of all its users.
    Demands {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// What its health says.
        demands: Demands,
    },
    /// One user is to ask the server of this tier, for its health: this one.
    Prove {
        /// 0 primary .. 2 tertiary.
        tier: u8,
    },
    /// One user is to look whether the server of this tier still lists it: this one, if it is registered there.
    Audit {
        /// 0 primary .. 2 tertiary.
        tier: u8,
    },
    /// The server of this tier has forgotten its users: whoever is registered there registers again.
    Restore {
        /// 0 primary .. 2 tertiary.
        tier: u8,
    },
    /// After a restart: this contact of ours may still be listed, at whichever tier.
    Inherit(Leftover),
    /// The binding of this tier lost its memory: it is told anew what is wanted of it.
    Fallen {
        /// 0 primary .. 2 tertiary.
        tier: u8,
    },
    /// What the binding of this tier reports.
    Report {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// The report.
        report: Report,
    },
}

/// What a line wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Hand this to the binding of the tier; hire it on first use.
    Tell {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// What is asked of it.
        order: Order,
    },
    /// Registered (first time or again) at this tier.
    Bound {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// How long it lives.
        granted: Duration,
    },
    /// What the registrar of this tier grants beside the lifetime changed.
    Granted {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// `None` when there is nothing (any more).
        grant: Option<Arc<Grant>>,
    },
    /// Not registered now, or not renewed; the line goes on by itself.
    Failed {
        /// 0 primary .. 2 tertiary.
        tier: u8,
        /// Why.
        failure: Failure,
    },
    /// Everything was removed, or what could not be. A later `Removed` may follow.
    Released(Removal),
    /// What the registrar lists (after every success and every query).
    Listed(Vec<Listed>),
    /// The user moves to another tier because the one left does not serve (trace).
    Failover {
        /// The tier left.
        from: u8,
        /// The tier tried now.
        to: u8,
    },
    /// The user is back at an earlier tier (trace).
    Failback {
        /// The tier left.
        from: u8,
        /// The tier used now.
        to: u8,
    },
    /// The actor may drop the binding of this tier.
    Retire {
        /// 0 primary .. 2 tertiary.
        tier: u8,
    },
}

/// The deadlines of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to try an earlier tier again that was left without its server ever losing its good standing.
    Return,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Return => "return",
        }
    }
}

/// What the line knows of one tier.
#[derive(Clone, Debug)]
struct Tier {
    standing: Standing,
    demands: Demands,
    /// Its binding was told that another tier serves the user.
    sheltered: bool,
    /// Nobody sends to it before this moment.
    drained: Option<Moment>,
    /// Its last report was a success.
    bound: bool,
    /// A binding was hired and not yet dismissed.
    hired: bool,
    /// What the binding was told last.
    haste: Rank,
    /// It failed in the present round of tries.
    failed: bool,
    /// Its last report was a failure that another tier might not have.
    failing: bool,
    /// A removal was ordered and its outcome has not come yet.
    removing: bool,
    /// The last removal left something behind; a late `Removed` may follow.
    leftover: bool,
}

/// Whether the user is to be registered, and where.
#[derive(Clone, Debug)]
enum State {
    /// Nothing is to be registered.
    Off,
    /// Registered or trying at `current`; `trial` is an earlier tier to which the user may go back.
    On { contact: Arc<str>, current: u8, trial: Option<u8> },
}

/// One user's registration at one site.
#[derive(Debug)]
pub struct Line {
    timing: Arc<Timing>,
    mode: Mode,
    state: State,
    tiers: Vec<Tier>,
    /// The worst outcome so far of a removal at every tier that is under way.
    releasing: Option<Removal>,
    /// The tier left by a failback: one renewal follows its removal.
    dropping: Option<u8>,
    /// An earlier tier is worth a try as soon as the user is idle.
    homesick: bool,
    busy: bool,
    cautious: bool,
    /// How urgent the present `Bind` is, until it has succeeded once.
    haste: Option<Rank>,
    /// The next one's.
    coming: Rank,
    /// Every move of the user is as urgent as a roam.
    vip: bool,
    timers: Timers<Timer>,
}

impl Line {
    /// A line with `tiers` servers (1..=3, more are not used), all of them usable until their health says otherwise.
    pub fn new(tiers: u8, timing: Arc<Timing>) -> Line {
        let tier = Tier {
            standing: Standing::Usable,
            demands: Demands::default(),
            sheltered: false,
            drained: None,
            bound: false,
            hired: false,
            haste: Rank::Roam,
            failed: false,
            failing: false,
            removing: false,
            leftover: false,
        };
        Line {
            timing,
            mode: Mode::TopDown,
            state: State::Off,
            tiers: vec![tier; usize::from(tiers.clamp(1, TIERS_MAX))],
            releasing: None,
            dropping: None,
            homesick: false,
            busy: false,
            cautious: false,
            haste: None,
            coming: Rank::Roam,
            vip: false,
            timers: Timers::default(),
        }
    }

    /// The same line in another mode.
    pub fn in_mode(mut self, mode: Mode) -> Line {
        self.mode = mode;
        self
    }

    /// The line of a VIP, who is moved first when a server fails.
    pub fn of_vip(mut self, vip: bool) -> Line {
        self.vip = vip;
        self
    }

    /// The tier at which the user is registered or tries to be.
    pub fn current(&self) -> Option<u8> {
        match &self.state {
            State::Off => None,
            State::On { current, .. } => Some(*current),
        }
    }
}

impl Machine for Line {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match (input, &self.state) {
            (Input::Bind { contact }, State::Off) => {
                self.timers.clear();
                self.tiers.iter_mut().for_each(|tier| tier.failed = false);
                let current = self.best().unwrap_or(0);
                self.state = State::On { contact, current, trial: None };
                self.hasten();
                self.insist(out);
                match self.mode {
                    Mode::TopDown | Mode::Serial => self.engage(now, current, Rank::Refresh, out),
                    Mode::Parallel => self.engage_all(now, Rank::Refresh, out),
                }
            }
            (Input::Bind { contact: new }, State::On { current, trial, .. }) => {
                let (current, trial) = (*current, *trial);
                self.state = State::On { contact: new, current, trial };
                self.hasten();
                self.insist(out);
                match self.mode {
                    Mode::TopDown | Mode::Serial => self.engage(now, current, Rank::Refresh, out),
                    Mode::Parallel => self.engage_all(now, Rank::Refresh, out),
                }
                if let Some(trial) = trial {
                    self.engage(now, trial, Rank::Failback, out);
                }
            }
            (Input::Haste(rank), State::Off | State::On { .. }) => self.coming = rank,
            (Input::Renew, State::On { .. }) if self.mode == Mode::Parallel => {
                self.tell_all(&Order::Renew, out);
            }
            (Input::Evict(contacts), State::On { .. }) if self.mode == Mode::Parallel => {
                self.tell_all(&Order::Evict(contacts), out);
            }
            (Input::Renew, State::On { current, .. }) => self.tell(*current, Order::Renew, out),
            (Input::Query, State::On { current, .. }) => self.tell(*current, Order::Query, out),
            (Input::Query, State::Off) => self.ask(now, out),
            (Input::Evict(contacts), State::On { current, .. }) => {
                self.tell(*current, Order::Evict(contacts), out);
            }
            // Without an own registration there is nothing to renew, and no right to touch anybody else's.
            (Input::Renew | Input::Evict(_), State::Off) => {}
            (Input::Unbind, State::Off | State::On { .. }) => self.release(out),
            (Input::Caution(cautious), State::Off | State::On { .. }) => self.caution(cautious, out),
            (Input::Inherit(leftover), State::Off | State::On { .. }) => {
                for tier in (0_u8..).take(self.tiers.len()) {
                    self.tell(tier, Order::Inherit(leftover.clone()), out);
                }
            }
            (Input::Fallen { tier }, State::Off | State::On { .. }) => self.fallen(now, tier, out),
            (Input::Busy(busy), State::Off | State::On { .. }) => {
                self.busy = busy;
                self.try_home(now, out);
            }
            (Input::Server { tier, standing }, State::Off | State::On { .. }) => {
                self.stands(now, tier, standing, out);
            }
            (Input::Demands { tier, demands }, State::Off | State::On { .. }) => {
                self.demand(tier, demands, out);
            }
            (Input::Prove { tier }, State::Off | State::On { .. }) => self.tell(tier, Order::Prove, out),
            (Input::Audit { tier }, State::On { .. }) => self.tell_hired(tier, Order::Audit, out),
            (Input::Restore { tier }, State::On { .. }) => self.restore(tier, out),
            // Nobody is registered there.
            (Input::Audit { .. } | Input::Restore { .. }, State::Off) => {}
            (Input::Report { tier, report }, State::Off | State::On { .. }) => {
                self.reported(now, tier, report, out);
            }
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Return => {
                    self.homesick = true;
                    self.try_home(now, out);
                }
            }
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Failover { from, to } => {
                Some(Note::new("failover").number("from", *from).number("to", *to))
            }
            Effect::Failback { from, to } => {
                Some(Note::new("failback").number("from", *from).number("to", *to))
            }
            // The binding has told it already, and with more detail.
            Effect::Tell { .. }
            | Effect::Bound { .. }
            | Effect::Granted { .. }
            | Effect::Failed { .. }
            | Effect::Released(_)
            | Effect::Listed(_)
            | Effect::Retire { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
