//! What commands say to the person who gave them.

use std::io::{Write, stderr, stdout};

/// One line on standard output. A reader that went away (`| head`) is no error.
pub fn say(text: &str) {
    let _ = writeln!(stdout().lock(), "{text}");
}

/// One line on standard error.
pub fn complain(text: &str) {
    let _ = writeln!(stderr().lock(), "{text}");
}
