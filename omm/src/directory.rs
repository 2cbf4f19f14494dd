//! Users, handsets and who is with which: plain data with checks (spec 6.2, 6.4, I1, I2).
//!
//! ```text
//!            login(handset)                     fix(handset)
//! Unbound ------------------> Dynamic(handset) -------------> Fixed(handset)
//!    ^   <------------------     |  ^ login elsewhere moves     |  login/logout refused
//!    |        logout             +--+                           |
//!    +----------------------------------------------------------+ release (administrator)
//! ```
//!
//! The relation is kept once, at the user; which user is with a handset is looked up in an index that follows it.
//! Every operation either does all it says or refuses and changes nothing. What a roam event is (spec 6.4: every
//! change of [`serve`]) is for the caller to see: the operations return who else was moved.

use std::collections::BTreeMap;
use std::fmt;

use crate::claim::{Claim, Phase};
use crate::directory::device::Device;
use crate::directory::user::{Relation, User};
use crate::ids::{Ipei, Number};
use crate::platform::Platform;
use crate::stamp::OmmId;

pub mod device;
pub mod user;

/// All users and handsets that one OMM knows.
#[derive(Clone, Debug)]
pub struct Directory {
    platform: Platform,
    users: BTreeMap<Number, User>,
    devices: BTreeMap<Ipei, Device>,
    /// Who is with a handset: the inverse of the users' relations.
    holders: BTreeMap<Ipei, Number>,
}

/// Why an operation changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another living user has this number (I1).
    NumberExists(Number),
    /// Another living handset has this IPEI (I1).
    DeviceExists(Ipei),
    /// No user has this number.
    NoUser(Number),
    /// No handset has this IPEI.
    NoDevice(Ipei),
    /// The platform holds no more users (M-2.2.1); so many are the limit.
    UsersFull(usize),
    /// The platform holds no more handsets (M-2.2.1); so many are the limit.
    DevicesFull(usize),
    /// Another user is with this handset (I2).
    Occupied {
        /// The handset.
        device: Ipei,
        /// Who is with it.
        by: Number,
    },
    /// The administrator bound the user to this handset.
    Fixed(Ipei),
    /// The handset is PARI-only and such a handset has a fixed user (M-2.3.4.1-b).
    PariOnly(Ipei),
}

/// Who else was moved by a login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// The handset that the user was with before, when it was another one.
    pub left: Option<Ipei>,
    /// The user that was with the handset before and is logged out now.
    pub displaced: Option<Number>,
}

impl Directory {
    /// An empty directory with the limits of this platform.
    pub fn new(platform: Platform) -> Directory {
        Directory { platform, users: BTreeMap::new(), devices: BTreeMap::new(), holders: BTreeMap::new() }
    }

    /// The user with this number.
    pub fn user(&self, number: &Number) -> Option<&User> {
        self.users.get(number)
    }

    /// The handset with this IPEI.
    pub fn device(&self, ipei: Ipei) -> Option<&Device> {
        self.devices.get(&ipei)
    }

    /// The user that is with this handset.
    pub fn user_of(&self, ipei: Ipei) -> Option<&User> {
        self.users.get(self.holders.get(&ipei)?)
    }

    /// The handset that this user is with.
    pub fn device_of(&self, number: &Number) -> Option<&Device> {
        self.devices.get(&self.users.get(number)?.device()?)
    }

    /// All users, by number.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &User> {
        self.users.values()
    }

    /// All handsets, by IPEI.
    pub fn devices(&self) -> impl ExactSizeIterator<Item = &Device> {
        self.devices.values()
    }

    /// Creates a user. Its handset, if it names one, must exist and be free.
    pub fn add_user(&mut self, user: User) -> Result<(), Refusal> {
        if self.users.contains_key(&user.number) {
            return Err(Refusal::NumberExists(user.number));
        }
        // "Phones" are handsets; a bound on users of the same size is ours, so that neither table is unbounded.
        if self.users.len() >= self.platform.phones_max() {
            return Err(Refusal::UsersFull(self.platform.phones_max()));
        }
        self.check_relation(&user.number, user.relation)?;
        if let Some(device) = user.device() {
            self.holders.insert(device, user.number.clone());
        }
        self.users.insert(user.number.clone(), user);
        Ok(())
    }

    /// Creates a handset.
    pub fn add_device(&mut self, device: Device) -> Result<(), Refusal> {
        if self.devices.contains_key(&device.ipei) {
            return Err(Refusal::DeviceExists(device.ipei));
        }
        if self.devices.len() >= self.platform.phones_max() {
            return Err(Refusal::DevicesFull(self.platform.phones_max()));
        }
        self.devices.insert(device.ipei, device);
        Ok(())
    }

    /// Deletes a user; its handset is free then.
    pub fn remove_user(&mut self, number: &Number) -> Result<User, Refusal> {
        let user = self.users.remove(number).ok_or_else(|| Refusal::NoUser(number.clone()))?;
        if let Some(device) = user.device() {
            self.holders.remove(&device);
        }
        Ok(user)
    }

    /// Deletes a handset; whoever was with it is logged out and returned.
    pub fn remove_device(&mut self, ipei: Ipei) -> Result<(Device, Option<Number>), Refusal> {
        let device = self.devices.remove(&ipei).ok_or(Refusal::NoDevice(ipei))?;
        let holder = self.holders.remove(&ipei);
        if let Some(user) = holder.as_ref().and_then(|number| self.users.get_mut(number)) {
            user.relation = Relation::Unbound;
        }
        Ok((device, holder))
    }

    /// Changes what the administrator may change of a user: name, authentication, password, VIP. Not the number and
    /// not the relation, which have verbs of their own.
    pub fn edit_user(&mut self, number: &Number, edit: impl FnOnce(&mut User)) -> Result<(), Refusal> {
        let user = self.users.get_mut(number).ok_or_else(|| Refusal::NoUser(number.clone()))?;
        let relation = user.relation;
        edit(user);
        (user.number, user.relation) = (number.clone(), relation);
        Ok(())
    }

    /// The user logs in on a handset. It leaves the handset it was with, and a user that was logged in there is
    /// logged out. A fixed relation on either side refuses.
    pub fn login(&mut self, number: &Number, ipei: Ipei) -> Result<Moved, Refusal> {
        let user = self.users.get(number).ok_or_else(|| Refusal::NoUser(number.clone()))?;
        let device = self.devices.get(&ipei).ok_or(Refusal::NoDevice(ipei))?;
        if user.device() == Some(ipei) {
            return Ok(Moved::default());
        }
        if let Relation::Fixed(own) = user.relation {
            return Err(Refusal::Fixed(own));
        }
        if device.pari_only.is_some() {
            return Err(Refusal::PariOnly(ipei));
        }
        let displaced = match self.user_of(ipei) {
            Some(User { relation: Relation::Fixed(_), number: by, .. }) => {
                return Err(Refusal::Occupied { device: ipei, by: by.clone() });
            }
            other => other.map(|user| user.number.clone()),
        };
        if let Some(other) = &displaced {
            self.bind(other, Relation::Unbound);
        }
        let left = self.bind(number, Relation::Dynamic(ipei));
        Ok(Moved { left, displaced })
    }

    /// Which handset a phone is to this directory that proves to be the user's and shows this IPEI: the one that a
    /// [`Directory::login`] on it leads to. A fixed user has only one; a handset that nobody knows or that may not be
    /// logged in on counts as the one that the user is with.
    pub fn handset(&self, number: &Number, shown: Option<Ipei>) -> Option<Ipei> {
        let user = self.users.get(number)?;
        match user.relation {
            Relation::Fixed(own) => Some(own),
            Relation::Unbound | Relation::Dynamic(_) => shown
                .filter(|ipei| self.devices.get(ipei).is_some_and(|device| device.pari_only.is_none()))
                .or(user.device()),
        }
    }

    /// The user logs out; returns the handset it was with. A fixed user cannot.
    pub fn logout(&mut self, number: &Number) -> Result<Option<Ipei>, Refusal> {
        match self.users.get(number).ok_or_else(|| Refusal::NoUser(number.clone()))?.relation {
            Relation::Fixed(device) => Err(Refusal::Fixed(device)),
            Relation::Unbound | Relation::Dynamic(_) => Ok(self.bind(number, Relation::Unbound)),
        }
    }

    /// The administrator binds the user to a free handset for good; returns the handset it was with.
    pub fn fix(&mut self, number: &Number, ipei: Ipei) -> Result<Option<Ipei>, Refusal> {
        if !self.users.contains_key(number) {
            return Err(Refusal::NoUser(number.clone()));
        }
        self.check_relation(number, Relation::Fixed(ipei))?;
        Ok(self.bind(number, Relation::Fixed(ipei)))
    }

    /// The administrator ends whatever relation the user has; returns the handset it was with.
    pub fn release(&mut self, number: &Number) -> Result<Option<Ipei>, Refusal> {
        if !self.users.contains_key(number) {
            return Err(Refusal::NoUser(number.clone()));
        }
        Ok(self.bind(number, Relation::Unbound))
    }

    /// Where this user is served, given the newest claim about it.
    pub fn serve(&self, number: &Number, newest: Option<&Claim>) -> Option<OmmId> {
        serve(self.users.get(number)?, newest)
    }

    /// Whether the handset exists, is free for this user, and allows the relation.
    fn check_relation(&self, number: &Number, relation: Relation) -> Result<(), Refusal> {
        let Some(ipei) = relation.device() else { return Ok(()) };
        let device = self.devices.get(&ipei).ok_or(Refusal::NoDevice(ipei))?;
        match (self.holders.get(&ipei), relation) {
            (Some(by), _) if by != number => Err(Refusal::Occupied { device: ipei, by: by.clone() }),
            (_, Relation::Dynamic(_)) if device.pari_only.is_some() => Err(Refusal::PariOnly(ipei)),
            _ => Ok(()),
        }
    }

    /// Writes the relation and the index; returns the handset that was left, when it was another one. Unchecked.
    fn bind(&mut self, number: &Number, relation: Relation) -> Option<Ipei> {
        let user = self.users.get_mut(number)?;
        let before = user.device();
        user.relation = relation;
        if let Some(left) = before {
            self.holders.remove(&left);
        }
        if let Some(entered) = relation.device() {
            self.holders.insert(entered, number.clone());
        }
        before.filter(|left| relation.device() != Some(*left))
    }
}

/// Where a user is served (spec 6.4): at the owner of the handset that the user is with, if the handset is there.
/// A claim about a handset that the user has left since serves nobody.
pub fn serve(user: &User, newest: Option<&Claim>) -> Option<OmmId> {
    let claim = newest?;
    (claim.phase == Phase::Here && user.device() == Some(claim.device)).then_some(claim.owner)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NumberExists(number) => write!(f, "user {number} exists already"),
            Refusal::DeviceExists(ipei) => write!(f, "device {ipei} exists already"),
            Refusal::NoUser(number) => write!(f, "there is no user {number}"),
            Refusal::NoDevice(ipei) => write!(f, "there is no device {ipei}"),
            Refusal::UsersFull(max) => write!(f, "this platform holds {max} users"),
            Refusal::DevicesFull(max) => write!(f, "this platform holds {max} devices"),
            Refusal::Occupied { device, by } => write!(f, "user {by} is with device {device}"),
            Refusal::Fixed(ipei) => write!(f, "the user is fixed to device {ipei}"),
            Refusal::PariOnly(ipei) => write!(f, "device {ipei} is PARI-only and takes a fixed user only"),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests;
