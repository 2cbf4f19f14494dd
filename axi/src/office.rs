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

use crate::account::{Account, Accounts, Match};
use crate::error::{ErrCode, Refused};
use crate::request::accounts::AccountChange;
use crate::request::{Mode, Setting};
use crate::throttle::Throttle;

mod people;

use people::Pending;

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
    /// The password of the login whose turn it is was compared with its hash.
    Verified(bool),
    /// A session wants an account made, changed or deleted.
    Edit {
        /// Which.
        desk: DeskId,
        /// What.
        change: Box<AccountChange>,
    },
    /// The new password of an edit was hashed; `None` when that could not be done.
    Hashed {
        /// Whose.
        desk: DeskId,
        /// The hash.
        hash: Option<Secret>,
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
    /// Compare a password with a hash; answered by [`Input::Verified`], one at a time.
    Verify {
        /// What was typed.
        password: Secret,
        /// What is kept.
        hash: Secret,
    },
    /// Hash a new password; answered by [`Input::Hashed`].
    Hash {
        /// Who waits.
        desk: DeskId,
        /// What was typed.
        password: Secret,
    },
    /// Make an account durable; what follows has to wait for that.
    Keep(Box<Account>),
    /// Make its end durable; what follows has to wait for that.
    Forget(u32),
    /// An edit is done.
    Edited {
        /// Who wanted it.
        desk: DeskId,
        /// The account.
        id: u32,
    },
    /// An edit is not done.
    Refuse {
        /// Who wanted it.
        desk: DeskId,
        /// Why.
        why: Refused,
    },
    /// Tell all sessions that the account is like this now.
    AccountIs(Box<Account>),
    /// Tell all sessions that it is no more.
    AccountGone(u32),
    /// Tell all sessions the DECT authentication code.
    AuthCodeIs(Secret),
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
    pending: Pending,
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
            pending: Pending::default(),
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
        if let Some(wait) = self.throttle.turn_away(now, address) {
            out.push(Effect::Deny { desk, why: Refused::new(ErrCode::Auth), wait });
            return;
        }
        match self.accounts.login(login.0, login.1) {
            Match::Right(account) => {
                self.throttle.succeeded(address, account.id);
                self.admit(desk, account.clone(), out);
            }
            Match::Hashed(_, hash) => self.verify(desk, address, login, hash.clone(), out),
            Match::Wrong => {
                let account = self.accounts.named(login.0).map(|account| account.id);
                self.throttle.failed(now, address, account);
                out.push(denied(desk));
            }
        }
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
        if self.settings.auth_code != before.auth_code {
            out.push(Effect::AuthCodeIs(self.settings.auth_code.clone()));
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
            Input::Verified(right) => self.verified(now, right, out),
            Input::Edit { desk, change } => self.edit(desk, *change, out),
            Input::Hashed { desk, hash } => self.hashed(desk, hash, out),
            Input::Left(desk) => {
                self.inside.remove(&desk);
                self.pending.forget(desk);
            }
            Input::Set { desk, setting } => {
                self.set(now, setting, out);
                // The answer comes behind what has to be durable and before what others are told.
                let told = |effect: &Effect| matches!(effect, Effect::Announce(_) | Effect::AuthCodeIs(_));
                let announced = out.iter().position(told);
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
            Effect::AccountIs(account) => Some(
                Note::new("account")
                    .number("id", account.id)
                    .text("name", &account.username)
                    .text("state", "set"),
            ),
            Effect::AccountGone(id) => Some(Note::new("account").number("id", *id).text("state", "gone")),
            Effect::Save(_)
            | Effect::Done(_)
            | Effect::Verify { .. }
            | Effect::Hash { .. }
            | Effect::Keep(_)
            | Effect::Forget(_)
            | Effect::Edited { .. }
            | Effect::Refuse { .. }
            | Effect::AuthCodeIs(_) => None,
        }
    }
}

fn denied(desk: DeskId) -> Effect {
    Effect::Deny { desk, why: Refused::new(ErrCode::Auth), wait: Duration::ZERO }
}

#[cfg(test)]
mod tests;
