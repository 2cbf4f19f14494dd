//! What has to be equal at this site and at its central, as the central tells an AXI client (B-13): the SIP domain of the
//! users, where external users come from (M-2.2.7.1-a), and under which names users log in (M-2.2.3-b). A central without these answers is compared no further.

use std::time::Duration;

use ::axi::element::Element;
use ::axi::frame::Frames;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::{Finding, Verdict};
use crate::config::epr::Epr;
use crate::config::site::Site;
use crate::peer::tls::Greeter;
use crate::peer::{self, Stream};
use crate::service::birth::user_data_server;

/// How long the central may take. Ours: one that has just started makes the key for its clients first.
const PATIENCE: Duration = Duration::from_secs(10);

/// What there is to say; nothing when the central could not be asked, which its own check says.
pub(super) async fn check(what: &str, address: &str, site: &Site) -> Vec<Finding> {
    match timeout(PATIENCE, ask(address, site)).await {
        Ok(Some(theirs)) => findings(what, site, &theirs),
        Ok(None) | Err(_) => Vec::new(),
    }
}

/// What the central has answered.
struct Theirs {
    system: Element<'static>,
    server: Element<'static>,
    login: Element<'static>,
}

async fn ask(address: &str, site: &Site) -> Option<Theirs> {
    let link = site.link.as_ref()?;
    let greeter = link.tls.as_ref().map(Greeter::new).transpose().ok()?;
    let open = Element::new("Open")
        .with("seq", "1")
        .with("username", link.user.clone())
        .with("password", link.password.reveal().to_owned());
    let others = ["GetSystemName", "GetUserDataServer", "GetPPLoginVariant"].map(Element::new);
    let questions: Vec<_> = std::iter::once(open).chain(others).collect();
    let answers = match peer::connect(address, greeter).await.ok()? {
        Stream::Plain(stream) => talk(stream, &questions).await?,
        Stream::Secret(stream) => talk(*stream, &questions).await?,
    };
    let [open, system, server, login] = <[Element<'static>; 4]>::try_from(answers).ok()?;
    open.get("errCode").is_none().then_some(Theirs { system, server, login })
}

/// Asks one after the other.
async fn talk<S>(mut stream: S, questions: &[Element<'static>]) -> Option<Vec<Element<'static>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut frames, mut answers, mut buffer) = (Frames::default(), Vec::new(), vec![0; 4096]);
    for question in questions {
        stream.write_all(format!("{question}\0").as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        answers.push(loop {
            if let Some(message) = frames.next() {
                break Element::read(&message.ok()?).ok()?.into_owned();
            }
            match stream.read(&mut buffer).await.ok()? {
                0 => return None,
                length => frames.push(buffer.get(..length).unwrap_or_default()).ok()?,
            }
        });
    }
    Some(answers)
}

fn findings(what: &str, site: &Site, Theirs { system, server, login }: &Theirs) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(theirs) = system.get("sipDomain") {
        let (what, ours) = (format!("{what} domain"), site.sip.domain.as_str());
        findings.push(if theirs.eq_ignore_ascii_case(ours) {
            Finding::new(what, Verdict::Pass, format!("the SIP domain is {ours} at both sites"))
        } else {
            let text = format!("the SIP domain is {theirs} there and {ours} here");
            Finding::new(what, Verdict::Fail, text)
                .hint("write one `domain` into [sip] of all sites: users have one address everywhere")
        });
    }
    if server.get("errCode").is_none() {
        findings.push(external(&format!("{what} epr"), site.epr.as_ref(), server));
    }
    if let Some(theirs) = login.get("login") {
        let (what, ours) = (format!("{what} login"), site.sip.login.word());
        findings.push(if theirs == ours {
            Finding::new(what, Verdict::Pass, format!("phones log in by {ours} at both sites"))
        } else {
            Finding::new(what, Verdict::Warn, format!("phones log in by {theirs} there and by {ours} here"))
                .hint("write one `login` into [sip] of all sites: a phone that roams says the same everywhere (M-2.2.3-b)")
        });
    }
    findings
}

fn external(what: &str, ours: Option<&Epr>, theirs: &Element<'_>) -> Finding {
    let named = |source: Option<&Epr>| source.map_or_else(|| "none".to_owned(), |epr| epr.source.to_string());
    let Some(_) = theirs.get("enable") else {
        return match ours {
            None => Finding::new(what, Verdict::Pass, "neither site has external users"),
            Some(_) => {
                Finding::new(what, Verdict::Fail, format!("here from {}, there from nowhere", named(ours)))
                    .hint("write the same [epr] at all sites (M-2.2.7.1-a)")
            }
        };
    };
    let mut expected = Element::new("GetUserDataServerResp");
    ours.map(user_data_server).unwrap_or_default().reply().write(&mut expected);
    let differs: Vec<&str> = ["enable", "protocol", "host", "path", "useCommonFileNameOnServer"]
        .into_iter()
        .filter(|name| theirs.get(name).unwrap_or_default() != expected.get(name).unwrap_or_default())
        .collect();
    match differs.as_slice() {
        [] => Finding::new(
            what,
            Verdict::Pass,
            format!("external users come from {} at both sites", named(ours)),
        ),
        names => Finding::new(
            what,
            Verdict::Fail,
            format!("here from {}, there otherwise: {}", named(ours), names.join(", ")),
        )
        .hint("write the same [epr] at all sites (M-2.2.7.1-a)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn site(extra: &str) -> Site {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("site.toml");
        let text = format!(
            "name = \"solo\"\nrole = \"remote\"\nplatform = \"pc\"\npark = \"1F102F0E86\"\ndata_dir = \"data\"\n\
             [link]\nomm1 = \"127.0.0.1:1\"\nuser = \"sync\"\npassword = \"x\"\ntls = false\n\
             [sip]\nlisten = \"127.0.0.1:0\"\ndomain = \"example.com\"\n\
             [[tier]]\nname = \"pbx\"\nuri = \"sip:127.0.0.1\"\n{extra}"
        );
        std::fs::write(&file, text).expect("a file");
        config::load(&file).unwrap_or_else(|faults| panic!("{faults:?}"))
    }

    fn told(site: &Site, system: &str, server: &str) -> Vec<String> {
        told_of(site, system, server, "<GetPPLoginVariantResp errCode=\"EInval\"/>")
    }

    fn told_of(site: &Site, system: &str, server: &str, login: &str) -> Vec<String> {
        let read = |text: &str| Element::read(text.as_bytes()).expect("an answer").into_owned();
        let theirs = Theirs { system: read(system), server: read(server), login: read(login) };
        let found = findings("omm1", site, &theirs);
        found.iter().map(|finding| format!("{} {}", finding.verdict.word(), finding.text)).collect()
    }

    #[test]
    fn domains_and_servers_of_external_users_are_compared_and_an_old_central_is_not() {
        let (none, some) = (site(""), site("[epr]\nurl = \"http://prov.example/omm\"\n"));
        let same = "<GetSystemNameResp name=\"c\" sipDomain=\"Example.com\"/>";
        let nowhere = "<GetUserDataServerResp/>";
        let there = "<GetUserDataServerResp enable=\"1\" protocol=\"HTTP\" host=\"prov.example\" path=\"/omm/\" \
                     useCommonFileNameOnServer=\"1\"/>";
        let domain = "pass the SIP domain is example.com at both sites";
        assert_eq!(told(&none, same, nowhere), [domain, "pass neither site has external users"]);
        assert_eq!(
            told(&some, same, there),
            [domain, "pass external users come from http://prov.example/omm/ at both sites"]
        );
        assert_eq!(
            told(&some, same, nowhere)[1],
            "FAIL here from http://prov.example/omm/, there from nowhere"
        );
        assert_eq!(
            told(&some, same, &there.replace("/omm/", "/omn/"))[1],
            "FAIL here from http://prov.example/omm/, there otherwise: path"
        );
        assert!(told(&none, same, there)[1].starts_with("FAIL here from none, there otherwise: enable"));
        assert_eq!(
            told(&none, "<GetSystemNameResp sipDomain=\"a.example\"/>", nowhere)[0],
            "FAIL the SIP domain is a.example there and example.com here"
        );
        let old = "<GetUserDataServerResp errCode=\"EInval\"/>";
        assert_eq!(told(&some, "<GetSystemNameResp name=\"c\"/>", old).len(), 0);
    }

    #[test]
    fn names_of_logins_are_compared() {
        let (system, server) = ("<GetSystemNameResp/>", "<GetUserDataServerResp errCode=\"EInval\"/>");
        let told = |theirs: &str| {
            let login = format!("<GetPPLoginVariantResp login=\"{theirs}\"/>");
            told_of(&site(""), system, server, &login)
        };
        assert_eq!(told("NUMBER"), ["pass phones log in by NUMBER at both sites"]);
        assert_eq!(told("ID"), ["warn phones log in by ID there and by NUMBER here"]);
    }
}
