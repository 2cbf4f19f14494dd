//! A remote of another make at a central of ours: a sync client that says none of our words gets the vendor's full
//! download, by paging and by events, and what it writes is at our sites (axi 6, "suggested order").

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::time::Duration;

use crate::poll;
use crate::session::{Session, attribute};
use crate::trio::Trio;

/// How long an edit may take to the other sites, on a busy machine.
const SPREAD: Duration = Duration::from_secs(10);
/// Users and handsets beside the three of the file: more than two pages.
const MADE: u32 = 45;
/// Messages that may come in between.
const BETWEEN: usize = 20;
/// How it logs in: nothing in it is ours.
const OPEN: &str = "<Open seq=\"1\" protocolVersion=\"45\" username=\"sync\" password=\"sync-secret\" \
                    UserDeviceSyncClient=\"true\"/>";

/// A remote of another make.
struct Foreign(Session);

impl Foreign {
    /// Logs in and does what comes before the download.
    fn attach(trio: &Trio) -> Foreign {
        let link = TcpStream::connect(trio.sites[0].clients()).unwrap_or_else(|e| panic!("the central: {e}"));
        let mut foreign = Foreign(Session::stranger(link).unwrap_or_else(|| panic!("a session")));
        assert_eq!(attribute(&foreign.does(OPEN), "protocolVersion").as_deref(), Some("45"));
        foreign.does("<GetVersions seq=\"2\"/>");
        assert_eq!(attribute(&foreign.does("<Limits seq=\"3\"/>"), "records").as_deref(), Some("20"));
        assert!(attribute(&foreign.does("<Ping seq=\"4\"/>"), "timeStamp").is_some());
        assert!(attribute(&foreign.does("<GetSARI seq=\"5\"/>"), "sari").is_some());
        foreign.does(
            "<Subscribe seq=\"6\"><e cmd=\"On\" eventType=\"PPUserCnf\" uid=\"-1\"/>\
             <e cmd=\"On\" eventType=\"PPDevCnf\" ppn=\"-1\"/><e cmd=\"On\" eventType=\"SystemCnf\"/></Subscribe>",
        );
        foreign
    }

    /// The answer to a request, whatever events come before it; no word of ours is in it.
    fn ask(&mut self, request: &str) -> String {
        let mut heard = self.0.ask(request);
        while heard.as_ref().is_some_and(|heard| heard.starts_with("<Event")) {
            heard = self.0.hear();
        }
        let answer = heard.unwrap_or_else(|| panic!("no answer to {request}"));
        assert!(!answer.contains(" hm") && !answer.contains("<hm"), "{request}: {answer}");
        answer
    }

    /// Asks for what is not refused.
    fn does(&mut self, request: &str) -> String {
        let answer = self.ask(request);
        assert!(!answer.contains("errCode"), "{request}: {answer}");
        answer
    }

    /// All records of a kind, page by page: their elements, and how many were on each page.
    fn pages(&mut self, kind: &str, request: &str, key: &str) -> (Vec<String>, Vec<usize>) {
        let (mut all, mut sizes, mut from) = (Vec::new(), Vec::new(), 0);
        loop {
            let request = format!("<{request} seq=\"7\" {key}=\"{from}\" maxRecords=\"20\"/>");
            let answer = self.ask(&request);
            if answer.contains("errCode=\"ENoEnt\"") {
                return (all, sizes);
            }
            assert!(!answer.contains("errCode"), "{answer}");
            let page: Vec<String> =
                answer.split(&format!("<{kind} ")).skip(1).map(|one| format!(" {one}")).collect();
            sizes.push(page.len());
            let last =
                page.last().and_then(|one| attribute(one, key)).and_then(|last| last.parse::<u32>().ok());
            from = last.unwrap_or_else(|| panic!("a page without a last record: {answer}")) + 1;
            all.extend(page);
        }
    }

    /// The numbers of all users, by paging.
    fn numbers(&mut self) -> BTreeSet<String> {
        let (users, _) = self.pages("user", "GetPPUser", "uid");
        users.iter().filter_map(|user| attribute(user, "num")).collect()
    }

    /// The next event in which this part stands.
    fn hears(&mut self, part: &str) -> String {
        let heard = || self.0.hear().unwrap_or_else(|| panic!("nothing with {part}"));
        let mut heard = std::iter::repeat_with(heard).take(BETWEEN);
        let event = heard.find(|heard| heard.starts_with("<EventPPCnf") && heard.contains(part));
        let event = event.unwrap_or_else(|| panic!("no event with {part} among {BETWEEN}"));
        assert!(!event.contains(" hm"), "{event}");
        event
    }
}

/// An IPEI with its check digit, of a handset that nobody has.
fn ipei(serial: u32) -> String {
    let digits = format!("00777{serial:07}");
    let sum: u32 =
        digits.chars().filter_map(|digit| digit.to_digit(10)).zip(1..).map(|(digit, at)| digit * at).sum();
    let check = if sum % 11 == 10 { "*".to_owned() } else { (sum % 11).to_string() };
    format!("00777 {serial:07} {check}")
}

#[test]
fn a_remote_of_another_make_gets_everything_by_paging_and_events_and_what_it_writes_is_everywhere() {
    let trio = Trio::on_the_loopback();
    let session = |site: usize| trio.session(site).unwrap_or_else(|| panic!("a session at {site}"));
    let (mut a, mut b) = (session(1), session(2));
    for n in 0..MADE {
        a.does(&format!(
            "<CreatePPUser seq=\"1\"><user num=\"{}\" name=\"User {n}\"/></CreatePPUser>",
            500 + n
        ));
        a.does(&format!("<CreatePPDev seq=\"2\"><pp ipei=\"{}\" s=\"Yes\"/></CreatePPDev>", ipei(n)));
    }
    trio.in_step();

    // The full download.
    let mut foreign = Foreign::attach(&trio);
    let (devices, sizes) = foreign.pages("pp", "GetPPDev", "ppn");
    assert_eq!(sizes, [20, 20, 8]);
    assert!(
        devices
            .iter()
            .all(|one| attribute(one, "ipei").is_some() && attribute(one, "timeStampAdmin").is_some())
    );
    let (users, sizes) = foreign.pages("user", "GetPPUser", "uid");
    assert_eq!(sizes, [20, 20, 8]);
    assert!(
        users
            .iter()
            .all(|one| attribute(one, "timeStamp").is_some() && attribute(one, "timeStampAdmin").is_some())
    );
    let mut expected: BTreeSet<String> = (0..MADE).map(|n| (500 + n).to_string()).collect();
    expected.extend(["101", "102", "103"].map(str::to_owned));
    assert_eq!(users.iter().filter_map(|one| attribute(one, "num")).collect::<BTreeSet<_>>(), expected);
    let profiles = foreign.ask("<GetPpProfile seq=\"8\" id=\"0\" maxRecords=\"20\"/>");
    assert!(profiles.contains("errCode=\"ENoEnt\""), "{profiles}");

    // What changes afterwards at a site of ours comes as an event.
    let uid_of = |users: &[String], number: &str| {
        let user = users.iter().find(|one| attribute(one, "num").as_deref() == Some(number));
        user.and_then(|one| attribute(one, "uid")).unwrap_or_else(|| panic!("no {number}"))
    };
    let (named, deleted) = (uid_of(&users, "500"), uid_of(&users, "501"));
    b.does(&format!("<SetPPUser seq=\"3\"><user uid=\"{named}\" name=\"Ada\"/></SetPPUser>"));
    assert_eq!(attribute(&foreign.hears("name=\"Ada\""), "uid"), Some(named.clone()));
    b.does(&format!("<DeletePPUser seq=\"4\" uid=\"{deleted}\"/>"));
    assert_eq!(attribute(&foreign.hears("deletedUser=\"1\""), "uid"), Some(deleted));
    expected.remove("501");

    // What it has of its own goes up, with the times that it knows, and is at our sites.
    let made = foreign.does(
        "<CreatePPUser seq=\"9\"><user uid=\"0\" ppn=\"0\" num=\"900\" name=\"Of another make\" timeStamp=\"1520386972\"/>\
         </CreatePPUser>",
    );
    let uid = attribute(&made, "uid").unwrap_or_else(|| panic!("no uid in {made}"));
    let handset = attribute(&devices[10], "ppn").unwrap_or_else(|| panic!("no ppn in {}", devices[10]));
    foreign.does(&format!(
        "<SetPP seq=\"10\"><pp ppn=\"{handset}\" uid=\"{uid}\" relType=\"Dynamic\"/>\
         <user uid=\"{uid}\" ppn=\"{handset}\" relType=\"Dynamic\"/></SetPP>"
    ));
    expected.insert("900".to_owned());
    for session in [&mut a, &mut b] {
        let seen = || attribute(&session.user("900")?, "ppn");
        poll::until(SPREAD, "the user of another make is with its handset", seen, |ppn| {
            *ppn == Some(handset.clone())
        });
    }
    assert_eq!(foreign.numbers(), expected);

    // What it wrote before our last edit loses against it, what it wrote since wins, and so does what it was told just so.
    let shown = attribute(&b.user("502").unwrap_or_default(), "uid").unwrap_or_else(|| panic!("no 502"));
    let set = |name: &str, time: &str| {
        format!(
            "<SetPPUser seq=\"12\"><user uid=\"{shown}\" name=\"{name}\" timeStamp=\"{time}\"/></SetPPUser>"
        )
    };
    let old = foreign.does(&set("Of long ago", "1520386972"));
    assert_eq!(attribute(&old, "name").as_deref(), Some("User 2"), "{old}");
    let told = attribute(&old, "timeStamp").unwrap_or_else(|| panic!("no time in {old}"));
    let new = foreign.does(&set("Just now", &told));
    assert_eq!(attribute(&new, "name").as_deref(), Some("Just now"), "{new}");
    poll::until(
        SPREAD,
        "B has it",
        || attribute(&b.user("502")?, "name"),
        |name| name.as_deref() == Some("Just now"),
    );

    // It knows of no deletions: whom it creates anew after an outage lives again (SM-7 `no_tombstones`).
    drop(foreign);
    b.does(&format!("<DeletePPUser seq=\"5\" uid=\"{named}\"/>"));
    trio.in_step();
    let mut foreign = Foreign::attach(&trio);
    assert!(!foreign.numbers().contains("500"));
    foreign.does(
        "<CreatePPUser seq=\"11\"><user uid=\"0\" ppn=\"0\" num=\"500\" name=\"Ada\" timeStamp=\"1520386972\"/></CreatePPUser>",
    );
    assert_eq!(foreign.numbers(), expected);
    poll::until(SPREAD, "it lives at B again", || b.user("500").is_some(), |lives| *lives);
    trio.in_step();
}
