//! What is changed in an answer that was written by the rules.

use bytes::Bytes;
use memchr::memmem;

use super::quirk::Grant;
use crate::name::Name;
use crate::registrar::desk::Reply;

/// Contacts that belong to somebody else. One names our own host with another user, one cannot be read as an address.
const STRANGERS: [&str; 3] = [
    "<sip:stranger@192.0.2.77:5060;transport=udp>;expires=1800;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>\"",
    "\"Somebody, Else\" <sips:else@[2001:db8::77]:5061>;q=0.3;expires=4000000000",
    "<tel:+49301234567;phone-context=example.com>;expires=77",
];

/// What the 2xx says about these contacts is replaced by what was ordered.
pub(super) fn grant(reply: &mut Reply, own: &[&str], grant: Grant) {
    let text = match grant {
        Grant::Seconds(seconds) => format!(";expires={seconds}"),
        Grant::Garbage => ";expires=soon".to_owned(),
        Grant::Nothing => String::new(),
    };
    for (name, value) in &mut reply.lines {
        let is_own = *name == Name::Contact && own.iter().any(|own| value.contains(&format!("<{own}>")));
        if is_own && let Some(at) = value.rfind(";expires=") {
            value.truncate(at);
            value.push_str(&text);
        }
    }
}

/// Other people's contacts come before the own one.
pub(super) fn add_strangers(reply: &mut Reply) {
    let strangers = STRANGERS.iter().map(|stranger| (Name::Contact, (*stranger).to_owned()));
    reply.lines.splice(0..0, strangers);
}

/// The branch of another transaction.
pub(super) fn branch(answer: &Bytes) -> Bytes {
    put_behind(answer, b";branch=z9hG4bK", b"other")
}

/// A CSeq number that nobody has sent.
pub(super) fn cseq(answer: &Bytes) -> Bytes {
    put_behind(answer, b"\r\nCSeq: ", b"9")
}

/// The server wants to be spared this share, percent, for the next minute: said to whoever has offered to heed it in the
/// topmost Via (RFC 7339 4).
pub(super) fn load(answer: &Bytes, share: u8) -> Bytes {
    let end = memmem::find(answer, b"\r\nFrom:").unwrap_or(answer.len());
    let (head, tail) = answer.split_at(end);
    match memmem::find(head, b";oc;") {
        Some(_) => put_behind(answer, b";oc", format!("={share};oc-validity=60000").as_bytes()),
        None => [head, tail].concat().into(),
    }
}

fn put_behind(answer: &Bytes, mark: &[u8], text: &[u8]) -> Bytes {
    let Some(at) = memmem::find(answer, mark).map(|at| at + mark.len()) else { return answer.clone() };
    let (head, tail) = answer.split_at(at);
    [head, text, tail].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branch_and_cseq_become_those_of_another_request() {
        let answer = Bytes::from_static(
            b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCSeq: 7 REGISTER\r\n\r\n",
        );
        assert!(memmem::find(&branch(&answer), b"branch=z9hG4bKother1").is_some());
        assert!(memmem::find(&cseq(&answer), b"CSeq: 97 REGISTER").is_some());
    }

    #[test]
    fn a_load_is_told_to_whoever_offered_to_heed_it() {
        let via = |params: &str| {
            format!("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1{params}\r\nFrom: <sip:a@h>\r\n\r\n")
        };
        let told = load(&via(";oc;oc-algo=\"loss\"").into(), 40);
        let expected = via(";oc=40;oc-validity=60000;oc-algo=\"loss\"");
        assert_eq!(told, expected);
        assert_eq!(load(&via(";rport").into(), 40), via(";rport"));
    }

    #[test]
    fn a_grant_is_told_for_the_own_contact_only() {
        let lines = ["<sip:a@h;x=1>;expires=60", "<sip:b@h>;expires=60"];
        let told = |kind| {
            let lines = lines.map(|line| (Name::Contact, line.to_owned())).to_vec();
            let mut reply = Reply { code: 200, reason: None, lines };
            grant(&mut reply, &["sip:a@h;x=1"], kind);
            reply.lines.into_iter().map(|(_, value)| value).collect::<Vec<_>>()
        };
        assert_eq!(told(Grant::Seconds(-1)), ["<sip:a@h;x=1>;expires=-1", lines[1]]);
        assert_eq!(told(Grant::Garbage), ["<sip:a@h;x=1>;expires=soon", lines[1]]);
        assert_eq!(told(Grant::Nothing), ["<sip:a@h;x=1>", lines[1]]);
    }
}
