//! Users and handsets as a table: one row a user with its handset, one row a handset that nobody is with. The columns are
//! called as the attributes are (axi 4.1, 4.2).
//!
//! An empty cell leaves the value as it is: a sheet without a column, or without its secrets, takes nothing away. Ours.

use std::collections::BTreeSet;

use omm::directory::Directory;
use omm::directory::device::Device;
use omm::directory::key::Uid;
use omm::directory::user::User;
use omm::stamp::OmmId;

use crate::attribute::{Access, Attribute, Kind};
use crate::element::Element;
use crate::provision::{Entry, Mistake, bulk};
use crate::record::{Record, Table};
use crate::{device, showing, user};

/// Columns that every sheet has.
const ALWAYS: &[&str] = &["uid", "num", "name", "relType", "ppn", "ipei"];
/// Attributes of a handset that are the user's, or nobody's, in a row.
const SHARED: &[&str] = &["uid", "relType", "timeStamp"];

/// A column: which record it belongs to, and its attribute.
#[derive(Clone, Copy)]
struct Column {
    child: &'static str,
    attribute: &'static Attribute,
}

/// What the columns of a sheet are, as its first row says.
pub struct Heading(Vec<Option<Column>>);

/// A sheet, the heading first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The names of the columns.
    pub heading: Vec<String>,
    /// The rows, as many cells in each as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// Every column that a sheet can have, in its order. What nobody may set is in none; `timeStamp` is for the OMM that
/// changes a record to say.
fn columns() -> impl Iterator<Item = Column> {
    let own = |child: &'static str, table: &'static Table| {
        table.iter().map(move |attribute| Column { child, attribute })
    };
    let users =
        own("user", user::TABLE).filter(|column| !["ppn", "timeStamp"].contains(&column.attribute.name));
    let devices = own("pp", device::TABLE).filter(|column| !SHARED.contains(&column.attribute.name));
    users.chain(devices).filter(|column| column.attribute.access != Access::Read)
}

impl Heading {
    /// Reads the first row. A column without a name is skipped.
    ///
    /// # Errors
    /// A column that is not known, or that is there twice, or none by which a row could be known.
    pub fn read<'c>(line: u32, cells: impl IntoIterator<Item = &'c str>) -> Result<Heading, Mistake> {
        let mut found: Vec<Option<Column>> = Vec::new();
        for cell in cells {
            let cell = cell.trim();
            let column = columns().find(|column| column.attribute.name == cell);
            let told = ["external", "timeStamp"].contains(&cell);
            if column.is_none() && !cell.is_empty() && !told {
                return Err(Mistake {
                    line,
                    read: format!("a column {cell:?}"),
                    expected:
                        "names of AXI attributes, such as num, name, sipAuthId, sipPw, pin, ipei, ac, relType"
                            .into(),
                    cure: "correct or remove it; `homing export` writes a sheet with the right names".into(),
                });
            }
            let twice = |other: &Option<Column>| other.is_some_and(|other| other.attribute.name == cell);
            if column.is_some() && found.iter().any(twice) {
                return Err(Mistake {
                    line,
                    read: format!("the column {cell:?} twice"),
                    expected: "each column once".into(),
                    cure: "remove one of them".into(),
                });
            }
            found.push(column);
        }
        let has = |name: &str| found.iter().flatten().any(|column| column.attribute.name == name);
        if has("num") || has("ipei") {
            return Ok(Heading(found));
        }
        Err(Mistake {
            line,
            read: "a heading without num and ipei".into(),
            expected: "one of them at least, by which rows are known".into(),
            cure: "write the names of the columns into the first row".into(),
        })
    }

    /// What a row asks for: that the user with this number, and the handset with this IPEI, are like that.
    ///
    /// # Errors
    /// Neither is in it, or it has more cells than there are columns.
    pub fn entry<'c>(&self, line: u32, cells: impl IntoIterator<Item = &'c str>) -> Result<Entry, Mistake> {
        let (mut user, mut device) = (Element::new("user"), Element::new("pp"));
        for (place, cell) in cells.into_iter().enumerate() {
            let cell = cell.trim();
            match self.0.get(place) {
                _ if cell.is_empty() => {}
                Some(Some(Column { child: "user", attribute })) => user.set(attribute.name, cell.to_owned()),
                Some(Some(column)) => device.set(column.attribute.name, cell.to_owned()),
                Some(None) => {}
                None => {
                    return Err(Mistake {
                        line,
                        read: "more cells than columns".into(),
                        expected: format!("{} cells", self.0.len()),
                        cure: "put a cell with a separator in it into quotes".into(),
                    });
                }
            }
        }
        // `ppn` alone is a row of the directory and no handset.
        match (user.get("num").is_some(), device.get("ipei").is_some()) {
            (true, true) => Ok(bulk::entry(line, "CreateFixedPP", [user, device])),
            (true, false) => Ok(bulk::entry(line, "CreatePPUser", [without(user, "relType")])),
            (false, true) => Ok(bulk::entry(line, "CreatePPDev", [device])),
            (false, false) => Err(Mistake {
                line,
                read: "a row without a number and without an IPEI".into(),
                expected: "one of them at least".into(),
                cure: "fill in num or ipei, or remove the row".into(),
            }),
        }
    }
}

/// A row without a handset says nothing of a relation.
fn without(element: Element<'static>, name: &str) -> Element<'static> {
    let mut rest = Element::new(element.name().to_owned());
    for (own, value) in element.attributes().filter(|(own, _)| *own != name) {
        rest.set(own.to_owned(), value.to_owned());
    }
    rest
}

/// All users and handsets, with columns for what anybody has set. Secrets are left out unless asked for. `own` is this
/// OMM: that a handset is subscribed to another one cannot be said in a sheet.
pub fn write(directory: &Directory, own: OmmId, secrets: bool) -> Sheet {
    let paired = Uid::new(1).into_iter().flat_map(|first| directory.users_from(first)).map(|user| {
        let device = user.ppn.and_then(|ppn| directory.device_at(ppn));
        (Some(of_user(user, secrets)), device.map(|device| of_device(device, own, secrets)))
    });
    let alone = directory.devices().filter(|device| device.uid.is_none());
    let alone = alone.map(|device| (None, Some(of_device(device, own, secrets))));
    let rows: Vec<(Option<Record>, Option<Record>)> = paired.chain(alone).collect();
    let used: BTreeSet<(&str, &str)> = rows.iter().flat_map(|(user, device)| used(user, device)).collect();
    let columns: Vec<Column> = columns()
        .filter(|Column { child, attribute }| {
            ALWAYS.contains(&attribute.name) || used.contains(&(*child, attribute.name))
        })
        .collect();
    let cell = |(user, device): &(Option<Record>, Option<Record>), column: &Column| {
        let record = if column.child == "user" { user } else { device };
        record.as_ref().and_then(|record| record.get(column.attribute.name)).unwrap_or_default().to_owned()
    };
    Sheet {
        heading: columns.iter().map(|column| column.attribute.name.to_owned()).collect(),
        rows: rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect()).collect(),
    }
}

fn used(user: &Option<Record>, device: &Option<Record>) -> Vec<(&'static str, &'static str)> {
    let names = |child: &'static str, record: &Option<Record>| {
        let entries = record.iter().flat_map(|record| record.entries());
        let set = entries.filter(|(attribute, value)| *value != attribute.default);
        set.map(|(attribute, _)| (child, attribute.name)).collect::<Vec<_>>()
    };
    [names("user", user), names("pp", device)].concat()
}

fn of_user(user: &User, secrets: bool) -> Record {
    let mut record = showing::user(user);
    if secrets {
        record.offer("sipPw", user.admin.password.reveal());
        if let Some(pin) = &user.admin.pin {
            record.offer("pin", pin.reveal());
        }
        for (name, secret) in &user.admin.secrets {
            record.offer(name, secret.reveal());
        }
    }
    record
}

fn of_device(device: &Device, own: OmmId, secrets: bool) -> Record {
    let mut record = showing::device(device, None, None);
    if device.admin.pari_only.is_some_and(|home| home != own) {
        record.take("subscribeToPARIOnly");
    }
    record.take("uak");
    if secrets {
        if let Some(uak) = &device.subscription.uak {
            record.offer("uak", uak.reveal());
        }
        if let Some(ac) = &device.admin.ac {
            record.offer("ac", ac.reveal());
        }
    }
    record
}

/// Whether a column of this name holds secrets.
pub fn is_secret(name: &str) -> bool {
    ["uak", "ac"].contains(&name)
        || user::TABLE.iter().any(|known| known.name == name && matches!(known.kind, Kind::Secret(_)))
}

#[cfg(test)]
mod tests {
    use omm::platform::Platform;
    use omm::star::Role;

    use super::*;
    use crate::edits::Here;
    use crate::provision::trial::{Fate, Trial};

    const OWN: OmmId = OmmId::new(0x102f_0e86);
    const HERE: Here = Here { omm: OWN, role: Role::Remote };

    fn take(trial: &mut Trial, sheet: &Sheet) -> Vec<Fate> {
        let heading =
            Heading::read(1, sheet.heading.iter().map(String::as_str)).unwrap_or_else(|bad| panic!("{bad}"));
        let row = |cells: &Vec<String>| {
            let entry =
                heading.entry(2, cells.iter().map(String::as_str)).unwrap_or_else(|bad| panic!("{bad}"));
            let change = entry.change().unwrap_or_else(|bad| panic!("{bad}")).expect("ours");
            trial.make(&change).unwrap_or_else(|bad| panic!("{bad}"))
        };
        sheet.rows.iter().map(row).collect()
    }

    fn sheet(heading: &[&'static str], rows: &[&[&str]]) -> Sheet {
        let rows = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect());
        Sheet { heading: heading.iter().map(|name| (*name).to_owned()).collect(), rows: rows.collect() }
    }

    fn sample() -> Trial {
        let mut trial = Trial::new(Directory::new(Platform::Pc), HERE);
        let rows = sheet(
            &["num", "name", "sipPw", "pin", "vip", "credentialPw", "ipei", "ac", "relType", "hwType"],
            &[
                &["100", "Anna", "geheim", "1234", "1", "", "0000100000016", "77", "Dynamic", "622d"],
                &["101", "Bert; \"B\"", "", "", "", "epr", "0000100000027", "", "", "GAP"],
                &["102", "Cora", "", "", "", "", "", "", "Unbound", ""],
                &["", "", "", "", "", "", "0000100000038", "", "", ""],
            ],
        );
        assert_eq!(take(&mut trial, &rows), [Fate::Created; 4]);
        trial
    }

    #[test]
    fn what_is_exported_is_imported_without_a_difference_into_an_empty_directory_and_into_its_own() {
        let mut trial = sample();
        let full = write(trial.directory(), OWN, true);
        let (digest, latest) = (trial.directory().digest(), trial.directory().latest());
        assert_eq!(take(&mut trial, &full), [Fate::Unchanged; 4]);
        assert_eq!((trial.directory().digest(), trial.directory().latest()), (digest, latest), "no stamp");
        let mut other = Trial::new(Directory::new(Platform::Pc), HERE);
        assert_eq!(take(&mut other, &full), [Fate::Created; 4]);
        assert_eq!(write(other.directory(), OWN, true), full);
    }

    #[test]
    fn secrets_are_exported_only_when_asked_for_and_an_import_without_them_keeps_them() {
        let mut trial = sample();
        let full = write(trial.directory(), OWN, true);
        let bare = write(trial.directory(), OWN, false);
        assert!(!bare.heading.iter().any(|name| is_secret(name)), "{:?}", bare.heading);
        let secret: Vec<&str> =
            full.heading.iter().map(String::as_str).filter(|name| is_secret(name)).collect();
        assert_eq!(secret, ["sipPw", "pin", "credentialPw", "ac"]);
        assert_eq!(take(&mut trial, &bare), [Fate::Unchanged; 4]);
        assert_eq!(write(trial.directory(), OWN, true), full);
    }

    #[test]
    fn a_sheet_with_a_mistake_is_told_what_to_do() {
        for (heading, read) in [
            (&["num", "colour"][..], "a column \"colour\""),
            (&["num", "name", "num"], "the column \"num\" twice"),
            (&["name", "", "pin"], "a heading without num and ipei"),
        ] {
            let mistake = Heading::read(1, heading.iter().copied()).err().expect("a mistake");
            assert_eq!(mistake.read, read);
        }
        let heading = Heading::read(1, ["num", "name"]).unwrap_or_else(|bad| panic!("{bad}"));
        let read =
            |cells: &[&str]| heading.entry(7, cells.iter().copied()).map_err(|bad| (bad.line, bad.read));
        assert_eq!(read(&["", "Anna"]), Err((7, "a row without a number and without an IPEI".into())));
        assert_eq!(read(&["1", "Anna", "x"]), Err((7, "more cells than columns".into())));
        assert!(read(&["1"]).is_ok());
    }
}
