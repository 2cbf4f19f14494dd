//! The misbehaviours, each with its parameters and its words: what registrars in the wild did to the clients of others.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::registrar::desk::Asking;

/// One way to misbehave. Several may be on at once; of one name the last ordered counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// `silence [share P%]`: requests are not heard, all of them or this share of a million.
    Silence(u32),
    /// `late D`: every answer leaves so much later.
    Late(Duration),
    /// `wrong-branch`: answers carry the branch of another transaction.
    WrongBranch,
    /// `wrong-cseq`: answers carry a CSeq that nobody sent.
    WrongCseq,
    /// `duplicate`: every answer is sent twice, the copy a moment later.
    Duplicate,
    /// `reorder`: answers overtake each other.
    Reorder,
    /// `nonce endless`, `nonce stale`, `nonce short D`, `nonce proxy`, `nonce foreign`: how passwords are asked for.
    Nonce(Asking),
    /// `expires shrink [by D]`: each refresh is granted less, and then comes a 423.
    Shrink(Duration),
    /// `grant N|garbage|none`: what the 2xx says about the lifetime.
    Grant(Grant),
    /// `drops-own`: a 2xx, but the contact is not stored and not listed.
    DropsOwn,
    /// `foreign-contacts`: other people's contacts stand in the 2xx.
    ForeignContacts,
    /// `min-expires D|none|lower [early]`: 423 for what is not long enough.
    MinExpires {
        /// What the 423 asks for.
        least: Least,
        /// Before the password is asked for, not after it.
        early: bool,
    },
    /// `storm CODE [retry-after TEXT] [share P%]`: requests are answered with a 5xx.
    Storm {
        /// The status.
        code: u16,
        /// The value of its Retry-After line, as it stands.
        retry_after: Option<Arc<str>>,
        /// This share of a million.
        share: u32,
    },
    /// `overload N/s [silent]`: above so many requests a second it answers 503, or nothing.
    Overload {
        /// Requests a second.
        rate: u32,
        /// Nothing instead of 503.
        silent: bool,
    },
    /// `oc P%`: each answer asks to be spared this share of the requests, 1 to 100 (RFC 7339).
    Oc(u8),
    /// `crash`: everything in memory is lost, once.
    Crash,
    /// `forgets NUMBER`: the contacts of this user are lost, once.
    Forgets(Arc<str>),
    /// `lists-nothing`: no contact stands in the answer to a query.
    ListsNothing,
    /// `redirect 301|302 URI ..`: REGISTERs are sent elsewhere.
    Redirect {
        /// 301 or 302.
        code: u16,
        /// Where to, the best first.
        to: Vec<Arc<str>>,
    },
    /// `rport-moves`: each answer names another port of the client, as a NAT without memory does.
    RportMoves,
    /// `options-only`: OPTIONS is answered, REGISTER gets 500.
    OptionsOnly,
    /// `options-filtered`: REGISTER is answered, OPTIONS is not heard.
    OptionsFiltered,
}

/// What a 2xx says about the lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// This number of seconds, however absurd. Believable ones are also kept to; 0 stores nothing.
    Seconds(i64),
    /// No number.
    Garbage,
    /// Nothing at all.
    Nothing,
}

/// What a 423 asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Least {
    /// At least this; more is accepted.
    Time(Duration),
    /// A 423 without Min-Expires, whatever was asked.
    Unsaid,
    /// Half of what was asked, whatever that was.
    Lower,
}

impl Quirk {
    /// It happens once, and nothing is left of it.
    pub fn is_once(&self) -> bool {
        match self {
            Quirk::Crash | Quirk::Forgets(_) => true,
            Quirk::Silence(_)
            | Quirk::Late(_)
            | Quirk::WrongBranch
            | Quirk::WrongCseq
            | Quirk::Duplicate
            | Quirk::Reorder
            | Quirk::Nonce(_)
            | Quirk::Shrink(_)
            | Quirk::Grant(_)
            | Quirk::DropsOwn
            | Quirk::ForeignContacts
            | Quirk::MinExpires { .. }
            | Quirk::Storm { .. }
            | Quirk::Overload { .. }
            | Quirk::Oc(_)
            | Quirk::ListsNothing
            | Quirk::Redirect { .. }
            | Quirk::RportMoves
            | Quirk::OptionsOnly
            | Quirk::OptionsFiltered => false,
        }
    }

    /// Its name: the first word.
    pub fn name(&self) -> &'static str {
        match self {
            Quirk::Silence(_) => "silence",
            Quirk::Late(_) => "late",
            Quirk::WrongBranch => "wrong-branch",
            Quirk::WrongCseq => "wrong-cseq",
            Quirk::Duplicate => "duplicate",
            Quirk::Reorder => "reorder",
            Quirk::Nonce(_) => "nonce",
            Quirk::Shrink(_) => "expires",
            Quirk::Grant(_) => "grant",
            Quirk::DropsOwn => "drops-own",
            Quirk::ForeignContacts => "foreign-contacts",
            Quirk::MinExpires { .. } => "min-expires",
            Quirk::Storm { .. } => "storm",
            Quirk::Overload { .. } => "overload",
            Quirk::Oc(_) => "oc",
            Quirk::Crash => "crash",
            Quirk::Forgets(_) => "forgets",
            Quirk::ListsNothing => "lists-nothing",
            Quirk::Redirect { .. } => "redirect",
            Quirk::RportMoves => "rport-moves",
            Quirk::OptionsOnly => "options-only",
            Quirk::OptionsFiltered => "options-filtered",
        }
    }
}

impl fmt::Display for Quirk {
    /// In the words that [`super::words::read`] takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Quirk::Silence(share) => write_share(f, *share),
            Quirk::Late(by) => write!(f, " {}", span(*by)),
            Quirk::Nonce(Asking::Fair) => f.write_str(" fair"),
            Quirk::Nonce(Asking::Endless) => f.write_str(" endless"),
            Quirk::Nonce(Asking::Stale) => f.write_str(" stale"),
            Quirk::Nonce(Asking::Short(life)) => write!(f, " short {}", span(*life)),
            Quirk::Nonce(Asking::Proxy) => f.write_str(" proxy"),
            Quirk::Nonce(Asking::Foreign) => f.write_str(" foreign"),
            Quirk::Shrink(by) => write!(f, " shrink by {}", span(*by)),
            Quirk::Grant(Grant::Seconds(seconds)) => write!(f, " {seconds}"),
            Quirk::Grant(Grant::Garbage) => f.write_str(" garbage"),
            Quirk::Grant(Grant::Nothing) => f.write_str(" none"),
            Quirk::MinExpires { least, early } => {
                match least {
                    Least::Time(least) => write!(f, " {}", span(*least))?,
                    Least::Unsaid => f.write_str(" none")?,
                    Least::Lower => f.write_str(" lower")?,
                }
                f.write_str(if *early { " early" } else { "" })
            }
            Quirk::Storm { code, retry_after, share } => {
                write!(f, " {code}")?;
                if let Some(text) = retry_after {
                    write!(f, " retry-after \"{text}\"")?;
                }
                write_share(f, *share)
            }
            Quirk::Overload { rate, silent } => {
                write!(f, " {rate}/s{}", if *silent { " silent" } else { "" })
            }
            Quirk::Oc(share) => write!(f, " {share}%"),
            Quirk::Redirect { code, to } => write!(f, " {code} {}", to.join(" ")),
            Quirk::Forgets(user) => write!(f, " {user}"),
            Quirk::WrongBranch
            | Quirk::WrongCseq
            | Quirk::Duplicate
            | Quirk::Reorder
            | Quirk::DropsOwn
            | Quirk::ForeignContacts
            | Quirk::Crash
            | Quirk::ListsNothing
            | Quirk::RportMoves
            | Quirk::OptionsOnly
            | Quirk::OptionsFiltered => Ok(()),
        }
    }
}

/// All of them, in parts of a million.
pub(super) const ALL: u32 = 1_000_000;

fn write_share(f: &mut fmt::Formatter<'_>, share: u32) -> fmt::Result {
    if share >= ALL { Ok(()) } else { write!(f, " share {}%", f64::from(share) / 10_000.0) }
}

fn span(span: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(span)
}
