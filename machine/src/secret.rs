//! Text that never reaches a log, a trace, a metric or a debug print.

use std::fmt;
use std::sync::Arc;

/// A password or a key. Its `Debug` says only that there is one; it has no `Display`. A clone is the same text: a
/// directory, an account and its credentials share one.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<Arc<str>>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one place that needs it (a digest, an encrypted attribute). Never print it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debug_print_tells_nothing_not_even_the_length() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), format!("{:?}", Secret::new("")));
    }
}
