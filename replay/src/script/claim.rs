//! Claims: what can be said about the world, true or false at any moment.

use std::fmt;
use std::time::Duration;

use super::Name;
use super::action::Ends;
use super::cursor::{Cursor, Read};
use super::edit;
use super::names::{Names, Sort};

/// Something that is true or false at any moment.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the line above each member says what its parts are")]
pub enum Claim {
    /// `U [not] registered [at S] [via P]` and `all users [at S] registered [via P]`
    Registered { whose: Whose, at: Option<Name>, via: Option<Name>, holds: bool },
    /// `U bound N times at P`
    Bound { user: Name, times: u64, server: Name },
    /// `roam of U confirmed|unconfirmed`
    Roam { user: Name, confirmed: bool },
    /// `U owned by S at all sites`
    Owned { user: Name, by: Name },
    /// `sync S complete`
    Synced { site: Name },
    /// `link A-B up|down|held R`
    Link { link: Ends, state: LinkState },
    /// `registers at P <= N [per D]`
    Registers { server: Name, op: Op, count: u64, per: Option<Duration> },
    /// `duplicate registrations <= N`
    Duplicates { op: Op, count: u64 },
    /// `user U exists|absent [at S]` and `user U FIELD VALUE [at S]`; without a site: at all that run. A profile is named
    /// `profile N`, which is no user's number.
    User { user: Name, is: Shown, at: Option<Name> },
    /// `users at S <= N`
    Users { at: Name, op: Op, count: u64 },
    /// `directories equal`
    Equal,
}

/// How a site's directory shows a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Somehow.
    There,
    /// Not at all.
    Absent,
    /// With this value in this field of the event `user`.
    With(&'static str, Name),
    /// With this handset, or with none; declared above.
    Device(Option<Name>),
}

/// One user or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// This user.
    User(Name),
    /// Every user with a phone that is switched on (of those whose phone is at the claim's site, if it names one).
    All,
}

/// How a sync link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// In use.
    Up,
    /// Lost, or never made.
    Down,
    /// Refused (SM-1R `Held`); the word is looked for in the reason: version, platform, PLI, PARK, SARI, clock, limit.
    Held(Name),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `=`
    Exactly,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl Op {
    /// Whether `left op right` holds.
    pub fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Op::Below => left < right,
            Op::AtMost => left <= right,
            Op::Exactly => left == right,
            Op::AtLeast => left >= right,
            Op::Above => left > right,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Op::Below => "<",
            Op::AtMost => "<=",
            Op::Exactly => "=",
            Op::AtLeast => ">=",
            Op::Above => ">",
        })
    }
}

/// Claims of a later release: the word with which they begin.
const LATER: &[&str] = &["conflict", "guest", "bytes"];
const FORMS: &str = "a claim: `U [not] registered at S`, `all users registered`, `U bound N times at P`, \
     `roam of U confirmed`, `U owned by S at all sites`, `sync S complete`, `link A-B up`, `registers at P <= N`, \
     `duplicate registrations <= N`, `directories equal`, `user U exists at S`, `user U name \"N\" at S`, `profile N name \"N\" at S`, \
     `users at S = N`";

/// Reads a claim.
pub(super) fn read(line: &mut Cursor<'_>, names: &Names) -> Read<Claim> {
    let word = line.peek_word();
    if names.find(word, &[Sort::User]).is_some() {
        return of_user(line, names);
    }
    match word {
        "" => Err(line.complain("a claim is missing", FORMS)),
        "all" => of_all(line, names),
        "roam" => {
            line.skip();
            line.require("of")?;
            let user = line.name(names, &[Sort::User])?;
            let confirmed = line.choose("how the roam is", &[("confirmed", true), ("unconfirmed", false)])?;
            Ok(Claim::Roam { user, confirmed })
        }
        "sync" => {
            line.skip();
            let site = line.name(names, &[Sort::Site])?;
            line.require("complete")?;
            Ok(Claim::Synced { site })
        }
        "link" => of_link(line, names),
        "registers" => {
            line.skip();
            line.require("at")?;
            let server = line.name(names, &[Sort::Server])?;
            let (op, count) = (op(line)?, line.number("how many")?);
            Ok(Claim::Registers { server, op, count, per: line.span("per")? })
        }
        "duplicate" => {
            line.skip();
            line.require("registrations")?;
            Ok(Claim::Duplicates { op: op(line)?, count: line.number("how many")? })
        }
        "directories" => {
            line.skip();
            line.require("equal")?;
            Ok(Claim::Equal)
        }
        "user" => of_row(line, names),
        "profile" => {
            line.skip();
            let user = Name::from(format!("profile {}", edit::profile(line)?));
            let said = [("exists", 0), ("absent", 1), ("name", 2)];
            let is = match line.choose("what is said about the profile", &said)? {
                0 => Shown::There,
                1 => Shown::Absent,
                _ => Shown::With("name", Name::from(line.quoted("the name in quotes")?)),
            };
            Ok(Claim::User { user, is, at: where_shown(line, names)? })
        }
        "users" => {
            line.skip();
            line.require("at")?;
            let at = line.name(names, &[Sort::Site])?;
            Ok(Claim::Users { at, op: op(line)?, count: line.number("how many")? })
        }
        word if LATER.contains(&word) => Err(line.unsupported("")),
        _ => {
            let users = names.of(&[Sort::User]);
            let words = [
                "all",
                "roam",
                "sync",
                "link",
                "registers",
                "duplicate",
                "directories",
                "user",
                "users",
                "profile",
            ];
            Err(line
                .complain("this is no claim and no user", FORMS)
                .nearest_of(users.into_iter().chain(words)))
        }
    }
}

fn of_user(line: &mut Cursor<'_>, names: &Names) -> Read<Claim> {
    let user = line.name(names, &[Sort::User])?;
    let said = [("registered", 0), ("not", 1), ("bound", 2), ("owned", 3)];
    match line.choose("what is said about the user", &said)? {
        0 => registered(line, names, Whose::User(user), true),
        1 => {
            line.require("registered")?;
            registered(line, names, Whose::User(user), false)
        }
        2 => {
            let times = line.number("how many times")?;
            if !line.take("time") {
                line.require("times")?;
            }
            line.require("at")?;
            Ok(Claim::Bound { user, times, server: line.name(names, &[Sort::Server])? })
        }
        _ => {
            line.require("by")?;
            let by = line.name(names, &[Sort::Site])?;
            for word in ["at", "all", "sites"] {
                line.require(word)?;
            }
            Ok(Claim::Owned { user, by })
        }
    }
}

fn of_all(line: &mut Cursor<'_>, names: &Names) -> Read<Claim> {
    line.skip();
    line.require("users")?;
    let at = if line.take("at") { Some(line.name(names, &[Sort::Site])?) } else { None };
    line.require("registered")?;
    let via = if line.take("via") { Some(line.name(names, &[Sort::Server])?) } else { None };
    Ok(Claim::Registered { whose: Whose::All, at, via, holds: true })
}

/// What a site's directory shows of a user.
fn of_row(line: &mut Cursor<'_>, names: &Names) -> Read<Claim> {
    line.skip();
    let user = edit::whoever(line, names)?;
    let said = [("exists", 0), ("absent", 1), ("name", 2), ("vip", 3), ("status", 4), ("device", 5)];
    let is = match line.choose("what is said about the user", &said)? {
        0 => Shown::There,
        1 => Shown::Absent,
        2 => Shown::With("name", Name::from(line.quoted("the name in quotes")?)),
        3 => Shown::With("vip", Name::from(line.choose("a switch", &[("on", "on"), ("off", "off")])?)),
        4 => {
            let known = [("active", "active"), ("conflict", "conflict"), ("over-limit", "over-limit")];
            Shown::With("status", Name::from(line.choose("a status", &known)?))
        }
        _ if line.take("none") => Shown::Device(None),
        _ => Shown::Device(Some(line.name(names, &[Sort::User, Sort::Device])?)),
    };
    Ok(Claim::User { user, is, at: where_shown(line, names)? })
}

/// `at S`, or `at all sites`, which may be left out.
fn where_shown(line: &mut Cursor<'_>, names: &Names) -> Read<Option<Name>> {
    if !line.take("at") {
        return Ok(None);
    }
    if line.take("all") {
        line.require("sites")?;
        return Ok(None);
    }
    line.name(names, &[Sort::Site]).map(Some)
}

fn registered(line: &mut Cursor<'_>, names: &Names, whose: Whose, holds: bool) -> Read<Claim> {
    let at = if line.take("at") { Some(line.name(names, &[Sort::Site])?) } else { None };
    let via = if line.take("via") { Some(line.name(names, &[Sort::Server])?) } else { None };
    Ok(Claim::Registered { whose, at, via, holds })
}

fn of_link(line: &mut Cursor<'_>, names: &Names) -> Read<Claim> {
    let link = line.link(names)?;
    let state = match line.choose("how the link is", &[("up", 0), ("down", 1), ("held", 2)])? {
        0 => LinkState::Up,
        1 => LinkState::Down,
        _ => LinkState::Held(Name::from(
            line.word("why, a word of the reason: version, platform, PLI, PARK, SARI, clock, limit")?,
        )),
    };
    Ok(Claim::Link { link, state })
}

/// Reads a comparison.
pub(super) fn op(line: &mut Cursor<'_>) -> Read<Op> {
    let known =
        [("<", Op::Below), ("<=", Op::AtMost), ("=", Op::Exactly), (">=", Op::AtLeast), (">", Op::Above)];
    let read = line.peek().map_or("", |token| token.text);
    match known.iter().find(|(text, _)| *text == read) {
        Some((_, op)) => {
            line.skip();
            Ok(*op)
        }
        None => Err(line.complain("a comparison is missing", "`<`, `<=`, `=`, `>=` or `>`")),
    }
}
