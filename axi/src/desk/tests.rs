//! Stories about a session, byte for byte as axi 7 has them.

use std::collections::BTreeSet;

use super::*;
use crate::account::Proof;
use crate::news::Fate;
use crate::record::Record;
use crate::request::Mode;
use crate::user;

/// How long a stranger may say nothing.
const FIRST: Duration = Duration::from_secs(5);

/// A session and the clock on its wall.
struct World {
    desk: Desk,
    now: Moment,
}

/// What a step brought, as text.
#[derive(Debug, Default, PartialEq)]
struct Step {
    sent: Vec<String>,
    asked: Vec<Ask>,
    closed: Option<&'static str>,
}

impl World {
    fn new() -> World {
        let mut world = World { desk: Desk::new(FIRST), now: Moment::from_millis(1000) };
        assert_eq!(world.step(Input::Accepted), Step::default());
        world
    }

    /// Somebody who may do `permissions` and has logged in.
    fn open(permissions: &[Permission], sync: bool) -> World {
        let mut world = World::new();
        let mode = if sync { " UserDeviceSyncClient=\"true\"" } else { "" };
        world.say(&format!("<Open username=\"omm\" password=\"omm\"{mode} seq=\"0\"/>"));
        let answer = world.step(Input::Answered(welcome(permissions)));
        assert_eq!((answer.sent.len(), world.desk.is_open()), (1, true));
        world
    }

    fn step(&mut self, input: Input) -> Step {
        let mut out = Vec::new();
        self.desk.on(self.now, input, &mut out);
        told(out)
    }

    fn say(&mut self, xml: &str) -> Step {
        let element = Box::new(Element::read(xml.as_bytes()).unwrap().into_owned());
        let wall = Wall::from_millis(1_795_299_552_000);
        self.step(Input::Received { element, length: xml.len(), wall })
    }

    fn answer(&mut self, answer: Answer) -> Step {
        self.step(Input::Answered(answer))
    }

    /// What is sent at once when this is said.
    fn hears(&mut self, xml: &str) -> String {
        let step = self.say(xml);
        assert_eq!((step.sent.len(), step.asked.len()), (1, 0), "{xml}: {step:?}");
        step.sent[0].clone()
    }

    fn wake(&mut self) -> Step {
        let (at, _) = self.desk.deadline().unwrap();
        self.now = at;
        let mut out = Vec::new();
        self.desk.wake(at, &mut out);
        told(out)
    }
}

fn told(out: Vec<Effect>) -> Step {
    let mut step = Step::default();
    for effect in out {
        match effect {
            Effect::Send(element) => step.sent.push(element.to_string()),
            Effect::Ask(ask) => step.asked.push(ask),
            Effect::Close(why) => step.closed = Some(why),
            Effect::Misread | Effect::Astray => {}
            Effect::Sibling => step.closed = Some("sibling"),
        }
    }
    step
}

fn welcome(permissions: &[Permission]) -> Answer {
    let account = Account {
        id: 1,
        username: "omm".into(),
        password: Proof::Clear(Secret::new("omm")),
        permissions: permissions.iter().copied().collect(),
        active: true,
    };
    let key = PublicKey { modulus: "C021".into(), exponent: "010001".into() };
    let about = OpenResp { protocol_version: Some(45), ..OpenResp::default() };
    Answer::Welcome(Box::new(Welcome { account, key, about, platform: Platform::Rfp4g }))
}

const WRITER: &[Permission] = &[Permission::AllCnfWrite];

fn ada() -> Reply {
    let mut user = Record::new(user::TABLE);
    user.put("uid", "1");
    user.put("num", "101");
    Reply { attributes: Vec::new(), children: vec![user.element("user", false)] }
}

fn ada_changed() -> Arc<News> {
    let mut changed = Record::new(user::TABLE);
    changed.put("name", "Ada");
    Arc::new(News::User { uid: 1, change: Fate::Changed(changed) })
}

#[test]
fn the_session_of_the_documentation_byte_for_byte() {
    let mut world = World::new();
    let asked = world.say("<Open username=\"omm\" password=\"omm\" seq=\"0\"/>");
    assert!(matches!(&asked.asked[..], [Ask::Login(open)] if open.username == "omm"), "{asked:?}");
    let answer = world.answer(welcome(&[Permission::AllCnfRead]));
    assert_eq!(
        answer.sent,
        ["<OpenResp seq=\"0\" protocolVersion=\"45\"><publicKey modulus=\"C021\" exponent=\"010001\"/>\
          <permission>AllCnfRead</permission></OpenResp>"]
    );
    assert_eq!(world.hears("<Ping seq=\"1\"/>"), "<PingResp seq=\"1\" timeStamp=\"1795299552\"/>");
    let key = "<GetPublicKeyResp seq=\"2\" modulus=\"C021\" exponent=\"010001\"/>";
    assert_eq!(world.hears("<GetPublicKey seq=\"2\"/>"), key);
}

#[test]
fn a_refused_login_leaves_the_link_and_another_may_follow() {
    let mut world = World::new();
    world.say("<Open username=\"omm\" password=\"x\" seq=\"0\"/>");
    let refused = world.answer(Answer::Refused(Refused::new(ErrCode::Auth), Duration::ZERO));
    assert_eq!(refused.sent, ["<OpenResp seq=\"0\" errCode=\"EAuth\"/>"]);
    assert_eq!((refused.closed, world.desk.is_open()), (None, false));
    world.say("<Open username=\"omm\" password=\"omm\"/>");
    let opened = world.answer(welcome(WRITER));
    assert!(opened.sent[0].starts_with("<OpenResp protocolVersion"), "no seq: {opened:?}");
    let again = world.hears("<Open seq=\"9\" username=\"omm\" password=\"omm\"/>");
    assert!(again.starts_with("<OpenResp seq=\"9\" errCode=\"EForbidden\""), "{again}");
}

#[test]
fn who_failed_too_often_is_told_so_after_the_delay_and_not_before() {
    let mut world = World::new();
    world.say("<Open username=\"omm\" password=\"x\" seq=\"0\"/>");
    let wait = Duration::from_secs(4);
    assert_eq!(world.answer(Answer::Refused(Refused::new(ErrCode::Auth), wait)), Step::default());
    assert_eq!(world.say("<Ping seq=\"1\"/>"), Step::default(), "it waits for its turn");
    let asked = world.now;
    let told = world.wake();
    assert_eq!(world.now, asked + wait);
    assert_eq!(told.sent[0], "<OpenResp seq=\"0\" errCode=\"EAuth\"/>");
    assert!(told.sent[1].starts_with("<PingResp seq=\"1\""), "{told:?}");
}

#[test]
fn a_stranger_may_ask_for_the_time_and_the_versions_and_nothing_else() {
    let mut world = World::new();
    assert!(world.hears("<Ping/>").starts_with("<PingResp timeStamp="));
    assert!(world.hears("<GetVersions/>").contains(" SetPP=\"2.0.0\""));
    for name in
        ["GetPPUser uid=\"0\"", "Limits", "GetPublicKey", "GetAccount id=\"1\"", "GetWeather", "SetPPUser"]
    {
        let (word, _) = name.split_once(' ').unwrap_or((name, ""));
        let expected = format!("<{word}Resp seq=\"3\" errCode=\"EPerm\"/>");
        assert_eq!(world.hears(&format!("<{name} seq=\"3\"/>")), expected);
    }
}

#[test]
fn permissions_are_asked_for_before_anything_else_is() {
    let mut reader = World::open(&[Permission::AllCnfRead], false);
    let refused = reader.hears("<SetPPUser seq=\"1\"><user uid=\"1\" name=\"Ada\"/></SetPPUser>");
    assert_eq!(refused, "<SetPPUserResp seq=\"1\" errCode=\"EPerm\"/>");
    let refused = reader.hears("<SetDECTSubscriptionMode seq=\"1\" mode=\"Wildcard\"/>");
    assert_eq!(refused, "<SetDECTSubscriptionModeResp seq=\"1\" errCode=\"EPerm\"/>");
    let refused = reader.hears("<GetPPState seq=\"1\" ppn=\"1\"/>");
    assert_eq!(refused, "<GetPPStateResp seq=\"1\" errCode=\"EPerm\"/>");
    assert_eq!(reader.say("<GetPPUser uid=\"0\"/>").asked.len(), 1);
    let mut writer = World::open(WRITER, false);
    assert_eq!(writer.say("<GetPPUser uid=\"0\"/>").asked.len(), 1, "write implies read");
}

#[test]
fn pairs_are_set_by_sync_clients_only() {
    let set = "<SetPP seq=\"0\"><user uid=\"1\" ppn=\"2\" relType=\"Dynamic\"/>\
               <pp ppn=\"2\" uid=\"1\" relType=\"Dynamic\"/></SetPP>";
    assert!(World::open(WRITER, false).hears(set).starts_with("<SetPPResp seq=\"0\" errCode=\"EPerm\""));
    let mut world = World::open(WRITER, true);
    assert!(matches!(&world.say(set).asked[..], [Ask::Change(_)]));
    let look = world.answer(Answer::Changed { uid: 1, ppn: 2 });
    assert_eq!(look.asked, [Ask::Look { look: Look::Pair { uid: 1, ppn: 2 }, sync: true }]);
    let answer = world.answer(Answer::Found(ada()));
    assert!(answer.sent[0].starts_with("<SetPPResp seq=\"0\"><user uid=\"1\""), "{answer:?}");
}

#[test]
fn the_response_comes_first_and_the_event_of_the_same_change_afterwards() {
    let mut world = World::open(WRITER, false);
    let subscribed =
        world.hears("<Subscribe seq=\"1\"><e cmd=\"On\" eventType=\"PPUserCnf\" uid=\"-1\"/></Subscribe>");
    assert_eq!(subscribed, "<SubscribeResp seq=\"1\"/>");
    world.say("<SetPPUser seq=\"2\"><user uid=\"1\" name=\"Ada\"/></SetPPUser>");
    assert_eq!(world.step(Input::Happened(ada_changed())), Step::default(), "held back");
    world.answer(Answer::Changed { uid: 1, ppn: 0 });
    let told = world.answer(Answer::Found(ada()));
    assert!(told.sent[0].starts_with("<SetPPUserResp seq=\"2\"><user uid=\"1\""), "{told:?}");
    assert_eq!(told.sent[1], "<EventPPUserCnf><user uid=\"1\" name=\"Ada\"/></EventPPUserCnf>");
    assert_eq!(told.sent.len(), 2);
}

#[test]
fn nobody_hears_an_event_without_having_subscribed() {
    let mut world = World::open(WRITER, false);
    assert_eq!(world.step(Input::Happened(ada_changed())), Step::default());
    assert_eq!(world.step(Input::Happened(Arc::new(News::Mode(Mode::Off)))), Step::default());
    assert_eq!(World::new().step(Input::Happened(ada_changed())), Step::default());
}

#[test]
fn sync_clients_hear_of_users_and_handsets_by_one_event_of_their_own() {
    let mut world = World::open(WRITER, true);
    world.say(
        "<Subscribe seq=\"2\"><e cmd=\"On\" eventType=\"PPDevCnf\" ppn=\"-1\"/>\
         <e cmd=\"On\" eventType=\"DECTSubscriptionMode\"/><e cmd=\"On\" eventType=\"PPUserCnf\" uid=\"-1\"/></Subscribe>",
    );
    let gone = |user| match user {
        true => News::User { uid: 25, change: Fate::Deleted },
        false => News::Device { ppn: 7, change: Fate::Deleted },
    };
    let mut told = |news| world.step(Input::Happened(Arc::new(news))).sent.join("");
    assert_eq!(
        told(gone(true)),
        "<EventPPCnf deletedUser=\"1\"><user uid=\"25\" uidSec=\"0\"/></EventPPCnf>"
    );
    assert_eq!(told(gone(false)), "<EventPPCnf deletedDev=\"1\"><pp ppn=\"7\" ppnSec=\"0\"/></EventPPCnf>");
    assert_eq!(told(News::Mode(Mode::Wildcard)), "<EventDECTSubscriptionMode mode=\"Wildcard\"/>");
    let mut plain = World::open(WRITER, false);
    plain.say("<Subscribe><e cmd=\"On\" eventType=\"PPUserCnf\" uid=\"25\"/></Subscribe>");
    let told = plain.step(Input::Happened(Arc::new(gone(true)))).sent.join("");
    assert_eq!(told, "<EventPPUserCnf deleted=\"1\"><user uid=\"25\"/></EventPPUserCnf>");
}

#[test]
fn a_secret_is_opened_before_anything_is_changed_and_one_that_cannot_be_is_named() {
    let mut world = World::open(WRITER, false);
    let set = "<SetPPUser seq=\"4\"><user uid=\"1\" sipAuthId=\"a\" sipPw=\"CIPHER\"/></SetPPUser>";
    assert_eq!(world.say(set).asked, [Ask::Unseal(vec!["CIPHER".into()])]);
    let step = world.answer(Answer::Unsealed(vec![None]));
    assert!(step.sent[0].starts_with("<SetPPUserResp seq=\"4\" errCode=\"EInval\""), "{step:?}");
    assert!(step.sent[0].ends_with("bad=\"sipPw\"/>"), "{step:?}");
    world.say(set);
    let step = world.answer(Answer::Unsealed(vec![Some(Secret::new("geheim"))]));
    let [Ask::Change(change)] = &step.asked[..] else { panic!("{step:?}") };
    assert_eq!(change.secrets(), [("sipPw", "geheim")]);
}

#[test]
fn requests_wait_for_their_turn_within_bounds() {
    let mut world = World::open(WRITER, false);
    world.say("<GetPPUser seq=\"1\" uid=\"0\"/>");
    for seq in 2..2 + WAITING_MAX {
        assert_eq!(world.say(&format!("<Ping seq=\"{seq}\"/>")), Step::default());
    }
    let refused = world.hears("<Ping seq=\"1000\"/>");
    assert!(refused.starts_with("<PingResp seq=\"1000\" errCode=\"EInProgress\""), "{refused}");
    let told = world.answer(Answer::Refused(Refused::new(ErrCode::NoEnt), Duration::ZERO));
    assert_eq!(told.sent.len(), 1 + WAITING_MAX);
    assert_eq!(told.sent[0], "<GetPPUserResp seq=\"1\" errCode=\"ENoEnt\"/>");
    assert!(told.sent[1].starts_with("<PingResp seq=\"2\""));
}

#[test]
fn long_requests_wait_within_bounds_too() {
    let mut world = World::open(WRITER, false);
    world.say("<GetPPUser uid=\"0\"/>");
    let long = format!("<Ping pad=\"{}\"/>", "x".repeat(100 * 1024));
    let refused = (0..10).map(|_| world.say(&long)).filter(|step| !step.sent.is_empty()).count();
    assert_eq!(refused, 10 - WAITING_BYTES_MAX / long.len());
}

#[test]
fn a_silent_client_loses_its_link_and_one_that_pings_keeps_it() {
    let mut world = World::open(WRITER, false);
    for _ in 0..3 {
        world.now = world.now + Duration::from_secs(290);
        world.say("<Ping/>");
    }
    let said = world.now;
    assert!(world.wake().closed.is_some());
    assert_eq!(world.now, said + IDLE);
    assert_eq!(world.say("<Ping/>"), Step::default(), "it is over");
}

#[test]
fn a_stranger_who_says_nothing_has_a_few_seconds_and_one_who_only_pings_a_minute() {
    let mut silent = World::new();
    let began = silent.now;
    assert!(silent.wake().closed.is_some());
    assert_eq!(silent.now, began + FIRST);
    let mut pinging = World::new();
    pinging.now = began + Duration::from_secs(4);
    pinging.say("<Ping/>");
    pinging.now = began + Duration::from_secs(50);
    pinging.say("<Ping/>");
    assert!(pinging.wake().closed.is_some());
    assert_eq!(pinging.now, began + Duration::from_secs(4) + PATIENCE);
}

#[test]
fn a_stranger_who_answers_what_nobody_asked_is_cut_off_and_a_client_is_not() {
    assert!(World::new().say("<OpenResp seq=\"0\" errCode=\"EAuth\"/>").closed.is_some());
    assert_eq!(World::open(WRITER, false).say("<PingResp seq=\"0\" timeStamp=\"1\"/>"), Step::default());
}

#[test]
fn an_omm_of_ours_is_handed_to_its_link() {
    let mut world = World::new();
    let step = world.say(
        "<Open seq=\"0\" protocolVersion=\"1\" username=\"omm\" password=\"omm\" UserDeviceSyncClient=\"true\" \
         hmOmm=\"102AF12C\" hmPlatform=\"pc\" hmPli=\"31\" hmClock=\"1790000000000\"/>",
    );
    assert_eq!(step.closed, Some("sibling"));
    assert_eq!(world.desk.deadline(), None);
}

#[test]
fn the_permissions_of_an_account_are_those_that_it_implies() {
    let mut world = World::new();
    world.say("<Open username=\"omm\" password=\"omm\"/>");
    let told = world.answer(welcome(&[Permission::Alerting]));
    let granted: BTreeSet<&str> = told.sent[0].split("<permission>").skip(1).collect();
    assert_eq!(granted.len(), 3, "{told:?}");
}

/// The account of [`welcome`], which may do this from now on.
fn may_only(permissions: &[Permission]) -> Input {
    let Answer::Welcome(welcome) = welcome(permissions) else { panic!("a welcome") };
    Input::Happened(Arc::new(News::Account { id: 1, change: Some(welcome.account) }))
}

fn code() -> Input {
    Input::Happened(Arc::new(News::AuthCode(Secret::new("4711"))))
}

const WATCH: &str = "<Subscribe><e cmd=\"On\" eventType=\"PPUserCnf\" uid=\"-1\"/>\
                     <e cmd=\"On\" eventType=\"SystemCnf\"/><e cmd=\"On\" eventType=\"PPState\" ppn=\"7\"/></Subscribe>";

#[test]
fn whoever_may_read_no_more_hears_no_more() {
    let mut world = World::open(&[Permission::Monitoring], false);
    assert_eq!(world.hears(WATCH), "<SubscribeResp/>");
    let gone = || Arc::new(News::State { ppn: 7, changed: crate::look::placed(None) });
    assert_eq!(world.step(Input::Happened(gone())).sent.len(), 1);
    let told = world.step(may_only(&[Permission::AllCnfRead]));
    assert_eq!(
        told.sent,
        ["<EventPermissionChange><permission>AllCnfRead</permission></EventPermissionChange>"]
    );
    assert_eq!(world.step(Input::Happened(gone())), Step::default(), "it watches no handset any more");
    assert_eq!(world.step(code()).sent, ["<EventDECTAuthCodeCnf ac=\"4711\"/>"], "the rest it hears");
    assert_eq!(world.step(may_only(&[])).sent, ["<EventPermissionChange/>"]);
    assert_eq!(world.step(code()), Step::default());
    assert_eq!(world.step(Input::Happened(ada_changed())), Step::default());
    let told = world.step(may_only(&[Permission::AllCnfRead])).sent;
    assert_eq!(told.len(), 1, "it learns that it may wish again: {told:?}");
    assert_eq!(world.step(code()), Step::default(), "and has not yet");
}

#[test]
fn what_is_held_back_is_not_told_to_whoever_lost_the_right_to_hear_it_meanwhile() {
    let mut world = World::open(&[Permission::Monitoring], false);
    world.say(WATCH);
    world.say("<GetPPUser seq=\"3\" uid=\"1\"/>");
    assert_eq!(world.step(code()), Step::default());
    assert_eq!(world.step(may_only(&[])), Step::default());
    let told = world.answer(Answer::Found(ada())).sent;
    assert_eq!(told[1..], ["<EventPermissionChange/>"]);
}

#[test]
fn a_client_is_told_the_limits_of_what_this_omm_runs_on() {
    let told = World::open(&[], false).hears("<Limits seq=\"1\"/>");
    assert!(told.contains(" ppnNum=\"1024\""), "{told}");
}

#[test]
fn what_becomes_of_an_account_while_its_session_is_let_in_is_true_of_the_session() {
    let login = || {
        let mut world = World::new();
        world.say("<Open username=\"omm\" password=\"omm\" seq=\"0\"/>");
        world
    };
    // It may do less by now than when the office let it in.
    let mut world = login();
    assert_eq!(world.step(may_only(&[Permission::AllCnfRead])), Step::default());
    let told = world.answer(welcome(WRITER)).sent;
    assert!(told[0].contains("<permission>AllCnfRead</permission></OpenResp>"), "{told:?}");
    assert_eq!(told.len(), 1, "an event to somebody who has not subscribed: {told:?}");
    let refused = world.hears("<SetDevAutoCreate seq=\"1\" enable=\"1\"/>");
    assert_eq!(refused, "<SetDevAutoCreateResp seq=\"1\" errCode=\"EPerm\"/>");
    // It is no more, or may not log in any more.
    let Input::Happened(news) = may_only(WRITER) else { panic!("news") };
    let News::Account { change: Some(account), .. } = &*news else { panic!("of an account") };
    let off = Account { active: false, ..account.clone() };
    for change in [None, Some(off)] {
        let mut world = login();
        // What happens to others is nothing to it.
        world.step(Input::Happened(Arc::new(News::Account { id: 7, change: None })));
        world.step(Input::Happened(Arc::new(News::Account { id: 1, change })));
        let told = world.answer(welcome(WRITER));
        assert_eq!(told.sent, ["<OpenResp seq=\"0\" errCode=\"EAuth\"/>"]);
        assert!(told.closed.is_some() && !world.desk.is_open());
    }
}
