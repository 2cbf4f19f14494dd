//! What an OMM runs on, and what that bounds (M-2.2.1). All OMMs of one system run on the same (M-2.1.1-d).

use std::fmt;
use std::str::FromStr;

use crate::ids::park::Pli;

/// The kinds of OMM.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Platform {
    /// On a base station.
    Rfp,
    /// On a base station of the fourth generation.
    Rfp4g,
    /// On a server.
    Pc,
}

impl Platform {
    /// How many phones the whole system may hold (M-2.2.1-b to d).
    pub const fn phones_max(self) -> usize {
        match self {
            Platform::Rfp => 512,
            Platform::Rfp4g => 1024,
            Platform::Pc => 10_000,
        }
    }

    /// How many base stations one OMM may hold: the platform's bound and that of its PARK (AMB-13).
    pub const fn base_stations_max(self, pli: Pli) -> u64 {
        let own = match self {
            Platform::Rfp | Platform::Rfp4g => 256,
            Platform::Pc => 4096,
        };
        if own < pli.base_stations_max() { own } else { pli.base_stations_max() }
    }
}

impl FromStr for Platform {
    type Err = BadPlatform;

    fn from_str(text: &str) -> Result<Platform, BadPlatform> {
        match text {
            "rfp" => Ok(Platform::Rfp),
            "rfp4g" => Ok(Platform::Rfp4g),
            "pc" => Ok(Platform::Pc),
            _ => Err(BadPlatform(text.chars().take(32).collect())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Platform::Rfp => "rfp",
            Platform::Rfp4g => "rfp4g",
            Platform::Pc => "pc",
        })
    }
}

/// A word that names no platform.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadPlatform(pub String);

impl fmt::Display for BadPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "platform {:?}; expected pc, rfp or rfp4g", self.0)
    }
}

impl std::error::Error for BadPlatform {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_of_platform_and_park_bounds_the_base_stations() {
        assert_eq!(Platform::Pc.base_stations_max(Pli::FULL), 256);
        assert_eq!(Platform::Pc.base_stations_max(Pli::XXL), 4096);
        assert_eq!(Platform::Rfp4g.base_stations_max(Pli::XXL), 256);
    }

    #[test]
    fn every_platform_reads_what_it_prints() {
        for platform in [Platform::Rfp, Platform::Rfp4g, Platform::Pc] {
            assert_eq!(platform.to_string().parse(), Ok(platform));
        }
        assert_eq!(
            "PC".parse::<Platform>().unwrap_err().to_string(),
            "platform \"PC\"; expected pc, rfp or rfp4g"
        );
    }
}
