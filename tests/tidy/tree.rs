//! The files that the rules look at.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Folders that are not part of the project's text: what is built, what is written by runs, what belongs to git.
const NOT_OURS: &[&str] = &["target", "out", ".git"];

/// Text files by path, `/` between the parts; others with empty text.
pub(crate) struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Everything beside Cargo.toml.
    pub(crate) fn of_this_repository() -> Tree {
        let mut files = BTreeMap::new();
        walk(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut files);
        assert!(files.len() > 20, "the repository was not found");
        Tree(files)
    }

    /// A tree made up for a test.
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        Tree(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    /// All files by path.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text of a file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Whether there is a file or a folder of this name.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.0.contains_key(path)
            || self.0.keys().any(|file| file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
    }

    /// The lines of all Rust files without comments: path, line number from 1, code. The rules themselves are left
    /// out, because their bad samples are bad on purpose.
    pub(crate) fn code(&self) -> impl Iterator<Item = (&str, usize, &str)> {
        let rust = self.files().filter(|(path, _)| path.ends_with(".rs") && !path.starts_with("tests/tidy/"));
        rust.flat_map(|(path, text)| {
            (1..).zip(text.lines()).map(move |(at, line)| (path, at, without_comment(line)))
        })
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in
        fs::read_dir(folder).expect("a folder of the repository").map(|entry| entry.expect("an entry"))
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().expect("a kind of file");
        let path = format!("{prefix}{name}");
        if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) {
            walk(&entry.path(), &format!("{path}/"), files);
        } else if kind.is_file() {
            files.insert(path, fs::read_to_string(entry.path()).unwrap_or_default());
        }
    }
}

/// Cuts `// ...` off, but not `//` behind a colon, which is a URL.
fn without_comment(line: &str) -> &str {
    let cut = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
    cut.map_or(line, |(at, _)| &line[..at])
}

/// Whether `word` stands in `code` with nothing before it that could belong to the same name.
pub(crate) fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_')
    })
}

#[test]
fn comments_are_not_code_and_names_are_whole() {
    assert_eq!(without_comment("let a = 1; // thread::sleep"), "let a = 1; ");
    assert_eq!(without_comment("/// Instant::now"), "");
    assert_eq!(without_comment("let u = \"sip://x\";"), "let u = \"sip://x\";");
    assert!(names("use rsip::Uri", "rsip::"));
    assert!(!names("use xrsip::Uri", "rsip::"));
}
