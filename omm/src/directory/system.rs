//! What the system has one of: profiles by their number, and the SARI.

use std::sync::Arc;

use super::editing::Subject;
use super::{Directory, carried};
use crate::directory::content::Content;
use crate::directory::profile::{PROFILES_MAX, Profile, Text};
use crate::directory::record::Group;
use crate::directory::refusal::Refusal;
use crate::ids::park::Sari;
use crate::stamp::Stamp;

impl Directory {
    pub(super) fn set_profile(
        &mut self,
        stamp: Stamp,
        id: u8,
        name: Option<String>,
        data: Option<String>,
    ) -> Result<Subject, Refusal> {
        if id == 0 || id > PROFILES_MAX {
            return Err(Refusal::Invalid { field: "id", expected: "1 to 20" });
        }
        let shown = self.profile(id);
        let before = shown.map(|profile| (*profile.text).clone()).unwrap_or_default();
        let text = Text {
            name: name.map_or(before.name.clone(), Arc::from),
            data: data.map_or(before.data.clone(), Arc::from),
        };
        carried::profile(&text)?;
        if shown.is_none() || text != before {
            self.write_profile(stamp, id, Some(Arc::new(text)));
        }
        Ok(Subject::default())
    }

    pub(super) fn delete_profile(&mut self, stamp: Stamp, id: u8) -> Result<Subject, Refusal> {
        self.profile(id).ok_or(Refusal::NoProfile(id))?;
        self.write_profile(stamp, id, None);
        Ok(Subject::default())
    }

    fn write_profile(&mut self, stamp: Stamp, id: u8, value: Option<Arc<Text>>) {
        let stamp = self.profiles.get(&id).map_or(stamp, |held| stamp.above(held.stamp));
        self.put_profile(id, Group { stamp, value });
    }

    /// Takes in what is known of a profile; whether that is news.
    pub(super) fn merge_profile(&mut self, id: u8, group: Group<Option<Arc<Text>>>) -> bool {
        let mut held = self.profiles.remove(&id);
        let changed = crate::directory::record::raise(&mut held, Some(group));
        if changed {
            let before = self.shown.profiles.remove(&id);
            self.changed.profiles.entry(id).or_insert(before);
        }
        if let Some(group) = held {
            if let Some(text) = group.value.clone() {
                self.shown.profiles.insert(id, Profile { id, text, edited: group.stamp });
            }
            self.profiles.insert(id, group);
        }
        changed
    }

    pub(super) fn set_sari(&mut self, stamp: Stamp, sari: Sari) -> Result<Subject, Refusal> {
        match self.sari() {
            Some(own) if own == sari => {}
            Some(own) => return Err(Refusal::SariSet(own)),
            None => {
                self.put_sari(Group { stamp, value: sari });
            }
        }
        Ok(Subject::default())
    }
}

impl Content for Option<Arc<Text>> {
    fn write(&self, ink: &mut crate::directory::content::Ink) {
        ink.maybe(self.as_ref(), |ink, text| text.write(ink));
    }
}
