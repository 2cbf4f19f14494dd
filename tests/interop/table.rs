//! Kamailio's location table, as `kamcmd ul.dump` prints it.

use std::collections::BTreeMap;

/// One binding of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Contact {
    /// The contact URI, with all its parameters.
    pub(crate) uri: String,
    /// Seconds left.
    pub(crate) expires: u32,
    /// The Call-ID of the REGISTER that wrote it last.
    pub(crate) call_id: String,
    /// `+sip.instance` (RFC 5626), in angle brackets.
    pub(crate) instance: Option<String>,
    /// `reg-id` (RFC 5626), 0 if there was none.
    pub(crate) reg_id: u32,
}

/// Users and their bindings, in the order of the users; bindings in the order of their URIs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Table(BTreeMap<String, Vec<Contact>>);

impl Table {
    /// Reads a dump. Bindings that have expired and only wait to be swept are no bindings.
    pub(crate) fn parse(dump: &str) -> Table {
        let (mut table, mut aor) = (BTreeMap::<String, Vec<Contact>>::new(), String::new());
        let mut contact = None::<Contact>;
        let mut file = |aor: &str, contact: Option<Contact>| {
            if let Some(contact) = contact.filter(|contact| contact.expires > 0) {
                table.entry(aor.to_owned()).or_default().push(contact);
            }
        };
        for line in dump.lines() {
            let Some((key, value)) = line.trim().split_once(": ") else { continue };
            if key == "AoR" || key == "Address" {
                file(&aor, contact.take());
            }
            match (key, &mut contact) {
                ("AoR", _) => value.clone_into(&mut aor),
                ("Address", _) => contact = Some(Contact { uri: value.to_owned(), ..Contact::default() }),
                // "expired" and "deleted" stand here too: 0.
                ("Expires", Some(contact)) if value == "permanent" => contact.expires = u32::MAX,
                ("Expires", Some(contact)) => contact.expires = value.parse().unwrap_or(0),
                ("Call-ID", Some(contact)) => value.clone_into(&mut contact.call_id),
                ("Instance", Some(contact)) => {
                    contact.instance = (value != "[not set]").then(|| value.to_owned());
                }
                ("Reg-Id", Some(contact)) => contact.reg_id = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        file(&aor, contact);
        for contacts in table.values_mut() {
            contacts.sort_by(|a, b| a.uri.cmp(&b.uri));
        }
        Table(table)
    }

    /// The bindings of `user`.
    pub(crate) fn of(&self, user: &str) -> &[Contact] {
        self.0.get(user).map_or(&[], Vec::as_slice)
    }

    /// The contact URIs of `user`.
    pub(crate) fn uris(&self, user: &str) -> Vec<String> {
        self.of(user).iter().map(|contact| contact.uri.clone()).collect()
    }
}

#[test]
fn a_dump_becomes_users_with_their_live_contacts() {
    let dump = include_str!("ul.dump.txt");
    let table = Table::parse(dump);
    assert_eq!(table.uris("101"), ["sip:101@10.0.0.2:5060;hm-site=B;hm-ep=18"]);
    let instance = Some("<urn:uuid:00000000-0000-1000-8000-000000000001>".to_owned());
    let first = &table.of("102")[0];
    assert_eq!((&first.instance, first.reg_id, first.expires), (&instance, 1, 289));
    assert_eq!(first.call_id, "392e0e973be0703@t");
    assert_eq!(table.uris("102").len(), 2);
    assert!(table.of("103").is_empty());
}
