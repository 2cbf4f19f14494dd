//! One `<user>` or `<pp>` as values under the names of a table (axi 4.1, 4.2).
//!
//! Clients hang on an attribute that they do not know (axi 7.1), so a record cannot hold one that is not in its table,
//! and it is always written in the order of the table.

use std::collections::BTreeMap;
use std::fmt;

use crate::attribute::{Access, Attribute, Kind, Show};
use crate::element::Element;
use crate::error::{ErrCode, Refused};

/// The attributes that one kind of record has, in the order of the wire.
pub type Table = [Attribute];

/// Values under names of a table.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    table: &'static Table,
    /// By the place in the table.
    values: BTreeMap<usize, String>,
}

/// Who writes a record, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Writer {
    /// A session with `UserDeviceSyncClient`.
    pub sync: bool,
    /// `plainText="1"`: secrets are not encrypted.
    pub plain: bool,
}

impl Record {
    /// A record in which nothing is set.
    pub fn new(table: &'static Table) -> Record {
        Record { table, values: BTreeMap::new() }
    }

    /// What a client wrote. What it may not set is skipped.
    ///
    /// # Errors
    /// An attribute that is not in the table, or a value that it cannot hold; `bad` names it.
    pub fn read(table: &'static Table, element: &Element<'_>, writer: Writer) -> Result<Record, Refused> {
        let mut record = Record::new(table);
        for (name, value) in element.attributes() {
            let Some((place, attribute)) = find(table, name) else {
                let info = Some(format!("<{}> has no such attribute", element.name()));
                return Err(Refused { bad: Some(name.to_owned()), info, ..Refused::new(ErrCode::Inval) });
            };
            let may = match attribute.access {
                Access::Key | Access::Write => true,
                Access::Sync => writer.sync,
                Access::Read => false,
            };
            if may {
                record.values.insert(place, attribute.check(value, writer.plain)?.into_owned());
            }
        }
        Ok(record)
    }

    /// The wire form: what differs from its default, and what clients want to see always. `sync` is whether the session
    /// has `UserDeviceSyncClient`.
    pub fn element(&self, name: &'static str, sync: bool) -> Element<'static> {
        let mut element = Element::new(name);
        for (place, attribute) in self.table.iter().enumerate() {
            let value = self.values.get(&place).map(String::as_str);
            let shown = match attribute.show {
                Show::Never => None,
                Show::Always => Some(value.unwrap_or(attribute.default)),
                Show::Synced if !sync => None,
                Show::Set | Show::Synced => value.filter(|value| *value != attribute.default),
            };
            if let Some(shown) = shown {
                element.push_attribute(attribute.name, shown.to_owned());
            }
        }
        element
    }

    /// The wire form of exactly the values it holds, defaults included: what an event tells. Nothing secret.
    pub fn news(&self, name: &'static str, sync: bool) -> Element<'static> {
        let mut element = Element::new(name);
        for (attribute, value) in self.entries() {
            match attribute.show {
                Show::Never => {}
                Show::Synced if !sync => {}
                // A word that means "none of them" has no spelling: clients hang on an empty one (axi 7.1).
                Show::Always | Show::Set | Show::Synced
                    if value.is_empty() && matches!(attribute.kind, Kind::Word(_)) => {}
                Show::Always | Show::Set | Show::Synced => {
                    element.push_attribute(attribute.name, value.to_owned())
                }
            }
        }
        element
    }

    /// What is set, in the order of the table.
    pub fn entries(&self) -> impl Iterator<Item = (&'static Attribute, &str)> {
        self.values.iter().filter_map(|(place, value)| Some((self.table.get(*place)?, value.as_str())))
    }

    /// The value under a name, when it is set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(&find(self.table, name)?.0).map(String::as_str)
    }

    /// A number under a name; `None` when it is not set.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// A bool under a name; `None` when it is not set.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value == "1")
    }

    /// Sets what is known to fit. A name that is not in the table is a mistake of ours.
    pub fn put(&mut self, name: &str, value: impl Into<String>) {
        match find(self.table, name) {
            Some((place, _)) => _ = self.values.insert(place, value.into()),
            None => debug_assert!(false, "{name} is not in the table"),
        }
    }

    /// Sets what somebody wrote, a secret in clear.
    ///
    /// # Errors
    /// The attribute cannot hold it; nobody is to be blamed when there is no such attribute.
    pub fn write(&mut self, name: &str, value: &str) -> Result<(), Refused> {
        if let Some((place, attribute)) = find(self.table, name) {
            self.values.insert(place, attribute.check(value, true)?.into_owned());
        }
        Ok(())
    }

    /// Sets what another site has kept, unless the table cannot hold it: that site may know more than this one.
    pub fn offer(&mut self, name: &str, value: &str) {
        let _ = self.write(name, value);
    }

    /// Takes a value out.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.values.remove(&find(self.table, name)?.0)
    }

    /// The names of the secrets that it holds and that are not empty.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.entries()
            .filter(|(attribute, value)| matches!(attribute.kind, Kind::Secret(_)) && !value.is_empty())
            .map(|(attribute, value)| (attribute.name, value))
    }

    /// What changed from `old` to this: new values, and the defaults of what is not set any more.
    pub fn since(&self, old: &Record) -> Record {
        let mut changed = Record::new(self.table);
        for (place, attribute) in self.table.iter().enumerate() {
            let now = self.values.get(&place).map_or(attribute.default, String::as_str);
            let before = old.values.get(&place).map_or(attribute.default, String::as_str);
            if now != before {
                changed.values.insert(place, now.to_owned());
            }
        }
        changed
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

fn find(table: &'static Table, name: &str) -> Option<(usize, &'static Attribute)> {
    table.iter().enumerate().find(|(_, attribute)| attribute.name == name)
}

impl fmt::Debug for Record {
    /// Secrets show as `..`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (attribute, value) in self.entries() {
            match attribute.show {
                Show::Never | Show::Synced => map.entry(&attribute.name, &".."),
                Show::Always | Show::Set => map.entry(&attribute.name, &value),
            };
        }
        map.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::NUMBER;

    static TABLE: &Table = &[
        Attribute::key("uid"),
        Attribute::open("name", Kind::Text(10), ""),
        Attribute::secret("pin", 8),
        Attribute::synced("ommId", Kind::Hex(8), ""),
        Attribute::told("calculatedSipPort", NUMBER, "5060"),
    ];

    fn read(xml: &str, writer: Writer) -> Result<Record, Refused> {
        Record::read(TABLE, &Element::read(xml.as_bytes()).unwrap(), writer)
    }

    #[test]
    fn what_a_client_may_not_set_is_skipped_and_what_nobody_knows_is_refused() {
        let xml = r#"<user ommId="1F" calculatedSipPort="7" name="Ada" uid="3"/>"#;
        let plain = read(xml, Writer::default()).unwrap();
        assert_eq!(plain.element("user", false).to_string(), r#"<user uid="3" name="Ada"/>"#);
        let sync = read(xml, Writer { sync: true, plain: false }).unwrap();
        assert_eq!(sync.get("ommId"), Some("1F"));
        let refused = read(r#"<user colour="red"/>"#, Writer::default()).unwrap_err();
        assert_eq!((refused.bad.as_deref(), refused.code.to_string()), (Some("colour"), "EInval".into()));
    }

    #[test]
    fn defaults_are_left_out_and_secrets_are_never_told() {
        let record = read(r#"<user uid="3" name="" pin="1234"/>"#, Writer::default()).unwrap();
        assert_eq!(record.element("user", false).to_string(), r#"<user uid="3"/>"#);
        assert_eq!(record.news("user", false).to_string(), r#"<user uid="3" name=""/>"#);
        assert_eq!(record.secrets().collect::<Vec<_>>(), [("pin", "1234")]);
        assert!(!format!("{record:?}").contains("1234"), "{record:?}");
    }

    #[test]
    fn what_changed_is_the_new_value_or_the_default_of_what_is_gone() {
        let old = read(r#"<user uid="3" name="Ada"/>"#, Writer::default()).unwrap();
        let new = read(r#"<user uid="3" pin="1"/>"#, Writer::default()).unwrap();
        let changed = new.since(&old);
        assert_eq!(changed.news("user", false).to_string(), r#"<user name=""/>"#);
        assert_eq!(changed.get("pin"), Some("1"));
        assert!(new.since(&new).is_empty());
    }
}
