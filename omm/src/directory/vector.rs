//! How much of what each OMM wrote somebody has: a stamp for each writer.

use std::collections::BTreeMap;

use crate::stamp::{ORIGIN, OmmId, Stamp};

/// For each OMM the stamp up to which all that it wrote is known. What was written at the origin is not counted here.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Vector(BTreeMap<OmmId, Stamp>);

impl Vector {
    /// Whether what was written with this stamp is known.
    pub fn covers(&self, stamp: Stamp) -> bool {
        self.0.get(&stamp.omm).is_some_and(|known| stamp <= *known)
    }

    /// Whether all that the other covers is known.
    pub fn covers_all(&self, other: &Vector) -> bool {
        other.0.iter().all(|(omm, stamp)| self.0.get(omm).is_some_and(|known| stamp <= known))
    }

    /// The stamp up to which all of this OMM is known.
    pub fn of(&self, omm: OmmId) -> Option<Stamp> {
        self.0.get(&omm).copied()
    }

    /// All of this OMM up to this stamp is known; whether that is news.
    pub fn raise(&mut self, omm: OmmId, stamp: Stamp) -> bool {
        if omm == ORIGIN || self.0.get(&omm).is_some_and(|known| stamp <= *known) {
            return false;
        }
        self.0.insert(omm, stamp);
        true
    }

    /// All that the other covers is known; whether that is news.
    pub fn raise_all(&mut self, other: &Vector) -> bool {
        other.iter().fold(false, |news, (omm, stamp)| self.raise(omm, stamp) || news)
    }

    /// What both cover.
    pub fn meet(&self, other: &Vector) -> Vector {
        let both = self.0.iter().filter_map(|(omm, own)| Some((*omm, (*own).min(other.of(*omm)?))));
        Vector(both.collect())
    }

    /// The part of this that lies at or before `bound`, whoever wrote it.
    pub fn up_to(&self, bound: Stamp) -> Vector {
        Vector(self.0.iter().map(|(omm, stamp)| (*omm, (*stamp).min(bound))).collect())
    }

    /// What this covers and the other does not.
    pub fn beyond(&self, other: &Vector) -> Vector {
        let news = self.0.iter().filter(|(omm, stamp)| other.0.get(omm).is_none_or(|known| known < stamp));
        Vector(news.map(|(omm, stamp)| (*omm, *stamp)).collect())
    }

    /// Takes the writer out: nothing of it counts as known.
    pub fn forget(&mut self, omm: OmmId) {
        self.0.remove(&omm);
    }

    /// Writers and stamps, by writer.
    pub fn iter(&self) -> impl Iterator<Item = (OmmId, Stamp)> {
        self.0.iter().map(|(omm, stamp)| (*omm, *stamp))
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(OmmId, Stamp)> for Vector {
    fn from_iter<I: IntoIterator<Item = (OmmId, Stamp)>>(entries: I) -> Vector {
        let mut vector = Vector::default();
        for (omm, stamp) in entries {
            vector.raise(omm, stamp);
        }
        vector
    }
}
