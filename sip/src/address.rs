//! `From`, `To`, `Route`, `Contact` ...: a URI with a display name before it and parameters behind it.

use crate::grammar;
use crate::malformed::Malformed;
use crate::param::Params;
use crate::uri::Uri;

/// A view of one name-addr or addr-spec with its header parameters (RFC 3261 20.10, 25.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The display name as written, quotes included.
    pub display: Option<&'a str>,
    /// The URI as written, without angle brackets.
    pub address: &'a str,
    /// The header parameters behind it.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value. The URI itself is not looked at: [`NameAddr::uri`] does.
    pub fn parse(text: &'a str) -> Result<NameAddr<'a>, Malformed> {
        let text = grammar::trim(text);
        let bad = Malformed::Syntax("address");
        if text.starts_with('"') {
            let end = grammar::quoted_len(text).ok_or(Malformed::Syntax("display name"))?;
            let (display, rest) = (text.get(..end).ok_or(bad)?, text.get(end..).ok_or(bad)?);
            let rest = grammar::trim_start(rest).strip_prefix('<').ok_or(bad)?;
            return NameAddr::bracketed(Some(display), rest);
        }
        match memchr::memchr(b'<', text.as_bytes()) {
            Some(at) => {
                let (display, rest) = grammar::cut(text, at);
                let display = grammar::trim_end(display);
                if !are_tokens(display) {
                    return Err(Malformed::Syntax("display name"));
                }
                NameAddr::bracketed(Some(display).filter(|display| !display.is_empty()), rest)
            }
            None => NameAddr::bare(text),
        }
    }

    /// `URI> *(;param)`
    fn bracketed(display: Option<&'a str>, rest: &'a str) -> Result<NameAddr<'a>, Malformed> {
        let end = memchr::memchr(b'>', rest.as_bytes()).ok_or(Malformed::Syntax("address"))?;
        let (address, params) = grammar::cut(rest, end);
        Ok(NameAddr { display, address, params: Params::parse(params)? })
    }

    /// Without brackets every parameter belongs to the header, and the URI may hold neither `,` nor `?`
    /// (RFC 3261 20.10).
    fn bare(text: &'a str) -> Result<NameAddr<'a>, Malformed> {
        let bad = Malformed::Syntax("address");
        let end = memchr::memchr(b';', text.as_bytes()).unwrap_or(text.len());
        let (address, params) = (text.get(..end).ok_or(bad)?, text.get(end..).ok_or(bad)?);
        let address = grammar::trim_end(address);
        let is_sound = !address.is_empty()
            && !address.bytes().any(|byte| grammar::is_space(byte) || b",?".contains(&byte));
        if !is_sound {
            return Err(bad);
        }
        Ok(NameAddr { display: None, address, params: Params::parse(params)? })
    }

    /// The URI, read.
    pub fn uri(&self) -> Result<Uri<'a>, Malformed> {
        Uri::parse(self.address)
    }

    /// The `tag` parameter.
    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag")
    }

    /// The header parameter of that name: none when absent, `Some("")` without a value.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }
}

fn are_tokens(text: &str) -> bool {
    text.split(|letter: char| letter.is_ascii_whitespace())
        .all(|word| word.is_empty() || grammar::is_token(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_name_uri_and_parameters_are_told_apart() {
        let seen = NameAddr::parse(r#" "J Rosenberg \\\"" <sip:jd@example.com;lr> ;tag= 98asjd8 "#)
            .expect("an address");
        assert_eq!(seen.display, Some(r#""J Rosenberg \\\"""#));
        assert_eq!((seen.address, seen.tag()), ("sip:jd@example.com;lr", Some("98asjd8")));
        let bare =
            NameAddr::parse("sip:vivekg@chair.example.com ; tag = 1918;user=phone").expect("an address");
        assert_eq!((bare.address, bare.tag()), ("sip:vivekg@chair.example.com", Some("1918")));
        assert_eq!(NameAddr::parse("caller<sip:c@h>;tag=3").map(|it| it.display), Ok(Some("caller")));
        assert_eq!(NameAddr::parse("<sip:c@h>").map(|it| it.display), Ok(None));
    }

    #[test]
    fn broken_addresses_are_refused() {
        let bad =
            ["", "\"open <sip:a@h>", "\"a\" sip:a@h", "Bell, A <sip:a@h>", "<sip:a@h", "sip:a@h?Route=x"];
        for text in bad.into_iter().chain(["<sip:a@h> x", "sip: a@h", "<sip:a@h>;;"]) {
            assert!(NameAddr::parse(text).is_err(), "{text}");
        }
    }
}
