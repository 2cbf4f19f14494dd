//! A line as tokens, each with its column.
//!
//! A word ends at a blank, a comma, a bracket, a quote, a comparison or a comment. A colon is a token only before a
//! blank or at the end of the line, so that `2026-03-01T00:00:00Z` and `sip:101` stay whole.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name, a keyword, a number, a duration.
    Word,
    /// `"text"`; the token's text is without the quotes.
    Quoted,
    /// `"text` without its end.
    Unclosed,
    /// `,` `:` `(` `)` `<` `<=` `=` `>=` `>`
    Mark,
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub text: &'a str,
    /// Its first character's column, from 1.
    pub column: usize,
    /// Its first byte in the line.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

impl Token<'_> {
    /// How many characters it covers, its quotes included.
    pub fn width(&self) -> usize {
        let quotes = if self.kind == Kind::Quoted { 2 } else { 0 };
        self.text.chars().count() + quotes
    }
}

/// The tokens of a line, without its comment.
pub fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = line.char_indices().enumerate().peekable();
    while let Some((index, (start, c))) = rest.next() {
        let column = index + 1;
        let mut push = |kind, text, end| found.push(Token { kind, text, column, start, end });
        match c {
            '#' => break,
            '"' => {
                let inner = start + 1;
                match line[inner..].find('"') {
                    Some(length) => {
                        let close = inner + length;
                        while rest.next_if(|(_, (at, _))| *at <= close).is_some() {}
                        push(Kind::Quoted, &line[inner..close], close + 1);
                    }
                    None => {
                        push(Kind::Unclosed, &line[start..], line.len());
                        break;
                    }
                }
            }
            '<' | '>' => {
                let end =
                    if rest.next_if(|(_, (_, next))| *next == '=').is_some() { start + 2 } else { start + 1 };
                push(Kind::Mark, &line[start..end], end);
            }
            ',' | '(' | ')' | '=' => push(Kind::Mark, &line[start..start + 1], start + 1),
            ':' => push(Kind::Mark, &line[start..start + 1], start + 1),
            c if c.is_whitespace() => {}
            _ => {
                let mut end = start + c.len_utf8();
                while let Some((_, (at, next))) = rest.peek().copied() {
                    if ends_word(line, at, next) {
                        break;
                    }
                    end = at + next.len_utf8();
                    rest.next();
                }
                push(Kind::Word, &line[start..end], end);
            }
        }
    }
    found
}

/// Whether the character at `at` cannot belong to a word.
fn ends_word(line: &str, at: usize, c: char) -> bool {
    match c {
        ':' => line[at + 1..].chars().next().is_none_or(char::is_whitespace),
        ',' | '(' | ')' | '"' | '<' | '>' | '=' => true,
        c => c.is_whitespace(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<(&str, usize)> {
        tokens(line).iter().map(|token| (token.text, token.column)).collect()
    }

    #[test]
    fn words_marks_and_quotes_know_their_columns() {
        assert_eq!(
            texts("proxies a: p, q # two"),
            [("proxies", 1), ("a", 9), (":", 10), ("p", 12), (",", 13), ("q", 15)]
        );
        assert_eq!(texts(r#"note "a, b" end"#), [("note", 1), ("a, b", 6), ("end", 13)]);
        assert_eq!(texts("x <=4"), [("x", 1), ("<=", 3), ("4", 5)]);
        assert_eq!(texts("start 2026-03-01T00:00:00Z"), [("start", 1), ("2026-03-01T00:00:00Z", 7)]);
        assert_eq!(texts("größe x"), [("größe", 1), ("x", 7)]);
        assert_eq!(tokens(r#"note "open"#)[1].kind, Kind::Unclosed);
    }
}
