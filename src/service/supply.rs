//! What a running OMM is supplied with, and what it hands out: users and handsets in files (M-2.2.7-a).
//!
//! Whatever is imported goes the way of an edit of an AXI client ([`Amend`]): it is stamped, durable before it is answered,
//! and spread. What would change nothing is seen on a copy of the directory and is not even asked for (M-2.3.3-b).

use ::actors::office::Amend;
use ::actors::omm::OmmActor;
use ::actors::omm::inspect::Survey;
use actix::Addr;
use axi::element::Element;
use axi::error::Refused;
use axi::provision::trial::{Fate, Trial};
use axi::provision::{Entry, sheet};
use serde_json::{Value, json};

use crate::config::site::Site;
use crate::service::birth::identity;

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
}

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
        }
    }

    /// What a request of the control socket asks for; `None` when it is something else.
    pub fn read(request: &Value) -> Option<Result<Supply, String>> {
        let flag = |name: &str| request.get(name).and_then(Value::as_bool).unwrap_or_default();
        match request.get("ask").and_then(Value::as_str)? {
            "export" => Some(Ok(Supply::Export { secrets: flag("secrets") })),
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
            Supply::Import { entries, dry_run } => {
                let mut trial = Trial::new(directory, own);
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
        for wish in [Supply::Import { entries, dry_run: true }, Supply::Export { secrets: true }] {
            assert_eq!(Supply::read(&wish.request()), Some(Ok(wish)));
        }
        assert_eq!(Supply::read(&json!({"ask": "status"})), None);
        let broken = json!({"ask": "import", "entries": [{"line": 1, "request": "<A"}]});
        assert!(Supply::read(&broken).is_some_and(|read| read.is_err()));
    }
}
