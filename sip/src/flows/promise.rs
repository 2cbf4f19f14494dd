//! What a registrar promises about keep-alives.

use std::time::Duration;

use crate::message::Message;
use crate::name::Name;

/// What a 2xx to a REGISTER promises: a Flow-Timer (RFC 5626 5.4), or a value for the `keep` of our Via (RFC 6223 7).
/// The outer none is "nothing"; the inner one leaves the interval open.
pub fn promise(message: &Message) -> Option<Option<Duration>> {
    if !message.code().is_some_and(|code| (200..300).contains(&code)) {
        return None;
    }
    let seconds = |text: &str| text.trim().parse::<u64>().ok().map(Duration::from_secs);
    if let Some(text) = message.header(Name::FlowTimer) {
        return seconds(text).map(Some);
    }
    let keep = message.via().ok()?.params.get("keep").filter(|value| !value.is_empty())?;
    seconds(keep).map(|interval| Some(interval).filter(|interval| !interval.is_zero()))
}
