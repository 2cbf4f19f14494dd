//! What the entries of a file do to a directory: tried on a copy, so that nothing happens that changes nothing.
//!
//! A change that would leave everything as it is is not made, and so costs no stamp and no word to other OMMs
//! (SM-7; M-2.3.3-b: a file that is read at every start).

use std::fmt;

use omm::directory::Directory;
use omm::directory::edit::Changed;
use omm::directory::key::{Ppn, Uid};
use omm::stamp::Stamp;

use crate::edits::{Here, edits};
use crate::error::Refused;
use crate::request::Change;

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Something is there that was not.
    Created,
    /// Something is different.
    Changed,
    /// Something is gone.
    Deleted,
    /// It was so already.
    Unchanged,
}

/// A copy of the directory on which changes are tried.
pub struct Trial {
    directory: Directory,
    here: Here,
    stamp: Stamp,
}

impl Trial {
    /// A trial on this copy, as it would be done here.
    pub fn new(directory: Directory, here: Here) -> Trial {
        // Later than all that is in there; nobody but the copy ever sees it.
        let ms = directory.latest().map_or(0, |latest| latest.ms).saturating_add(1);
        Trial { directory, here, stamp: Stamp { ms, ctr: 0, omm: here.omm } }
    }

    /// Makes a change and says what it did.
    ///
    /// # Errors
    /// It is refused, as it would be by the directory itself.
    pub fn make(&mut self, change: &Change) -> Result<Fate, Refused> {
        let mut changed = Changed::default();
        let (mut uid, mut ppn) = (None, None);
        for edit in edits(change, &self.directory, self.here)? {
            self.stamp = self.stamp.above(self.stamp);
            let done = self.directory.edit(self.stamp, edit).map_err(|refusal| Refused::from(&refusal))?;
            (uid, ppn) = (done.uid.or(uid), done.ppn.or(ppn));
            changed.then(done.changed);
        }
        Ok(self.fate(&changed, uid, ppn))
    }

    fn fate(&self, changed: &Changed, uid: Option<Uid>, ppn: Option<Ppn>) -> Fate {
        if changed.is_empty() {
            return Fate::Unchanged;
        }
        let was_user = uid.map(|uid| (changed.users.get(&uid), self.directory.user_at(uid).is_some()));
        let was_device = ppn.map(|ppn| (changed.devices.get(&ppn), self.directory.device_at(ppn).is_some()));
        match (was_user, was_device) {
            (Some((Some(None), true)), _) | (_, Some((Some(None), true))) => Fate::Created,
            (Some((Some(Some(_)), false)), _) | (_, Some((Some(Some(_)), false))) => Fate::Deleted,
            (_, _) => self.profile_fate(changed),
        }
    }

    /// A profile has neither uid nor ppn.
    fn profile_fate(&self, changed: &Changed) -> Fate {
        match changed.profiles.iter().next() {
            Some((_, None)) => Fate::Created,
            Some((id, Some(_))) if self.directory.profile(*id).is_none() => Fate::Deleted,
            Some((_, Some(_))) | None => Fate::Changed,
        }
    }

    /// The copy as it is now.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
}

impl Fate {
    /// Every fate, in the order of a report.
    pub const ALL: [Fate; 4] = [Fate::Created, Fate::Changed, Fate::Deleted, Fate::Unchanged];

    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Fate::Created => "created",
            Fate::Changed => "changed",
            Fate::Deleted => "deleted",
            Fate::Unchanged => "unchanged",
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use omm::platform::Platform;
    use omm::stamp::OmmId;
    use omm::star::Role;

    use super::*;
    use crate::provision::ipdect;

    const HERE: Here = Here { omm: OmmId::new(0x102f_0e86), role: Role::Central };

    /// Reads a file and tells what becomes of each request.
    fn told(trial: &mut Trial, file: &str) -> Vec<String> {
        let reading = ipdect::read(file);
        assert_eq!(reading.mistakes, []);
        let tell = |entry: &crate::provision::Entry| match entry.change() {
            Ok(Some(change)) => match trial.make(&change) {
                Ok(fate) => fate.to_string(),
                Err(why) => why.code.to_string(),
            },
            Ok(None) => "not ours".to_owned(),
            Err(why) => format!("{} {}", why.code, why.bad.unwrap_or_default()),
        };
        reading.entries.iter().map(tell).collect()
    }

    const FILE: &str = r#"
        <SetPARK park="1F102A7158"/>
        <CreatePPUser plainText=1 replaceData=1><user uid="1" name="" num="" addId="" sipPw="" pin=""/></CreatePPUser>
        <CreatePPUser plainText="1" replaceData="1"><user num="100" name="Anna" sipPw="geheim" keyLockPin="1"/></CreatePPUser>
        <CreateFixedPP plainText="1" replaceData="1"><user num="101" sipPw="x"/><pp ipei="00001 0000001 6"/></CreateFixedPP>
        <CreatePPDev replaceData="1"><pp ipei="0000100000027" encrypt="1"/></CreatePPDev>
        <SetPPUser><user uid="1" name="Platz 1"/></SetPPUser>
    "#;

    #[test]
    fn a_file_that_is_read_again_changes_nothing_and_writes_no_stamp() {
        let mut trial = Trial::new(Directory::new(Platform::Pc), HERE);
        let first = ["not ours", "created", "created", "created", "created", "changed"];
        assert_eq!(told(&mut trial, FILE), first);
        let (digest, latest) = (trial.directory().digest(), trial.directory().latest());
        // The second request writes the name that the last one takes away again.
        let rest: String = FILE.lines().filter(|line| !line.contains("uid=\"1\"")).collect();
        assert_eq!(told(&mut trial, &rest), ["not ours", "unchanged", "unchanged", "unchanged"]);
        assert_eq!((trial.directory().digest(), trial.directory().latest()), (digest, latest));
    }

    #[test]
    fn what_is_there_is_replaced_only_when_the_request_says_so() {
        let mut trial = Trial::new(Directory::new(Platform::Pc), HERE);
        told(&mut trial, FILE);
        let again = r#"<CreatePPUser plainText="1"><user num="100" name="Bert"/></CreatePPUser>
            <CreateFixedPP><user num="101"/><pp ipei="0000100000016"/></CreateFixedPP>
            <CreatePPUser replaceData="1"><user num="100" name="Bert"/></CreatePPUser>
            <DeletePPUser num="100"/><DeletePPUser num="100"/>"#;
        assert_eq!(told(&mut trial, again), ["EExist", "EExist", "changed", "deleted", "ENoEnt"]);
    }

    #[test]
    fn a_fixed_pair_is_made_of_whatever_is_there_already() {
        for before in [
            "",
            r#"<CreatePPUser><user num="7"/></CreatePPUser>"#,
            r#"<CreatePPDev><pp ppn="1" ipei="0000100000038"/></CreatePPDev>"#,
            r#"<CreatePPUser><user num="7"/></CreatePPUser><CreatePPDev><pp ipei="0000100000027"/></CreatePPDev>"#,
        ] {
            let mut trial = Trial::new(Directory::new(Platform::Pc), HERE);
            assert!(told(&mut trial, before).iter().all(|told| told == "created"), "{before}");
            for (relation, expected) in [("Dynamic", "Dynamic"), ("Fixed", "Fixed"), ("Unbound", "Unbound")] {
                let file = format!(
                    "<CreateFixedPP replaceData=1><user num=7 relType={relation}/><pp ipei=0000100000027/></CreateFixedPP>"
                );
                assert!(!told(&mut trial, &file)[0].starts_with('E'), "{before}");
                let user = trial.directory().users().next().expect("a user").clone();
                assert_eq!(crate::showing::relation(user.relation), expected, "{before}");
                assert_eq!(told(&mut trial, &file), ["unchanged"], "{before}");
            }
        }
    }

    #[test]
    fn an_encrypted_secret_in_a_file_is_refused_by_name() {
        let mut trial = Trial::new(Directory::new(Platform::Pc), HERE);
        let file = r#"<CreatePPUser><user num="1" sipPw="bm9uc2Vuc2U="/></CreatePPUser>
            <CreatePPUser plainText="1"><user num="1" colour="red"/></CreatePPUser>"#;
        assert_eq!(told(&mut trial, file), ["EInval sipPw", "EInval colour"]);
    }
}
