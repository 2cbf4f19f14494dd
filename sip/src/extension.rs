//! The SIP extensions that a REGISTER of ours may offer, as a set of option tags.

use std::fmt;

/// A set of extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions(u8);

impl Extensions {
    /// None.
    pub const NONE: Extensions = Extensions(0);
    /// Proxies on the way may name themselves (RFC 3327).
    pub const PATH: Extensions = Extensions(1);
    /// Several flows of one device (RFC 5626).
    pub const OUTBOUND: Extensions = Extensions(2);
    /// An address of the device that everybody may use (RFC 5627).
    pub const GRUU: Extensions = Extensions(4);
    /// The registration event package, `Event: reg` (RFC 3680). No option tag of a Supported line, but remembered like one.
    pub const REG_EVENT: Extensions = Extensions(8);
    /// Each of them with its option tag, in the order in which Supported names them.
    const TAGS: [(Extensions, &str); 4] = [
        (Extensions::PATH, "path"),
        (Extensions::OUTBOUND, "outbound"),
        (Extensions::GRUU, "gruu"),
        (Extensions::REG_EVENT, "reg"),
    ];

    /// Those that these option tags name, in any case; other tags are none of ours.
    pub fn of<'a>(tags: impl Iterator<Item = &'a str>) -> Extensions {
        tags.fold(Extensions::NONE, |all, tag| {
            let known = Extensions::TAGS.iter().find(|(_, name)| name.eq_ignore_ascii_case(tag.trim()));
            known.map_or(all, |(extension, _)| all.with(*extension))
        })
    }

    /// Both sets together.
    #[must_use]
    pub fn with(self, other: Extensions) -> Extensions {
        Extensions(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn without(self, other: Extensions) -> Extensions {
        Extensions(self.0 & !other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn common(self, other: Extensions) -> Extensions {
        Extensions(self.0 & other.0)
    }

    /// Whether every extension of `other` is in this set.
    pub fn has(self, other: Extensions) -> bool {
        self.common(other) == other
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Extensions {
    /// As a Supported line lists them: `path, outbound`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (_, tag) in Extensions::TAGS.iter().filter(|(extension, _)| self.has(*extension)) {
            write!(f, "{separator}{tag}")?;
            separator = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_a_set_and_back() {
        let seen = Extensions::of([" Outbound", "100rel", "path"].into_iter());
        assert_eq!(seen.to_string(), "path, outbound");
        assert!(seen.has(Extensions::PATH) && !seen.has(Extensions::GRUU));
        let rest = seen.without(Extensions::PATH).with(Extensions::GRUU);
        assert_eq!(rest.to_string(), "outbound, gruu");
        assert_eq!(rest.common(seen), Extensions::OUTBOUND);
        assert!(Extensions::of(["x"].into_iter()).is_empty());
        assert_eq!(Extensions::NONE.to_string(), "");
    }
}
