//! One XML element: what every AXI message is (axi 1).
//!
//! Reading is strict where a peer could do harm (no DTD, no entities but XML's five, limits on depth and counts, no
//! attribute twice) and lenient where it does none (blanks between children are dropped). Writing gives exactly one
//! spelling: no declaration, no blanks, `<a b="c"/>`. What is read borrows from the bytes.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use crate::error::Malformed;

mod read;
mod write;

pub use write::escape;

/// Elements within elements. Real messages nest two deep (axi 4). Ours.
pub const DEPTH_MAX: usize = 8;
/// Elements in one message; a list holds at most 20 records (axi 3, `records`). Ours.
pub const ELEMENTS_MAX: usize = 4096;
/// Attributes of one message. The most seen is one per message name in `GetVersionsResp`, some 500 (axi 3), or 20
/// records with some 100 each. Ours.
pub const ATTRIBUTES_MAX: usize = 8192;
/// The length of a name. Ours.
pub const NAME_MAX: usize = 64;

/// Attributes whose values never show in a debug print (axi 3, 4.1, 4.2).
const SECRETS: &[&str] = &[
    "password",
    "oldPassword",
    "sipPw",
    "pin",
    "credentialPw",
    "serviceAuthPassword",
    "uak",
    "ac",
    "keyLockPin",
];

/// An element: its name, its attributes in the order of the wire, its children and its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Element<'a> {
    name: Cow<'a, str>,
    attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    children: Vec<Element<'a>>,
    text: Cow<'a, str>,
}

impl<'a> Element<'a> {
    /// An element without anything in it. The name is one of ours or one that was read.
    pub fn new(name: impl Into<Cow<'a, str>>) -> Element<'a> {
        Element { name: name.into(), attributes: Vec::new(), children: Vec::new(), text: Cow::Borrowed("") }
    }

    /// Reads the one element of a message (without its NUL).
    pub fn read(bytes: &'a [u8]) -> Result<Element<'a>, Malformed> {
        read::element(bytes)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_ref())
    }

    /// The attributes in the order of the wire.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Appends an attribute, or replaces its value.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        let (name, value) = (name.into(), value.into());
        match self.attributes.iter_mut().find(|(own, _)| *own == name) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((name, value)),
        }
    }

    /// Appends an attribute that is known not to be there yet: [`Element::set`] looks through all of them first.
    pub(crate) fn push_attribute(&mut self, name: &'static str, value: impl Into<Cow<'a, str>>) {
        debug_assert!(self.get(name).is_none(), "{name} twice");
        self.attributes.push((Cow::Borrowed(name), value.into()));
    }

    /// The same element with an attribute appended.
    pub fn with(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Element<'a> {
        self.set(name, value);
        self
    }

    /// The children.
    pub fn children(&self) -> &[Element<'a>] {
        &self.children
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Element<'a>> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Appends a child.
    pub fn push(&mut self, child: Element<'a>) {
        self.children.push(child);
    }

    /// The text; it is written before the children.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same element with this text.
    pub fn with_text(mut self, text: impl Into<Cow<'a, str>>) -> Element<'a> {
        self.text = text.into();
        self
    }

    /// The same element, owning its parts.
    pub fn into_owned(self) -> Element<'static> {
        let own = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        Element {
            name: own(self.name),
            attributes: self.attributes.into_iter().map(|(name, value)| (own(name), own(value))).collect(),
            children: self.children.into_iter().map(Element::into_owned).collect(),
            text: own(self.text),
        }
    }

    /// Appends the element as it goes over the wire, without the NUL.
    pub fn write(&self, out: &mut String) {
        write::element(self, out);
    }
}

impl fmt::Display for Element<'_> {
    /// The wire form, secrets included: for the wire, not for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.write(&mut out);
        f.write_str(&out)
    }
}

impl fmt::Debug for Element<'_> {
    /// Like the wire form, but attributes that hold secrets show as `..`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.name)?;
        for (name, value) in self.attributes() {
            let is_secret = SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name));
            match is_secret || name.starts_with("hmSecret") {
                true => write!(f, " {name}=..")?,
                false => write!(f, " {name}={value:?}")?,
            }
        }
        f.write_char('>')?;
        if !self.text.is_empty() {
            write!(f, "{:?}", self.text)?;
        }
        f.debug_list().entries(&self.children).finish()
    }
}

#[cfg(test)]
mod tests;
