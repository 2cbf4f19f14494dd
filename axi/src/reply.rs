//! What is found when somebody looks: attributes of the response and records in it.

use crate::element::Element;
use crate::error::{ErrCode, Refused};

/// The longest response, in bytes: one client family reads no more than one TLS record holds, 16,384 (axi 4.3).
pub const RESPONSE_MAX: usize = 16_000;

/// The content of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Attributes, in order.
    pub attributes: Vec<(&'static str, String)>,
    /// Records.
    pub children: Vec<Element<'static>>,
}

impl Reply {
    /// A reply of attributes alone.
    pub fn of(attributes: impl IntoIterator<Item = (&'static str, String)>) -> Reply {
        Reply { attributes: attributes.into_iter().collect(), children: Vec::new() }
    }

    /// A page of a list: as many of these records as fit a response, one at least.
    ///
    /// # Errors
    /// `ENoEnt` when there is none: real clients crash on an empty list, and take this for its end (axi 4.4).
    pub fn page(records: impl IntoIterator<Item = Element<'static>>, max: usize) -> Result<Reply, Refused> {
        let (mut children, mut room) = (Vec::new(), RESPONSE_MAX);
        for record in records.into_iter().take(max) {
            let length = record.to_string().len();
            if length > room && !children.is_empty() {
                break;
            }
            room = room.saturating_sub(length);
            children.push(record);
        }
        if children.is_empty() {
            return Err(Refused::new(ErrCode::NoEnt));
        }
        Ok(Reply { attributes: Vec::new(), children })
    }

    /// Puts it into a response or an event.
    pub fn write(&self, into: &mut Element<'static>) {
        for (name, value) in &self.attributes {
            into.set(*name, value.clone());
        }
        for child in &self.children {
            into.push(child.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(length: usize) -> Element<'static> {
        Element::new("user").with("ppData", "x".repeat(length))
    }

    #[test]
    fn a_page_ends_before_it_is_longer_than_a_client_can_read() {
        let page = |length, max| Reply::page((0..50).map(|_| record(length)), max).unwrap().children.len();
        assert_eq!(page(700, 20), 20, "20 records of 800 bytes fit");
        assert_eq!(page(4000, 20), 3);
        assert_eq!(page(40_000, 20), 1, "a record that is longer than a page is told alone");
        assert_eq!(page(10, 1), 1);
    }

    #[test]
    fn an_empty_page_is_the_end_of_the_list() {
        assert_eq!(Reply::page([], 20).unwrap_err().code.to_string(), "ENoEnt");
    }
}
