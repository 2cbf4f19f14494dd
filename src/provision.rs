//! Files of users and handsets: which form they have, and what is in them (M-2.2.7-a).

use std::path::Path;

use axi::provision::{FILE_MAX, Reading, bulk, ipdect};

pub mod table;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `ipdect.cfg`: AXI requests.
    Ipdect,
    /// The vendor's pre-configuration file.
    Bulk,
    /// A table whose columns are called as AXI attributes are.
    Csv,
}

impl Form {
    /// The form that a file has by its name, or else by what stands in it.
    pub fn guess(path: &Path, text: &str) -> Form {
        let lines = || text.lines().map(|line| line.trim_start_matches('\u{feff}').trim());
        let first = lines().find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
        match path.extension().and_then(|end| end.to_str()) {
            Some(end) if end.eq_ignore_ascii_case("csv") => Form::Csv,
            Some(_) | None if first.starts_with('<') => Form::Ipdect,
            Some(_) | None if lines().any(|line| line == "data_sequence") => Form::Bulk,
            Some(end) if end.eq_ignore_ascii_case("cfg") => Form::Ipdect,
            Some(_) | None => Form::Csv,
        }
    }

    /// What is in a file of this form.
    pub fn read(self, text: &str) -> Reading {
        match self {
            Form::Ipdect => ipdect::read(text),
            Form::Bulk => bulk::read(text),
            Form::Csv => table::read(text),
        }
    }
}

/// The text of a file.
///
/// # Errors
/// A sentence: it cannot be read, is too long or no UTF-8.
pub fn text(path: &Path) -> Result<String, String> {
    let named = |why: &dyn std::fmt::Display| format!("cannot read {}: {why}", path.display());
    let bytes = std::fs::read(path).map_err(|error| named(&error))?;
    if bytes.len() > FILE_MAX {
        return Err(format!(
            "{} has {} bytes; {FILE_MAX} are read at most: split it",
            path.display(),
            bytes.len()
        ));
    }
    String::from_utf8(bytes).map_err(|bad| {
        let at = bad.utf8_error().valid_up_to();
        let line = bad.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}: read bytes that are no UTF-8; save the file as UTF-8", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_shows_its_form_by_its_name_or_by_its_text() {
        for (name, text, form) in [
            ("ipdect.cfg", "# x\n<SetPARK park=\"1\"/>", Form::Ipdect),
            ("ipdect.cfg", "", Form::Ipdect),
            ("pp.txt", "ac = number\n data_sequence \n1;A", Form::Bulk),
            ("pp.cfg", "data_sequence\n1;A", Form::Bulk),
            ("users.CSV", "num\n<A/>", Form::Csv),
            ("users", "\u{feff}num,name\n1,A", Form::Csv),
        ] {
            assert_eq!(Form::guess(Path::new(name), text), form, "{name} {text}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_their_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("users.csv");
        std::fs::write(&file, b"num,name\n1,Anna\n2,J\xfcrgen\n").expect("a file");
        let why = text(&file).expect_err("no UTF-8");
        assert!(why.ends_with("users.csv:3: read bytes that are no UTF-8; save the file as UTF-8"), "{why}");
    }
}
