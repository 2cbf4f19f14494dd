//! `;name=value` parameters of a header value or a URI, read where they stand.

use crate::grammar;
use crate::malformed::Malformed;

/// The parameters behind a value: a text that is empty or begins with `;`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// The parameters in `text`, unchecked: everything behind its first `;`.
    pub fn lazy(text: &'a str) -> Params<'a> {
        Params(grammar::trim(text))
    }

    /// Reads header parameters: every name a token, every value a token, a host or a quoted string.
    pub fn parse(text: &'a str) -> Result<Params<'a>, Malformed> {
        let params = Params::lazy(text);
        let bad = Malformed::Syntax("parameter");
        if !params.0.is_empty() && !params.0.starts_with(';') {
            return Err(bad);
        }
        let sound = params.iter().all(|(name, value)| grammar::is_token(name) && value.is_none_or(is_value));
        if sound { Ok(params) } else { Err(bad) }
    }

    /// Every parameter in order: its name, and its value as written (quotes included) when there is a `=`.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let mut rest = self.0.strip_prefix(';');
        std::iter::from_fn(move || {
            let text = rest?;
            let (param, more) = match grammar::find_outside(text, b';') {
                Some(at) => {
                    let (param, more) = grammar::cut(text, at);
                    (param, Some(more))
                }
                None => (text, None),
            };
            rest = more;
            Some(match memchr::memchr(b'=', param.as_bytes()) {
                Some(at) => {
                    let (name, value) = grammar::cut(param, at);
                    (grammar::trim(name), Some(grammar::trim(value)))
                }
                None => (grammar::trim(param), None),
            })
        })
    }

    /// The first parameter called `name`, in any case: none when it is absent, `Some("")` when it has no value.
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.iter().find(|(seen, _)| seen.eq_ignore_ascii_case(name)).map(|(_, value)| value.unwrap_or(""))
    }

    /// Whether there is a parameter of that name.
    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The text as written, its first `;` included.
    pub fn as_str(self) -> &'a str {
        self.0
    }
}

/// A gen-value of RFC 3261 25.1. A host in brackets is one; other characters of IPv6 addresses without brackets are
/// let through too, for `received` (RFC 5118 4.5), and a slash and brackets for feature tags.
fn is_value(text: &str) -> bool {
    if text.starts_with('"') {
        return grammar::is_quoted(text);
    }
    grammar::all(text, grammar::TOKEN | grammar::URI_PARAM) && !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_by_name_in_any_case() {
        let params = Params::parse(r#" ; TAG = a;x;y="1;2" "#).expect("sound parameters");
        assert_eq!(params.get("tag"), Some("a"));
        assert_eq!(params.get("X"), Some(""));
        assert_eq!(params.get("y"), Some(r#""1;2""#));
        assert_eq!(params.get("z"), None);
        assert_eq!(params.iter().count(), 3);
    }

    #[test]
    fn empty_and_broken_parameters_are_refused() {
        for bad in [";", ";;a", ";a=", ";a b", "x", ";a=\"open", ";=b", ";a=b c"] {
            assert_eq!(Params::parse(bad), Err(Malformed::Syntax("parameter")), "{bad}");
        }
        assert_eq!(Params::parse("").map(|params| params.iter().count()), Ok(0));
    }
}
