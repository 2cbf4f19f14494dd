//! How one server stands, as all users of one OMM see it together (SM-3H): evidence in, probes and verdicts out.
//!
//! ```text
//!          failure            2nd failure in 60 s, transport error, failed probe
//!   Up <-----------> Suspect -----------------------------------------> Down <---------------+
//!    ^  any answer                                  30 s x2 .. 300 s     | probe             | failure
//!    |                                                                  v                   |
//!    +---- stable for 10 min, a probe each 30 s ---- Recovering <--- Probing ---------------+
//!
//!   any --503 Retry-After n--> Draining --n over--> Probing
//! ```
//!
//! - One machine a (site, server): a verdict for each user would notice a dead server late and probe it once a user.
//! - Any answer means alive, even a 4xx; 408 and 5xx do not.
//! - A suspicion out of silence is settled by one probe at once (ours: a site with one user has no second witness).
//!   A suspicion out of a 5xx to a REGISTER is not: a server may answer OPTIONS while REGISTER gets 500. Out of a 5xx
//!   to a probe it is, 4 s later.
//! - A server in use of which nobody has heard for 4 s is asked by one probe, so that idle users need not wait for
//!   their refresh to notice its death (M-2.2.5-d): two silences of 2.5 s take it down within 10 s, the second that of
//!   all its targets at once. Where there is nowhere else to go, that knowledge moves nobody, and the server is asked every 5 min. Only a server that has answered a
//!   probe before is judged by this: some never answer OPTIONS (all ours).
//! - Where OPTIONS is filtered, one user's query stands for the probe (SM-3H): a server that has never answered an
//!   OPTIONS is asked so before its silence counts, and from then on when it answers. A server that stays down is asked in
//!   both ways in the end.
//! - What a server demands of one user it demands of all: extensions to leave out (420, 439), a share of the requests
//!   to be spared (RFC 7339). Told at most once a second (ours: ten thousand lines hear it).
//! - A server that is down and answers a user after all is recovering (ours: that answer is as good as a probe's).
//! - Every half minute a user looks whether the server still lists it: one that restarts faster than a probe notices has
//!   forgotten all of them (`audit`, ours).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use machine::chance::Chance;
use machine::note::Note;
use machine::step::Machine;
use machine::time::Moment;
use machine::timers::{Name, Timers};

use crate::health::audit::Audits;
use crate::health::posts::Posts;
use crate::health::probe::{Outcome, Probe};
use crate::health::round::Round;
use crate::health::shunned::Shunned;
use crate::message::Message;
use crate::report::{Evidence, Rest};
use crate::server::{Demands, Local, Server, Standing};
use crate::target::Target;
use crate::timing::Timing;

mod audit;
mod canvass;
mod demands;
mod evidence;
mod flow;
mod idle;
mod notes;
mod posts;
mod probe;
mod round;
mod shunned;
mod verdict;

/// What can happen to the health of a server.
#[derive(Clone, Debug)]
pub enum Input {
    /// What a binding of any user learned.
    Evidence(Evidence),
    /// A response to a probe (routed by its Call-ID).
    Answer(Message),
    /// The transport could not send a probe to this address.
    Unsent(SocketAddr),
    /// An operator drains the server, or ends that: a drill moves its users away as if it were dead.
    Drill(bool),
    /// There is no user who could ask.
    Nobody,
    /// A flow that stood is gone.
    FlowLost(Target),
    /// The server is found elsewhere now; nowhere at all when there is no target.
    Resolved(Arc<Server>),
}

/// What the health of a server wants done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send an OPTIONS.
    Probe {
        /// The server's name, for the trace.
        server: Arc<str>,
        /// Where to.
        to: Target,
        /// The complete message.
        bytes: Bytes,
        /// False for a retransmission.
        first: bool,
        /// The server is in use and nothing is wrong with it; it has only not been heard of.
        routine: bool,
        /// It has other targets, which are asked at the same moment.
        among: bool,
    },
    /// One user is to ask the server, instead of an OPTIONS. Its evidence is the answer.
    Canvass {
        /// The server's name, for the trace.
        server: Arc<str>,
        /// Its tier.
        tier: u8,
        /// As with [`Effect::Probe`].
        routine: bool,
    },
    /// One user who is registered at the server, another one each time, is to look whether it still lists it.
    Audit {
        /// Its tier.
        tier: u8,
    },
    /// The server has forgotten its users: all that are registered there register again.
    Restore {
        /// The server's name, for the trace.
        server: Arc<str>,
        /// Its tier.
        tier: u8,
    },
    /// The server demands something else of its users now: tell every line of the site.
    Demands {
        /// The server's name, for the trace.
        server: Arc<str>,
        /// Its tier.
        tier: u8,
        /// What it demands.
        demands: Demands,
    },
    /// It answers REGISTERs as no registrar does: an operator has to know (SM-3).
    Unfit {
        /// The server's name.
        server: Arc<str>,
        /// 405 or 501.
        code: u16,
    },
    /// This target does not answer, but another of the server may: whoever is registered there turns to that one.
    Absent(Target),
    /// This target is passed over for so long, or no longer: tell every binding of the site.
    Rests {
        /// The target.
        target: Target,
        /// From now on; zero when it need not rest any more.
        time: Duration,
        /// Why.
        rest: Rest,
    },
    /// The server stands differently now: tell every line of the site.
    Standing {
        /// The server's name, for the trace.
        server: Arc<str>,
        /// Its tier.
        tier: u8,
        /// How it stands.
        standing: Standing,
    },
}

/// The deadlines of a server's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to send the next probe.
    Probe,
    /// When to take the silence after a probe for an answer.
    Reply,
    /// When the server has been stable for long enough to be used again.
    Stable,
    /// When the time is over for which the server asked to be left alone.
    Drained,
    /// When to ask a server in use that has not been heard of.
    Idle,
    /// When a share of requests to be spared is over (RFC 7339 5.7), or may be told.
    Demands,
    /// When to have a user look whether the server still lists it.
    Audit,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Probe => "probe",
            Timer::Reply => "probe-reply",
            Timer::Stable => "failback-hold",
            Timer::Drained => "drained",
            Timer::Idle => "idle",
            Timer::Demands => "demands",
            Timer::Audit => "audit",
        }
    }
}

/// SM-3H.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In use.
    Up,
    /// One failure was seen at `since`.
    Suspect {
        /// When.
        since: Moment,
    },
    /// Not to be used; the next probe is timed.
    Down,
    /// A probe is under way.
    Probing,
    /// It answers, but has not been stable for long enough.
    Recovering,
    /// It asked to be left alone.
    Draining,
}

/// The health of one server, shared by all users of one OMM.
#[derive(Debug)]
pub struct Health {
    server: Arc<Server>,
    timing: Arc<Timing>,
    state: State,
    /// What the lines were told last.
    standing: Standing,
    /// What it would be without the drill.
    own: Standing,
    drill: bool,
    probe: Probe,
    /// Failed probes in a row.
    misses: u32,
    /// When any answer was last heard of.
    heard: Moment,
    /// It has answered a probe, so its silence means something.
    talkative: bool,
    /// A user was asked to ask, and its answer is awaited.
    canvassing: bool,
    /// The last probe was a user's.
    by_user: bool,
    /// It answers users and no OPTIONS.
    filtered: bool,
    demands: Demands,
    told: (Demands, Moment),
    /// Until when the share holds, and the sequence number of the answer that said so.
    load: (Moment, Option<(u64, u32)>),
    /// Which target is probed: the one that answered last, or the one behind the one that did not.
    turn: usize,
    /// The targets at which users are registered.
    posts: Posts,
    audits: Audits,
    shunned: Shunned,
    /// An operator was told that it is no registrar.
    unfit: bool,
    /// All of them are asked.
    round: Option<Round>,
    timers: Timers<Timer>,
    dropped: u64,
}

impl Health {
    /// A server believed to be up. `domain` is what an OPTIONS asks for, `sip:example.com`, where the server has no
    /// registrar of its own; `chance` makes branches.
    pub fn new(
        server: Arc<Server>,
        local: Arc<Local>,
        domain: impl Into<String>,
        timing: Arc<Timing>,
        chance: Chance,
    ) -> Health {
        let uri = server.way.registrar.as_deref().map_or_else(|| domain.into(), str::to_owned);
        let probe = Probe::new(local, uri, server.way.route.clone(), chance);
        Health {
            server,
            timing,
            state: State::Up,
            standing: Standing::Usable,
            own: Standing::Usable,
            drill: false,
            probe,
            misses: 0,
            heard: Moment::START,
            talkative: false,
            canvassing: false,
            by_user: false,
            filtered: false,
            demands: Demands::default(),
            told: (Demands::default(), Moment::START),
            load: (Moment::START, None),
            turn: 0,
            posts: Posts::default(),
            audits: Audits::default(),
            shunned: Shunned::default(),
            unfit: false,
            round: None,
            timers: Timers::default(),
            dropped: 0,
        }
    }

    /// The Call-ID of every probe, by which its answers find their way.
    pub fn call_id(&self) -> &str {
        self.probe.call_id()
    }

    /// Where it stands in SM-3H.
    pub fn state(&self) -> State {
        self.state
    }

    /// What the lines were told last.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Answers that belonged to no probe, so far.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Machine for Health {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Evidence(evidence) => self.weigh(now, evidence, out),
            Input::Answer(message) => match self.probe.hear(now, &message) {
                Some(Outcome::Pending) => self.hear_load(now, &message, out),
                Some(Outcome::Ended(target, evidence)) => {
                    self.talkative |= evidence == Evidence::Alive;
                    self.filtered &= !self.talkative;
                    self.hear_load(now, &message, out);
                    self.count(now, target, evidence, out);
                }
                None => self.dropped += 1,
            },
            Input::Drill(drill) => {
                self.drill = drill;
                self.tell(self.own, out);
            }
            Input::Nobody => self.nobody(now, out),
            Input::Unsent(addr) => {
                if let Some(target) = self.probe.unsent(addr) {
                    self.count(now, target, Evidence::Unreachable, out);
                }
            }
            Input::FlowLost(flow) => self.flow_lost(now, flow, out),
            Input::Resolved(server) => self.resolved(now, server, out),
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        let resend = self.probe.deadline();
        self.timers.next().into_iter().chain(resend).min_by_key(|(at, _)| *at)
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Probe | Timer::Drained => self.ask(now, out),
                Timer::Reply => {
                    let is_awaited = std::mem::take(&mut self.canvassing) || !self.probe.is_over();
                    if is_awaited && !self.times_out(now, out) {
                        self.probe.end();
                        self.probed(now, Evidence::Silent, out);
                    }
                }
                Timer::Demands => self.demand(now, out),
                Timer::Audit => self.audit(now, out),
                Timer::Stable => self.up(now, out),
                Timer::Idle => self.idle(now, out),
            }
        }
        for (to, bytes) in self.probe.wake(now) {
            self.tell_probe(to, bytes, false, false, out);
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        notes::of(effect)
    }
}

impl Health {
    /// Sends a probe to the target whose turn it is.
    fn ask(&mut self, now: Moment, out: &mut Vec<Effect>) {
        match self.state {
            State::Down | State::Draining => self.state = State::Probing,
            State::Up | State::Suspect { .. } | State::Probing | State::Recovering => {}
        }
        if self.asks_users() {
            return self.canvass(now, out);
        }
        self.options(now, out);
    }

    fn options(&mut self, now: Moment, out: &mut Vec<Effect>) {
        self.by_user = false;
        self.round = None;
        self.probe.end();
        let Some(to) = self.probed_target() else { return };
        self.send(now, to, false, out);
        self.timers.set(Timer::Reply, now + self.timing.probe_reply);
    }

    fn send(&mut self, now: Moment, to: Target, among: bool, out: &mut Vec<Effect>) {
        let bytes = self.probe.send(now, to);
        self.tell_probe(to, bytes, true, among, out);
    }

    fn tell_probe(&self, to: Target, bytes: Bytes, first: bool, among: bool, out: &mut Vec<Effect>) {
        let (server, routine) = (self.server.name.clone(), self.state == State::Up);
        out.push(Effect::Probe { server, to, bytes, first, routine, among });
    }

    /// Whether users of this server could go somewhere else.
    fn has_elsewhere(&self) -> bool {
        self.server.spare || self.server.targets.len() > 1
    }
}

#[cfg(test)]
mod tests;
