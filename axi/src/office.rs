//! What all AXI sessions of one OMM share: who may come in, and the settings that are not synchronised.
//!
//! ```text
//!          Configured             Wildcard (minutes)
//! Off <------------------> Configured <------------> Wildcard
//!       24 h, or Off                     time is up      each subscription begins the minutes anew
//! ```
//!
//! Whether handsets may subscribe (axi 4.4) is forgotten by a restart, so that no OMM comes back with an open door;
//! the other settings are kept. Ours.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use machine::note::Note;
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::Moment;
use machine::timers::{Name, Timers};

use crate::account::{Account, Accounts};
use crate::error::{ErrCode, Refused};
use crate::request::{Mode, Setting};
use crate::throttle::Throttle;

/// Sessions that are logged in at a time (axi 3: `axiClients`).
pub const CLIENTS_MAX: usize = 100;
/// How long "Configured" lasts (axi 4.4).
pub const CONFIGURED: Duration = Duration::from_secs(24 * 3600);

/// A session, by the number under which it was hired.
pub type DeskId = u64;

/// What can happen to the office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A session wants to be logged in.
    Login {
        /// Which.
        desk: DeskId,
        /// Where it comes from.
        address: Arc<str>,
        /// The account.
        username: String,
        /// Its password.
        password: Secret,
    },
    /// A session is over.
    Left(DeskId),
    /// A session sets something.
    Set {
        /// Which.
        desk: DeskId,
        /// What.
        setting: Setting,
    },
    /// A handset has subscribed.
    Subscribed,
}

/// What the office wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The session is let in.
    Admit {
        /// Which.
        desk: DeskId,
        /// As whom.
        account: Box<Account>,
    },
    /// It is not.
    Deny {
        /// Which.
        desk: DeskId,
        /// Why.
        why: Refused,
        /// How long to wait before it is told.
        wait: Duration,
    },
    /// Make the settings durable; what follows has to wait for that.
    Save(Settings),
    /// What the session wanted set is set.
    Done(DeskId),
    /// Tell all sessions whether handsets may subscribe.
    Announce(Mode),
}

/// What is kept over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether unknown handsets get a record when they subscribe.
    pub auto_create: bool,
    /// The DECT authentication code; empty for none.
    pub auth_code: Secret,
    /// Whether new base stations are captured.
    pub rfp_capture: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// When to leave "Wildcard".
    Wildcard,
    /// When to leave "Configured".
    Configured,
}

impl Name for Timer {
    fn name(self) -> &'static str {
        match self {
            Timer::Wildcard => "wildcard",
            Timer::Configured => "configured",
        }
    }
}

/// The office of one OMM.
#[derive(Debug)]
pub struct Office {
    accounts: Accounts,
    throttle: Throttle,
    /// Sessions that are logged in.
    inside: BTreeSet<DeskId>,
    settings: Settings,
    mode: Mode,
    /// How long a subscription prolongs "Wildcard".
    window: Duration,
    timers: Timers<Timer>,
}

impl Office {
    /// An office with these accounts that remembers these settings.
    pub fn new(accounts: Accounts, settings: Settings) -> Office {
        Office {
            accounts,
            throttle: Throttle::default(),
            inside: BTreeSet::new(),
            settings,
            mode: Mode::Off,
            window: Duration::ZERO,
            timers: Timers::default(),
        }
    }

    /// Who may log in.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What is set.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether handsets may subscribe.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How many sessions are logged in.
    pub fn inside(&self) -> usize {
        self.inside.len()
    }

    fn login(
        &mut self,
        now: Moment,
        desk: DeskId,
        address: &Arc<str>,
        login: (&str, &Secret),
        out: &mut Vec<Effect>,
    ) {
        if let Some(wait) = self.throttle.delay(now, address) {
            self.throttle.failed(now, address);
            out.push(Effect::Deny { desk, why: Refused::new(ErrCode::Auth), wait });
            return;
        }
        let (why, known) = match self.accounts.login(login.0, login.1) {
            Some(account) if self.inside.len() < CLIENTS_MAX || self.inside.contains(&desk) => {
                self.inside.insert(desk);
                out.push(Effect::Admit { desk, account: Box::new(account.clone()) });
                return;
            }
            Some(_) => {
                let info = Some(format!("there are {CLIENTS_MAX} clients already"));
                (Refused { info, ..Refused::new(ErrCode::NoMem) }, true)
            }
            None => (Refused::new(ErrCode::Auth), false),
        };
        if !known {
            self.throttle.failed(now, address);
        }
        out.push(Effect::Deny { desk, why, wait: Duration::ZERO });
    }

    fn set(&mut self, now: Moment, setting: Setting, out: &mut Vec<Effect>) {
        let before = self.settings.clone();
        match setting {
            Setting::Mode { mode, minutes } => {
                self.window = Duration::from_secs(60 * u64::from(minutes));
                return self.turn(now, mode, out);
            }
            Setting::AutoCreate(auto_create) => self.settings.auto_create = auto_create,
            Setting::AuthCode(auth_code) => self.settings.auth_code = auth_code,
            Setting::RfpCapture(rfp_capture) => self.settings.rfp_capture = rfp_capture,
        }
        if self.settings != before {
            out.push(Effect::Save(self.settings.clone()));
        }
    }

    /// Begins a mode, or begins its time anew.
    fn turn(&mut self, now: Moment, mode: Mode, out: &mut Vec<Effect>) {
        self.timers.clear();
        match mode {
            Mode::Off => {}
            Mode::Configured => self.timers.set(Timer::Configured, now + CONFIGURED),
            Mode::Wildcard => {
                self.timers.set(Timer::Wildcard, now + self.window);
                self.timers.set(Timer::Configured, now + CONFIGURED);
            }
        }
        self.become_mode(mode, out);
    }

    fn become_mode(&mut self, mode: Mode, out: &mut Vec<Effect>) {
        if self.mode != mode {
            self.mode = mode;
            out.push(Effect::Announce(mode));
        }
    }
}

impl Machine for Office {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, now: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Login { desk, address, username, password } => {
                self.login(now, desk, &address, (&username, &password), out);
            }
            Input::Left(desk) => _ = self.inside.remove(&desk),
            Input::Set { desk, setting } => {
                self.set(now, setting, out);
                // The answer comes behind what has to be durable and before what others are told.
                let announced = out.iter().position(|effect| matches!(effect, Effect::Announce(_)));
                out.insert(announced.unwrap_or(out.len()), Effect::Done(desk));
            }
            Input::Subscribed => {
                if self.mode == Mode::Wildcard {
                    self.timers.set(Timer::Wildcard, now + self.window);
                }
            }
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.timers.next()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Wildcard => self.become_mode(Mode::Configured, out),
                Timer::Configured => {
                    self.timers.clear();
                    self.become_mode(Mode::Off, out);
                }
            }
        }
    }

    fn note_effect(effect: &Effect) -> Option<Note> {
        match effect {
            Effect::Admit { desk, account } => Some(
                Note::new("axi")
                    .text("state", "open")
                    .number("desk", *desk)
                    .text("account", &account.username),
            ),
            Effect::Deny { desk, why, .. } => {
                Some(Note::new("axi").text("state", "refused").number("desk", *desk).text("why", why))
            }
            Effect::Announce(mode) => Some(Note::new("subscription").text("mode", mode)),
            Effect::Save(_) | Effect::Done(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{OMM, implied};
    use crate::open::Permission;

    fn office() -> Office {
        let permissions = implied([Permission::AllCnfWrite]);
        let account =
            Account { id: OMM, username: "omm".into(), password: Secret::new("geheim"), permissions };
        Office::new(Accounts::of([account]), Settings::default())
    }

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1000)
    }

    fn on(office: &mut Office, seconds: u64, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        office.on(at(seconds), input, &mut out);
        out
    }

    fn wake(office: &mut Office) -> Vec<Effect> {
        let (now, _) = office.deadline().unwrap();
        let mut out = Vec::new();
        office.wake(now, &mut out);
        out
    }

    fn login(office: &mut Office, desk: DeskId, password: &str) -> Vec<Effect> {
        let (username, password) = ("omm".into(), Secret::new(password));
        on(office, 1, Input::Login { desk, address: "192.0.2.7".into(), username, password })
    }

    fn mode(mode: Mode, minutes: u32) -> Input {
        Input::Set { desk: 1, setting: Setting::Mode { mode, minutes } }
    }

    #[test]
    fn after_five_bad_logins_not_even_the_right_password_is_looked_at() {
        let mut office = office();
        for _ in 0..5 {
            let [Effect::Deny { wait: Duration::ZERO, .. }] = login(&mut office, 1, "x")[..] else {
                panic!("denied at once")
            };
        }
        let denied = login(&mut office, 1, "geheim");
        assert!(
            matches!(denied[..], [Effect::Deny { wait, .. }] if wait == Duration::from_secs(1)),
            "{denied:?}"
        );
        assert_eq!(office.inside(), 0);
    }

    #[test]
    fn a_hundred_clients_are_let_in_and_a_place_that_is_left_is_given_again() {
        let mut office = office();
        for desk in 0..CLIENTS_MAX as u64 {
            assert!(matches!(login(&mut office, desk, "geheim")[..], [Effect::Admit { .. }]), "{desk}");
        }
        let full = login(&mut office, 500, "geheim");
        assert!(
            matches!(&full[..], [Effect::Deny { why, .. }] if why.code.to_string() == "ENoMem"),
            "{full:?}"
        );
        on(&mut office, 1, Input::Left(7));
        assert!(matches!(login(&mut office, 500, "geheim")[..], [Effect::Admit { .. }]));
    }

    #[test]
    fn wildcard_lasts_its_minutes_and_each_subscription_begins_them_anew() {
        let mut office = office();
        assert_eq!(
            on(&mut office, 0, mode(Mode::Wildcard, 3)),
            [Effect::Done(1), Effect::Announce(Mode::Wildcard)]
        );
        assert_eq!(office.deadline(), Some((at(180), "wildcard")));
        on(&mut office, 100, Input::Subscribed);
        assert_eq!(office.deadline(), Some((at(280), "wildcard")));
        assert_eq!(wake(&mut office), [Effect::Announce(Mode::Configured)]);
        assert_eq!(office.deadline(), Some((at(24 * 3600), "configured")));
        assert_eq!(wake(&mut office), [Effect::Announce(Mode::Off)]);
        assert_eq!(office.deadline(), None);
    }

    #[test]
    fn configured_lasts_a_day_and_the_same_mode_again_is_not_announced() {
        let mut office = office();
        on(&mut office, 0, mode(Mode::Configured, 3));
        assert_eq!(on(&mut office, 60, mode(Mode::Configured, 3)), [Effect::Done(1)]);
        assert_eq!(office.deadline(), Some((at(60 + 24 * 3600), "configured")));
        on(&mut office, 61, Input::Subscribed);
        assert_eq!(on(&mut office, 62, mode(Mode::Off, 3)), [Effect::Done(1), Effect::Announce(Mode::Off)]);
    }

    #[test]
    fn what_is_set_is_durable_before_it_is_answered_and_the_same_again_is_not_written() {
        let mut office = office();
        let set = Input::Set { desk: 1, setting: Setting::AutoCreate(true) };
        let kept = Settings { auto_create: true, ..Settings::default() };
        assert_eq!(on(&mut office, 0, set.clone()), [Effect::Save(kept), Effect::Done(1)]);
        assert_eq!(on(&mut office, 0, set), [Effect::Done(1)]);
    }
}
