//! URIs, read where they stand (RFC 3261 19.1, RFC 5118). URIs of schemes that we do not know are kept as they are.

use std::borrow::Cow;

use crate::grammar;
use crate::host::Host;
use crate::malformed::Malformed;
use crate::param::Params;

/// Most parameters, and most header fields, of one URI. Ours: no URI in use has a tenth of it.
pub const PARTS_MAX: usize = 64;

/// Parameters that both URIs must have when one has them (RFC 3261 19.1.4).
const DECISIVE: [&str; 5] = ["transport", "user", "ttl", "method", "maddr"];

/// What a URI begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme<'a> {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966)
    Tel,
    /// Any other, as written.
    Other(&'a str),
}

impl<'a> Scheme<'a> {
    fn of(word: &'a str) -> Scheme<'a> {
        match word {
            _ if word.eq_ignore_ascii_case("sip") => Scheme::Sip,
            _ if word.eq_ignore_ascii_case("sips") => Scheme::Sips,
            _ if word.eq_ignore_ascii_case("tel") => Scheme::Tel,
            _ => Scheme::Other(word),
        }
    }

    /// As it is written before the colon.
    pub fn as_str(&self) -> &'a str {
        match self {
            Scheme::Sip => "sip",
            Scheme::Sips => "sips",
            Scheme::Tel => "tel",
            Scheme::Other(word) => word,
        }
    }
}

/// A view of one URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// The whole URI as written.
    pub text: &'a str,
    /// Its scheme.
    pub scheme: Scheme<'a>,
    /// The user part with its escapes, when there is an `@`. A number, for `tel:`.
    pub user: Option<&'a str>,
    /// The password, when the user part has a colon.
    pub password: Option<&'a str>,
    /// The host; absent for `tel:` and for other schemes.
    pub host: Host<'a>,
    /// The port, when one is given.
    pub port: Option<u16>,
    /// The parameters behind the host (or behind the number of a `tel:`).
    pub params: Params<'a>,
    /// What stands behind the question mark, when there is one.
    pub headers: Option<&'a str>,
}

impl<'a> Uri<'a> {
    /// Reads one URI: no angle brackets, no white space round it.
    pub fn parse(text: &'a str) -> Result<Uri<'a>, Malformed> {
        let bad = Malformed::Syntax("URI");
        let colon = memchr::memchr(b':', text.as_bytes()).ok_or(bad)?;
        let (word, rest) = grammar::cut(text, colon);
        let starts_with_letter = word.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
        if !starts_with_letter
            || !word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return Err(bad);
        }
        let scheme = Scheme::of(word);
        let bare = Uri {
            text,
            scheme,
            user: None,
            password: None,
            host: Host::Absent,
            port: None,
            params: Params::default(),
            headers: None,
        };
        match scheme {
            Scheme::Sip | Scheme::Sips => bare.with_sip_parts(rest),
            Scheme::Tel => bare.with_number(rest),
            Scheme::Other(_) if rest.is_empty() || !grammar::all(rest, grammar::URI) => Err(bad),
            Scheme::Other(_) => Ok(bare),
        }
    }

    /// `[user [":" password] "@"] host [":" port] *(";" param) ["?" headers]`
    fn with_sip_parts(mut self, rest: &'a str) -> Result<Uri<'a>, Malformed> {
        let bad = Malformed::Syntax("URI");
        // The user part may hold `;` and `?`, nothing behind it may hold `@`: so the `@` comes first.
        let rest = match memchr::memchr(b'@', rest.as_bytes()) {
            None => rest,
            Some(at) => {
                let (user, rest) = grammar::cut(rest, at);
                self.read_user(user)?;
                rest
            }
        };
        let rest = match memchr::memchr(b'?', rest.as_bytes()) {
            None => rest,
            Some(at) => {
                let (rest, headers) = grammar::cut(rest, at);
                if !are_headers(headers) {
                    return Err(bad);
                }
                self.headers = Some(headers);
                rest
            }
        };
        let end = memchr::memchr(b';', rest.as_bytes()).unwrap_or(rest.len());
        let (host, params) = (rest.get(..end).ok_or(bad)?, rest.get(end..).ok_or(bad)?);
        if host.bytes().any(grammar::is_space) {
            return Err(bad);
        }
        (self.host, self.port) = Host::parse_with_port(host)?;
        self.params = uri_params(params)?;
        Ok(self)
    }

    fn read_user(&mut self, text: &'a str) -> Result<(), Malformed> {
        let (user, password) = match memchr::memchr(b':', text.as_bytes()) {
            Some(at) => {
                let (user, password) = grammar::cut(text, at);
                (user, Some(password))
            }
            None => (text, None),
        };
        let sound = !user.is_empty()
            && grammar::all(user, grammar::USER)
            && password.is_none_or(|password| grammar::all(password, grammar::PASSWORD))
            && grammar::escapes_hold(text);
        if !sound {
            return Err(Malformed::Syntax("user part of the URI"));
        }
        (self.user, self.password) = (Some(user), password);
        Ok(())
    }

    fn with_number(mut self, rest: &'a str) -> Result<Uri<'a>, Malformed> {
        let bad = Malformed::Syntax("URI");
        let end = memchr::memchr(b';', rest.as_bytes()).unwrap_or(rest.len());
        let (number, params) = (rest.get(..end).ok_or(bad)?, rest.get(end..).ok_or(bad)?);
        if number.is_empty()
            || !number.bytes().all(|byte| byte.is_ascii_hexdigit() || b"+*#-.()".contains(&byte))
        {
            return Err(bad);
        }
        self.user = Some(number);
        self.params = uri_params(params)?;
        Ok(self)
    }

    /// The value of a URI parameter, in any case: none when absent, `Some("")` without a value.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// The user part with its escapes undone (RFC 3261 19.1.2); bytes that are not UTF-8 become U+FFFD.
    pub fn user_unescaped(&self) -> Option<Cow<'a, str>> {
        self.user.map(unescaped)
    }

    /// Whether it is a `sip:` or `sips:` URI.
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }
}

/// Parameters of a URI: no white space, no empty names, no empty parameter between two `;`.
fn uri_params(text: &str) -> Result<Params<'_>, Malformed> {
    let params = Params::lazy(text);
    let of_class = |text: &str| !text.is_empty() && grammar::all(text, grammar::URI_PARAM);
    let sound = |(name, value): (&str, Option<&str>)| of_class(name) && value.is_none_or(of_class);
    if text.bytes().any(grammar::is_space) || !grammar::escapes_hold(text) || !params.iter().all(sound) {
        return Err(Malformed::Syntax("URI parameter"));
    }
    if params.iter().count() > PARTS_MAX {
        return Err(Malformed::TooLarge("number of URI parameters"));
    }
    Ok(params)
}

/// `name=value *("&" name=value)`; a value may be empty.
fn are_headers(text: &str) -> bool {
    grammar::escapes_hold(text)
        && text.split('&').count() <= PARTS_MAX
        && text.split('&').all(|header| {
            header.split_once('=').is_some_and(|(name, value)| {
                !name.is_empty()
                    && grammar::all(name, grammar::URI_HEADER)
                    && grammar::all(value, grammar::URI_HEADER)
            })
        })
}

/// `text` with its `%HH` undone, once and never twice (RFC 4475 3.1.1.3).
pub fn unescaped(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let bytes: Vec<u8> = octets(text).map(|(byte, _)| byte).collect();
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Every byte of `text` with its escapes undone, and whether it was escaped.
fn octets(text: &str) -> impl Iterator<Item = (u8, bool)> {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        if let [b'%', high, low, more @ ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            rest = more;
            return Some((high * 16 + low, true));
        }
        let (&byte, more) = rest.split_first()?;
        rest = more;
        Some((byte, false))
    })
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

/// Whether both URIs are equivalent by RFC 3261 19.1.4. URIs of other schemes are compared byte by byte.
pub fn equal(ours: &Uri<'_>, theirs: &Uri<'_>) -> bool {
    if ours.scheme != theirs.scheme {
        return false;
    }
    if !ours.is_sip() {
        return ours.text == theirs.text;
    }
    same_option(ours.user, theirs.user, same_with_case)
        && same_option(ours.password, theirs.password, same_with_case)
        && ours.host.same(&theirs.host)
        && ours.port == theirs.port
        && params_agree(ours.params, theirs.params)
        && params_agree(theirs.params, ours.params)
        && headers_agree(ours.headers.unwrap_or(""), theirs.headers.unwrap_or(""))
}

fn same_option(ours: Option<&str>, theirs: Option<&str>, same: fn(&str, &str) -> bool) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => same(ours, theirs),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// A reserved character is not the same as its escape; every other one is.
fn comparable((byte, escaped): (u8, bool)) -> (u8, bool) {
    (byte, escaped && b";/?:@&=+$,".contains(&byte))
}

fn same_with_case(ours: &str, theirs: &str) -> bool {
    ours == theirs || octets(ours).map(comparable).eq(octets(theirs).map(comparable))
}

fn same_without_case(ours: &str, theirs: &str) -> bool {
    let lower = |octet| {
        let (byte, escaped): (u8, bool) = comparable(octet);
        (byte.to_ascii_lowercase(), escaped)
    };
    octets(ours).map(lower).eq(octets(theirs).map(lower))
}

/// Whether every parameter of `ours` allows `theirs` to be equal. `transport` counts among those that must be in
/// both: "the same is true for the transport-parameter, ttl-parameter, user-parameter, and method components". Of a
/// parameter that is there twice, which RFC 3261 19.1.1 forbids, the first counts.
fn params_agree(ours: Params<'_>, theirs: Params<'_>) -> bool {
    ours.iter().all(|(name, _)| match (first_of(ours, name), first_of(theirs, name)) {
        (Some(value), Some(other)) => same_without_case(value, other),
        (Some(_) | None, _) => !DECISIVE.iter().any(|it| same_without_case(name, it)),
    })
}

fn first_of<'a>(params: Params<'a>, name: &str) -> Option<&'a str> {
    params.iter().find(|(other, _)| same_without_case(name, other)).map(|(_, value)| value.unwrap_or(""))
}

/// Headers are never ignored; their order does not matter. Values are compared with their case, which is stricter
/// than the rules of some header fields.
fn headers_agree(ours: &str, theirs: &str) -> bool {
    let all_in = |left: &str, right: &str| {
        left.split('&').all(|header| right.split('&').any(|other| same_header(header, other)))
    };
    ours.split('&').count() == theirs.split('&').count() && all_in(ours, theirs) && all_in(theirs, ours)
}

fn same_header(ours: &str, theirs: &str) -> bool {
    let (name, value) = ours.split_once('=').unwrap_or((ours, ""));
    let (other, content) = theirs.split_once('=').unwrap_or((theirs, ""));
    same_without_case(name, other) && same_with_case(value, content)
}

#[cfg(test)]
mod tests;
