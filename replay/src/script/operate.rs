//! What an administrator does to an OMM as a whole: identity, attachment, backups, another machine in its place.

use omm::directory::restore::Mode;
use omm::platform::Platform;

use super::Name;
use super::cursor::{Cursor, Read};
use super::names::{Names, Sort};
use super::world::Park;
use super::world::read::{PLATFORMS, read_park};

/// One such deed. It happens at the site that the action names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the line above each member says what its parts are")]
pub enum Operation {
    /// `generate sari at SITE` (M-2.3.1.1-a)
    GenerateSari,
    /// `attach SITE [adopt]` (M-2.3.1.2)
    Attach { adopt: bool },
    /// `detach SITE`
    Detach,
    /// `remove remote SITE`: off the central's list
    Remove { remote: Name },
    /// `reinitialise SITE`: its disk is empty, as that of a new machine (AMB-11, M-2.3.5-c)
    Reinitialise,
    /// `backup SITE`
    Backup,
    /// `restore SITE merge|authoritative|mitel [from SITE] [without relations]` (M-2.3.5)
    Restore { mode: Mode, from: Name, preserve_relations: bool },
    /// `change site SITE platform P|axi N|park HEX`: what it is when it starts next
    Alter(Alteration),
}

/// What a site is from its next start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// What it runs on.
    Platform(Platform),
    /// The protocol version that it speaks.
    Axi(u32),
    /// Its PARK.
    Park(Park),
}

const SITE: &[Sort] = &[Sort::Site];
const MODES: &[(&str, Mode)] =
    &[("merge", Mode::Merge), ("authoritative", Mode::Authoritative), ("mitel", Mode::Mitel)];

/// Reads `sari at SITE`, behind `generate`.
pub(super) fn generate(line: &mut Cursor<'_>, names: &Names) -> Read<(Name, Operation)> {
    line.require("sari")?;
    line.require("at")?;
    Ok((line.name(names, SITE)?, Operation::GenerateSari))
}

/// Reads `SITE [adopt]`, behind `attach`.
pub(super) fn attach(line: &mut Cursor<'_>, names: &Names) -> Read<(Name, Operation)> {
    let site = line.name(names, SITE)?;
    Ok((site, Operation::Attach { adopt: line.take("adopt") }))
}

/// Reads `remote SITE`, behind `remove`. The site whose list it is on is the central.
pub(super) fn remove(line: &mut Cursor<'_>, names: &Names) -> Read<(Name, Operation)> {
    line.require("remote")?;
    let remote = line.name(names, SITE)?;
    Ok((remote.clone(), Operation::Remove { remote }))
}

/// Reads `SITE merge|authoritative|mitel [from SITE] [without relations]`, behind `restore`.
pub(super) fn restore(line: &mut Cursor<'_>, names: &Names) -> Read<(Name, Operation)> {
    let site = line.name(names, SITE)?;
    let mode = line.choose("what counts", MODES)?;
    let from = if line.take("from") { line.name(names, SITE)? } else { site.clone() };
    let is_without = line.take("without");
    if is_without {
        line.require("relations")?;
    }
    let preserve_relations = !is_without;
    Ok((site, Operation::Restore { mode, from, preserve_relations }))
}

/// Reads `SITE platform P|axi N|park HEX`, behind `change site`.
pub(super) fn alter(line: &mut Cursor<'_>, names: &Names) -> Read<(Name, Operation)> {
    let site = line.name(names, SITE)?;
    let what = line.choose("what is changed", &[("platform", 0), ("axi", 1), ("park", 2)])?;
    let alteration = match what {
        0 => Alteration::Platform(line.choose("a platform", PLATFORMS)?),
        1 => Alteration::Axi(line.count("the protocol version, a whole number")?),
        _ => Alteration::Park(read_park(line)?),
    };
    Ok((site, Operation::Alter(alteration)))
}
