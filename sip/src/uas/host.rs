//! What the host is asked about REGISTERs: whether one may have what it wants, and whether it knows a stranger.

use std::time::Duration;

use machine::time::Moment;

use super::answer::Asker;
use super::hold::Wants;
use super::{CROWDED, Effect, Uas};
use crate::message::Message;
use crate::registrar::Registrar;
use crate::registrar::desk::Sound;
use crate::registrar::request::{Item, Registration, Wish};

impl Uas {
    /// The user part of a stranger's address of record, where the host is to be asked about strangers.
    pub(super) fn stranger(&self, now: Moment, message: &Message) -> Option<String> {
        let aor = self.desk.stranger(now, message).filter(|_| self.asks_about_strangers)?;
        Some(user_of(&aor).to_owned())
    }

    /// Has the REGISTER of a stranger wait until the host has looked for its user.
    pub(super) fn introduce(&mut self, now: Moment, asker: Asker, user: String, out: &mut Vec<Effect>) {
        match self.holds.put(now, asker, Wants::Acquaintance) {
            Ok(ask) => out.push(Effect::Stranger { ask, user }),
            Err(asker) => self.reply(now, &asker, CROWDED.reply(), out),
        }
    }
}

fn user_of(aor: &str) -> &str {
    aor.strip_prefix("sip:").and_then(|rest| rest.rsplit_once('@')).map_or("", |(user, _)| user)
}

/// What the host is asked about a REGISTER: the contact that it binds or, when it binds none, the one that it removes.
pub(super) fn asked(ask: u64, sound: &Sound, registrar: &Registrar) -> Effect {
    let Registration { aor, wish, .. } = &sound.registration;
    let items = match wish {
        Wish::Change(items) => items.as_slice(),
        Wish::Query | Wish::RemoveAll => &[],
    };
    let is_live = |item: &&Item| !registrar.granted(item).is_zero();
    let item = items.iter().find(is_live).or(items.first());
    Effect::Asked {
        ask,
        user: user_of(aor).to_owned(),
        contact: item.map_or_else(|| "*".into(), |item| item.uri.clone()),
        instance: item.and_then(|item| item.instance.as_deref()).map(str::to_owned),
        expires: item.map_or(Duration::ZERO, |item| registrar.granted(item)),
    }
}
