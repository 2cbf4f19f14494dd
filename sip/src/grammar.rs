//! Which character may stand where (RFC 3261 25.1), and how to cut a text where quotes and angle brackets allow it.

/// A character of a `token`.
pub const TOKEN: u8 = 1;
/// A character of a `word` (Call-ID), the `@` between two words not included.
pub const WORD: u8 = 2;
/// A character of the user part of a URI; `%` is included, its two digits are checked by [`escapes_hold`].
pub const USER: u8 = 4;
/// A character of a password in a URI.
pub const PASSWORD: u8 = 8;
/// A character of the name or value of a URI parameter.
pub const URI_PARAM: u8 = 16;
/// A character of the header part of a URI, the separators `=` and `&` not included.
pub const URI_HEADER: u8 = 32;
/// A character of a host name. The underscore is ours: names with one are in use although RFC 1123 forbids them.
pub const HOST: u8 = 64;
/// An RFC 3986 character: everything that may stand in some URI.
pub const URI: u8 = 128;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    const ALNUM: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const ALL: u8 = TOKEN | WORD | USER | PASSWORD | URI_PARAM | URI_HEADER | HOST | URI;
    const MARKED: u8 = USER | PASSWORD | URI_PARAM | URI_HEADER | URI;
    let table = [0; 256];
    let table = with(table, ALNUM, ALL);
    let table = with(table, b"-_.!~*'()%", MARKED);
    let table = with(table, b"-.!%*_+`'~", TOKEN);
    let table = with(table, b"-.!%*_+`'~()<>:\\\"/[]?{}", WORD);
    let table = with(table, b"&=+$,;?/", USER);
    let table = with(table, b"&=+$,", PASSWORD);
    let table = with(table, b"[]/:&+$", URI_PARAM);
    let table = with(table, b"[]/?:+$", URI_HEADER);
    let table = with(table, b"-._", HOST);
    with(table, b":/?#[]@!$&'()*+,;=", URI)
}

const fn with(mut table: [u8; 256], letters: &[u8], class: u8) -> [u8; 256] {
    let mut at = 0;
    while at < letters.len() {
        table[letters[at] as usize] |= class;
        at += 1;
    }
    table
}

/// Whether every byte of `text` belongs to `class`; true for an empty text.
pub fn all(text: &str, class: u8) -> bool {
    text.bytes().all(|byte| CLASSES[byte as usize] & class != 0)
}

/// Whether `text` is a `token`: not empty, and token characters only.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && all(text, TOKEN)
}

/// Whether every `%` is followed by two hexadecimal digits.
pub fn escapes_hold(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'%', rest) {
        match rest.get(at + 1..at + 3) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => rest = &rest[at + 3..],
            _ => return false,
        }
    }
    true
}

/// Whether the byte is white space inside a header value: a space, a tab, or part of a folded line end.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// `text` without the white space at both ends.
pub fn trim(text: &str) -> &str {
    trim_start(trim_end(text))
}

/// `text` without the white space at its beginning.
pub fn trim_start(text: &str) -> &str {
    let blank = text.bytes().take_while(|&byte| is_space(byte)).count();
    text.get(blank..).unwrap_or("")
}

/// `text` without the white space at its end.
pub fn trim_end(text: &str) -> &str {
    let blank = text.bytes().rev().take_while(|&byte| is_space(byte)).count();
    text.get(..text.len() - blank).unwrap_or("")
}

/// Cuts `text` at the byte `at`, which is left out of both parts.
pub fn cut(text: &str, at: usize) -> (&str, &str) {
    (text.get(..at).unwrap_or(text), text.get(at + 1..).unwrap_or(""))
}

/// The first `byte` of `text` that stands neither in quotes nor in angle brackets. An unclosed quote runs to the end.
pub fn find_outside(text: &str, byte: u8) -> Option<usize> {
    // Most values have neither quotes nor brackets before the byte sought; one cheap look says so.
    let first = memchr::memchr(byte, text.as_bytes())?;
    if memchr::memchr2(b'"', b'<', &text.as_bytes()[..first]).is_none() {
        return Some(first);
    }
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    for (at, seen) in text.bytes().enumerate() {
        match seen {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if !bracketed => quoted = !quoted,
            _ if quoted => {}
            b'<' => bracketed = true,
            b'>' => bracketed = false,
            _ if seen == byte && !bracketed => return Some(at),
            _ => {}
        }
    }
    None
}

/// The length of the quoted string with which `text` begins, both quotes included; none when it is not closed.
pub fn quoted_len(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    bytes.next().filter(|&(_, first)| first == b'"')?;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => bytes.next().map(drop)?,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Whether `text` is exactly one quoted string.
pub fn is_quoted(text: &str) -> bool {
    quoted_len(text) == Some(text.len())
}

/// The inside of a quoted string, its backslashes still in place; any other text unchanged.
pub fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

/// The values of a comma-separated list; commas in quotes and angle brackets do not separate.
#[derive(Clone, Debug)]
pub struct List<'a>(Option<&'a str>);

/// Splits a list at its commas.
pub fn list(text: &str) -> List<'_> {
    List(Some(text))
}

impl<'a> Iterator for List<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0?;
        let (value, rest) = match find_outside(text, b',') {
            Some(at) => {
                let (value, rest) = cut(text, at);
                (value, Some(rest))
            }
            None => (text, None),
        };
        self.0 = rest;
        Some(trim(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_only_at_commas_outside_quotes_and_brackets() {
        let values: Vec<&str> = list(r#""a, \" b" <sip:x,y@h>;q=1 , c,,"open, end"#).collect();
        assert_eq!(values, [r#""a, \" b" <sip:x,y@h>;q=1"#, "c", "", "\"open, end"]);
    }

    #[test]
    fn a_quoted_string_ends_at_its_own_quote() {
        assert_eq!(quoted_len(r#""a\"b" c"#), Some(6));
        assert_eq!(quoted_len(r#""a\""#), None);
        assert_eq!(quoted_len(r#""a\"#), None);
        assert_eq!(quoted_len("a"), None);
    }

    #[test]
    fn characters_belong_where_the_grammar_puts_them() {
        assert!(is_token("RE%47IST%45R"));
        assert!(!is_token("") && !is_token("a b") && !is_token("a@b"));
        assert!(escapes_hold("a%41%2c") && !escapes_hold("%4") && !escapes_hold("%zz"));
        assert_eq!(trim(" \r\n\t x y \t"), "x y");
    }
}
