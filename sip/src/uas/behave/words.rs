//! The words for misbehaviour, as scenarios and the command line write them: `late 2s, duplicate`.

use std::sync::Arc;
use std::time::Duration;

use super::quirk::{ALL, Grant, Least, Quirk};
use crate::registrar::desk::Asking;

/// The names that an order may begin with.
pub const NAMES: &[&str] = &[
    "silence",
    "late",
    "wrong-branch",
    "wrong-cseq",
    "duplicate",
    "reorder",
    "nonce",
    "stale",
    "expires",
    "grant",
    "drops-own",
    "foreign-contacts",
    "min-expires",
    "storm",
    "retry-after",
    "overload",
    "oc",
    "crash",
    "forgets",
    "lists-nothing",
    "redirect",
    "rport-moves",
    "options-only",
    "options-filtered",
];

/// Nonces of `nonce short` live so long if nothing is said. Ours.
const SHORT_NONCE: Duration = Duration::from_secs(30);
/// What `expires shrink` takes away if nothing is said: the second of the story it is taken from.
const SHRINK_BY: Duration = Duration::from_secs(1);
/// Most places of a redirection. Ours: more than a client may follow (SM-3: 5).
const PLACES_MAX: usize = 8;

/// Why words cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Which word; one behind the last when something is missing.
    pub at: usize,
    /// What could stand there.
    pub expected: &'static str,
    /// The words that could, when they are few, for the nearest one.
    pub known: &'static [&'static str],
}

/// Cuts a text into words; what stands in quotes is one. A comma is a word.
pub fn split(text: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let (word, behind) = match first {
            '"' => {
                let inner = rest.get(1..).unwrap_or("");
                inner.split_once('"').unwrap_or((inner, ""))
            }
            ',' => rest.split_at(1),
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        words.push(word);
        rest = behind.trim_start();
    }
    words
}

/// Reads orders, a comma between two of them.
///
/// # Errors
/// The first word that does not fit.
pub fn read(words: &[&str]) -> Result<Vec<Quirk>, Unread> {
    let mut reader = Reader { words, at: 0 };
    let mut quirks = vec![reader.quirk()?];
    while !reader.is_done() {
        if !reader.take(",") {
            return Err(reader.wrong("`,` and another behaviour, or the end", &[]));
        }
        quirks.push(reader.quirk()?);
    }
    Ok(quirks)
}

struct Reader<'a> {
    words: &'a [&'a str],
    at: usize,
}

impl<'a> Reader<'a> {
    fn is_done(&self) -> bool {
        self.at >= self.words.len()
    }

    fn peek(&self) -> &'a str {
        self.words.get(self.at).copied().unwrap_or("")
    }

    fn take(&mut self, word: &str) -> bool {
        let fits = self.peek() == word && !self.is_done();
        self.at += usize::from(fits);
        fits
    }

    fn wrong(&self, expected: &'static str, known: &'static [&'static str]) -> Unread {
        Unread { at: self.at, expected, known }
    }

    /// One of these words.
    fn choose(&mut self, expected: &'static str, known: &'static [&'static str]) -> Result<&'a str, Unread> {
        let word = self.peek();
        if !known.contains(&word) {
            return Err(self.wrong(expected, known));
        }
        self.at += 1;
        Ok(word)
    }

    fn quirk(&mut self) -> Result<Quirk, Unread> {
        let quirk = match self.choose("a behaviour", NAMES)? {
            "silence" => Quirk::Silence(self.share()?),
            "late" => Quirk::Late(self.time()?),
            "wrong-branch" => Quirk::WrongBranch,
            "wrong-cseq" => Quirk::WrongCseq,
            "duplicate" => Quirk::Duplicate,
            "reorder" => Quirk::Reorder,
            "nonce" => Quirk::Nonce(self.nonce()?),
            "stale" => {
                self.choose("`always`", &["always"])?;
                Quirk::Nonce(Asking::Stale)
            }
            "expires" => {
                self.choose("`shrink`", &["shrink"])?;
                Quirk::Shrink(if self.take("by") { self.time()? } else { SHRINK_BY })
            }
            "grant" => Quirk::Grant(self.grant()?),
            "drops-own" => Quirk::DropsOwn,
            "foreign-contacts" => Quirk::ForeignContacts,
            "min-expires" => {
                let least = self.least()?;
                Quirk::MinExpires { least, early: self.take("early") }
            }
            "storm" => self.storm()?,
            "retry-after" => {
                let retry_after = Some(self.text("the value of a Retry-After line")?);
                Quirk::Storm { code: 503, retry_after, share: self.share()? }
            }
            "overload" => {
                let rate = self.rate()?;
                Quirk::Overload { rate, silent: self.take("silent") }
            }
            "oc" => Quirk::Oc(self.percent()?),
            "crash" => Quirk::Crash,
            "forgets" => Quirk::Forgets(self.text("the number of a user")?),
            "lists-nothing" => Quirk::ListsNothing,
            "redirect" => self.redirect()?,
            "rport-moves" => Quirk::RportMoves,
            "options-only" => Quirk::OptionsOnly,
            _ => Quirk::OptionsFiltered,
        };
        Ok(quirk)
    }

    fn nonce(&mut self) -> Result<Asking, Unread> {
        let expected = "`endless`, `stale`, `short`, `proxy` or `foreign`";
        Ok(match self.choose(expected, &["endless", "stale", "short", "proxy", "foreign"])? {
            "endless" => Asking::Endless,
            "stale" => Asking::Stale,
            "proxy" => Asking::Proxy,
            "foreign" => Asking::Foreign,
            _ if self.is_done() || self.peek() == "," => Asking::Short(SHORT_NONCE),
            _ => Asking::Short(self.time()?),
        })
    }

    fn grant(&mut self) -> Result<Grant, Unread> {
        let grant = match self.peek() {
            "garbage" => Grant::Garbage,
            "none" => Grant::Nothing,
            word => match word.parse() {
                Ok(seconds) => Grant::Seconds(seconds),
                Err(_) => {
                    return Err(self.wrong("a number of seconds, `garbage` or `none`", &["garbage", "none"]));
                }
            },
        };
        self.at += 1;
        Ok(grant)
    }

    fn least(&mut self) -> Result<Least, Unread> {
        if self.take("none") {
            return Ok(Least::Unsaid);
        }
        if self.take("lower") {
            return Ok(Least::Lower);
        }
        let wrong = self.wrong("a duration such as `2h`, `none` or `lower`", &["none", "lower"]);
        self.time().map(Least::Time).map_err(|_| wrong)
    }

    fn storm(&mut self) -> Result<Quirk, Unread> {
        let Ok(code @ 400..=699) = self.peek().parse() else {
            return Err(self.wrong("a code from 400 to 699", &[]));
        };
        self.at += 1;
        let retry_after = match self.take("retry-after") {
            true => Some(self.text("the value of a Retry-After line")?),
            false => None,
        };
        Ok(Quirk::Storm { code, retry_after, share: self.share()? })
    }

    fn redirect(&mut self) -> Result<Quirk, Unread> {
        let code = if self.choose("`301` or `302`", &["301", "302"])? == "301" { 301 } else { 302 };
        let mut to = vec![self.text("where to: a URI")?];
        while !self.is_done() && self.peek() != "," && to.len() < PLACES_MAX {
            to.push(self.text("where to: a URI")?);
        }
        Ok(Quirk::Redirect { code, to })
    }

    fn rate(&mut self) -> Result<u32, Unread> {
        match self.peek().strip_suffix("/s").and_then(|rate| rate.parse().ok()) {
            Some(rate) => {
                self.at += 1;
                Ok(rate)
            }
            None => Err(self.wrong("requests a second, such as `100/s`", &[])),
        }
    }

    fn percent(&mut self) -> Result<u8, Unread> {
        let percent = self.peek().strip_suffix('%').and_then(|share| share.parse().ok());
        match percent.filter(|percent| (1..=100).contains(percent)) {
            Some(percent) => {
                self.at += 1;
                Ok(percent)
            }
            None => Err(self.wrong("a share between `1%` and `100%`", &[])),
        }
    }

    /// `[share P%]`, in parts of a million.
    fn share(&mut self) -> Result<u32, Unread> {
        if !self.take("share") {
            return Ok(ALL);
        }
        let percent = self.peek().strip_suffix('%').and_then(|share| share.parse::<f64>().ok());
        match percent {
            Some(percent) if (0.0..=100.0).contains(&percent) => {
                self.at += 1;
                // At most a million, as the range says.
                Ok((percent * 10_000.0).round() as u32)
            }
            Some(_) | None => Err(self.wrong("a share between `0%` and `100%`", &[])),
        }
    }

    /// A duration of one word or more: `2h 30m`. A bare number is none.
    fn time(&mut self) -> Result<Duration, Unread> {
        let read = |word: &str| match word.parse::<f64>() {
            Ok(_) => None,
            Err(_) => humantime::parse_duration(word).ok(),
        };
        let Some(mut total) = read(self.peek()) else {
            return Err(self.wrong("a duration such as `30s` or `2h`", &[]));
        };
        self.at += 1;
        while let Some(more) = read(self.peek()) {
            total = total.saturating_add(more);
            self.at += 1;
        }
        Ok(total)
    }

    fn text(&mut self, expected: &'static str) -> Result<Arc<str>, Unread> {
        let word = self.peek();
        if word.is_empty() || word == "," {
            return Err(self.wrong(expected, &[]));
        }
        self.at += 1;
        Ok(word.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_behaviour_is_printed_in_the_words_that_order_it() {
        for words in [
            "silence",
            "silence share 12.5%",
            "late 1m 30s",
            "wrong-branch, wrong-cseq, duplicate, reorder",
            "nonce endless",
            "nonce stale",
            "nonce short 1m",
            "nonce proxy",
            "expires shrink by 10m",
            "grant 4293498731",
            "grant -1, foreign-contacts, drops-own",
            "grant garbage",
            "grant none",
            "min-expires 2h",
            "min-expires none early",
            "min-expires lower",
            "storm 503",
            "storm 500 retry-after \"120 (maintenance);duration=3600\" share 50%",
            "overload 100/s",
            "overload 20/s silent",
            "oc 40%",
            "crash, forgets 101, lists-nothing",
            "redirect 302 sip:10.0.0.1:5060 sip:10.0.0.2:5060",
            "rport-moves, options-only, options-filtered",
        ] {
            let quirks = read(&split(words)).unwrap_or_else(|wrong| panic!("{words}: {wrong:?}"));
            let printed: Vec<String> = quirks.iter().map(Quirk::to_string).collect();
            assert_eq!(printed.join(", "), words);
        }
        assert_eq!(read(&split("stale always")), read(&split("nonce stale")));
        assert_eq!(read(&split("retry-after 1e20")), read(&split("storm 503 retry-after \"1e20\"")));
        assert_eq!(read(&["nonce", "short"]), read(&split("nonce short 30s")));
        assert_eq!(read(&split("expires shrink")), read(&split("expires shrink by 1s")));
    }

    #[test]
    fn words_that_do_not_fit_are_pointed_at() {
        for (words, at) in [
            ("", 0),
            ("silent", 0),
            ("late", 1),
            ("late 30", 1),
            ("late 3s duplicate", 2),
            ("late 3s,", 3),
            ("silence share 30", 2),
            ("silence share 300%", 2),
            ("nonce", 1),
            ("stale ever", 1),
            ("expires grow", 1),
            ("grant soon", 1),
            ("min-expires 5", 1),
            ("storm 200", 1),
            ("overload 5", 1),
            ("oc 0%", 1),
            ("redirect 303 sip:x", 1),
            ("redirect 302", 2),
            ("forgets", 1),
        ] {
            assert_eq!(read(&split(words)).map_err(|wrong| wrong.at), Err(at), "{words:?}");
        }
    }
}
