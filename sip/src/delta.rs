//! Seconds in a header value: `Expires`, `Min-Expires`, `Retry-After`.

use crate::grammar;
use crate::malformed::Malformed;

/// Reads delta-seconds: digits only. A number of 2^32 or more is taken as the largest that we hold.
pub fn seconds(text: &str) -> Result<u32, Malformed> {
    let text = grammar::trim(text);
    if text.is_empty() {
        return Err(Malformed::Syntax("number of seconds"));
    }
    text.bytes().try_fold(0_u32, |sum, byte| match byte {
        b'0'..=b'9' => Ok(sum.saturating_mul(10).saturating_add(u32::from(byte - b'0'))),
        _ => Err(Malformed::Syntax("number of seconds")),
    })
}

/// A view of `Retry-After` (RFC 3261 20.33, spec S-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter<'a> {
    /// For how long to stay away, in seconds. 0 is valid: come back at once (spec S-22).
    pub seconds: u32,
    /// What the peer says about it, without the parentheses.
    pub comment: Option<&'a str>,
    /// For how long the peer will be there afterwards, in seconds.
    pub duration: Option<u32>,
}

impl<'a> RetryAfter<'a> {
    /// Reads `delta-seconds ["(" comment ")"] *(";" param)`.
    pub fn parse(text: &'a str) -> Result<RetryAfter<'a>, Malformed> {
        let bad = Malformed::Syntax("Retry-After");
        let text = grammar::trim(text);
        let end = text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = (text.get(..end).ok_or(bad)?, text.get(end..).ok_or(bad)?);
        let seconds = seconds(digits).map_err(|_| bad)?;
        let rest = grammar::trim_start(rest);
        let (comment, params) = match rest.strip_prefix('(') {
            None => (None, rest),
            Some(inside) => {
                let end = comment_end(inside).ok_or(bad)?;
                let (comment, params) = grammar::cut(inside, end);
                (Some(comment), grammar::trim_start(params))
            }
        };
        let params = crate::param::Params::parse(params).map_err(|_| bad)?;
        let duration = params.get("duration").map(crate::delta::seconds).transpose().map_err(|_| bad)?;
        Ok(RetryAfter { seconds, comment, duration })
    }
}

/// Where the parenthesis closes that was opened before `text`; comments nest.
fn comment_end(text: &str) -> Option<usize> {
    let (mut depth, mut escaped) = (1_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_may_carry_a_comment_and_a_duration() {
        let seen =
            RetryAfter::parse("120 (I'm (really) in a meeting) ;duration=3600").expect("a Retry-After");
        assert_eq!(
            (seen.seconds, seen.comment, seen.duration),
            (120, Some("I'm (really) in a meeting"), Some(3600))
        );
        for (text, seconds) in [("0", 0), ("86400", 86_400), ("100000000000000000000", u32::MAX)] {
            assert_eq!(RetryAfter::parse(text).map(|seen| seen.seconds), Ok(seconds));
        }
        for bad in ["", "x", "-1", "1e20", "12 (open", "12;duration=x", "12 x"] {
            assert!(RetryAfter::parse(bad).is_err(), "{bad}");
        }
    }
}
