//! How the parts of the system do (axi 4.4 `GetHealthState`, 6.4). There are two of the vendor's here: the sync link,
//! `userDeviceSync`, and the provisioning server of external users, `uds`.
//!
//! ```text
//!          at a remote                                    at the central, of all its remotes
//! OK       in step, and the clocks agree                  all are in step, and the clocks agree
//! Idle     not attached                                   there are none
//! Warning  synchronising, slowly or not; clocks apart     one is away, held or synchronising, or its clock is apart
//! Error    refused, held, lost, not reached               -
//! ```
//!
//! The provisioning server: Idle where there are no external users, or before a first file was read; Warning while the common
//! file, or that of a user who is there, was not to be had when it was read last; OK otherwise. A file that is not there is
//! an answer, and no failure (M-2.2.7.1-b).
//!
//! The spec has the four words and the sentences; which word belongs to what is ours. A central is never in error: it
//! serves without each of its remotes (M-2-e).

use std::fmt;

use omm::link::dial::{Health, Held};
use omm::link::frame::{Mismatch, OpenError};

use crate::element::Element;
use crate::reply::Reply;

pub mod reading;

/// The vendor's sentence for a link that does not stand (axi 6.4).
const LOST: &str = "Cannot connect to external AXI / lost AXI connection";
/// The vendor's sentence for clocks that are apart (axi 6.4).
const CLOCKS: &str = "Different system times";
/// The vendor's sentences for files that were not to be had, or made no sense (axi-schema `ReasonType`).
const NO_COMMON_FILE: &str = "Import of the common user data file from server failed";
const NO_USER_FILE: &str = "Import of at least one user data file from server failed";
/// Why an OMM does not attach itself (M-2.3.1.2-a). The vendor has no sentence for it; this one is ours.
const NOT_EMPTY: &str = "OMM has users or devices of its own";

/// How bad it is (axi 4.4 `severity`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// All is well.
    Ok,
    /// Not in use.
    Idle,
    /// It works, but somebody should look.
    Warning,
    /// It does not work.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Ok => "OK",
            Severity::Idle => "Idle",
            Severity::Warning => "Warning",
            Severity::Error => "Error",
        })
    }
}

/// What clients are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// How bad it is.
    pub severity: Severity,
    /// Why, in the vendor's words where there are some.
    pub reason: Option<&'static str>,
}

/// How far a remote of a central is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is on the list, and not let in: lost, or held.
    Away,
    /// It is let in, and the exchange goes on.
    Synchronising,
    /// In step.
    InStep,
}

/// A remote, as its central sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// How far it is.
    pub progress: Progress,
    /// Whether its clock is farther from ours than is good.
    pub apart: bool,
}

impl Condition {
    /// How a remote does whose link is like this; `apart` is whether the central's clock is farther away than is good. A
    /// synchronisation that is slow (M-2.2.8-e) is one that still goes on.
    pub fn of_link(health: Health, apart: bool) -> Condition {
        let of = |severity, reason| Condition { severity, reason };
        match health {
            Health::Off => of(Severity::Idle, None),
            Health::Refused(_) => of(Severity::Error, Some(NOT_EMPTY)),
            Health::Synchronising(_) => of(Severity::Warning, apart.then_some(CLOCKS)),
            Health::InSync if apart => of(Severity::Warning, Some(CLOCKS)),
            Health::InSync => of(Severity::Ok, None),
            Health::Connecting | Health::Lost => of(Severity::Error, Some(LOST)),
            Health::Held(held) => of(Severity::Error, Some(held_for(held))),
        }
    }

    /// How a central does that has these remotes. Of several reasons the one that is worst for a remote is told.
    pub fn of_remotes(remotes: impl IntoIterator<Item = Remote>) -> Condition {
        let mut all = Condition { severity: Severity::Idle, reason: None };
        for Remote { progress, apart } in remotes {
            let (severity, reason) = match progress {
                Progress::Away => (Severity::Warning, Some(LOST)),
                Progress::Synchronising | Progress::InStep if apart => (Severity::Warning, Some(CLOCKS)),
                Progress::Synchronising => (Severity::Warning, None),
                Progress::InStep => (Severity::Ok, None),
            };
            let is_first = all.severity == Severity::Idle;
            all.severity = if is_first { severity } else { all.severity.max(severity) };
            all.reason = if reason == Some(LOST) { reason } else { all.reason.or(reason) };
        }
        all
    }

    fn element(self, component: &'static str) -> Element<'static> {
        let mut health = Element::new("health").with("component", component);
        health.set("severity", self.severity.to_string());
        if let Some(reason) = self.reason {
            health.set("reason", reason);
        }
        health.with("reasonCode", "0")
    }
}

/// How the files of the provisioning server were to be had when they were read last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Whether the server answered at all since the start.
    pub read: bool,
    /// The common one was not to be had.
    pub common_failed: bool,
    /// That of a user who is there was not to be had.
    pub user_failed: bool,
}

impl Files {
    fn condition(self) -> Condition {
        let warning = |reason| Condition { severity: Severity::Warning, reason: Some(reason) };
        match self {
            Files { common_failed: true, .. } => warning(NO_COMMON_FILE),
            Files { user_failed: true, .. } => warning(NO_USER_FILE),
            Files { read: true, .. } => Condition { severity: Severity::Ok, reason: None },
            Files { .. } => Condition { severity: Severity::Idle, reason: None },
        }
    }
}

/// How all parts do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wellbeing {
    /// The sync link.
    pub link: Condition,
    /// The files of external users; nothing is read where there are none.
    pub files: Files,
}

impl Wellbeing {
    /// `GetHealthStateResp`: all parts.
    pub fn reply(self) -> Reply {
        let children = self.parts().map(|(name, condition)| condition.element(name)).into();
        Reply { attributes: Vec::new(), children }
    }

    /// What stands in `EventHealthState`: those that did otherwise `before`; all of them to begin with. `None` when all do as
    /// they did.
    pub fn since(self, before: Option<Wellbeing>) -> Option<Reply> {
        let before = before.map(Wellbeing::parts);
        let told = self.parts().into_iter().filter(|part| before.is_none_or(|before| !before.contains(part)));
        let children: Vec<_> = told.map(|(name, condition)| condition.element(name)).collect();
        (!children.is_empty()).then_some(Reply { attributes: Vec::new(), children })
    }

    fn parts(self) -> [(&'static str, Condition); 2] {
        [("userDeviceSync", self.link), ("uds", self.files.condition())]
    }
}

fn held_for(held: Held) -> &'static str {
    match held {
        Held::Here(why) | Held::There(OpenError::Mismatch(why)) => match why {
            Mismatch::Protocol => "Different AXI or OMM version",
            Mismatch::Platform => "Connection between RFP an PC OMM",
            Mismatch::Clock => CLOCKS,
            Mismatch::Pli | Mismatch::DuplicatePark | Mismatch::Sari => LOST,
        },
        Held::There(OpenError::NoSari) => "SARI not configured on central OMM",
        Held::Distrusted
        | Held::There(
            OpenError::Auth
            | OpenError::Delayed(_)
            | OpenError::Full
            | OpenError::Inactive
            | OpenError::Outranked
            | OpenError::Stranger,
        ) => LOST,
    }
}

#[cfg(test)]
mod tests {
    use omm::link::census::Census;

    use super::*;

    fn told(condition: Condition) -> String {
        format!("{} {}", condition.severity, condition.reason.unwrap_or("-"))
    }

    #[test]
    fn a_link_is_well_only_when_it_is_in_step_and_the_clocks_agree() {
        let census = Census { users: 1, devices: 0 };
        for (health, apart, expected) in [
            (Health::Off, false, "Idle -"),
            (Health::Refused(census), false, "Error OMM has users or devices of its own"),
            (Health::Connecting, false, "Error Cannot connect to external AXI / lost AXI connection"),
            (Health::Lost, true, "Error Cannot connect to external AXI / lost AXI connection"),
            (Health::Held(Held::Here(Mismatch::Clock)), true, "Error Different system times"),
            (Health::Held(Held::There(OpenError::NoSari)), false, "Error SARI not configured on central OMM"),
            (Health::Synchronising(40), false, "Warning -"),
            (Health::InSync, true, "Warning Different system times"),
            (Health::InSync, false, "OK -"),
        ] {
            assert_eq!(told(Condition::of_link(health, apart)), expected, "{health:?}");
        }
    }

    #[test]
    fn a_central_does_as_its_remotes_do() {
        let remote = |progress| Remote { progress, apart: false };
        let [away, coming, fine] = [Progress::Away, Progress::Synchronising, Progress::InStep].map(remote);
        let wrong = Remote { apart: true, ..fine };
        let of = |remotes: &[Remote]| told(Condition::of_remotes(remotes.iter().copied()));
        assert_eq!(of(&[]), "Idle -");
        assert_eq!(of(&[fine, fine]), "OK -");
        assert_eq!(of(&[fine, coming, fine]), "Warning -");
        assert_eq!(of(&[coming, wrong]), "Warning Different system times");
        let lost = "Warning Cannot connect to external AXI / lost AXI connection";
        assert_eq!(of(&[wrong, fine, away, fine]), lost);
    }

    #[test]
    fn a_warning_is_told_in_the_vendor_s_words() {
        let link = Condition::of_link(Health::InSync, true);
        let told = Wellbeing { link, files: Files::default() }.reply().children;
        assert_eq!(
            told[0].to_string(),
            "<health component=\"userDeviceSync\" severity=\"Warning\" reason=\"Different system times\" \
             reasonCode=\"0\"/>"
        );
        assert_eq!(told[1].to_string(), "<health component=\"uds\" severity=\"Idle\" reasonCode=\"0\"/>");
    }

    #[test]
    fn files_that_cannot_be_had_are_a_warning_and_the_common_one_counts_first() {
        let files = |read, common_failed, user_failed| Files { read, common_failed, user_failed };
        for (files, expected) in [
            (files(false, false, false), "Idle -"),
            (files(true, false, false), "OK -"),
            (files(true, false, true), "Warning Import of at least one user data file from server failed"),
            (files(true, true, true), "Warning Import of the common user data file from server failed"),
        ] {
            assert_eq!(told(files.condition()), expected, "{files:?}");
        }
    }

    #[test]
    fn an_event_tells_the_part_that_does_otherwise_now() {
        let link = Condition::of_link(Health::InSync, false);
        let before = Wellbeing { link, files: Files::default() };
        let now = Wellbeing { files: Files { read: true, ..Files::default() }, ..before };
        let names = |reply: Option<Reply>| {
            let children = reply.map(|reply| reply.children).unwrap_or_default();
            children.iter().filter_map(|child| child.get("component").map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(names(now.since(None)), ["userDeviceSync", "uds"]);
        assert_eq!(names(now.since(Some(before))), ["uds"]);
        assert_eq!(now.since(Some(now)), None);
    }
}
