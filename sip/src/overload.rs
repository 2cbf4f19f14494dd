//! Overload control as a client (RFC 7339): what a server says about its load in the Via of its answers.

use std::time::Duration;

use crate::via::Via;

/// How long a share holds when the answer does not say it (RFC 7339 4.3).
const VALIDITY: Duration = Duration::from_millis(500);
/// The parameters by which a client offers overload control, loss-based only (RFC 7339 4.1, 4.2).
pub const OFFER: &str = ";oc;oc-algo=\"loss\"";

/// What an answer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// The share of requests not to send, in percent, 0 to 100 (`oc`).
    pub share: u8,
    /// For how long (`oc-validity`); zero ends all overload control.
    pub validity: Duration,
    /// Which of two answers is the later one (`oc-seq`): seconds and a fraction in units of 10 microseconds.
    pub seq: Option<(u64, u32)>,
}

impl Feedback {
    /// Reads the topmost Via of a response; `None` when it says nothing that we have offered to understand.
    pub fn read(via: &Via<'_>) -> Option<Feedback> {
        let share = via.params.get("oc")?;
        let algorithm = via.params.get("oc-algo").map_or("loss", |text| text.trim_matches('"'));
        let validity = match via.params.get("oc-validity") {
            Some(text) => Duration::from_millis(text.parse::<u32>().ok()?.into()),
            None => VALIDITY,
        };
        if !algorithm.eq_ignore_ascii_case("loss") {
            return None;
        }
        let seq = via.params.get("oc-seq").and_then(sequence);
        if validity.is_zero() {
            return Some(Feedback { share: 0, validity, seq });
        }
        let share = share.parse().ok().filter(|share| *share <= 100)?;
        Some(Feedback { share, validity, seq })
    }
}

/// `1*12DIGIT "." 1*5DIGIT`
fn sequence(text: &str) -> Option<(u64, u32)> {
    let (whole, part) = text.split_once('.')?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() > 12 || part.is_empty() || part.len() > 5 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    Some((whole.parse().ok()?, format!("{part:0<5}").parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(params: &str) -> Option<Feedback> {
        Feedback::read(&Via::parse(&format!("SIP/2.0/UDP h;branch=z9hG4bK1{params}")).expect("a Via"))
    }

    fn shares(params: &str) -> Option<(u8, u64)> {
        read(params).map(|seen| (seen.share, seen.validity.as_millis() as u64))
    }

    #[test]
    fn a_share_holds_for_its_time_or_half_a_second() {
        assert_eq!(shares(";oc=20;oc-algo=\"loss\";oc-validity=1000"), Some((20, 1000)));
        assert_eq!(shares(";oc=100;oc-algo=\"loss\""), Some((100, 500)));
        assert_eq!(shares(";oc=0;oc-algo=\"loss\";oc-validity=0"), Some((0, 0)));
        assert_eq!(shares(";oc;oc-validity=0"), Some((0, 0)));
    }

    #[test]
    fn what_was_not_offered_or_cannot_be_read_says_nothing() {
        for params in [
            "",
            ";oc",
            ";oc=101",
            ";oc=-1",
            ";oc=x",
            ";oc=150;oc-algo=\"rate\"",
            ";oc-validity=500",
            ";oc=10;oc-validity=x",
        ] {
            assert_eq!(read(params), None, "{params}");
        }
    }

    #[test]
    fn sequences_compare_by_their_time() {
        let seq = |text: &str| read(&format!(";oc=1;oc-seq={text}")).and_then(|seen| seen.seq);
        assert!(seq("1282321615.782") < seq("1282321615.79"));
        assert!(seq("1282321615.782") < seq("1282321616.1"));
        assert_eq!(seq("1282321615.5"), seq("1282321615.50000"));
        for bad in ["1", "x.1", "1.123456", "1234567890123.1", "1."] {
            assert_eq!(seq(bad), None, "{bad}");
        }
    }
}
