//! What the records show together: everything that needs more than one of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::book::Kind;
use super::{Directory, Shown};
use crate::directory::device::{self, Device, Subscription};
use crate::directory::edit::Changed;
use crate::directory::key::{Id, Ppn, Uid};
use crate::directory::user::{self, Bond, Relation, User};
use crate::ids::{Ipei, Number};
use crate::stamp::Stamp;

/// Users, as a kind of record.
#[derive(Clone)]
pub(super) struct Users;

/// Handsets, as a kind of record.
#[derive(Clone)]
pub(super) struct Devices;

impl Kind for Users {
    type Admin = user::Admin;
    type Second = Option<Bond>;
    type Key = Number;

    fn key(admin: &user::Admin) -> Number {
        admin.number.clone()
    }

    fn is_renumbered(admin: &user::Admin) -> bool {
        admin.renumbered
    }
}

impl Kind for Devices {
    type Admin = device::Admin;
    type Second = Arc<Subscription>;
    type Key = Ipei;

    fn key(admin: &device::Admin) -> Ipei {
        admin.ipei
    }

    fn is_renumbered(admin: &device::Admin) -> bool {
        admin.renumbered
    }
}

impl Directory {
    /// Shows what the records say now; returns what is shown differently.
    pub(super) fn settle(&mut self) -> Changed {
        self.turns += 1;
        let mut users = self.users.settle();
        let devices = self.devices.settle();
        for id in &users.clone() {
            self.follow_bond(*id, &mut users);
            self.follow_check(*id, &mut users);
        }
        // Who asks for a handset that is shown differently may get it, or lose it.
        for id in &devices {
            users.extend(self.suitors(*id));
        }
        let roots: BTreeSet<Id> = users.iter().map(|id| self.users.root(*id)).collect();
        users.extend(roots);
        self.show(&users, &devices);
        std::mem::take(&mut self.changed)
    }

    /// Keeps the index of who asks for which handset; the rivals of both sides are to be looked at again.
    fn follow_bond(&mut self, id: Id, dirty: &mut BTreeSet<Id>) {
        let whole = if self.users.is_shown(id) { self.users.whole(id) } else { None };
        let device =
            whole.and_then(|whole| whole.second).and_then(|group| group.value).map(|bond| bond.device);
        let before = self.bonded.get(&id).copied();
        for device in [before, device].into_iter().flatten() {
            dirty.extend(self.suitors(device));
        }
        if before == device {
            return;
        }
        if let Some(before) = before {
            self.bonded.remove(&id);
            if let Some(all) = self.bonds.get_mut(&before) {
                all.remove(&id);
                if all.is_empty() {
                    self.bonds.remove(&before);
                }
            }
        }
        if let Some(device) = device {
            self.bonded.insert(id, device);
            self.bonds.entry(device).or_default().insert(id);
        }
    }

    fn follow_check(&mut self, id: Id, dirty: &mut BTreeSet<Id>) {
        let wants = self.users.is_shown(id)
            && self.users.whole(id).and_then(|whole| whole.admin).is_some_and(|admin| admin.value.check_user);
        let changed = if wants { self.checks.insert(id) } else { self.checks.remove(&id) };
        if wants || changed {
            dirty.extend(&self.checks);
        }
    }

    /// All users who ask for this handset, under whatever record.
    fn suitors(&self, device: Id) -> BTreeSet<Id> {
        let parts = self.devices.parts(self.devices.root(device));
        let mut all: BTreeSet<Id> =
            parts.iter().filter_map(|part| self.bonds.get(part)).flatten().copied().collect();
        all.extend(self.bonds.get(&device).into_iter().flatten());
        all
    }

    /// Of all who ask for this handset the one who asked last (SM-7, relation conflict).
    fn holder(&self, device: Id) -> Option<Id> {
        let asked = |id: &Id| self.users.whole(*id).and_then(|whole| whole.second).map(|group| group.stamp);
        let all = self.suitors(device);
        if all.len() < 2 {
            return all.first().copied();
        }
        all.into_iter().max_by_key(|id| (asked(id), std::cmp::Reverse(*id)))
    }

    /// The one that asked last of all who want to be the check user (SM-7).
    fn check_user(&self) -> Option<Id> {
        let asked = |id: &Id| self.users.whole(*id).and_then(|whole| whole.admin).map(|group| group.stamp);
        self.checks.iter().max_by_key(|id| (asked(id), std::cmp::Reverse(**id))).copied()
    }

    /// Shows these records anew, and the handsets that the users among them leave or enter.
    fn show(&mut self, users: &BTreeSet<Id>, devices: &BTreeSet<Id>) {
        let check = self.check_user();
        let rows: Vec<User> = users.iter().filter_map(|id| self.seen_user(*id, check)).collect();
        let left = users.iter().filter_map(|id| self.shown.users.get(self.shown.uids.get(id)?)?.ppn);
        let left = left.filter_map(|ppn| self.shown.devices.get(&ppn)).map(|device| device.id);
        let entered =
            users.iter().filter_map(|id| self.bonded.get(id)).map(|device| self.devices.root(*device));
        let roots = devices.iter().map(|id| self.devices.root(*id));
        let mut all: BTreeSet<Id> = left.chain(entered).chain(roots).collect();
        all.extend(devices);
        let shells: Vec<Device> = all.iter().filter_map(|id| self.seen_device(*id)).collect();
        users.iter().for_each(|id| self.shown.hide_user(*id, &mut self.changed));
        all.iter().for_each(|id| self.shown.hide_device(*id, &mut self.changed));
        for user in rows {
            self.changed.users.entry(user.uid).or_insert(None);
            self.shown.show_user(user);
        }
        for device in shells {
            let has_key = self.devices.has_key(device.id);
            self.changed.devices.entry(device.ppn).or_insert(None);
            self.shown.show_device(device, has_key);
        }
        let (shown, changed) = (&self.shown, &mut self.changed);
        changed.users.retain(|uid, before| before.as_ref() != shown.users.get(uid));
        changed.devices.retain(|ppn, before| before.as_ref() != shown.devices.get(ppn));
    }

    /// The user as it is to be shown; `None` when it is not there, or a part of another.
    fn seen_user(&self, id: Id, check: Option<Id>) -> Option<User> {
        if !self.users.is_shown(id) {
            return None;
        }
        let whole = self.users.whole(id)?;
        let admin = whole.admin?;
        let bond = whole.second.as_ref().and_then(|group| group.value);
        let device =
            bond.map(|bond| self.devices.root(bond.device)).filter(|device| self.devices.is_shown(*device));
        let device = device.filter(|device| self.holder(*device) == Some(id));
        let ipei = device.and_then(|device| self.devices.whole(device)?.admin).map(|admin| admin.value.ipei);
        let number = if self.users.has_key(id) {
            admin.value.number.clone()
        } else {
            conflict_number(&admin.value.number, id)
        };
        Some(User {
            id,
            uid: Uid::new(self.users.row(id))?,
            number,
            relation: bond.zip(ipei).map_or(Relation::Unbound, |(bond, ipei)| bond.kind.with(ipei)),
            ppn: device.and_then(|device| Ppn::new(self.devices.row(device))),
            check_user: check == Some(id),
            status: self.users.status(id),
            edited: admin.stamp,
            related: whole.second.map(|group| group.stamp),
            admin: admin.value,
        })
    }

    /// The same for a handset.
    fn seen_device(&self, id: Id) -> Option<Device> {
        if !self.devices.is_shown(id) {
            return None;
        }
        let whole = self.devices.whole(id)?;
        let admin = whole.admin?;
        let subscribed = whole.second.as_ref().map(|group| group.stamp);
        Some(Device {
            id,
            ppn: Ppn::new(self.devices.row(id))?,
            ipei: admin.value.ipei,
            admin: admin.value,
            subscription: whole.second.map(|group| group.value).unwrap_or_default(),
            uid: self.holder(id).and_then(|user| Uid::new(self.users.row(user))),
            status: self.devices.status(id),
            edited: admin.stamp,
            subscribed,
        })
    }
}

impl Shown {
    fn hide_user(&mut self, id: Id, changed: &mut Changed) {
        let Some(uid) = self.uids.remove(&id) else { return };
        let Some(user) = self.users.remove(&uid) else { return };
        if self.numbers.get(&user.number) == Some(&uid) {
            self.numbers.remove(&user.number);
        }
        if let Some(id) = user.id_for_login()
            && let Some(all) = self.ids.get_mut(&id)
        {
            all.remove(&uid);
            if all.is_empty() {
                self.ids.remove(&id);
            }
        }
        changed.users.entry(uid).or_insert(Some(user));
    }

    fn show_user(&mut self, user: User) {
        self.uids.insert(user.id, user.uid);
        self.numbers.insert(user.number.clone(), user.uid);
        if let Some(id) = user.id_for_login() {
            self.ids.entry(id).or_default().insert(user.uid);
        }
        self.users.insert(user.uid, Arc::new(user));
    }

    fn hide_device(&mut self, id: Id, changed: &mut Changed) {
        let Some(ppn) = self.ppns.remove(&id) else { return };
        let Some(device) = self.devices.remove(&ppn) else { return };
        if self.ipeis.get(&device.ipei) == Some(&ppn) {
            self.ipeis.remove(&device.ipei);
        }
        changed.devices.entry(ppn).or_insert(Some(device));
    }

    fn show_device(&mut self, device: Device, has_key: bool) {
        self.ppns.insert(device.id, device.ppn);
        if has_key {
            self.ipeis.insert(device.ipei, device.ppn);
        }
        self.devices.insert(device.ppn, Arc::new(device));
    }
}

/// The number that a user is shown under whose own another one has: the number, and who it is. Ours.
fn conflict_number(number: &Number, id: Id) -> Number {
    const KEPT: usize = 24;
    let Stamp { ms, ctr, omm } = id.0;
    let text = format!("{:.KEPT$}~{ms:x}.{ctr}.{omm}", number.as_str());
    // Characters of a number, and 58 of them at most; were it otherwise, the user would keep its number.
    Number::new(&text).unwrap_or_else(|_| number.clone())
}
