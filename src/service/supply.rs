//! What a running OMM is supplied with, and what it hands out: users and handsets in files (M-2.2.7-a).
//!
//! Whatever is imported goes the way of an edit of an AXI client ([`Amend`]): it is stamped, durable before it is answered,
//! and spread. What would change nothing is seen on a copy of the directory and is not even asked for (M-2.3.3-b).

use ::actors::office::Amend;
use ::actors::omm::OmmActor;
use ::actors::omm::inspect::Survey;
use ::actors::omm::revise::Revise;
use actix::Addr;
use axi::edits::Here;
use axi::element::Element;
use axi::error::Refused;
use axi::provision::trial::{Fate, Trial};
use axi::provision::{Entry, sheet};
use omm::directory::edit::Edit;
use omm::directory::restore::{Mode, Restore};
use serde_json::{Value, json};

use crate::backup;
use crate::config::site::{Role, Site};
use crate::service::birth::{identity, role};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supply {
    /// Entries of a file are to be carried out, or only tried.
    Import {
        /// In their order.
        entries: Vec<Entry>,
        /// Nothing is changed.
        dry_run: bool,
    },
    /// All users and handsets.
    Export {
        /// With their secrets.
        secrets: bool,
    },
    /// All records.
    Backup {
        /// With their secrets.
        secrets: bool,
    },
    /// Records of a backup are to be put back.
    Restore {
        /// Them.
        records: Vec<String>,
        /// When the backup was taken, in milliseconds since 1970.
        taken: u64,
        /// What counts.
        mode: Mode,
        /// Whether who was logged in is so again.
        preserve_relations: bool,
    },
}

/// What the modes of a restore are called.
const MODES: &[(&str, Mode)] =
    &[("merge", Mode::Merge), ("authoritative", Mode::Authoritative), ("mitel", Mode::Mitel)];

impl Supply {
    /// The request of the control socket that [`Supply::read`] reads.
    pub fn request(&self) -> Value {
        match self {
            Supply::Import { entries, dry_run } => {
                let entries = entries
                    .iter()
                    .map(|entry| json!({"line": entry.line, "request": entry.request.to_string()}));
                json!({"ask": "import", "dry_run": dry_run, "entries": entries.collect::<Vec<_>>()})
            }
            Supply::Export { secrets } => json!({"ask": "export", "secrets": secrets}),
            Supply::Backup { secrets } => json!({"ask": "backup", "secrets": secrets}),
            Supply::Restore { records, taken, mode, preserve_relations } => {
                let mode = MODES.iter().find(|(_, known)| known == mode).map(|(word, _)| *word);
                json!({"ask": "restore", "records": records, "taken": taken, "mode": mode,
                    "preserve_relations": preserve_relations})
            }
        }
    }

    /// What a request of the control socket asks for; `None` when it is something else.
    pub fn read(request: &Value) -> Option<Result<Supply, String>> {
        let flag = |name: &str| request.get(name).and_then(Value::as_bool).unwrap_or_default();
        match request.get("ask").and_then(Value::as_str)? {
            "export" => Some(Ok(Supply::Export { secrets: flag("secrets") })),
            "backup" => Some(Ok(Supply::Backup { secrets: flag("secrets") })),
            "restore" => {
                let expected = "a restore has `records`, `taken`, `mode` (merge, authoritative, mitel) and `preserve_relations`";
                Some(restore(request, flag("preserve_relations")).ok_or_else(|| expected.to_owned()))
            }
            "import" => {
                let listed = request.get("entries").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let entries: Option<Vec<Entry>> = listed.iter().map(entry).collect();
                let import = entries.map(|entries| Supply::Import { entries, dry_run: flag("dry_run") });
                let expected = "an entry is {\"line\": NUMBER, \"request\": AXI REQUEST}";
                Some(import.ok_or_else(|| expected.to_owned()))
            }
            _ => None,
        }
    }

    /// Has the OMM do it.
    pub async fn carry_out(&self, site: &Site, omm: &Addr<OmmActor>) -> Value {
        let Ok(directory) = omm.send(Survey).await else { return json!({"error": "the OMM is restarting"}) };
        let own = identity(site);
        match self {
            Supply::Export { secrets } => {
                let sheet = sheet::write(&directory, own, *secrets);
                json!({"heading": sheet.heading, "rows": sheet.rows})
            }
            Supply::Backup { secrets } => {
                json!({"site": site.name, "records": backup::records(directory.pieces(), *secrets)})
            }
            Supply::Restore { records, taken, mode, preserve_relations } => {
                if *mode == Mode::Authoritative && site.role != Role::Central {
                    return json!({"error": "this is a remote: an authoritative restore is for its central (SM-7)"});
                }
                let pieces = match backup::pieces(records.iter().map(String::as_str)) {
                    Ok(pieces) => pieces,
                    Err(why) => return json!({"error": why}),
                };
                let (mode, preserve_relations) = (*mode, *preserve_relations);
                let restore = Restore { pieces, taken: *taken, mode, preserve_relations };
                match omm.send(Revise(Edit::Restore(Box::new(restore)))).await.ok().flatten() {
                    None => json!({"error": "the OMM went away; look whether it was done"}),
                    Some(Err(refusal)) => json!({"error": format!("nothing was restored: {refusal}")}),
                    Some(Ok(done)) => {
                        json!({"users": done.changed.users.len(), "devices": done.changed.devices.len(),
                        "profiles": done.changed.profiles.len()})
                    }
                }
            }
            Supply::Import { entries, dry_run } => {
                let mut trial = Trial::new(directory, Here { omm: own, role: role(site) });
                let mut results = Vec::with_capacity(entries.len());
                for entry in entries {
                    let fate = import(entry, &mut trial, omm, *dry_run).await;
                    results.push(told(entry, &fate));
                }
                json!({"site": site.name, "dry_run": dry_run, "results": results})
            }
        }
    }
}

fn restore(request: &Value, preserve_relations: bool) -> Option<Supply> {
    let word = request.get("mode")?.as_str()?;
    let mode = MODES.iter().find(|(known, _)| *known == word).map(|(_, mode)| *mode)?;
    let records = request.get("records")?.as_array()?;
    let records = records.iter().map(|record| record.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    Some(Supply::Restore { records, taken: request.get("taken")?.as_u64()?, mode, preserve_relations })
}

fn entry(value: &Value) -> Option<Entry> {
    let line = u32::try_from(value.get("line")?.as_u64()?).ok()?;
    let request = Element::read(value.get("request")?.as_str()?.as_bytes()).ok()?;
    Some(Entry { line, request: request.into_owned() })
}

/// `None` when it is not about users and handsets.
async fn import(
    entry: &Entry,
    trial: &mut Trial,
    omm: &Addr<OmmActor>,
    dry_run: bool,
) -> Result<Option<Fate>, Refused> {
    let Some(change) = entry.change()? else { return Ok(None) };
    let fate = trial.make(&change)?;
    if fate == Fate::Unchanged || dry_run {
        return Ok(Some(fate));
    }
    match omm.send(Amend(Box::new(change))).await {
        Ok(done) => done.map(|_| Some(fate)),
        Err(_) => Err(Refused {
            info: Some("the OMM went away; look whether it was done".into()),
            ..Refused::new(axi::error::ErrCode::Failed)
        }),
    }
}

fn told(entry: &Entry, fate: &Result<Option<Fate>, Refused>) -> Value {
    let (line, subject) = (entry.line, entry.subject());
    match fate {
        Ok(Some(fate)) => json!({"line": line, "subject": subject, "fate": fate.word()}),
        Ok(None) => json!({"line": line, "subject": subject, "fate": "ignored"}),
        Err(why) => json!({"line": line, "subject": subject, "fate": "refused", "why": why.to_string()}),
    }
}

#[cfg(test)]
mod tests {
    use axi::provision::ipdect;

    use super::*;

    #[test]
    fn every_wish_survives_the_control_socket() {
        let entries =
            ipdect::read("<A b='&lt;'/>\n<CreatePPUser plainText=1><user sipPw='x'/></CreatePPUser>").entries;
        assert_eq!(entries.len(), 2);
        let restore = |mode| Supply::Restore {
            records: vec!["<user/>".into()],
            taken: 7,
            mode,
            preserve_relations: mode == Mode::Merge,
        };
        for wish in [
            Supply::Import { entries, dry_run: true },
            Supply::Export { secrets: true },
            Supply::Backup { secrets: true },
            restore(Mode::Merge),
            restore(Mode::Authoritative),
            restore(Mode::Mitel),
        ] {
            assert_eq!(Supply::read(&wish.request()), Some(Ok(wish)));
        }
        assert_eq!(Supply::read(&json!({"ask": "status"})), None);
        let broken = json!({"ask": "import", "entries": [{"line": 1, "request": "<A"}]});
        assert!(Supply::read(&broken).is_some_and(|read| read.is_err()));
    }
}
