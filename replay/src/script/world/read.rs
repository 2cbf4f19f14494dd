//! How the statements about the world are read.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use sip::target::Transport;

use super::{Auth, Binding, Kind, Park, PhoneWord, Record, UserWords, World};
use crate::script::Name;
use crate::script::cursor::{Cursor, Read};
use crate::script::names::{Names, Sort};
use crate::script::setting;
use omm::platform::Platform;

/// The words with which a statement about the world begins.
pub const WORDS: &[&str] = &[
    "scenario",
    "about",
    "clock",
    "seed",
    "site",
    "proxy",
    "registrar",
    "link",
    "proxies",
    "dns",
    "users",
    "user",
    "device",
    "set",
];

/// Reads a statement whose first word is one of [`WORDS`].
pub(in crate::script) fn read(line: &mut Cursor<'_>, names: &mut Names) -> Read<World> {
    match line.word("a statement")? {
        "scenario" => Ok(World::Title(line.quoted("the title in quotes")?.to_string())),
        "about" => Ok(World::About(line.quoted("the source or spec ids in quotes")?.to_string())),
        "clock" => clock(line),
        "seed" => Ok(World::Seed(line.number("the seed, a whole number")?)),
        "site" => site(line, names),
        "proxy" => server(line, names, true),
        "registrar" => server(line, names, false),
        "link" => link(line, names),
        "proxies" => proxies(line, names),
        "dns" => dns(line, names),
        "users" => users(line, names),
        "user" => user(line, names),
        "device" => device(line, names),
        "set" => setting::read(line).map(|(key, value)| World::Set(key, value)),
        _ => Err(line.complain_back("this is no statement", WORDS.join(", "))),
    }
}

fn clock(line: &mut Cursor<'_>) -> Read<World> {
    if line.peek_word() == "real" {
        return Err(line.unsupported("write `clock virtual`"));
    }
    line.require("virtual")?;
    if !line.take("start") {
        return Ok(World::Clock { start_ms: None });
    }
    let start = humantime::parse_rfc3339_weak(line.peek_word())
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    match start.map(|since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)) {
        Some(start_ms) => {
            line.skip();
            Ok(World::Clock { start_ms: Some(start_ms) })
        }
        None => {
            Err(line.complain("this is no date", "a date and time after 1970 such as `2026-03-01T08:00:00Z`"))
        }
    }
}

/// What an OMM may run on (M-2.1.1-e).
pub(in crate::script) const PLATFORMS: &[(&str, Platform)] =
    &[("pc", Platform::Pc), ("rfp", Platform::Rfp), ("rfp4g", Platform::Rfp4g)];

fn site(line: &mut Cursor<'_>, names: &mut Names) -> Read<World> {
    let name = line.declare(names, Sort::Site)?;
    let (mut central, mut platform, mut park, mut axi) = (false, Platform::Pc, None, None);
    let (mut without_sari, mut omm1) = (false, None);
    while !line.is_done() {
        if line.peek_word() == "standby" {
            return Err(line.unsupported("a pair of OMMs is not replayed yet"));
        }
        let options =
            [("central", 0), ("platform", 1), ("park", 2), ("axi", 3), ("without-sari", 4), ("omm1", 5)];
        match line.choose("an option of the site", &options)? {
            0 => central = true,
            1 => platform = line.choose("a platform", PLATFORMS)?,
            4 => without_sari = true,
            5 => omm1 = Some(line.name(names, &[Sort::Site])?),
            2 => park = Some(read_park(line)?),
            _ => axi = Some(line.count("the protocol version, a whole number")?),
        }
    }
    Ok(World::Site { name, central, platform, park, axi, without_sari, omm1 })
}

/// 10 hexadecimal digits whose first two say how many bits a phone compares: 31 or 27 (spec 4.3).
pub(in crate::script) fn read_park(line: &mut Cursor<'_>) -> Read<Park> {
    let word = line.peek_word();
    let hex = (word.len() == 10 && word.is_ascii()).then(|| u64::from_str_radix(word, 16).ok()).flatten();
    match hex.map(|bits| Park { pli: (bits >> 32) as u8, pari: bits as u32 }) {
        Some(park) if matches!(park.pli, 27 | 31) && park.pari >> 31 == 0 => {
            line.skip();
            Ok(park)
        }
        _ => {
            let expected =
                "10 hexadecimal digits that begin with `1F` (PLI 31) or `1B` (PLI 27), such as `1F102A7C82`";
            Err(line.complain("this is no PARK", expected))
        }
    }
}

fn server(line: &mut Cursor<'_>, names: &mut Names, needs_site: bool) -> Read<World> {
    let name = line.declare(names, Sort::Server)?;
    let site = if needs_site || line.peek_word() == "at" {
        line.require("at")?;
        Some(line.name(names, &[Sort::Site])?)
    } else {
        None
    };
    let mut binding = Binding::Multi;
    if line.take("binding") {
        let known = [
            ("multi", Binding::Multi),
            ("single-replace", Binding::SingleReplace),
            ("single-reject", Binding::SingleReject),
            ("outbound", Binding::Outbound),
        ];
        binding = line.choose("a binding model", &known)?;
    }
    let removes_any = line.peek_word() == "removes-any";
    if removes_any && binding != Binding::SingleReplace {
        return Err(
            line.complain("this goes with one binding model only", "`binding single-replace removes-any`")
        );
    }
    line.take("removes-any");
    let mut transport = Transport::Udp;
    if line.take("transport") {
        let known = [Transport::Udp, Transport::Tcp, Transport::Tls].map(|known| (known.word(), known));
        transport = line.choose("a transport", &known)?;
    }
    Ok(World::Server { name, site, binding, removes_any, transport })
}

/// For how long a record may be believed when the script does not say: five minutes (ours).
const TTL: Duration = Duration::from_secs(300);

/// A name may have many records, so its second one declares nothing.
fn dns(line: &mut Cursor<'_>, names: &mut Names) -> Read<World> {
    let name = match names.find(line.peek_word(), &[Sort::Zone]) {
        Some(known) => {
            line.skip();
            known
        }
        None => line.declare(names, Sort::Zone)?,
    };
    Ok(World::Dns { name, record: record(line, names)? })
}

/// `srv PRIORITY WEIGHT SERVER [ttl D]` or `a SERVER [ttl D]`
pub(in crate::script) fn record(line: &mut Cursor<'_>, names: &Names) -> Read<Record> {
    let is_srv = line.choose("a kind of record", &[("srv", true), ("a", false)])?;
    let odds = if is_srv { Some((small(line, "the priority")?, small(line, "the weight")?)) } else { None };
    let server = line.name(names, &[Sort::Server])?;
    let ttl = if line.take("ttl") { line.duration()? } else { TTL };
    Ok(Record { odds, server, ttl })
}

/// A number of 16 bits (RFC 2782).
fn small(line: &mut Cursor<'_>, what: &str) -> Read<u16> {
    let number = line.count(what)?;
    u16::try_from(number).map_err(|_| line.complain_back("this number is too large", "at most 65535"))
}

/// What a link can be like.
pub(in crate::script) const QUALITIES: &[(&str, u8)] =
    &[("latency", 0), ("jitter", 1), ("loss", 2), ("bandwidth", 3)];

fn link(line: &mut Cursor<'_>, names: &mut Names) -> Read<World> {
    let Some(ends) = names.ends(line.peek_word()) else {
        let sites = names.of(&[Sort::Site]);
        let expected = format!("two sites declared above with `-` between them, of: {}", sites.join(", "));
        let pairs: Vec<String> = sites
            .iter()
            .flat_map(|a| sites.iter().filter(move |b| a != *b).map(move |b| format!("{a}-{b}")))
            .collect();
        return Err(line
            .complain("this names no two sites", expected)
            .nearest_of(pairs.iter().map(String::as_str)));
    };
    if !names.declare_link(ends.clone()) {
        return Err(line.complain("this link is declared twice", "another pair of sites"));
    }
    line.skip();
    let (mut latency, mut jitter, mut loss, mut bandwidth) = (None, None, None, None);
    while !line.is_done() {
        match line.choose("a quality of the link", QUALITIES)? {
            0 => latency = Some(line.duration()?),
            1 => jitter = Some(line.duration()?),
            3 => bandwidth = Some(line.bandwidth()?),
            _ => loss = Some(line.share()?),
        }
    }
    Ok(World::Link { ends, latency, jitter, loss, bandwidth })
}

fn proxies(line: &mut Cursor<'_>, names: &Names) -> Read<World> {
    let site = line.name(names, &[Sort::Site])?;
    line.require(":")?;
    let mut servers = vec![line.name(names, &[Sort::Server, Sort::Zone])?];
    while line.take(",") {
        servers.push(line.name(names, &[Sort::Server, Sort::Zone])?);
        if servers.len() > 3 {
            return Err(line.complain_back("a site has three tiers", "at most three servers"));
        }
    }
    Ok(World::Proxies { site, servers })
}

/// The most users of a crowd: the numbers 10001 to 99999 have five digits; M-2.2.1 allows 10,000 phones.
const USERS_MAX: u32 = 50_000;

fn users(line: &mut Cursor<'_>, names: &mut Names) -> Read<World> {
    let count = line.count("how many users")?;
    if count > USERS_MAX {
        return Err(line.complain_back("so many users are not replayed", format!("at most {USERS_MAX}")));
    }
    let later = line.take("later");
    let mut homes: Vec<(Name, u32)> = Vec::new();
    if line.take("home") {
        loop {
            let site = line.name(names, &[Sort::Site])?;
            let share = if homes.is_empty() && line.is_done() { 1_000_000 } else { line.share()? };
            homes.push((site, share));
            if !line.take(",") {
                break;
            }
        }
        let sum: u32 = homes.iter().map(|(_, share)| share).sum();
        if sum != 1_000_000 {
            let found = f64::from(sum) / 10_000.0;
            return Err(line.complain_back(
                "the shares of the homes do not add up",
                format!("100% in all, not {found}%"),
            ));
        }
    }
    names.declare_crowd(count);
    Ok(World::Users { count, homes, later })
}

const KINDS: [(&str, Kind); 3] = [("dect", Kind::Dect), ("desk", Kind::Desk), ("softphone", Kind::Softphone)];

fn user(line: &mut Cursor<'_>, names: &mut Names) -> Read<World> {
    let name = line.declare(names, Sort::User)?;
    let mut user = UserWords {
        name,
        number: None,
        id: None,
        home: None,
        expires: None,
        auth: None,
        pari_only: false,
        vip: false,
        later: false,
        kind: Kind::Dect,
        device: None,
    };
    while !line.is_done() {
        if let Some((_, kind)) = KINDS.iter().find(|(word, _)| *word == line.peek_word()) {
            line.skip();
            user.kind = *kind;
            continue;
        }
        let known = [
            ("number", 0),
            ("home", 1),
            ("expires", 2),
            ("auth", 3),
            ("pari-only", 4),
            ("vip", 5),
            ("device", 6),
            ("later", 7),
            ("id", 8),
        ];
        match line.choose("an option of the user", &known)? {
            0 => user.number = Some(number(line)?),
            1 => user.home = Some(line.name(names, &[Sort::Site])?),
            2 => user.expires = Some(expires(line)?),
            3 => {
                user.auth =
                    Some(line.choose("a digest algorithm", &[("md5", Auth::Md5), ("sha-256", Auth::Sha256)])?)
            }
            4 => user.pari_only = true,
            5 => user.vip = true,
            7 => user.later = true,
            8 => user.id = Some(number(line)?),
            _ => user.device = Some(phone(line, names)?),
        }
    }
    Ok(World::User(user))
}

/// A telephone number: 1 to 31 digits, `*` or `#` are not replayed (ours).
fn number(line: &mut Cursor<'_>) -> Read<Arc<str>> {
    let word = line.peek_word();
    if word.is_empty() || word.len() > 31 || !word.chars().all(|c| c.is_ascii_digit()) {
        return Err(line.complain("this is no telephone number", "1 to 31 digits"));
    }
    line.skip();
    Ok(Arc::from(word))
}

/// RFC 3261 20.19: at most 2^32-1 s; below a minute nobody registers (RFC 3261 10.2.8 speaks of an hour).
fn expires(line: &mut Cursor<'_>) -> Read<Duration> {
    let span = line.duration()?;
    if span < Duration::from_secs(10) || span > Duration::from_secs(86_400) {
        return Err(line.complain_back("nobody registers for that time", "a duration from `10s` to `1d`"));
    }
    Ok(span)
}

fn phone(line: &mut Cursor<'_>, names: &Names) -> Read<PhoneWord> {
    if line.peek_word().starts_with(|c: char| c.is_ascii_digit()) {
        return ipei(line).map(PhoneWord::Ipei);
    }
    line.name(names, &[Sort::Device]).map(PhoneWord::Named)
}

/// 12 digits, or 13 characters with the right check character (spec 4.1); given back with it.
fn ipei(line: &mut Cursor<'_>) -> Read<Arc<str>> {
    let word = line.peek_word();
    let digits = word.get(..12).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    if let Some(digits) = digits {
        let full = format!("{digits}{}", check_character(digits));
        if word.len() == 12 || word == full {
            line.skip();
            return Ok(Arc::from(full));
        }
        if word.len() == 13 {
            return Err(line
                .complain("the check character is wrong", "12 digits and the check character")
                .hint(format!("write {full}")));
        }
    }
    Err(line.complain("this is no IPEI", "12 digits, or 13 characters with the check character"))
}

/// `(1*d1 + 2*d2 + .. + 12*d12) mod 11`, 10 is `*` (spec 4.1).
pub fn check_character(digits: &str) -> char {
    let sum: u32 =
        digits.bytes().zip(1_u32..).map(|(digit, place)| place * u32::from(digit.wrapping_sub(b'0'))).sum();
    char::from_digit(sum % 11, 10).unwrap_or('*')
}

fn device(line: &mut Cursor<'_>, names: &mut Names) -> Read<World> {
    let name = line.declare(names, Sort::Device)?;
    let (mut number, mut site, mut pari_only, mut kind) = (None, None, false, Kind::Dect);
    while !line.is_done() {
        if let Some((_, known)) = KINDS.iter().find(|(word, _)| *word == line.peek_word()) {
            line.skip();
            kind = *known;
            continue;
        }
        match line.choose("an option of the device", &[("ipei", 0), ("at", 1), ("pari-only", 2)])? {
            0 => number = Some(ipei(line)?),
            1 => site = Some(line.name(names, &[Sort::Site])?),
            _ => pari_only = true,
        }
    }
    Ok(World::Device { name, ipei: number, site, pari_only, kind })
}
