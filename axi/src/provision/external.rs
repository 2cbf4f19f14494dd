//! `user_common.cfg` and `NUMBER.cfg`: what a provisioning server has about external users (axi 8; M-2.2.7-a).
//!
//! ```text
//! # comment
//! UD_Number=101
//! UD_Name="Anna"
//! UD_SipPassword=geheim
//! UD_DispLanguage=de          for the handset: kept with the user's lines (axi 4.1 `ppData`)
//! ```
//!
//! The vendor's guide is not public; the keys are those that a public provisioning server writes (Gemeinschaft,
//! `prov/aastra-omm`), and that every other key is for the handset is ours. A file without any key is refused: a page that
//! says "log in first" says nothing about a user.

use machine::secret::Secret;
use omm::directory::edit::UserChange;

use crate::edits::user_change;
use crate::error::Refused;
use crate::provision::Mistake;
use crate::record::Record;
use crate::user;

/// The longest file, in bytes. Ours: a handset's lines have 4 kB at most (axi 4.1).
pub const FILE_MAX: usize = 64 * 1024;

/// The keys that are attributes of a user, and whether they are switches.
const KEYS: &[(&str, &str, bool)] = &[
    ("UD_Number", "num", false),
    ("UD_Name", "name", false),
    ("UD_Pin", "pin", false),
    ("UD_SosNumber", "sosNum", false),
    ("UD_ManDownNumber", "manDownNum", false),
    ("UD_SipAccount", "sipAuthId", false),
    ("UD_SipPassword", "sipPw", false),
    ("UD_Locatable", "locatable", true),
    ("UD_LocatingPermission", "locRight", true),
    ("UD_Tracking", "trackingActive", true),
    ("UD_AllowMsgSend", "msgRight", true),
    ("UD_AllowVcardSend", "sendVcardRight", true),
    ("UD_AllowVcardRecv", "recvVcardRight", true),
    ("UD_KeepLocalDir", "keepLocalPB", true),
];

/// Reads a file.
///
/// # Errors
/// The first line that cannot be understood. It never quotes a value, which may be a secret.
pub fn read(text: &str) -> Result<UserChange, Mistake> {
    let mut record = Record::new(user::TABLE);
    let mut lines = Vec::new();
    let (mut keys, mut deletes_pin) = (0, false);
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').ok_or_else(|| {
            mistake(line, "a line without \"=\"", "KEY=VALUE", "look whether the server sent the file itself")
        })?;
        let (key, value) = (key.trim(), unquoted(value.trim()));
        keys += 1;
        match KEYS.iter().find(|(known, _, _)| *known == key) {
            Some((_, attribute, true)) => {
                let on = switch(line, key, value)?;
                put(&mut record, line, key, attribute, if on { "1" } else { "0" })?;
            }
            Some((_, attribute, false)) => put(&mut record, line, key, attribute, value)?,
            None if key == "UD_PinDel" => deletes_pin = switch(line, key, value)?,
            None if key == "UDS_UseExternalUsers" => {
                if !switch(line, key, value)? {
                    let cure = "say YES, or switch [epr] off at every site";
                    return Err(mistake(line, "UDS_UseExternalUsers=NO", "YES", cure));
                }
            }
            // How often a file is read is for the site's configuration to say.
            None if key.starts_with("UDS_") || key == "UD_UpdateInterval" => {}
            None if key.starts_with("UD_") => lines.push(format!("{key}={value}")),
            None => {
                let cure = "look whether the server sent the file itself";
                return Err(mistake(line, "a key that does not begin with UD_", "UD_KEY=VALUE", cure));
            }
        }
    }
    if keys == 0 {
        let cure = "look whether the server sent the file itself";
        return Err(mistake(1, "no line KEY=VALUE", "at least one", cure));
    }
    if !lines.is_empty() {
        put(&mut record, 1, "UD_..", "ppData", &lines.join("\n"))?;
    }
    let mut change = user_change(&record, None).map_err(|why| refused(1, "a value", why))?;
    if deletes_pin {
        change.pin = Some(Secret::default());
    }
    Ok(change)
}

fn put(record: &mut Record, line: u32, key: &str, attribute: &str, value: &str) -> Result<(), Mistake> {
    record.write(attribute, value).map_err(|why| refused(line, key, why))
}

fn refused(line: u32, key: &str, why: Refused) -> Mistake {
    let expected = match (why.max_len, why.info) {
        (Some(max), _) => format!("at most {max} characters"),
        (None, Some(info)) => info,
        (None, None) => "one that fits".to_owned(),
    };
    Mistake {
        line,
        read: format!("a value of {key} that cannot be"),
        expected,
        cure: "correct it at the server".into(),
    }
}

fn switch(line: u32, key: &str, value: &str) -> Result<bool, Mistake> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(value));
    if is(&["true", "yes", "1", "on"]) {
        Ok(true)
    } else if is(&["false", "no", "0", "off"]) {
        Ok(false)
    } else {
        Err(mistake(
            line,
            &format!("a value of {key} that is no switch"),
            "TRUE or FALSE",
            "correct it at the server",
        ))
    }
}

/// A value may stand in quotes.
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

fn mistake(line: u32, read: &str, expected: &str, cure: &str) -> Mistake {
    Mistake { line, read: read.into(), expected: expected.into(), cure: cure.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fields_of_a_user_and_all_others_lines_of_its_handset() {
        let text = "\u{feff}# by hand\r\nUD_Number = 101\r\nUD_Name=\"Anna B\"\nUD_SipAccount=anna\nUD_SipPassword=ge=heim\n\
            UD_Pin=12\nUD_SosNumber=112\nUD_AllowMsgSend=FALSE\nUD_DispLanguage=de\nUD_DispFont=2\nUD_UpdateInterval=4\n";
        let change = read(text).expect("a file");
        assert_eq!(change.number.as_ref().map(|number| number.as_str()), Some("101"));
        assert_eq!((change.name.as_deref(), change.sip_auth_id.as_deref()), (Some("Anna B"), Some("anna")));
        assert_eq!(change.password.as_ref().map(Secret::reveal), Some("ge=heim"));
        assert_eq!(change.pin.as_ref().map(Secret::reveal), Some("12"));
        let extra = |name: &str| change.extras.get(name).map(|value| &**value);
        assert_eq!((extra("sosNum"), extra("msgRight")), (Some("112"), Some("0")));
        assert_eq!(extra("ppData"), Some("UD_DispLanguage=de\nUD_DispFont=2"));
        assert_eq!(change.external, None, "that it is external is not for the file to say");
    }

    #[test]
    fn a_pin_can_be_taken_away() {
        let change = read("UD_Pin=12\nUD_PinDel=TRUE\n").expect("a file");
        assert_eq!(change.pin.as_ref().map(Secret::reveal), Some(""));
    }

    #[test]
    fn what_is_no_file_of_a_user_is_refused_by_its_line_without_its_values() {
        for (text, told) in [
            ("", "1: read no line KEY=VALUE, expected at least one"),
            ("# Error: Unknown user\n", "1: read no line KEY=VALUE, expected at least one"),
            ("<html>\n<body>", "1: read a line without \"=\", expected KEY=VALUE"),
            ("<a href=\"/login\">", "1: read a key that does not begin with UD_"),
            ("UD_Name=A\nUD_Locatable=geheim", "2: read a value of UD_Locatable that is no switch"),
            ("UD_Pin=geheimgeheim", "1: read a value of UD_Pin that cannot be"),
            ("UDS_UseExternalUsers=NO", "1: read UDS_UseExternalUsers=NO, expected YES"),
        ] {
            let wrong = read(text).expect_err(text);
            let wrong = format!("{}: {wrong}", wrong.line);
            assert!(wrong.starts_with(told) && !wrong.contains("geheim"), "{wrong}");
        }
    }
}
