//! By what users and handsets are known: row numbers for people and applications, and an identity that no two share.

use std::fmt;
use std::str::FromStr;

use crate::stamp::Stamp;

/// The row number of a user, at least 1 (axi 4.1 `uid`). Chosen when the user is created and the same at every site;
/// only when two sites chose the same one without knowing of each other, the later user is shown under another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Uid(u32);

/// The row number of a handset, at least 1 (axi 4.2 `ppn`). See [`Uid`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ppn(u32);

/// The identity of a record: the stamp of its creation. A clock never repeats a stamp and a stamp carries its writer,
/// so no two records of a system share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Id(pub Stamp);

/// The number 0, which means "none" in AXI and is no row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoRow;

/// A row number.
pub trait Row: Copy + Ord + fmt::Debug + fmt::Display {
    /// The row with this number, which is at least 1.
    fn of(number: u32) -> Option<Self>;
    /// Its number.
    fn get(self) -> u32;
}

macro_rules! row {
    ($name:ident) => {
        impl $name {
            /// The row with this number; `None` for 0.
            pub const fn new(number: u32) -> Option<$name> {
                if number == 0 { None } else { Some($name(number)) }
            }

            /// The number, at least 1.
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl Row for $name {
            fn of(number: u32) -> Option<$name> {
                $name::new(number)
            }

            fn get(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl TryFrom<u32> for $name {
            type Error = NoRow;

            fn try_from(number: u32) -> Result<$name, NoRow> {
                $name::new(number).ok_or(NoRow)
            }
        }
    };
}

row!(Uid);
row!(Ppn);

impl fmt::Display for NoRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row number is 0; expected at least 1")
    }
}

impl std::error::Error for NoRow {}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Id {
    type Err = crate::stamp::BadStamp;

    fn from_str(text: &str) -> Result<Id, crate::stamp::BadStamp> {
        text.parse().map(Id)
    }
}
