//! Tables as files: cells with commas or semicolons between them, quotes where needed (RFC 4180).

use axi::provision::sheet::{Heading, Sheet};
use axi::provision::{Mistake, Reading};
use csv::{ReaderBuilder, StringRecord, WriterBuilder};

/// Reads a table; the first row names the columns. What separates cells is whichever of `,` `;` and the tabulator stands
/// first in it: spreadsheets write `;` where the comma is decimal.
pub fn read(text: &str) -> Reading {
    let text = text.trim_start_matches('\u{feff}');
    let separator = text.bytes().find(|byte| matches!(byte, b',' | b';' | b'\t')).unwrap_or(b',');
    let mut reader = ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).comment(Some(b'#')).delimiter(separator);
    let mut reading = Reading::default();
    let mut heading = None;
    for row in reader.from_reader(text.as_bytes()).records() {
        let row: StringRecord = match row {
            Ok(row) => row,
            Err(bad) => {
                reading.mistakes.push(broken(text, &bad));
                continue;
            }
        };
        let line = line(text, row.position().map_or(0, |position| position.byte()));
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let read = match &heading {
            None => Heading::read(line, row.iter()).map(|read| heading = Some(read)),
            Some(heading) => heading.entry(line, row.iter()).map(|entry| reading.entries.push(entry)),
        };
        if let Err(mistake) = read {
            reading.mistakes.push(mistake);
            if heading.is_none() {
                break; // Without the names of its columns nothing of the table can be understood.
            }
        }
    }
    reading
}

/// The file that holds this table.
pub fn write(sheet: &Sheet) -> String {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    for row in std::iter::once(&sheet.heading).chain(&sheet.rows) {
        // Into memory and with rows of one length nothing can fail.
        if let Err(error) = writer.write_record(row) {
            debug_assert!(false, "{error}");
        }
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// The line of the row that is read from this byte on: the reader has skipped empty lines and comments before it.
fn line(text: &str, from: u64) -> u32 {
    let (before, rest) =
        usize::try_from(from).ok().and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""));
    let skipped = rest.lines().take_while(|line| line.is_empty() || line.starts_with('#')).count();
    u32::try_from(before.matches('\n').count() + skipped + 1).unwrap_or(u32::MAX)
}

fn broken(text: &str, bad: &csv::Error) -> Mistake {
    Mistake {
        line: line(text, bad.position().map_or(0, |position| position.byte())),
        read: format!("a row that is none: {bad}"),
        expected: "cells with separators between them".into(),
        cure: "correct it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lines = Vec<(u32, String)>;

    fn requests(text: &str) -> (Lines, Lines) {
        let Reading { entries, mistakes } = read(text);
        let entries = entries.iter().map(|entry| (entry.line, entry.request.to_string()));
        (entries.collect(), mistakes.into_iter().map(|mistake| (mistake.line, mistake.read)).collect())
    }

    #[test]
    fn rows_are_read_with_any_separator_and_keep_their_line() {
        let anna = "<CreatePPUser plainText=\"1\" replaceData=\"1\"><user num=\"100\" name=\"A, &quot;B&quot;; C\"/></CreatePPUser>";
        for file in [
            "num,name\n# comment\n\n100,\"A, \"\"B\"\"; C\"\n",
            "\u{feff}num;name\r\n;\r\n\r\n100;\"A, \"\"B\"\"; C\"",
            "num\tname\n\t\n\n100\t\"A, \"\"B\"\"; C\"",
        ] {
            assert_eq!(requests(file), (vec![(4, anna.to_owned())], vec![]), "{file:?}");
        }
    }

    #[test]
    fn a_mistake_costs_its_row_and_one_in_the_heading_the_file() {
        let (entries, mistakes) = requests("num,name\n,Anna\n101,Bert,x\n102,Cora");
        assert_eq!(entries.len(), 1);
        assert_eq!(mistakes.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
        let (entries, mistakes) = requests("num,colour\n101,Bert\n");
        assert_eq!((entries.len(), mistakes.len()), (0, 1));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let cells = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let sheet = Sheet {
            heading: cells(&["num", "name"]),
            rows: vec![cells(&["1", "A, \"B\"\nC"]), cells(&["2", ""])],
        };
        let text = write(&sheet);
        assert_eq!(text, "num,name\n1,\"A, \"\"B\"\"\nC\"\n2,\n");
        assert_eq!(requests(&text).0.len(), 2);
    }
}
