//! The provisioning server of external users: what it has, how it answers, and who wants a file read.

use std::sync::Arc;

use super::Name;
use super::cursor::{Cursor, Read};
use super::edit::whoever;
use super::names::{Names, Sort};

/// One thing that is done to the provisioning server or to those who read it. In a script users have their names, in a
/// plan their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the line above each member says what its parts are")]
pub enum Supply {
    /// `provide user U [name "TEXT"]`
    Provide { user: Name, name: Option<Arc<str>> },
    /// `withdraw user U`
    Withdraw { user: Name },
    /// `epr CODE|silence|normal`
    Answer(Mood),
    /// `epr on|off`; read by an OMM when it starts.
    Switch(bool),
    /// `import [user U] at SITE`
    Import { user: Option<Name>, site: Name },
}

/// How the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mood {
    /// With what it has.
    #[default]
    Normal,
    /// Not at all.
    Silence,
    /// With this code, whatever is asked for.
    Code(u16),
}

/// Reads an order whose first word was `word`.
pub(super) fn read(line: &mut Cursor<'_>, names: &Names, word: &str) -> Read<Supply> {
    Ok(match word {
        "provide" => {
            line.require("user")?;
            let user = whoever(line, names)?;
            let name =
                if line.take("name") { Some(Arc::from(line.quoted("the name in quotes")?)) } else { None };
            Supply::Provide { user, name }
        }
        "withdraw" => {
            line.require("user")?;
            Supply::Withdraw { user: whoever(line, names)? }
        }
        "import" => {
            let user = if line.take("user") { Some(whoever(line, names)?) } else { None };
            line.require("at")?;
            Supply::Import { user, site: line.name(names, &[Sort::Site])? }
        }
        _ => match line.peek_word().parse::<u16>() {
            Ok(code @ 200..=599) => {
                line.skip();
                Supply::Answer(Mood::Code(code))
            }
            _ => {
                let known = [("normal", 0), ("silence", 1), ("on", 2), ("off", 3)];
                match line.choose("an answer of the server, such as `404`, or a switch", &known)? {
                    0 => Supply::Answer(Mood::Normal),
                    1 => Supply::Answer(Mood::Silence),
                    2 => Supply::Switch(true),
                    _ => Supply::Switch(false),
                }
            }
        },
    })
}

impl Supply {
    /// The order with numbers in the place of users.
    pub fn resolved(&self, number: impl Fn(&Name) -> Name) -> Supply {
        match self {
            Supply::Provide { user, name } => Supply::Provide { user: number(user), name: name.clone() },
            Supply::Withdraw { user } => Supply::Withdraw { user: number(user) },
            Supply::Import { user, site } => {
                Supply::Import { user: user.as_ref().map(number), site: site.clone() }
            }
            Supply::Answer(mood) => Supply::Answer(*mood),
            Supply::Switch(on) => Supply::Switch(*on),
        }
    }
}
