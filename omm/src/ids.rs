//! The natural keys of the two things that are synchronised: the [`Number`] of a user and the [`Ipei`] of a handset
//! (spec 4.1). What identifies a record between two OMMs is the stamp of its creation: [`crate::directory::key::Id`].
//!
//! - [`ipui`]: the identity a handset sends over the air (spec 4.2).
//! - [`park`]: the identities of the fixed part: PARI, PLI, PARK, SARI (spec 4.3, 4.4).

use std::fmt;
use std::str::FromStr;

use smol_str::SmolStr;

pub mod ipui;
pub mod park;

/// How long a number may be, in characters. Ours: no guideline names a figure; 64 covers every dial plan seen.
pub const NUMBER_LEN_MAX: usize = 64;

/// Marks that may stand in a number besides letters and digits: those that a SIP user part carries unescaped
/// (RFC 3261 25.1, `unreserved` and `user-unreserved`) without `,` `;` `?` `/`, which separate things wherever a
/// number is printed. Ours.
const NUMBER_MARKS: &[u8] = b"-_.!~*'()+&=$";

/// The number of a user: its SIP id, unique among living users (I1). Compared exactly, as a SIP user part is. Kept in
/// place, because every table of users is searched by it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(SmolStr);

/// Why a text is no [`Number`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadNumber {
    /// Nothing was read.
    Empty,
    /// Longer than [`NUMBER_LEN_MAX`]; so many characters were read.
    TooLong(usize),
    /// A character that cannot stand in a SIP user part as it is.
    Character {
        /// What was read.
        read: String,
        /// The first offending character.
        bad: char,
    },
}

impl Number {
    /// Checks the text: 1..=64 characters, each a letter, a digit or one of `-_.!~*'()+&=$`.
    pub fn new(text: &str) -> Result<Number, BadNumber> {
        if text.is_empty() {
            return Err(BadNumber::Empty);
        }
        if text.len() > NUMBER_LEN_MAX {
            return Err(BadNumber::TooLong(text.chars().count()));
        }
        match text
            .chars()
            .find(|c| !(c.is_ascii_alphanumeric() || c.is_ascii() && NUMBER_MARKS.contains(&(*c as u8))))
        {
            Some(bad) => Err(BadNumber::Character { read: text.to_owned(), bad }),
            None => Ok(Number(SmolStr::new(text))),
        }
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Number {
    type Err = BadNumber;

    fn from_str(text: &str) -> Result<Number, BadNumber> {
        Number::new(text)
    }
}

impl AsRef<str> for Number {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Number {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for BadNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadNumber::Empty => write!(f, "a number is empty; expected 1 to {NUMBER_LEN_MAX} characters"),
            BadNumber::TooLong(len) => {
                write!(f, "a number has {len} characters; expected 1 to {NUMBER_LEN_MAX}")
            }
            BadNumber::Character { read, bad } => {
                write!(f, "number {read:?} holds {bad:?}; expected letters, digits and -_.!~*'()+&=$")
            }
        }
    }
}

impl std::error::Error for BadNumber {}

/// The largest PSN: 20 bits (spec 4.1).
pub const PSN_MAX: u32 = (1 << 20) - 1;
/// Digits of an IPEI without its check character: EMC 5, PSN 7 (spec 4.1).
const IPEI_DIGITS: usize = 12;
/// The longest text that is looked at as an IPEI: 13 characters and as many blanks. Ours.
const IPEI_TEXT_MAX: usize = 26;

/// The identity of a handset: 36 bits, manufacturer code (EMC, 16 bits) and serial number (PSN, 20 bits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ipei(u64);

/// Why a text or a number is no [`Ipei`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadIpei {
    /// Not 12 digits with or without a check character.
    Shape(String),
    /// The first five digits exceed 65535.
    Emc(u32),
    /// The next seven digits exceed 1048575.
    Psn(u32),
    /// The check character is wrong.
    Check {
        /// What was read.
        read: char,
        /// What the digits ask for.
        expected: char,
    },
    /// More than 36 bits.
    Bits(u64),
}

impl Ipei {
    /// The IPEI of a manufacturer code and a serial number (at most [`PSN_MAX`]).
    pub const fn new(emc: u16, psn: u32) -> Result<Ipei, BadIpei> {
        if psn > PSN_MAX {
            return Err(BadIpei::Psn(psn));
        }
        Ok(Ipei((emc as u64) << 20 | psn as u64))
    }

    /// The IPEI in these 36 bits.
    pub const fn from_bits(bits: u64) -> Result<Ipei, BadIpei> {
        if bits >> 36 != 0 { Err(BadIpei::Bits(bits)) } else { Ok(Ipei(bits)) }
    }

    /// The 36 bits: EMC above PSN.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The manufacturer code.
    pub const fn emc(self) -> u16 {
        (self.0 >> 20) as u16
    }

    /// The serial number, at most [`PSN_MAX`].
    pub const fn psn(self) -> u32 {
        self.0 as u32 & PSN_MAX
    }

    /// The check character: `1*d1 + 2*d2 + ... + 12*d12` mod 11, where 10 is written `*` (EN 300 175-6 annex C).
    pub fn check(self) -> char {
        let mut sum = 0;
        let mut rest = u64::from(self.emc()) * 10_000_000 + u64::from(self.psn());
        for weight in (1..=IPEI_DIGITS as u64).rev() {
            sum += weight * (rest % 10);
            rest /= 10;
        }
        check_character(sum)
    }
}

/// The character for a weighted digit sum.
pub(crate) fn check_character(sum: u64) -> char {
    match sum % 11 {
        10 => '*',
        digit => char::from(b'0' + digit as u8),
    }
}

impl FromStr for Ipei {
    type Err = BadIpei;

    /// Reads the printed form, with or without blanks, with or without the check character (spec 4.1).
    fn from_str(text: &str) -> Result<Ipei, BadIpei> {
        let shape = || BadIpei::Shape(text.chars().take(IPEI_TEXT_MAX + 1).collect());
        if text.len() > IPEI_TEXT_MAX {
            return Err(shape());
        }
        let (mut emc, mut psn, mut count, mut check) = (0_u32, 0_u32, 0_usize, None);
        for byte in text.bytes().filter(|byte| *byte != b' ') {
            match (byte, count) {
                (b'0'..=b'9', 0..5) => emc = emc * 10 + u32::from(byte - b'0'),
                (b'0'..=b'9', 5..IPEI_DIGITS) => psn = psn * 10 + u32::from(byte - b'0'),
                (b'0'..=b'9' | b'*', IPEI_DIGITS) => check = Some(char::from(byte)),
                _ => return Err(shape()),
            }
            count += 1;
        }
        if count < IPEI_DIGITS {
            return Err(shape());
        }
        let ipei = Ipei::new(u16::try_from(emc).map_err(|_| BadIpei::Emc(emc))?, psn)?;
        match check {
            Some(read) if read != ipei.check() => Err(BadIpei::Check { read, expected: ipei.check() }),
            _ => Ok(ipei),
        }
    }
}

impl fmt::Display for Ipei {
    /// The canonical form `EEEEE PPPPPPP C`, as AXI messages carry it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05} {:07} {}", self.emc(), self.psn(), self.check())
    }
}

impl fmt::Debug for Ipei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for BadIpei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadIpei::Shape(read) => {
                write!(f, "IPEI {read:?}; expected EEEEE PPPPPPP C: 12 digits and perhaps a check character")
            }
            BadIpei::Emc(read) => write!(f, "EMC {read:05}; expected at most 65535"),
            BadIpei::Psn(read) => write!(f, "PSN {read:07}; expected at most {PSN_MAX}"),
            BadIpei::Check { read, expected } => {
                write!(f, "IPEI check character {read:?}; expected {expected:?}")
            }
            BadIpei::Bits(read) => write!(f, "IPEI bits {read:#x}; expected at most 36 bits"),
        }
    }
}

impl std::error::Error for BadIpei {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_confirmed_ipeis_read_and_print_the_same() {
        for text in ["57005 0782068 7", "03074 0220259 3", "02914 0376663 7"] {
            let ipei: Ipei = text.parse().unwrap();
            assert_eq!(ipei.to_string(), text);
            let bare = text.replace(' ', "");
            assert_eq!(bare.parse(), Ok(ipei));
            assert_eq!(bare[..12].parse(), Ok(ipei), "12 digits are an IPEI without its check character");
            assert_eq!(Ipei::from_bits(ipei.bits()), Ok(ipei));
            assert_eq!(Ipei::new(ipei.emc(), ipei.psn()), Ok(ipei));
        }
    }

    #[test]
    fn ten_is_written_as_a_star() {
        let ipei = (0..200).map(|psn| Ipei::new(0, psn).unwrap()).find(|ipei| ipei.check() == '*').unwrap();
        assert_eq!(ipei.to_string().parse(), Ok(ipei));
        assert_eq!(
            ipei.to_string().replace('*', "0").parse::<Ipei>(),
            Err(BadIpei::Check { read: '0', expected: '*' })
        );
    }

    #[test]
    fn a_bad_ipei_says_what_was_read_and_what_was_expected() {
        let read = |text: &str| text.parse::<Ipei>().unwrap_err();
        assert_eq!(read("57005 0782068 8"), BadIpei::Check { read: '8', expected: '7' });
        assert_eq!(read("65536 0000000"), BadIpei::Emc(65536));
        assert_eq!(read("00000 1048576"), BadIpei::Psn(1_048_576));
        for shape in
            ["", " ", "57005", "57005 0782068 7 1", "5700x 0782068", "57005*0782068", "57005 0782068 #", "٠"]
        {
            assert_eq!(read(shape), BadIpei::Shape(shape.to_owned()));
        }
        assert_eq!(Ipei::from_bits(1 << 36), Err(BadIpei::Bits(1 << 36)));
        assert_eq!(read("57005 0782068 8").to_string(), "IPEI check character '8'; expected '7'");
        assert!(read(&"0".repeat(1 << 20)).to_string().len() < 200);
    }

    #[test]
    fn a_number_is_what_a_sip_user_part_carries_as_it_is() {
        for good in ["101", "+49301234", "anna.b", "*21", &"9".repeat(64)] {
            assert_eq!(Number::new(good).unwrap().as_str(), good);
        }
        assert_eq!(Number::new(""), Err(BadNumber::Empty));
        assert_eq!(Number::new(&"9".repeat(65)), Err(BadNumber::TooLong(65)));
        for (bad, c) in
            [("10 1", ' '), ("a@b", '@'), ("1;x", ';'), ("1/2", '/'), ("ü", 'ü'), ("1\0", '\0'), ("%31", '%')]
        {
            assert_eq!(Number::new(bad), Err(BadNumber::Character { read: bad.to_owned(), bad: c }));
        }
    }
}
