//! Accounts that are made, changed and deleted over AXI, and logins against the hashes of their passwords.
//!
//! ```text
//! login -- name fits a hash --> [queue] --> Verify --> Verified --> in, or denied
//! edit  -- has a password  ---------------> Hash   --> Hashed   --> saved --> answered, told
//! ```
//!
//! A hash takes long on purpose. It is computed elsewhere, one login at a time: whoever guesses takes one processor, and
//! is throttled by its address before the next guess is looked at.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use machine::secret::Secret;
use machine::time::Moment;

use super::{CLIENTS_MAX, DeskId, Effect, Office, denied};
use crate::account::{self, Account, Proof, implied};
use crate::error::{ErrCode, Refused};
use crate::request::accounts::{AccountChange, Deed};

/// A login that waits for its hash. There are no more than sessions without a login.
#[derive(Debug)]
pub(super) struct Login {
    /// `None` when it hung up meanwhile.
    desk: Option<DeskId>,
    address: Arc<str>,
    username: String,
    password: Secret,
    /// With which its password is compared.
    hash: Secret,
}

/// What is being computed elsewhere.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Those who wait; the first one's hash is being compared.
    logins: VecDeque<Login>,
    /// Edits whose new password is being hashed, by session: a session asks one thing at a time.
    edits: BTreeMap<DeskId, AccountChange>,
}

impl Pending {
    pub(super) fn forget(&mut self, desk: DeskId) {
        self.edits.remove(&desk);
        // The first one's answer is still to come.
        if let Some(first) = self.logins.front_mut().filter(|first| first.desk == Some(desk)) {
            first.desk = None;
        }
        self.logins.retain(|login| login.desk != Some(desk));
    }
}

impl Office {
    /// A login whose password has to be compared with a hash.
    pub(super) fn verify(
        &mut self,
        desk: DeskId,
        address: &Arc<str>,
        login: (&str, &Secret),
        hash: Secret,
        out: &mut Vec<Effect>,
    ) {
        let (username, password) = (login.0.to_owned(), login.1.clone());
        if self.pending.logins.is_empty() {
            out.push(Effect::Verify { password: password.clone(), hash: hash.clone() });
        }
        let desk = Some(desk);
        self.pending.logins.push_back(Login { desk, address: address.clone(), username, password, hash });
    }

    /// The first one's hash is compared; the next one is looked at anew, because much may have happened since it came. So is
    /// the first one, when its account has another password by now than the one that was compared.
    pub(super) fn verified(&mut self, now: Moment, right: bool, out: &mut Vec<Effect>) {
        let mut waiting = std::mem::take(&mut self.pending.logins);
        let Some(first) = waiting.pop_front() else { return };
        match self.accounts.named(&first.username).filter(|account| account.active).cloned() {
            Some(account) if account.password != Proof::Hashed(first.hash.clone()) => {
                waiting.push_front(first)
            }
            Some(account) if right => {
                self.throttle.succeeded(&first.address, account.id);
                if let Some(desk) = first.desk {
                    self.admit(desk, account, out);
                }
            }
            account => {
                self.throttle.failed(now, &first.address, account.map(|account| account.id));
                out.extend(first.desk.map(denied));
            }
        }
        for Login { desk, address, username, password, .. } in waiting {
            if let Some(desk) = desk {
                self.login(now, desk, &address, (&username, &password), out);
            }
        }
    }

    pub(super) fn admit(&mut self, desk: DeskId, account: Account, out: &mut Vec<Effect>) {
        if self.inside.len() < CLIENTS_MAX || self.inside.contains(&desk) {
            self.inside.insert(desk);
            out.push(Effect::Admit { desk, account: Box::new(account) });
        } else {
            let info = Some(format!("there are {CLIENTS_MAX} clients already"));
            let why = Refused { info, ..Refused::new(ErrCode::NoMem) };
            out.push(Effect::Deny { desk, why, wait: std::time::Duration::ZERO });
        }
    }

    /// Somebody wants an account made, changed or deleted.
    pub(super) fn edit(&mut self, desk: DeskId, change: AccountChange, out: &mut Vec<Effect>) {
        match self.checked(&change) {
            Err(why) => out.push(Effect::Refuse { desk, why }),
            Ok(()) => match &change.password {
                Some(password) => {
                    let password = Secret::new(password.clone());
                    self.pending.edits.insert(desk, change);
                    out.push(Effect::Hash { desk, password });
                }
                None => self.apply(desk, change, None, out),
            },
        }
    }

    /// The new password of an edit is hashed; `None` when that could not be done.
    pub(super) fn hashed(&mut self, desk: DeskId, hash: Option<Secret>, out: &mut Vec<Effect>) {
        let Some(change) = self.pending.edits.remove(&desk) else { return };
        match (hash, self.checked(&change)) {
            (Some(hash), Ok(())) => self.apply(desk, change, Some(hash), out),
            (None, _) => out.push(Effect::Refuse { desk, why: Refused::new(ErrCode::Failed) }),
            (Some(_), Err(why)) => out.push(Effect::Refuse { desk, why }),
        }
    }

    /// Whether it can be done.
    fn checked(&self, change: &AccountChange) -> Result<(), Refused> {
        let bad = |code, name: &str| Refused { bad: Some(name.to_owned()), ..Refused::new(code) };
        if let Some(id) = change.deed.id() {
            if self.accounts.get(id).is_none() {
                return Err(bad(ErrCode::NoEnt, "id"));
            }
            if id < account::KEPT {
                let info =
                    Some("this account stands in the configuration of the site; change it there".to_owned());
                return Err(Refused { info, ..bad(ErrCode::Forbidden, "id") });
            }
        }
        if change.deed == Deed::Create {
            if self.accounts.free().is_none() {
                return Err(Refused::new(ErrCode::NoMem));
            }
            if change.username.is_none() {
                return Err(bad(ErrCode::Missing, "username"));
            }
            if change.password.is_none() {
                return Err(bad(ErrCode::PwEmpty, "password"));
            }
        }
        if let Some(name) = &change.username {
            match name.chars().count() {
                1..=account::NAME_MAX => {}
                _ => return Err(bad(ErrCode::Inval, "username")),
            }
            if self.accounts.named(name).is_some_and(|other| Some(other.id) != change.deed.id()) {
                return Err(bad(ErrCode::Exist, "username"));
            }
        }
        match change.password.as_ref().map(|password| password.chars().count()) {
            None => Ok(()),
            Some(0) => Err(bad(ErrCode::PwEmpty, "password")),
            Some(length) if length < account::PASSWORDS.0 => Err(bad(ErrCode::PwTooShort, "password")),
            Some(length) if length > account::PASSWORDS.1 => {
                let max_len = u32::try_from(account::PASSWORDS.1).ok();
                Err(Refused { max_len, ..bad(ErrCode::TooLong, "password") })
            }
            Some(_) if change.password == change.username => Err(bad(ErrCode::PwSimilarToName, "password")),
            Some(_) => Ok(()),
        }
    }

    fn apply(&mut self, desk: DeskId, change: AccountChange, hash: Option<Secret>, out: &mut Vec<Effect>) {
        if let Deed::Delete(id) = change.deed {
            self.accounts.remove(id);
            out.extend([Effect::Forget(id), Effect::Edited { desk, id }, Effect::AccountGone(id)]);
            return;
        }
        let known = change.deed.id().and_then(|id| self.accounts.get(id)).cloned();
        let Some(id) = known.as_ref().map(|known| known.id).or_else(|| self.accounts.free()) else { return };
        let old = known.unwrap_or(Account {
            id,
            username: String::new(),
            password: Proof::Clear(Secret::default()),
            permissions: implied([]),
            active: true,
        });
        let account = Account {
            id,
            username: change.username.unwrap_or(old.username.clone()),
            password: hash.map_or(old.password.clone(), Proof::Hashed),
            permissions: change.permissions.map_or(old.permissions.clone(), implied),
            active: change.active.unwrap_or(old.active),
        };
        if account == old {
            return out.push(Effect::Edited { desk, id });
        }
        self.accounts.put(account.clone());
        let account = Box::new(account);
        out.extend([Effect::Keep(account.clone()), Effect::Edited { desk, id }, Effect::AccountIs(account)]);
    }
}
