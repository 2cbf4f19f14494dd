//! The identity that a handset sends over the air (spec 4.2): 40 bits, a type nibble and 36 bits of content.

use std::fmt;

use crate::ids::Ipei;

/// An IPUI of any type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ipui {
    /// Type N: the IPEI itself.
    N(Ipei),
    /// Any other type: a number that means nothing here.
    Opaque {
        /// Which type.
        kind: Kind,
        /// The 36 bits after the type nibble.
        content: u64,
    },
}

/// The types besides N, 1..=7.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the letters are their names")]
pub enum Kind {
    O,
    P,
    Q,
    R,
    S,
    T,
    U,
}

/// The types in the order of their codes from 1 on.
const KINDS: [Kind; 7] = [Kind::O, Kind::P, Kind::Q, Kind::R, Kind::S, Kind::T, Kind::U];
/// The content is below this.
const CONTENT_END: u64 = 1 << 36;

/// Why bits or a text are no IPUI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadIpui {
    /// Not 10 hexadecimal digits.
    Shape(String),
    /// More than 40 bits.
    Bits(u64),
    /// A type nibble above 7.
    Kind(u8),
}

impl Ipui {
    /// Takes 40 bits apart.
    pub fn from_bits(bits: u64) -> Result<Ipui, BadIpui> {
        if bits >> 40 != 0 {
            return Err(BadIpui::Bits(bits));
        }
        let (code, content) = ((bits >> 36) as u8, bits & (CONTENT_END - 1));
        match code.checked_sub(1) {
            None => Ipei::from_bits(content).map(Ipui::N).map_err(|_| BadIpui::Bits(bits)),
            Some(index) => match KINDS.get(usize::from(index)) {
                Some(kind) => Ok(Ipui::Opaque { kind: *kind, content }),
                None => Err(BadIpui::Kind(code)),
            },
        }
    }

    /// Reads 10 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Ipui, BadIpui> {
        let shape = || BadIpui::Shape(text.chars().take(32).collect());
        if text.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(shape());
        }
        Ipui::from_bits(u64::from_str_radix(text, 16).map_err(|_| shape())?)
    }

    /// The 40 bits.
    pub fn bits(self) -> u64 {
        match self {
            Ipui::N(ipei) => ipei.bits(),
            Ipui::Opaque { kind, content } => (kind as u64 + 1) << 36 | content & (CONTENT_END - 1),
        }
    }

    /// The IPEI, for type N; no other type names one.
    pub fn ipei(self) -> Option<Ipei> {
        match self {
            Ipui::N(ipei) => Some(ipei),
            Ipui::Opaque { .. } => None,
        }
    }
}

impl fmt::Display for Ipui {
    /// 10 upper-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010X}", self.bits())
    }
}

impl fmt::Display for BadIpui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadIpui::Shape(read) => write!(f, "IPUI {read:?}; expected 10 hexadecimal digits"),
            BadIpui::Bits(read) => write!(f, "IPUI bits {read:#x}; expected at most 40 bits"),
            BadIpui::Kind(read) => write!(f, "IPUI type {read}; expected 0 (N) to 7 (U)"),
        }
    }
}

impl std::error::Error for BadIpui {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_n_is_the_ipei() {
        // The content of `subscriptionId="0500C0235C630000"` in a real message about IPEI 03074 0220259 3.
        let ipui = Ipui::from_hex("00C0235C63").unwrap();
        assert_eq!(ipui.ipei().unwrap().to_string(), "03074 0220259 3");
        assert_eq!(ipui.to_string(), "00C0235C63");
    }

    #[test]
    fn other_types_are_kept_and_name_no_ipei() {
        let ipui = Ipui::from_hex("1000012345").unwrap();
        assert_eq!(ipui, Ipui::Opaque { kind: Kind::O, content: 0x12345 });
        assert_eq!((ipui.ipei(), ipui.to_string().as_str()), (None, "1000012345"));
        assert_eq!(Ipui::from_hex("7FFFFFFFFF").unwrap().bits(), 0x7F_FFFF_FFFF);
    }

    #[test]
    fn a_bad_ipui_is_named() {
        assert_eq!(Ipui::from_hex("8000000000"), Err(BadIpui::Kind(8)));
        assert_eq!(Ipui::from_hex("+000000000"), Err(BadIpui::Shape("+000000000".into())));
        assert_eq!(Ipui::from_hex("00"), Err(BadIpui::Shape("00".into())));
        assert_eq!(Ipui::from_bits(1 << 40), Err(BadIpui::Bits(1 << 40)));
    }
}
