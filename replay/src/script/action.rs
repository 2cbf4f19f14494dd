//! Actions: what a script does to the world.

use std::sync::Arc;
use std::time::Duration;

use sip::uas::behave::quirk::Quirk;
use sip::uas::behave::words;

use super::Name;
use super::cursor::{Cursor, Read};
use super::edit::{self, Order};
use super::external::{self, Supply};
use super::names::{Names, Sort};
use super::world::Record;
use super::world::read::record;

/// What a script does to the world.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the line above each member says what its parts are")]
pub enum Action {
    /// `start|stop|restart|kill|pause|resume NODE|all [over D]`
    Power { verb: Power, nodes: Nodes, over: Option<Duration> },
    /// `cut link A-B [for D]`
    Cut { link: Ends, span: Option<Duration> },
    /// `heal link A-B`
    Heal { link: Ends },
    /// `flap link A-B [every D] [for D]`
    Flap { link: Ends, every: Duration, span: Duration },
    /// `slow link A-B latency|jitter|loss V [for D]`
    Slow { link: Ends, quality: Quality, span: Option<Duration> },
    /// `drop proxy P [for D]`
    Drop { server: Name, span: Option<Duration> },
    /// `return proxy P`
    Return { server: Name },
    /// `answer P [METHOD] CODE|silence|normal [header "N: v"] [for D]`
    Answer { server: Name, method: Option<Arc<str>>, reply: Reply, span: Option<Duration> },
    /// `failover SITE to P`
    Failover { site: Name, server: Name },
    /// `failback SITE`
    Failback { site: Name },
    /// `behave P WORDS [for D]`, and `behave P normal` with no quirks
    Behave { server: Name, quirks: Vec<Quirk>, span: Option<Duration> },
    /// `reset flow SITE-PROXY`
    Reset { site: Name, server: Name },
    /// `drop dns [for D]`
    DropDns { span: Option<Duration> },
    /// `return dns`
    ReturnDns,
    /// `change dns NAME srv .. | a ..` (adds a record, or alters the one that leads there) and `change dns NAME without SERVER`
    ChangeDns { name: Name, change: Amend },
    /// `skew clock SITE by D` (sets the error) and `step clock SITE by D` (adds to it)
    Clock { site: Name, ahead_ms: i64, adds: bool },
    /// `locate USER [at SITE]`
    Locate { phone: Name, site: Option<Name> },
    /// `detach USER [at SITE]`
    Detach { phone: Name, site: Option<Name> },
    /// `silence USER [at SITE]`
    Silence { phone: Name, site: Option<Name> },
    /// `roam USER|N% of users [at A] to B [over D]`
    Roam { who: Who, from: Option<Name>, to: Name, over: Option<Duration> },
    /// `call USER [for D]`
    Call { user: Name, span: Duration },
    /// `login USER [at SITE] [on DEVICE]`
    Login { user: Name, site: Option<Name>, device: Option<Name> },
    /// `logout USER [at SITE]`
    Logout { user: Name, site: Option<Name> },
    /// `create|edit|delete user|device .. at SITE`, `bind|unbind user .. at SITE`, each of these orders; several are
    /// given one after the other, spread over `over`.
    Edit { orders: Vec<Order>, site: Name, over: Option<Duration> },
    /// `provide|withdraw user ..`, `epr ..`, `import .. at SITE`
    Supply(Supply),
    /// `note "..."`
    Note(String),
    /// `end`
    End,
}

/// What becomes of a name in the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amend {
    /// This record is there from now on, in the place of one that leads to the same server.
    Put(Record),
    /// No record leads to this server any more.
    Without(Name),
}

/// The two ends of a link, in the order in which it was declared.
pub type Ends = (Name, Name);

/// What can be done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Begins, or begins again with what was stored.
    Start,
    /// Ends in good order.
    Stop,
    /// Ends in good order and begins again.
    Restart,
    /// Ends at once; what was not flushed is lost.
    Kill,
    /// Stops doing anything, as a stuck process does.
    Pause,
    /// Goes on after a pause.
    Resume,
}

/// Which nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nodes {
    /// Every site and every server.
    All,
    /// One site or server.
    One(Name),
}

/// One quality of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quality {
    /// The time one way.
    Latency(Duration),
    /// Up to this much more, drawn for each message.
    Jitter(Duration),
    /// Lost messages per million.
    Loss(u32),
}

/// How a server answers instead of its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the line above each member says what its parts are")]
pub enum Reply {
    /// With this code and, if given, one more header.
    Code { code: u16, header: Option<(Arc<str>, Arc<str>)> },
    /// Not at all.
    Silence,
    /// As it did before.
    Normal,
}

/// Who roams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// One user's phone.
    One(Name),
    /// So many of a million users, chosen by the seed.
    Share(u32),
}

/// The words with which an action begins.
pub const WORDS: &[&str] = &[
    "start", "stop", "restart", "kill", "pause", "resume", "cut", "heal", "flap", "slow", "drop", "return",
    "reset", "change", "answer", "behave", "failover", "failback", "skew", "step", "locate", "detach",
    "silence", "roam", "call", "login", "logout", "create", "edit", "delete", "bind", "unbind", "provide",
    "withdraw", "epr", "import", "note", "end",
];

/// The words of actions that a later release runs, and what to use until then.
pub const LATER: &[(&str, &str)] = &[
    ("backup", ""),
    ("disk-full", ""),
    ("drift", "`step clock SITE by D` changes a clock at once"),
    ("load", "`roam N% of users at A to B over D` makes load"),
    ("power-cut", "`kill NODE` loses what was not flushed"),
    ("restore", ""),
    ("upgrade", ""),
];

/// How often a flapping link changes (spec Y-8).
const FLAP_EVERY: Duration = Duration::from_secs(5);
/// How long a link flaps when the script does not say (ours).
const FLAP_SPAN: Duration = Duration::from_secs(60);
/// How long a call lasts when the script does not say (ours).
const CALL_SPAN: Duration = Duration::from_secs(120);

const USER: &[Sort] = &[Sort::User];
const PHONE: &[Sort] = &[Sort::User, Sort::Device];
const SITE: &[Sort] = &[Sort::Site];
const SERVER: &[Sort] = &[Sort::Server];
const NODE: &[Sort] = &[Sort::Site, Sort::Server];

/// Reads an action whose first word is one of [`WORDS`].
pub(super) fn read(line: &mut Cursor<'_>, names: &Names) -> Read<Action> {
    let action = match line.word("an action")? {
        "start" => power(line, names, Power::Start)?,
        "stop" => power(line, names, Power::Stop)?,
        "restart" => power(line, names, Power::Restart)?,
        "kill" => power(line, names, Power::Kill)?,
        "pause" => power(line, names, Power::Pause)?,
        "resume" => power(line, names, Power::Resume)?,
        "cut" => Action::Cut { link: line.link(names)?, span: line.span("for")? },
        "heal" => Action::Heal { link: line.link(names)? },
        "flap" => Action::Flap {
            link: line.link(names)?,
            every: line.span("every")?.unwrap_or(FLAP_EVERY),
            span: line.span("for")?.unwrap_or(FLAP_SPAN),
        },
        "slow" => slow(line, names)?,
        "drop" if line.take("dns") => Action::DropDns { span: line.span("for")? },
        "return" if line.take("dns") => Action::ReturnDns,
        "reset" => reset(line, names)?,
        "change" => change(line, names)?,
        "drop" => Action::Drop { server: server(line, names)?, span: line.span("for")? },
        "return" => Action::Return { server: server(line, names)? },
        "answer" => answer(line, names)?,
        "failover" => {
            let site = line.name(names, SITE)?;
            line.require("to")?;
            Action::Failover { site, server: server(line, names)? }
        }
        "failback" => Action::Failback { site: line.name(names, SITE)? },
        "behave" => behave(line, names)?,
        "skew" => clock(line, names, false)?,
        "step" => clock(line, names, true)?,
        "locate" => Action::Locate { phone: line.name(names, PHONE)?, site: site(line, names, "at")? },
        "detach" => Action::Detach { phone: line.name(names, PHONE)?, site: site(line, names, "at")? },
        "silence" => Action::Silence { phone: line.name(names, PHONE)?, site: site(line, names, "at")? },
        "roam" => roam(line, names)?,
        "call" => {
            Action::Call { user: line.name(names, USER)?, span: line.span("for")?.unwrap_or(CALL_SPAN) }
        }
        "login" => Action::Login {
            user: line.name(names, USER)?,
            site: site(line, names, "at")?,
            device: if line.take("on") { Some(line.name(names, PHONE)?) } else { None },
        },
        "logout" => Action::Logout { user: line.name(names, USER)?, site: site(line, names, "at")? },
        "create" if line.take("users") => {
            let created = |user: Name| Order::CreateUser { user, phone: None, fields: Vec::new() };
            let orders = edit::crowd(line, names)?.into_iter().map(created).collect();
            let site = edited_at(line, names)?;
            Action::Edit { orders, site, over: line.span("over")? }
        }
        "create" => edited(line, names, edit::create)?,
        "edit" => edited(line, names, edit::edit)?,
        "delete" => edited(line, names, edit::delete)?,
        "bind" => edited(line, names, edit::bind)?,
        "unbind" => edited(line, names, edit::unbind)?,
        word @ ("provide" | "withdraw" | "epr" | "import") => {
            Action::Supply(external::read(line, names, word)?)
        }
        "note" => Action::Note(line.quoted("the note's text in quotes")?.to_string()),
        "end" => Action::End,
        _ => return Err(line.complain_back("this is no action", WORDS.join(", "))),
    };
    Ok(action)
}

fn edited_at(line: &mut Cursor<'_>, names: &Names) -> Read<Name> {
    line.require("at")?;
    line.name(names, SITE)
}

fn edited(
    line: &mut Cursor<'_>,
    names: &Names,
    read: fn(&mut Cursor<'_>, &Names) -> Read<Order>,
) -> Read<Action> {
    let orders = vec![read(line, names)?];
    Ok(Action::Edit { orders, site: edited_at(line, names)?, over: None })
}

fn power(line: &mut Cursor<'_>, names: &Names, verb: Power) -> Read<Action> {
    let nodes = if line.take("all") { Nodes::All } else { Nodes::One(line.name(names, NODE)?) };
    Ok(Action::Power { verb, nodes, over: line.span("over")? })
}

fn server(line: &mut Cursor<'_>, names: &Names) -> Read<Name> {
    let _ = line.take("proxy") || line.take("registrar");
    line.name(names, SERVER)
}

fn site(line: &mut Cursor<'_>, names: &Names, keyword: &str) -> Read<Option<Name>> {
    if line.take(keyword) { line.name(names, SITE).map(Some) } else { Ok(None) }
}

/// `flow SITE-PROXY`: the names may contain hyphens, so every one is tried.
fn reset(line: &mut Cursor<'_>, names: &Names) -> Read<Action> {
    line.require("flow")?;
    let word = line.peek_word();
    let ends = word.match_indices('-').find_map(|(at, _)| {
        let site = names.find(word.get(..at)?, SITE)?;
        Some((site, names.find(word.get(at + 1..)?, SERVER)?))
    });
    match ends {
        Some((site, server)) => {
            line.skip();
            Ok(Action::Reset { site, server })
        }
        None => Err(line.complain("this names no flow", "SITE-PROXY, a site and a server declared above")),
    }
}

fn change(line: &mut Cursor<'_>, names: &Names) -> Read<Action> {
    line.require("dns")?;
    let name = line.name(names, &[Sort::Zone])?;
    let change = match line.take("without") {
        true => Amend::Without(line.name(names, SERVER)?),
        false => Amend::Put(record(line, names)?),
    };
    Ok(Action::ChangeDns { name, change })
}

fn slow(line: &mut Cursor<'_>, names: &Names) -> Read<Action> {
    let link = line.link(names)?;
    if line.peek_word() == "bandwidth" {
        return Err(line.unsupported("`slow link A-B latency D` delays a link"));
    }
    let what = line.choose("a quality of the link", &[("latency", 0), ("jitter", 1), ("loss", 2)])?;
    let quality = match what {
        0 => Quality::Latency(line.duration()?),
        1 => Quality::Jitter(line.duration()?),
        _ => Quality::Loss(line.share()?),
    };
    Ok(Action::Slow { link, quality, span: line.span("for")? })
}

fn answer(line: &mut Cursor<'_>, names: &Names) -> Read<Action> {
    let server = server(line, names)?;
    let word = line.peek_word();
    let is_method = word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase());
    let method = if is_method { Some(Arc::from(line.word("a method")?)) } else { None };
    let reply = match line.peek_word() {
        "silence" => Reply::Silence,
        "normal" => Reply::Normal,
        "reset" => return Err(line.unsupported("`silence` leaves requests unanswered")),
        word => match word.parse::<u16>() {
            Ok(code @ 200..=699) => Reply::Code { code, header: None },
            _ => {
                let expected = "a code from 200 to 699, `silence` or `normal`";
                return Err(line.complain("this is no answer", expected).nearest_of(["silence", "normal"]));
            }
        },
    };
    line.skip();
    let reply = match reply {
        Reply::Code { code, .. } if line.take("header") => {
            let text = line.quoted("a header such as \"Retry-After: 60\"")?;
            let Some((name, value)) = text.split_once(':') else {
                return Err(line.complain_back("this is no header", "`\"Name: value\"`"));
            };
            Reply::Code { code, header: Some((Arc::from(name.trim()), Arc::from(value.trim()))) }
        }
        other => other,
    };
    Ok(Action::Answer { server, method, reply, span: line.span("for")? })
}

/// A place of a redirection is a URI, or the name of a server.
fn behave(line: &mut Cursor<'_>, names: &Names) -> Read<Action> {
    let server = server(line, names)?;
    let orders = line.until("for");
    let quirks = if orders == ["normal"] {
        Vec::new()
    } else {
        let known = words::NAMES.iter().copied().chain(["normal"]);
        let quirks = words::read(&orders).map_err(|wrong| {
            line.go_to(wrong.at);
            let complaint = line.complain("this is no behaviour of a server", wrong.expected);
            if wrong.at == 0 {
                complaint.nearest_of(known)
            } else {
                complaint.nearest_of(wrong.known.iter().copied())
            }
        })?;
        line.go_to(orders.len());
        quirks
    };
    for quirk in &quirks {
        let Quirk::Redirect { to, .. } = quirk else { continue };
        for place in to.iter().filter(|place| !place.contains(':')) {
            if names.find(place, SERVER).is_none() {
                return Err(line
                    .complain_back("this leads nowhere", "a URI such as `sip:192.0.2.1:5060` or a server"));
            }
        }
    }
    if quirks.is_empty() {
        line.go_to(1);
    }
    Ok(Action::Behave { server, quirks, span: line.span("for")? })
}

fn clock(line: &mut Cursor<'_>, names: &Names, adds: bool) -> Read<Action> {
    line.require("clock")?;
    let site = line.name(names, SITE)?;
    line.require("by")?;
    Ok(Action::Clock { site, ahead_ms: line.signed()?, adds })
}

fn roam(line: &mut Cursor<'_>, names: &Names) -> Read<Action> {
    let who = if line.peek_word().ends_with('%') {
        let share = line.share()?;
        line.require("of")?;
        line.require("users")?;
        Who::Share(share)
    } else {
        Who::One(line.name(names, PHONE)?)
    };
    let from = site(line, names, "at")?;
    line.require("to")?;
    Ok(Action::Roam { who, from, to: line.name(names, SITE)?, over: line.span("over")? })
}
