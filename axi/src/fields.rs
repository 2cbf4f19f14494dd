//! Reads the attributes of a message and says by name what is missing or wrong (axi 2, 2.2).

use std::fmt::Display;
use std::str::FromStr;

use crate::element::Element;
use crate::error::{Complaint, ErrCode, Refused};
use crate::seq::Seq;
use crate::words::Kept;

/// The attributes of one message.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'e> {
    element: &'e Element<'e>,
}

impl<'e> Fields<'e> {
    pub(crate) fn of(element: &'e Element<'_>) -> Fields<'e> {
        Fields { element }
    }

    /// The cookie. One that is no integer is complained about without being echoed.
    pub(crate) fn seq(self) -> Result<Option<Seq>, Complaint> {
        let Some(text) = self.element.get("seq") else { return Ok(None) };
        Seq::read(text).map(Some).ok_or_else(|| self.wrong("seq", "expected an integer"))
    }

    /// All attributes in the order of the wire.
    pub(crate) fn attributes(self) -> impl Iterator<Item = (&'e str, &'e str)> {
        self.element.attributes()
    }

    pub(crate) fn text(self, name: &str) -> Option<&'e str> {
        self.element.get(name)
    }

    /// A text of at most `max` characters.
    pub(crate) fn short(self, name: &str, max: u32) -> Result<&'e str, Complaint> {
        let text = self.need(name)?;
        if text.chars().nth(max as usize).is_some() {
            let why =
                Refused { bad: Some(name.to_owned()), max_len: Some(max), ..Refused::new(ErrCode::TooLong) };
            return Err(self.complain(why));
        }
        Ok(text)
    }

    pub(crate) fn need(self, name: &str) -> Result<&'e str, Complaint> {
        self.element.get(name).ok_or_else(|| self.missing(name))
    }

    /// `EMissing` about this attribute or child.
    pub(crate) fn missing(self, name: &str) -> Complaint {
        self.complain(Refused { bad: Some(name.to_owned()), ..Refused::new(ErrCode::Missing) })
    }

    /// A value that must be there and make sense.
    pub(crate) fn value<T>(self, name: &str) -> Result<T, Complaint>
    where
        T: FromStr<Err: Display>,
    {
        self.parse(name, self.need(name)?)
    }

    /// A value that must make sense if it is there.
    pub(crate) fn maybe<T>(self, name: &str) -> Result<Option<T>, Complaint>
    where
        T: FromStr<Err: Display>,
    {
        self.element.get(name).map(|text| self.parse(name, text)).transpose()
    }

    fn parse<T>(self, name: &str, text: &str) -> Result<T, Complaint>
    where
        T: FromStr<Err: Display>,
    {
        text.parse().map_err(|bad: T::Err| self.wrong(name, bad))
    }

    /// `0/1/true/false`, and `True/False`, which one client family writes. Absent is false.
    pub(crate) fn flag(self, name: &str) -> Result<bool, Complaint> {
        match self.element.get(name) {
            None | Some("0" | "false" | "False") => Ok(false),
            Some("1" | "true" | "True") => Ok(true),
            Some(_) => Err(self.wrong(name, "expected 0, 1, true or false")),
        }
    }

    /// A word of a vocabulary, or another one.
    pub(crate) fn word<T: FromStr>(self, name: &str) -> Option<Kept<T>> {
        self.element.get(name).map(Kept::read)
    }

    /// `EInval` about this attribute.
    pub(crate) fn wrong(self, name: &str, why: impl Display) -> Complaint {
        let (info, bad) = (Some(why.to_string()), Some(name.to_owned()));
        self.complain(Refused { info, bad, ..Refused::new(ErrCode::Inval) })
    }

    /// The answer that refuses the message for this reason.
    pub(crate) fn complain(self, why: Refused) -> Complaint {
        let seq = self.element.get("seq").and_then(Seq::read);
        Complaint { message: self.element.name().into(), seq, why }
    }
}
