//! What the book holds about the directories: how each site shows each number, and the digest that it told last.
//!
//! A number of which nothing was told is shown as the plan says.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plan::Plan;
use crate::trace::Sight;

/// A user as one site shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The fields of the event `user`, by their keys; a handset's IPEI without blanks.
    fields: BTreeMap<&'static str, Box<str>>,
}

/// The keys that are kept.
const KEYS: &[&str] = &["name", "vip", "status", "device"];

impl Row {
    /// The value of a field.
    pub fn field(&self, key: &str) -> Option<&str> {
        self.fields.get(key).map(|value| &**value)
    }

    fn told(sight: &Sight<'_>) -> Row {
        let value = |key: &str| {
            let text = sight.text(key).unwrap_or_default();
            Box::from(if key == "device" { text.replace(' ', "") } else { text.to_owned() })
        };
        Row { fields: KEYS.iter().map(|key| (*key, value(key))).collect() }
    }
}

/// What all sites show.
#[derive(Clone, Debug)]
pub struct Rows {
    /// What was told, by site and number; `None` for a number that nobody has.
    told: Vec<BTreeMap<Box<str>, Option<Row>>>,
    /// How the plan has it at the start, by number.
    planted: BTreeMap<Arc<str>, Row>,
    digests: Vec<Option<Box<str>>>,
}

impl Rows {
    pub(super) fn new(plan: &Plan) -> Rows {
        let mut devices: Vec<Option<&str>> = vec![None; plan.users.len()];
        for phone in &plan.phones {
            if let Some(device) = phone.user.and_then(|user| devices.get_mut(user)) {
                *device = device.or(Some(&phone.ipei));
            }
        }
        let users = plan.users.iter().zip(devices).filter(|(user, _)| !user.later);
        let planted = users.map(|(user, device)| {
            let fields = [
                ("name", ""),
                ("vip", if user.vip { "on" } else { "off" }),
                ("status", "active"),
                ("device", device.unwrap_or("none")),
            ];
            let fields = fields.into_iter().map(|(key, value)| (key, Box::from(value))).collect();
            (Arc::clone(&user.number), Row { fields })
        });
        Rows {
            planted: planted.collect(),
            told: vec![BTreeMap::new(); plan.sites.len()],
            digests: vec![None; plan.sites.len()],
        }
    }

    /// How a site shows a number.
    pub fn row(&self, site: usize, number: &str) -> Option<&Row> {
        match self.told.get(site).and_then(|told| told.get(number)) {
            Some(told) => told.as_ref(),
            None => self.planted.get(number),
        }
    }

    /// How many users a site serves.
    pub fn active(&self, site: usize) -> u64 {
        let Some(told) = self.told.get(site) else { return 0 };
        let shown = told.values().flatten();
        let untold = self.planted.iter().filter(|(number, _)| !told.contains_key(&***number));
        let all = shown.chain(untold.map(|(_, row)| row));
        all.filter(|row| row.field("status") == Some("active")).count() as u64
    }

    /// The digest that a site told last.
    pub fn digest(&self, site: usize) -> Option<&str> {
        self.digests.get(site)?.as_deref()
    }

    /// An OMM begins: it tells next what it shows otherwise than the plan.
    pub(super) fn begin(&mut self, site: usize) {
        if let Some(told) = self.told.get_mut(site) {
            told.clear();
        }
    }

    /// Reads an event `user`, `profile` or `directory` of a site.
    pub(super) fn see(&mut self, site: usize, sight: &Sight<'_>) {
        if let (Some(digest), Some(kept)) = (sight.text("digest"), self.digests.get_mut(site)) {
            *kept = Some(digest.into());
        }
        let number = match sight.number("id").filter(|_| sight.event == "profile") {
            Some(id) => Some(Box::from(format!("profile {id}"))),
            None => sight.text("number").map(Box::from),
        };
        if let (Some(number), Some(told)) = (number, self.told.get_mut(site)) {
            let row = (sight.text("state") == Some("shown")).then(|| Row::told(sight));
            told.insert(number, row);
        }
    }
}
