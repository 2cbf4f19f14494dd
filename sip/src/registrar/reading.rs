//! What a REGISTER asks for (RFC 3261 10.3 steps 1, 5 and the reading half of 6 and 7; RFC 5626 section 6).

use std::time::Duration;

use crate::contact::{Contact, Contacts, EXPIRES_UNREADABLE_S};
use crate::host::Host;
use crate::message::Message;
use crate::name::Name;
use crate::uri::Uri;

use super::Model;
use super::request::{Item, Registration, Wish};

/// Why a REGISTER cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Objection {
    /// 404: the Request-URI names a domain that is not ours, and we are no proxy (step 1).
    Elsewhere,
    /// 404: the To is no address of record of that domain (step 5).
    NoSuchAddress,
    /// 400, with these words.
    Bad(&'static str),
    /// 439: somebody on the way does not support outbound (RFC 5626 6).
    NoOutboundThere,
}

/// The domains that one registrar answers for.
#[derive(Clone, Debug, Default)]
pub struct Domains {
    /// In lower case; the first is the one that addresses of record get. None at all: every domain, as it is.
    names: Vec<String>,
}

impl Domains {
    /// These domains or addresses are all ours and mean the same; the first is the canonical one. An empty list
    /// accepts every domain and keeps them apart.
    pub fn new(names: impl IntoIterator<Item = impl AsRef<str>>) -> Domains {
        Domains { names: names.into_iter().map(|name| name.as_ref().to_ascii_lowercase()).collect() }
    }

    /// The canonical form of the domain `host`, when it is ours.
    fn of(&self, host: &Host<'_>) -> Option<String> {
        let host = host.to_string().to_ascii_lowercase();
        match self.names.first() {
            None => Some(host),
            Some(first) => self.names.contains(&host).then(|| first.clone()),
        }
    }

    /// The canonical form of an address of record: `sip:`, the user without escapes, the canonical domain. Without
    /// parameters (step 5), and without port: a port belongs to a contact (ours). sips and sip are one user
    /// (RFC 5630). `None` when it is no address of ours.
    pub fn canonical(&self, uri: &Uri<'_>) -> Option<String> {
        if !uri.is_sip() {
            return None;
        }
        let user = uri.user_unescaped()?;
        let host = self.of(&uri.host)?;
        Some(format!("sip:{user}@{host}"))
    }

    /// The same for text.
    pub fn canonical_text(&self, text: &str) -> Option<String> {
        Uri::parse(text).ok().and_then(|uri| self.canonical(&uri))
    }
}

/// Reads a REGISTER that is sound as a message.
pub fn read(message: &Message, domains: &Domains, model: Model) -> Result<Registration, Objection> {
    let uri = message.request_uri().and_then(|text| Uri::parse(text).ok());
    if uri.and_then(|uri| domains.of(&uri.host)).is_none() {
        return Err(Objection::Elsewhere);
    }
    let to = message.to().and_then(|to| to.uri()).map_err(|_| Objection::Bad("Bad To"))?;
    let aor = domains.canonical(&to).ok_or(Objection::NoSuchAddress)?;
    let call_id = message.call_id().map_err(|_| Objection::Bad("Bad Call-ID"))?;
    let cseq = message.cseq().map_err(|_| Objection::Bad("Bad CSeq"))?.number;
    let wish = read_wish(message, model)?;
    Ok(Registration { aor: aor.into(), call_id: call_id.into(), cseq, wish })
}

fn read_wish(message: &Message, model: Model) -> Result<Wish, Objection> {
    // What cannot be read counts as an hour (20.19, spec S-07).
    let common = message.expires().map(|seconds| seconds.unwrap_or(EXPIRES_UNREADABLE_S));
    let contacts = match message.contacts().map_err(|_| Objection::Bad("Bad Contact"))? {
        Contacts::Star if common == Some(0) => return Ok(Wish::RemoveAll),
        Contacts::Star => return Err(Objection::Bad("Contact * without Expires 0")),
        Contacts::List(list) if list.is_empty() => return Ok(Wish::Query),
        Contacts::List(list) => list,
    };
    let flows = flows_count(message, &contacts, model)?;
    let mut items = Vec::with_capacity(contacts.len());
    for contact in &contacts {
        contact.uri().map_err(|_| Objection::Bad("Bad Contact"))?;
        let expires = contact.expires().or(common);
        items.push(Item {
            uri: contact.addr.address.into(),
            params: listed_params(contact),
            instance: contact.instance().map(Into::into),
            flow: if flows { flow_of(contact) } else { None },
            expires: expires.map(|seconds| Duration::from_secs(seconds.into())),
            most: None,
        });
    }
    let live = items.iter().filter(|item| item.expires != Some(Duration::ZERO));
    let (count, flow) = live.fold((0, false), |(count, flow), item| (count + 1, flow || item.flow.is_some()));
    if count > 1 && flow {
        return Err(Objection::Bad("One flow at a time"));
    }
    Ok(Wish::Change(items))
}

/// Whether reg-ids count in this request (RFC 5626 6): the registrar does outbound, the client offers it, and every
/// hop between them does it too.
fn flows_count(message: &Message, contacts: &[Contact<'_>], model: Model) -> Result<bool, Objection> {
    if model != Model::Outbound || !contacts.iter().any(|contact| flow_of(contact).is_some()) {
        return Ok(false);
    }
    let offers =
        has_token(message, Name::Supported, "outbound") || has_token(message, Name::Require, "outbound");
    let is_first_hop = message.values(Name::Via).nth(1).is_none();
    let path = message.values(Name::Path).next().map(str::to_ascii_lowercase);
    let edge_does = path.is_some_and(|path| {
        let uri = path.split(['<', '>']).nth(1).unwrap_or(&path);
        uri.split(';').skip(1).any(|param| param.trim() == "ob")
    });
    match (offers, is_first_hop || edge_does) {
        (true, true) => Ok(true),
        (true, false) => Err(Objection::NoOutboundThere),
        (false, _) => Ok(false),
    }
}

/// Whether an option tag stands in a list of them.
pub fn has_token(message: &Message, name: Name, token: &str) -> bool {
    message.values(name).any(|value| value.eq_ignore_ascii_case(token))
}

/// A reg-id without an instance is ignored.
fn flow_of(contact: &Contact<'_>) -> Option<(String, u32)> {
    Some((contact.instance()?.to_owned(), contact.reg_id()?))
}

fn listed_params(contact: &Contact<'_>) -> String {
    let mut text = String::new();
    for (name, value) in contact.addr.params.iter() {
        if name.eq_ignore_ascii_case("expires") {
            continue;
        }
        text.push(';');
        text.push_str(name);
        if let Some(value) = value {
            text.push('=');
            text.push_str(value);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn ask(lines: &str) -> Message {
        ask_of("sip:example.com", "<sip:%3101@EXAMPLE.com:5070;user=phone>", lines)
    }

    fn ask_of(uri: &str, to: &str, lines: &str) -> Message {
        let text = format!(
            "REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n\
             From: {to};tag=1\r\nTo: {to}\r\nCall-ID: c\r\nCSeq: 7 REGISTER\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        Message::parse(Bytes::from(text)).unwrap()
    }

    fn read_as(model: Model, lines: &str) -> Result<Registration, Objection> {
        read(&ask(lines), &Domains::new(["example.com", "10.0.0.9", "[2001:db8::9]"]), model)
    }

    fn items(lines: &str) -> Vec<Item> {
        match read_as(Model::Outbound, lines).unwrap().wish {
            Wish::Change(items) => items,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_address_of_record_is_made_canonical() {
        let seen = read_as(Model::Multi, "").unwrap();
        assert_eq!((&*seen.aor, &*seen.call_id, seen.cseq), ("sip:101@example.com", "c", 7));
        assert_eq!(seen.wish, Wish::Query);
    }

    #[test]
    fn every_name_of_the_registrar_means_one_domain() {
        let domains = Domains::new(["example.com", "10.0.0.9", "[2001:db8::9]"]);
        for host in ["10.0.0.9", "[2001:DB8::9]", "Example.Com"] {
            let message = ask_of(&format!("sip:{host}"), &format!("<sips:a@{host}>"), "");
            let seen = read(&message, &domains, Model::Multi).unwrap();
            assert_eq!(&*seen.aor, "sip:a@example.com");
        }
        let elsewhere = ask_of("sip:example.org", "<sip:a@example.com>", "");
        assert_eq!(read(&elsewhere, &domains, Model::Multi), Err(Objection::Elsewhere));
        for to in ["<sip:a@example.org>", "<sip:example.com>", "<tel:+1>"] {
            let message = ask_of("sip:example.com", to, "");
            assert_eq!(read(&message, &domains, Model::Multi), Err(Objection::NoSuchAddress));
        }
    }

    #[test]
    fn a_star_needs_expires_zero_and_no_company() {
        assert_eq!(read_as(Model::Multi, "Contact: *\r\nExpires: 0\r\n").unwrap().wish, Wish::RemoveAll);
        for lines in [
            "Contact: *\r\n",
            "Contact: *\r\nExpires: 1\r\n",
            "Contact: *\r\nExpires: x\r\n",
            "Contact: *, <sip:a@h>\r\nExpires: 0\r\n",
        ] {
            assert!(matches!(read_as(Model::Multi, lines), Err(Objection::Bad(_))), "{lines}");
        }
    }

    #[test]
    fn the_interval_of_a_contact_comes_before_the_common_one_and_nonsense_is_an_hour() {
        let seen =
            items("Contact: <sip:a@h>;expires=60, <sip:b@h>\r\nm: <sip:c@h>;expires=abc\r\nExpires: 90\r\n");
        let seconds: Vec<_> = seen.iter().map(|item| item.expires.unwrap().as_secs()).collect();
        assert_eq!(seconds, [60, 90, 3600]);
        assert_eq!(
            items("Contact: <sip:a@h>\r\nExpires: soon\r\n")[0].expires,
            Some(Duration::from_secs(3600))
        );
        assert_eq!(items("Contact: <sip:a@h>\r\n")[0].expires, None);
    }

    #[test]
    fn parameters_are_listed_again_but_not_expires() {
        let seen = items(
            "Contact: \"A\" <sip:a@h;x=1>;q=0.5;Expires=60;+sip.instance=\"<urn:uuid:1>\";reg-id=2;ob\r\n",
        );
        assert_eq!(&*seen[0].uri, "sip:a@h;x=1");
        assert_eq!(seen[0].params, ";q=0.5;+sip.instance=\"<urn:uuid:1>\";reg-id=2;ob");
    }

    #[test]
    fn flows_count_only_when_both_ends_and_the_way_support_them() {
        let contact = "Contact: <sip:a@h>;+sip.instance=\"<urn:uuid:1>\";reg-id=2\r\n";
        let with = |lines: &str| read_as(Model::Outbound, &format!("{contact}{lines}"));
        let flow = |seen: Result<Registration, Objection>| match seen.unwrap().wish {
            Wish::Change(items) => items[0].flow.clone(),
            other => panic!("{other:?}"),
        };
        let supported = "Supported: path, outbound\r\n";
        assert_eq!(flow(with(supported)), Some(("urn:uuid:1".into(), 2)));
        assert_eq!(flow(with("")), None);
        assert_eq!(flow(read_as(Model::Multi, &format!("{contact}{supported}"))), None);
        let second = "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb\r\n";
        assert_eq!(with(&format!("{supported}{second}")), Err(Objection::NoOutboundThere));
        let path = "Path: <sip:edge;lr;ob>\r\n";
        assert!(flow(with(&format!("{supported}{second}{path}"))).is_some());
        let lone = "Contact: <sip:a@h>;reg-id=2\r\n";
        assert_eq!(items(&format!("{lone}{supported}"))[0].flow, None, "no instance");
    }

    #[test]
    fn one_request_makes_one_flow() {
        let flow = |expires: u32| {
            format!("Contact: <sip:a@h>;+sip.instance=\"<urn:uuid:1>\";reg-id=2;expires={expires}\r\n")
        };
        let plain = |expires: u32| format!("Contact: <sip:b@h>;expires={expires}\r\nSupported: outbound\r\n");
        let two = read_as(Model::Outbound, &format!("{}{}", flow(60), plain(60)));
        assert_eq!(two, Err(Objection::Bad("One flow at a time")));
        assert!(read_as(Model::Outbound, &format!("{}{}", flow(60), plain(0))).is_ok());
        assert!(read_as(Model::Multi, &format!("{}{}", flow(60), plain(60))).is_ok());
    }
}
