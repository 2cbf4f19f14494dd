//! `--behave "WORDS [after D] [for D]"`: what a registrar is told to do wrong, when, and for how long.

use std::fmt;
use std::time::Duration;

use ::actors::registrar::{BehaveLater, Registrar};
use actix::Addr;
use sip::uas::Input;
use sip::uas::behave::quirk::Quirk;
use sip::uas::behave::words;

/// One order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// What.
    pub(super) quirks: Vec<Quirk>,
    /// How long after the start.
    pub(super) after: Duration,
    /// For how long; `None` for ever.
    pub(super) span: Option<Duration>,
}

/// Reads an order.
///
/// # Errors
/// What was read, what was expected, and the nearest known word.
pub(super) fn read(text: &str) -> Result<Order, String> {
    let all = words::split(text);
    let first_time = |words: &[&str]| {
        words.iter().position(|word| matches!(*word, "after" | "for")).unwrap_or(words.len())
    };
    let end = first_time(&all);
    let (orders, mut times) = all.split_at(end);
    let quirks = words::read(orders).map_err(|wrong| {
        let word = all.get(wrong.at).copied().unwrap_or("the end");
        let known = if wrong.at == 0 { words::NAMES } else { wrong.known };
        let near = replay::script::complaint::nearest(word, known.iter().copied());
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("`{word}` does not fit: expected {}{hint}", wrong.expected)
    })?;
    let (mut after, mut span) = (Duration::ZERO, None);
    while let Some((word, rest)) = times.split_first() {
        let end = first_time(rest);
        let (value, more) = rest.split_at(end);
        let value = value.join(" ");
        let long = humantime::parse_duration(&value)
            .map_err(|_| format!("`{value}` behind `{word}` is no duration such as `30s`"))?;
        if *word == "after" {
            after = long
        } else {
            span = Some(long)
        }
        times = more;
    }
    Ok(Order { quirks, after, span })
}

/// Tells the registrar what to do in its time.
pub(super) fn give(order: &Order, registrar: &Addr<Registrar>) {
    let Order { quirks, after, span } = order;
    registrar.do_send(BehaveLater(*after, Input::Misbehave(quirks.clone())));
    if let Some(span) = span {
        let names = quirks.iter().map(Quirk::name).collect();
        registrar.do_send(BehaveLater(*after + *span, Input::Improve(Some(names))));
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.quirks.iter().map(Quirk::to_string).collect();
        f.write_str(&words.join(", "))?;
        if !self.after.is_zero() {
            write!(f, " after {}", humantime::format_duration(self.after))?;
        }
        match self.span {
            Some(span) => write!(f, " for {}", humantime::format_duration(span)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_words_and_times_in_any_order() {
        let seconds = Duration::from_secs;
        let order = read("late 2s, duplicate for 1m 30s after 10s").unwrap();
        assert_eq!((order.after, order.span), (seconds(10), Some(seconds(90))));
        assert_eq!(order.quirks, [Quirk::Late(seconds(2)), Quirk::Duplicate]);
        assert_eq!(order.to_string(), "late 2s, duplicate after 10s for 1m 30s");
        assert_eq!(read("drops-own").unwrap().span, None);
    }

    #[test]
    fn a_slip_of_the_pen_is_told_with_the_nearest_word() {
        assert_eq!(
            read("overlaod 5/s").unwrap_err(),
            "`overlaod` does not fit: expected a behaviour; did you mean `overload`?"
        );
        assert_eq!(read("crash for 5").unwrap_err(), "`5` behind `for` is no duration such as `30s`");
        assert!(read("late").unwrap_err().starts_with("`the end` does not fit"));
    }
}
