//! What edits do: checked against what is shown, written as records.
//!
//! An edit builds on what its author saw. So it writes down what was only computed until then: the number and the row
//! that a user is shown under, and which other records are a part of it. Later merges cannot take that back.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::secret::Secret;
use machine::time::Wall;

use super::{Directory, carried};
use crate::directory::content::Content;
use crate::directory::device::{self, Subscription};
use crate::directory::edit::{DeviceChange, Done, Edit, NewDevice, NewUser, SubscriptionChange, UserChange};
use crate::directory::key::{Id, Ppn, Row, Uid};
use crate::directory::record::{DeviceRecord, Group, Record, UserRecord};
use crate::directory::refusal::Refusal;
use crate::directory::user::{self, Bond, Kind, Relation, User};
use crate::ids::{Ipei, Number};
use crate::stamp::Stamp;

/// What an edit is about.
#[derive(Default)]
pub(super) struct Subject {
    pub(super) uid: Option<Uid>,
    pub(super) ppn: Option<Ppn>,
}

impl Directory {
    /// Does what the edit says, at `stamp`: one that the OMM's clock has minted for it. All or nothing.
    ///
    /// # Errors
    /// What cannot be is refused, and nothing is changed.
    pub fn edit(&mut self, stamp: Stamp, edit: Edit) -> Result<Done, Refusal> {
        let subject = match edit {
            Edit::CreateUser(new) => self.create_user(Id(stamp), stamp, *new)?,
            Edit::SetUser { uid, change } => self.set_user(stamp, uid, *change)?,
            Edit::DeleteUser(uid) => self.delete_user(stamp, uid)?,
            Edit::CreateDevice(new) => self.create_device(Id(stamp), stamp, *new)?,
            Edit::SetDevice { ppn, change } => self.set_device(stamp, ppn, *change)?,
            Edit::DeleteDevice(ppn) => self.delete_device(stamp, ppn)?,
            Edit::CreateFixed { user, device } => self.create_fixed(stamp, *user, *device)?,
            Edit::Attach { uid, ppn, kind } => self.attach(stamp, uid, ppn, kind)?,
            Edit::Detach { uid } => self.detach(stamp, uid)?,
            Edit::SetKind { uid, kind } => self.set_kind(stamp, uid, kind)?,
            Edit::Login { user, device } => self.login(stamp, &user, device)?,
            Edit::Logout { user } => self.logout(stamp, &user)?,
            Edit::SetProfile { id, name, data } => self.set_profile(stamp, id, name, data)?,
            Edit::DeleteProfile(id) => self.delete_profile(stamp, id)?,
            Edit::SetSari(sari) => self.set_sari(stamp, sari)?,
            Edit::Restore(restore) => self.restore(stamp, *restore)?,
        };
        Ok(Done { uid: subject.uid, ppn: subject.ppn, changed: self.settle() })
    }

    pub(super) fn create_user(&mut self, id: Id, stamp: Stamp, new: NewUser) -> Result<Subject, Refusal> {
        let (record, uid) = self.new_user(id, stamp, new)?;
        self.put_user(record);
        Ok(Subject { uid: Some(uid), ppn: None })
    }

    fn new_user(&mut self, id: Id, stamp: Stamp, new: NewUser) -> Result<(UserRecord, Uid), Refusal> {
        if self.users.living() >= self.users.limit() {
            return Err(Refusal::UsersFull(self.users.limit()));
        }
        let uid = match new.uid {
            Some(uid) if self.user_at(uid).is_some() => return Err(Refusal::UidExists(uid)),
            Some(uid) => uid,
            None => row(self.users.free_row())?,
        };
        let number = match &new.fields.number {
            Some(number) => number.clone(),
            None => Number::new(&format!("uid{uid}"))
                .map_err(|_| Refusal::Invalid { field: "num", expected: NEEDED })?,
        };
        if self.user(&number).is_some() {
            return Err(Refusal::NumberExists(number));
        }
        let bond = match new.relation {
            None => None,
            Some((kind, ppn)) => Some(self.bond(None, ppn, kind)?),
        };
        let mut admin = user::Admin::new(number, Secret::default());
        change_user(&mut admin, new.fields);
        carried::user(&admin)?;
        let mut record = UserRecord::new(id);
        record.row = Some(Group { stamp: id.0, value: uid.get() });
        record.admin = Some(Group { stamp, value: Arc::new(admin) });
        record.second = bond.map(|bond| Group { stamp, value: Some(bond) });
        Ok((record, uid))
    }

    pub(super) fn create_device(&mut self, id: Id, stamp: Stamp, new: NewDevice) -> Result<Subject, Refusal> {
        let (record, ppn) = self.new_device(id, stamp, new)?;
        self.put_device(record);
        Ok(Subject { uid: None, ppn: Some(ppn) })
    }

    fn new_device(&mut self, id: Id, stamp: Stamp, new: NewDevice) -> Result<(DeviceRecord, Ppn), Refusal> {
        let ipei = new.fields.ipei.ok_or(Refusal::Invalid { field: "ipei", expected: NEEDED })?;
        if self.device(ipei).is_some() {
            return Err(Refusal::DeviceExists(ipei));
        }
        if self.devices.living() >= self.devices.limit() {
            return Err(Refusal::DevicesFull(self.devices.limit()));
        }
        let ppn = match new.ppn {
            Some(ppn) if self.device_at(ppn).is_some() => return Err(Refusal::PpnExists(ppn)),
            Some(ppn) => ppn,
            None => row(self.devices.free_row())?,
        };
        let (mut admin, mut subscription) = (device::Admin::new(ipei), Subscription::default());
        change_subscription(&mut subscription, &new.fields.subscription);
        change_device(&mut admin, new.fields);
        confined(&admin, None)?;
        carried::device(&admin, &subscription)?;
        let mut record = DeviceRecord::new(id);
        record.row = Some(Group { stamp: id.0, value: ppn.get() });
        record.admin = Some(Group { stamp, value: Arc::new(admin) });
        if subscription != Subscription::default() {
            record.second = Some(Group { stamp, value: Arc::new(subscription) });
        }
        Ok((record, ppn))
    }

    fn create_fixed(&mut self, stamp: Stamp, user: NewUser, device: NewDevice) -> Result<Subject, Refusal> {
        let id = Id(stamp);
        let (mut user, uid) = self.new_user(id, stamp, NewUser { relation: None, ..user })?;
        let (device, ppn) = self.new_device(id, stamp, device)?;
        user.second = Some(Group { stamp, value: Some(Bond { kind: Kind::Fixed, device: id }) });
        self.put_device(device);
        self.put_user(user);
        Ok(Subject { uid: Some(uid), ppn: Some(ppn) })
    }

    fn set_user(&mut self, stamp: Stamp, uid: Uid, change: UserChange) -> Result<Subject, Refusal> {
        let user = self.user_at(uid).cloned().ok_or(Refusal::NoUid(uid))?;
        let (shown, stale) = (user.shown(), is_stale(change.written, Some(user.edited)));
        let mut admin = shown.clone();
        change_user(&mut admin, change);
        carried::user(&admin)?;
        if admin.number != user.number {
            if self.user(&admin.number).is_some() {
                return Err(Refusal::NumberExists(admin.number));
            }
            admin.renumbered = true;
        }
        let subject = Subject { uid: Some(uid), ppn: None };
        if admin != shown && !stale {
            let stamp = stamp.above(user.edited);
            self.write_user(user.id, stamp, |record| {
                record.admin = Some(Group { stamp, value: Arc::new(admin) });
            });
        }
        Ok(subject)
    }

    fn set_device(&mut self, stamp: Stamp, ppn: Ppn, change: DeviceChange) -> Result<Subject, Refusal> {
        let device = self.device_at(ppn).cloned().ok_or(Refusal::NoPpn(ppn))?;
        let written = change.written;
        let (mut admin, mut subscription) = ((*device.admin).clone(), (*device.subscription).clone());
        change_subscription(&mut subscription, &change.subscription);
        change_device(&mut admin, change);
        let was = &device.admin;
        if (admin.pari_only, admin.auto_create) != (was.pari_only, was.auto_create) {
            confined(&admin, device.uid.and_then(|uid| self.user_at(uid)))?;
        }
        carried::device(&admin, &subscription)?;
        if admin.ipei != device.ipei {
            if self.device(admin.ipei).is_some() {
                return Err(Refusal::DeviceExists(admin.ipei));
            }
            admin.renumbered = true;
        }
        let admin =
            Some(admin).filter(|new| *new != *device.admin && !is_stale(written, Some(device.edited)));
        let subscription = Some(subscription)
            .filter(|new| *new != *device.subscription && !is_stale(written, device.subscribed));
        if admin.is_some() || subscription.is_some() {
            self.write_device(device.id, stamp, |record| {
                record.admin =
                    admin.map(|admin| Group { stamp: stamp.above(device.edited), value: Arc::new(admin) });
                record.second = subscription.map(|value| Group {
                    stamp: device.subscribed.map_or(stamp, |seen| stamp.above(seen)),
                    value: Arc::new(value),
                });
            });
        }
        Ok(Subject { uid: None, ppn: Some(ppn) })
    }

    fn delete_user(&mut self, stamp: Stamp, uid: Uid) -> Result<Subject, Refusal> {
        let user = self.user_at(uid).cloned().ok_or(Refusal::NoUid(uid))?;
        let stamp = stamp.above(user.edited);
        // Its parts too: elsewhere they may have become parts of another one.
        let parts = self.users.parts(user.id);
        self.write_user(user.id, stamp, |record| record.deleted = Some(stamp));
        for part in parts.into_iter().skip(1) {
            self.put_user(UserRecord { deleted: Some(stamp), ..UserRecord::new(part) });
        }
        Ok(Subject { uid: Some(uid), ppn: None })
    }

    fn delete_device(&mut self, stamp: Stamp, ppn: Ppn) -> Result<Subject, Refusal> {
        let device = self.device_at(ppn).cloned().ok_or(Refusal::NoPpn(ppn))?;
        let stamp = stamp.above(device.changed());
        let parts = self.devices.parts(device.id);
        self.write_device(device.id, stamp, |record| record.deleted = Some(stamp));
        for part in parts.into_iter().skip(1) {
            self.put_device(DeviceRecord { deleted: Some(stamp), ..DeviceRecord::new(part) });
        }
        Ok(Subject { uid: device.uid, ppn: Some(ppn) })
    }

    fn attach(&mut self, stamp: Stamp, uid: Uid, ppn: Ppn, kind: Kind) -> Result<Subject, Refusal> {
        let user = self.user_at(uid).cloned().ok_or(Refusal::NoUid(uid))?;
        let bond = self.bond(Some(uid), ppn, kind)?;
        if user.ppn != Some(ppn) || user.relation.kind() != Some(kind) {
            self.relate(stamp, &user, Some(bond));
        }
        Ok(Subject { uid: Some(uid), ppn: Some(ppn) })
    }

    fn detach(&mut self, stamp: Stamp, uid: Uid) -> Result<Subject, Refusal> {
        let user = self.user_at(uid).cloned().ok_or(Refusal::NoUid(uid))?;
        if user.relation != Relation::Unbound {
            self.relate(stamp, &user, None);
        }
        Ok(Subject { uid: Some(uid), ppn: user.ppn })
    }

    fn set_kind(&mut self, stamp: Stamp, uid: Uid, kind: Kind) -> Result<Subject, Refusal> {
        let user = self.user_at(uid).cloned().ok_or(Refusal::NoUid(uid))?;
        let ppn = user.ppn.ok_or(Refusal::Unbound(uid))?;
        self.attach(stamp, uid, ppn, kind)
    }

    fn login(&mut self, stamp: Stamp, number: &Number, ipei: Ipei) -> Result<Subject, Refusal> {
        let user = self.user(number).cloned().ok_or_else(|| Refusal::NoUser(number.clone()))?;
        let device = self.device(ipei).cloned().ok_or(Refusal::NoDevice(ipei))?;
        let subject = Subject { uid: Some(user.uid), ppn: Some(device.ppn) };
        if user.ppn == Some(device.ppn) {
            return Ok(subject);
        }
        if let Relation::Fixed(own) = user.relation {
            return Err(Refusal::Fixed(own));
        }
        if device.admin.pari_only.is_some() {
            return Err(Refusal::PariOnly(ipei));
        }
        if let Some(other) = device.uid.and_then(|uid| self.user_at(uid).cloned()) {
            if let Relation::Fixed(_) = other.relation {
                return Err(Refusal::Occupied { device: ipei, by: other.number.clone() });
            }
            self.relate(stamp, &other, None);
        }
        self.relate(stamp, &user, Some(Bond { kind: Kind::Dynamic, device: device.id }));
        Ok(subject)
    }

    fn logout(&mut self, stamp: Stamp, number: &Number) -> Result<Subject, Refusal> {
        let user = self.user(number).cloned().ok_or_else(|| Refusal::NoUser(number.clone()))?;
        match user.relation {
            Relation::Fixed(device) => return Err(Refusal::Fixed(device)),
            Relation::Dynamic(_) => self.relate(stamp, &user, None),
            Relation::Unbound => {}
        }
        Ok(Subject { uid: Some(user.uid), ppn: user.ppn })
    }

    /// The bond with a handset that exists, is free for this user, and allows it.
    fn bond(&self, uid: Option<Uid>, ppn: Ppn, kind: Kind) -> Result<Bond, Refusal> {
        let device = self.device_at(ppn).ok_or(Refusal::NoPpn(ppn))?;
        if let Some(by) = device.uid.filter(|by| Some(*by) != uid).and_then(|by| self.user_at(by)) {
            return Err(Refusal::Occupied { device: device.ipei, by: by.number.clone() });
        }
        if kind == Kind::Dynamic && device.admin.pari_only.is_some() {
            return Err(Refusal::PariOnly(device.ipei));
        }
        Ok(Bond { kind, device: device.id })
    }

    pub(super) fn relate(&mut self, stamp: Stamp, user: &User, bond: Option<Bond>) {
        let stamp = user.related.map_or(stamp, |seen| stamp.above(seen));
        self.write_user(user.id, stamp, |record| record.second = Some(Group { stamp, value: bond }));
    }

    fn write_user(&mut self, id: Id, stamp: Stamp, fill: impl FnOnce(&mut UserRecord)) {
        for part in self.users.parts(id).into_iter().skip(1) {
            let Some(held) = self.users.records().get(&part) else { continue };
            let joined = joined(held, id, stamp);
            self.put_user(joined);
        }
        let mut record = UserRecord::new(id);
        record.row = self.users.settled_row(id, stamp);
        fill(&mut record);
        self.put_user(record);
    }

    fn write_device(&mut self, id: Id, stamp: Stamp, fill: impl FnOnce(&mut DeviceRecord)) {
        for part in self.devices.parts(id).into_iter().skip(1) {
            let Some(held) = self.devices.records().get(&part) else { continue };
            let joined = joined(held, id, stamp);
            self.put_device(joined);
        }
        let mut record = DeviceRecord::new(id);
        record.row = self.devices.settled_row(id, stamp);
        fill(&mut record);
        self.put_device(record);
    }
}

/// Whether a handset may be as it says about roaming: a PARI-only one has a fixed user, and was not made by the OMM for
/// whoever happened to subscribe (M-2.3.4.1-b).
fn confined(admin: &device::Admin, holder: Option<&Arc<User>>) -> Result<(), Refusal> {
    if admin.pari_only.is_none() {
        return Ok(());
    }
    if admin.auto_create {
        let expected = "0 for a device that was created automatically (M-2.3.4.1-b)";
        return Err(Refusal::Invalid { field: "subscribeToPARIOnly", expected });
    }
    match holder.and_then(|holder| holder.relation.kind()) {
        Some(Kind::Dynamic) => Err(Refusal::PariOnly(admin.ipei)),
        Some(Kind::Fixed) | None => Ok(()),
    }
}

pub(super) const NEEDED: &str = "a value";

/// Whether what is here was written in a later second than what somebody else wrote. In the same second he counts: he may
/// have been told the record just so, and has changed it. Whatever counts is written anew, now, because what carried a stamp
/// of the past would pass by those who know of later ones (B-5). Ours.
fn is_stale(written: Option<Wall>, here: Option<Stamp>) -> bool {
    written.zip(here).is_some_and(|(written, here)| written.as_millis() / 1000 < here.ms / 1000)
}

fn row<R: Row>(number: u32) -> Result<R, Refusal> {
    R::of(number).ok_or(Refusal::Invalid { field: "uid", expected: "at least 1" })
}

/// The word that a record is a part of another one.
fn joined<A: Content, S: Content>(part: &Record<A, S>, into: Id, stamp: Stamp) -> Record<A, S> {
    let stamp = part.merged.as_ref().map_or(stamp, |merged| stamp.above(merged.stamp));
    Record { merged: Some(Group { stamp, value: into }), ..Record::new(part.id) }
}

fn change_user(admin: &mut user::Admin, change: UserChange) {
    set(&mut admin.number, change.number);
    set(&mut admin.name, change.name);
    set_text(&mut admin.sip_auth_id, change.sip_auth_id);
    set(&mut admin.password, change.password);
    set_secret(&mut admin.pin, change.pin);
    set_text(&mut admin.add_id, change.add_id);
    set(&mut admin.vip, change.vip);
    set(&mut admin.external, change.external);
    set(&mut admin.check_user, change.check_user);
    set(&mut admin.locatable, change.locatable);
    set(&mut admin.monitoring, change.monitoring);
    set(&mut admin.expires, change.expires);
    set_extras(&mut admin.extras, &change.extras);
    set_secrets(&mut admin.secrets, change.secrets);
}

fn change_device(admin: &mut device::Admin, change: DeviceChange) {
    set(&mut admin.ipei, change.ipei);
    set_secret(&mut admin.ac, change.ac);
    set(&mut admin.encrypt, change.encrypt);
    if let Some(hw_type) = change.hw_type {
        admin.hw_type = Some(hw_type).filter(|text| !text.is_empty());
    }
    set(&mut admin.class, change.class);
    set(&mut admin.pari_only, change.pari_only);
    set(&mut admin.auto_create, change.auto_create);
    set_extras(&mut admin.extras, &change.extras);
    set_secrets(&mut admin.secrets, change.secrets);
}

fn change_subscription(subscription: &mut Subscription, change: &SubscriptionChange) {
    set(&mut subscription.state, change.state);
    set_secret(&mut subscription.uak, change.uak.clone());
    if let Some(identity) = &change.identity {
        subscription.identity = Some(identity.clone()).filter(|text| !text.is_empty());
    }
    set_extras(&mut subscription.extras, &change.extras);
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

fn set_text(slot: &mut Option<String>, value: Option<String>) {
    if let Some(value) = value {
        *slot = Some(value).filter(|text| !text.is_empty());
    }
}

fn set_secret(slot: &mut Option<Secret>, value: Option<Secret>) {
    if let Some(value) = value {
        *slot = Some(value).filter(|secret| !secret.reveal().is_empty());
    }
}

fn set_extras(slot: &mut BTreeMap<Arc<str>, Arc<str>>, values: &BTreeMap<Arc<str>, Arc<str>>) {
    for (name, value) in values {
        if value.is_empty() {
            slot.remove(name);
        } else {
            slot.insert(name.clone(), value.clone());
        }
    }
}

fn set_secrets(slot: &mut BTreeMap<Arc<str>, Secret>, values: BTreeMap<Arc<str>, Secret>) {
    for (name, value) in values {
        if value.reveal().is_empty() {
            slot.remove(&name);
        } else {
            slot.insert(name, value);
        }
    }
}
