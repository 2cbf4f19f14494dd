//! The identities of the fixed part (spec 4.3, 4.4).
//!
//! A [`Park`] is what a handset stores when it subscribes: an ARI and how many of its bits count (PLI). The ARI of
//! an OMM's own PARK is its PARI. All OMMs of one system broadcast the same SARI, which is the PARK of the central.

use std::fmt;
use std::str::FromStr;

use crate::ids::check_character;

/// Bits of an ARI of class B to E.
const ARI_BITS: u32 = 31;

/// The ARI of one OMM, class B to E: 31 bits. Printed as 8 hexadecimal digits, which is also the vendor's `ommId`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pari(u32);

/// How many leading bits of a broadcast ARI a handset compares with its PARK.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pli(u8);

/// A portable access rights key: an ARI and how many of its bits count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Park {
    /// How many bits of `ari` count.
    pub pli: Pli,
    /// The ARI.
    pub ari: Pari,
}

/// The secondary ARI that every OMM of a system broadcasts; written once at the central (I4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sari(Park);

/// An ARI taken apart by its class (spec 4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields bear the standard's names")]
pub enum Ari {
    /// Class 0, 36 bits: residential.
    A { emc: u16, fpn: u32 },
    /// Class 1: private multi-cell, which an OMM is.
    B { eic: u16, fpn: u8, fps: u8 },
    /// Class 2: public.
    C { poc: u16, fpn: u8, fps: u8 },
    /// Class 3: GSM operator.
    D { gop: u32, fpn: u8 },
    /// Class 4: phone to phone.
    E { fil: u16, fpn: u16 },
}

/// What to do with the 14th character of the decimal form. Its rule is not confirmed by any source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fourteenth {
    /// Accept and ignore it (the default).
    Ignored,
    /// Strict mode: it must be the same weighted sum modulo 11 as the IPEI's.
    Checked,
}

/// Why a text or bits are no identity of a fixed part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadPark {
    /// Neither 10 hexadecimal digits nor 2 decimal and 11 octal digits.
    Shape(String),
    /// `0000000000`: the vendor's way to write that none is set.
    Unset,
    /// A PLI that is not accepted.
    Pli(u8),
    /// The bit before the ARI is set; in a PARK it is 0.
    EBit(u32),
    /// More than 31 bits (36 for class A).
    Bits(u64),
    /// An access rights class above 4, or class A where 31 bits have to do.
    Class(u8),
    /// The two bits that fill the octal form up are not zero.
    Filler(String),
    /// The 14th character, in strict mode.
    Check {
        /// What was read.
        read: char,
        /// What the digits ask for.
        expected: char,
    },
}

impl Pli {
    /// The whole ARI counts: 256 base stations (standard PARK).
    pub const FULL: Pli = Pli(31);
    /// The four FPS bits are free: 4096 base stations (XXL).
    pub const XXL: Pli = Pli(27);

    /// Accepts 31 and 27, which are all that OMMs use.
    pub const fn new(bits: u8) -> Result<Pli, BadPark> {
        match bits {
            31 | 27 => Ok(Pli(bits)),
            _ => Err(BadPark::Pli(bits)),
        }
    }

    /// Accepts every length up to 31, for a site that is configured so. At least the class (3 bits) counts.
    pub const fn unusual(bits: u8) -> Result<Pli, BadPark> {
        match bits {
            3..=31 => Ok(Pli(bits)),
            _ => Err(BadPark::Pli(bits)),
        }
    }

    /// The number of bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// How many base stations fit: 8 bits of RPN times the ARIs that the free bits span.
    pub const fn base_stations_max(self) -> u64 {
        256 << (ARI_BITS - self.0 as u32)
    }
}

impl Pari {
    /// Checks 31 bits of class B to E.
    pub fn new(bits: u32) -> Result<Pari, BadPark> {
        if bits >> ARI_BITS != 0 {
            return Err(BadPark::Bits(u64::from(bits)));
        }
        match Ari::decode(u64::from(bits) << 5)? {
            Ari::A { .. } => Err(BadPark::Class(0)),
            Ari::B { .. } | Ari::C { .. } | Ari::D { .. } | Ari::E { .. } => Ok(Pari(bits)),
        }
    }

    /// Reads 8 hexadecimal digits, the vendor's `ommId`.
    pub fn from_hex(text: &str) -> Result<Pari, BadPark> {
        let bits = hex(text, 8)? as u32;
        if bits >> ARI_BITS != 0 { Err(BadPark::EBit(bits)) } else { Pari::new(bits) }
    }

    /// The 31 bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The class and its fields.
    pub fn ari(self) -> Ari {
        // A Pari was checked when it was made, so the class is one of B to E.
        Ari::decode(u64::from(self.0) << 5).unwrap_or(Ari::B { eic: 0, fpn: 0, fps: 0 })
    }
}

impl Ari {
    /// Takes an ARI apart. The bits are left-aligned in 36, the length of class A; the others leave 5 unused.
    pub fn decode(left_aligned: u64) -> Result<Ari, BadPark> {
        if left_aligned >> 36 != 0 {
            return Err(BadPark::Bits(left_aligned));
        }
        let short = (left_aligned >> 5) as u32;
        match (left_aligned >> 33) as u8 {
            0 => Ok(Ari::A { emc: (left_aligned >> 17) as u16, fpn: left_aligned as u32 & 0x1_FFFF }),
            1 => Ok(Ari::B { eic: (short >> 12) as u16, fpn: (short >> 4) as u8, fps: short as u8 & 0xF }),
            2 => Ok(Ari::C { poc: (short >> 12) as u16, fpn: (short >> 4) as u8, fps: short as u8 & 0xF }),
            3 => Ok(Ari::D { gop: (short >> 8) & 0xF_FFFF, fpn: short as u8 }),
            4 => Ok(Ari::E { fil: (short >> 12) as u16, fpn: short as u16 & 0xFFF }),
            class => Err(BadPark::Class(class)),
        }
    }
}

impl Park {
    /// Reads the hexadecimal form (PLI octet, E bit 0, ARI; 10 digits) or the decimal one (2 decimal digits of PLI,
    /// 11 octal digits of ARI, perhaps a 14th character).
    pub fn read(text: &str, fourteenth: Fourteenth) -> Result<Park, BadPark> {
        match text.len() {
            10 => Park::from_hex(text, Pli::new),
            13 | 14 if text.is_ascii() => Park::from_decimal(text, fourteenth),
            _ => Err(shape(text)),
        }
    }

    fn from_hex(text: &str, pli: fn(u8) -> Result<Pli, BadPark>) -> Result<Park, BadPark> {
        let value = hex(text, 10)?;
        if value == 0 {
            return Err(BadPark::Unset);
        }
        let ari = value as u32;
        if ari >> ARI_BITS != 0 {
            return Err(BadPark::EBit(ari));
        }
        Ok(Park { pli: pli((value >> 32) as u8)?, ari: Pari::new(ari)? })
    }

    fn from_decimal(text: &str, fourteenth: Fourteenth) -> Result<Park, BadPark> {
        let (digits, extra) = text.split_at_checked(13).ok_or_else(|| shape(text))?;
        let (pli, octal) = digits.split_at_checked(2).ok_or_else(|| shape(text))?;
        if !pli.bytes().all(|byte| byte.is_ascii_digit())
            || !octal.bytes().all(|byte| (b'0'..b'8').contains(&byte))
        {
            return Err(shape(text));
        }
        let pli = Pli::new(pli.parse().map_err(|_| shape(text))?)?;
        let aligned = u64::from_str_radix(octal, 8).map_err(|_| shape(text))?;
        // 31 bits are left-aligned in the 33 bits of eleven octal digits.
        if aligned & 0b11 != 0 {
            return Err(BadPark::Filler(text.to_owned()));
        }
        if let (Some(read), Fourteenth::Checked) = (extra.chars().next(), fourteenth) {
            let expected = check_character(
                (1..).zip(digits.bytes()).map(|(weight, d)| weight * u64::from(d - b'0')).sum(),
            );
            if read != expected {
                return Err(BadPark::Check { read, expected });
            }
        }
        Ok(Park { pli, ari: Pari::new((aligned >> 2) as u32)? })
    }

    /// The decimal form: 13 digits, never a 14th (its rule is not confirmed).
    pub fn decimal(&self) -> String {
        format!("{:02}{:011o}", self.pli.0, u64::from(self.ari.0) << 2)
    }

    /// Whether a handset with this PARK may use a system that broadcasts `broadcast`: the first PLI bits agree.
    pub fn admits(&self, broadcast: Pari) -> bool {
        let free = ARI_BITS - u32::from(self.pli.0);
        self.ari.0 >> free == broadcast.0 >> free
    }
}

impl Sari {
    /// The SARI of a system whose central has this PARK: the very same bits, so that handsets that were subscribed
    /// at the central before stay subscribed (M-2.2.11-f).
    pub const fn derive(central: Park) -> Sari {
        Sari(central)
    }

    /// Reads 10 hexadecimal digits; `0000000000` means that none is set. Any PLI will do: it was checked where the
    /// PARK was configured, and peers compare theirs.
    pub fn read(text: &str) -> Result<Option<Sari>, BadPark> {
        match Park::from_hex(text, Pli::unusual) {
            Ok(park) => Ok(Some(Sari(park))),
            Err(BadPark::Unset) => Ok(None),
            Err(bad) => Err(bad),
        }
    }

    /// The PARK that a handset stores when it subscribes to this SARI.
    pub const fn park(self) -> Park {
        self.0
    }
}

fn shape(text: &str) -> BadPark {
    BadPark::Shape(text.chars().take(32).collect())
}

fn hex(text: &str, digits: usize) -> Result<u64, BadPark> {
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(shape(text));
    }
    u64::from_str_radix(text, 16).map_err(|_| shape(text))
}

impl FromStr for Park {
    type Err = BadPark;

    fn from_str(text: &str) -> Result<Park, BadPark> {
        Park::read(text, Fourteenth::Ignored)
    }
}

impl fmt::Display for Park {
    /// The hexadecimal form, 10 digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}{}", self.pli.0, self.ari)
    }
}

impl fmt::Display for Pari {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

impl fmt::Display for Sari {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for BadPark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadPark::Shape(read) => {
                write!(
                    f,
                    "{read:?}; expected 10 hexadecimal digits, or 2 decimal and 11 octal digits (an ommId: 8 \
                           hexadecimal digits)"
                )
            }
            BadPark::Unset => write!(f, "0000000000 means that none is set; expected an identity"),
            BadPark::Pli(read) => write!(f, "PLI {read}; expected 31 (256 base stations) or 27 (4096)"),
            BadPark::EBit(read) => write!(f, "ARI {read:08X} has its first bit set; expected 0 there"),
            BadPark::Bits(read) => {
                write!(f, "ARI {read:#x} is too long; expected 31 bits, or 36 for class A")
            }
            BadPark::Class(read) => write!(f, "access rights class {read}; expected 1 (B) to 4 (E)"),
            BadPark::Filler(read) => {
                write!(f, "{read:?} ends in bits that belong to no ARI; expected two zero bits")
            }
            BadPark::Check { read, expected } => {
                write!(f, "PARK check character {read:?}; expected {expected:?}")
            }
        }
    }
}

impl std::error::Error for BadPark {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_parks_have_these_decimal_forms() {
        for (hex, decimal, fourteenth) in [
            ("1F102F0E86", "3110057035030", '2'),
            ("1F102AF12C", "3110052742260", '5'),
            ("1F102A7C82", "3110052371010", '7'),
            ("1F10187326", "3110030346230", '6'),
        ] {
            let park: Park = hex.parse().unwrap();
            assert_eq!((park.to_string().as_str(), park.decimal().as_str()), (hex, decimal));
            assert_eq!(decimal.parse(), Ok(park));
            assert_eq!(format!("{decimal}9").parse(), Ok(park), "a 14th character is ignored");
            let strict = |last: char| Park::read(&format!("{decimal}{last}"), Fourteenth::Checked);
            assert_eq!(strict(fourteenth), Ok(park));
            assert_eq!(strict('9'), Err(BadPark::Check { read: '9', expected: fourteenth }));
        }
    }

    #[test]
    fn the_sample_park_is_class_b() {
        let park: Park = "1F102F0E86".parse().unwrap();
        assert_eq!(park.pli, Pli::FULL);
        assert_eq!(park.ari.ari(), Ari::B { eic: 0x02F0, fpn: 0xE8, fps: 6 });
        let alcatel: Park = "3110000400100".parse().unwrap();
        assert!(matches!(alcatel.ari.ari(), Ari::B { .. }));
    }

    #[test]
    fn every_class_is_taken_apart() {
        let class = |arc: u64, rest: u64| Ari::decode(arc << 33 | rest << 5).unwrap();
        assert_eq!(Ari::decode(0xABCD << 17 | 0x1_2345), Ok(Ari::A { emc: 0xABCD, fpn: 0x1_2345 }));
        assert_eq!(class(1, 0xABC_D12E), Ari::B { eic: 0xABCD, fpn: 0x12, fps: 0xE });
        assert_eq!(class(2, 0xABC_D12E), Ari::C { poc: 0xABCD, fpn: 0x12, fps: 0xE });
        assert_eq!(class(3, 0xABC_D12E), Ari::D { gop: 0xABCD1, fpn: 0x2E });
        assert_eq!(class(4, 0xABC_D12E), Ari::E { fil: 0xABCD, fpn: 0x12E });
        assert_eq!(Ari::decode(5 << 33), Err(BadPark::Class(5)));
    }

    #[test]
    fn the_pli_bounds_the_base_stations_and_the_comparison() {
        assert_eq!((Pli::FULL.base_stations_max(), Pli::XXL.base_stations_max()), (256, 4096));
        assert_eq!(Pli::new(30), Err(BadPark::Pli(30)));
        assert_eq!(Pli::unusual(30).unwrap().base_stations_max(), 512);
        let (one, six) = (Pari::from_hex("102F0E81").unwrap(), Pari::from_hex("102F0E86").unwrap());
        assert!(Park { pli: Pli::XXL, ari: six }.admits(one));
        assert!(!Park { pli: Pli::FULL, ari: six }.admits(one));
    }

    #[test]
    fn the_sari_is_the_park_of_the_central() {
        let park: Park = "1F10187326".parse().unwrap();
        assert_eq!(Sari::derive(park).to_string(), "1F10187326");
        assert_eq!(Sari::read("1F10187326"), Ok(Some(Sari::derive(park))));
        assert_eq!(Sari::read("0000000000"), Ok(None));
        assert_eq!(Sari::read("1F00"), Err(BadPark::Shape("1F00".into())));
    }

    #[test]
    fn a_bad_park_is_named() {
        for (text, bad) in [
            ("0000000000", BadPark::Unset),
            ("1E102F0E86", BadPark::Pli(30)),
            ("1F902F0E86", BadPark::EBit(0x902F_0E86)),
            ("1F002F0E86", BadPark::Class(0)),
            ("1F502F0E86", BadPark::Class(5)),
            ("3110057035031", BadPark::Filler("3110057035031".into())),
            ("3110057035039", BadPark::Shape("3110057035039".into())),
            ("+F102F0E86", BadPark::Shape("+F102F0E86".into())),
            ("", BadPark::Shape(String::new())),
            ("ääääääa", BadPark::Shape("ääääääa".into())),
        ] {
            assert_eq!(text.parse::<Park>(), Err(bad));
        }
    }
}
