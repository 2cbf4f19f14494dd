//! What a group's content is made of, as bytes: for digests that all OMMs compute alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::secret::Secret;
use sha2::{Digest as _, Sha256};

use crate::directory::device::{self, Class, Subscribed, Subscription};
use crate::directory::key::Id;
use crate::directory::profile::Text;
use crate::directory::user::{self, Bond, Kind, Monitoring};
use crate::stamp::{OmmId, Stamp};

/// 256 bits that are equal only where the content is.
pub type Digest = [u8; 32];

/// Takes bytes in. Every part is written with its length or has a fixed one, so that different contents never look
/// alike. The format is part of what OMMs of one version compare; it is not kept anywhere.
#[derive(Clone, Default)]
pub struct Ink(Sha256);

/// Something that can be written in [`Ink`].
pub trait Content: Clone + PartialEq {
    /// Whether a group of this survives the deletion of its record, to return with a later edit.
    const OUTLIVES: bool = false;

    /// Writes it.
    fn write(&self, ink: &mut Ink);

    /// Its digest.
    fn digest(&self) -> Digest {
        let mut ink = Ink::default();
        self.write(&mut ink);
        ink.dry()
    }
}

impl Ink {
    /// A number.
    pub fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    /// Whether something is, and what.
    pub fn maybe<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Ink, &T)) {
        self.number(u64::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// A stamp.
    pub fn stamp(&mut self, stamp: Stamp) {
        self.number(stamp.ms);
        self.number(u64::from(stamp.ctr));
        self.omm(stamp.omm);
    }

    /// An OMM.
    pub fn omm(&mut self, omm: OmmId) {
        self.number(u64::from(omm.pari) << 8 | u64::from(omm.member));
    }

    /// Another digest.
    pub fn digest(&mut self, digest: &Digest) {
        self.0.update(digest);
    }

    /// The digest of all that was written.
    pub fn dry(self) -> Digest {
        self.0.finalize().into()
    }

    fn extras(&mut self, extras: &BTreeMap<Arc<str>, Arc<str>>) {
        self.number(extras.len() as u64);
        for (name, value) in extras {
            self.text(name);
            self.text(value);
        }
    }

    fn secrets(&mut self, secrets: &BTreeMap<Arc<str>, Secret>) {
        self.number(secrets.len() as u64);
        for (name, value) in secrets {
            self.text(name);
            self.text(value.reveal());
        }
    }

    fn secret(&mut self, secret: Option<&Secret>) {
        self.maybe(secret, |ink, secret| ink.text(secret.reveal()));
    }
}

impl<T: Content> Content for Arc<T> {
    const OUTLIVES: bool = T::OUTLIVES;

    fn write(&self, ink: &mut Ink) {
        (**self).write(ink);
    }
}

impl Content for u32 {
    fn write(&self, ink: &mut Ink) {
        ink.number(u64::from(*self));
    }
}

impl Content for Id {
    fn write(&self, ink: &mut Ink) {
        ink.stamp(self.0);
    }
}

impl Content for Option<Bond> {
    /// It holds no secret, and a user that is edited later than it was deleted elsewhere comes back with its handset.
    const OUTLIVES: bool = true;

    fn write(&self, ink: &mut Ink) {
        ink.maybe(self.as_ref(), |ink, bond| {
            ink.number(match bond.kind {
                Kind::Dynamic => 0,
                Kind::Fixed => 1,
            });
            ink.stamp(bond.device.0);
        });
    }
}

impl Content for user::Admin {
    fn write(&self, ink: &mut Ink) {
        ink.text(self.number.as_str());
        ink.text(&self.name);
        ink.maybe(self.sip_auth_id.as_ref(), |ink, text| ink.text(text));
        ink.text(self.password.reveal());
        ink.secret(self.pin.as_ref());
        ink.maybe(self.add_id.as_ref(), |ink, text| ink.text(text));
        for flag in [self.renumbered, self.vip, self.external, self.check_user, self.locatable] {
            ink.number(u64::from(flag));
        }
        ink.number(match self.monitoring {
            Monitoring::Off => 0,
            Monitoring::Passive => 1,
            Monitoring::Active => 2,
        });
        ink.maybe(self.expires.as_ref(), |ink, span| ink.number(span.as_secs()));
        ink.extras(&self.extras);
        ink.secrets(&self.secrets);
    }
}

impl Content for device::Admin {
    fn write(&self, ink: &mut Ink) {
        ink.number(self.ipei.bits());
        ink.secret(self.ac.as_ref());
        for flag in [self.renumbered, self.encrypt, self.auto_create] {
            ink.number(u64::from(flag));
        }
        ink.maybe(self.hw_type.as_ref(), |ink, text| ink.text(text));
        ink.number(match self.class {
            Class::Periodic => 0,
            Class::Gap => 1,
        });
        ink.maybe(self.pari_only.as_ref(), |ink, omm| ink.omm(*omm));
        ink.extras(&self.extras);
        ink.secrets(&self.secrets);
    }
}

impl Content for Subscription {
    fn write(&self, ink: &mut Ink) {
        ink.number(match self.state {
            Subscribed::No => 0,
            Subscribed::Unconfirmed => 1,
            Subscribed::Yes => 2,
        });
        ink.secret(self.uak.as_ref());
        ink.maybe(self.identity.as_ref(), |ink, text| ink.text(text));
        ink.extras(&self.extras);
    }
}

impl Content for Text {
    fn write(&self, ink: &mut Ink) {
        ink.text(&self.name);
        ink.text(&self.data);
    }
}
