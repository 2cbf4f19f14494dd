use super::*;

const ANNA: &str = "sip:101@example.com";
const A: &str = "sip:101@10.0.1.1:5060";
const B: &str = "sip:101@10.0.2.1:5060";
const C: &str = "sip:101@10.0.3.1:5060";

/// A registrar and a clock, told in short words.
struct World {
    registrar: Registrar,
    now: Moment,
}

fn world(model: Model) -> World {
    World { registrar: Registrar::new(Policy { model, ..Policy::default() }), now: Moment::START }
}

fn item(uri: &str, expires: u64) -> Item {
    Item {
        uri: uri.into(),
        params: String::new(),
        instance: None,
        flow: None,
        expires: Some(Duration::from_secs(expires)),
        most: None,
    }
}

fn flow(uri: &str, reg_id: u32, expires: u64) -> Item {
    Item { flow: Some(("urn:uuid:1".into(), reg_id)), ..item(uri, expires) }
}

fn request(call_id: &str, cseq: u32, wish: Wish) -> Registration {
    Registration { aor: ANNA.into(), call_id: call_id.into(), cseq, wish }
}

impl World {
    fn wait(&mut self, seconds: u64) -> Vec<String> {
        self.now = self.now + Duration::from_secs(seconds);
        let mut out = Vec::new();
        self.registrar.wake(self.now, &mut out);
        told(&out)
    }

    fn ask(&mut self, call_id: &str, cseq: u32, wish: Wish) -> Result<Vec<String>, Refusal> {
        let mut out = Vec::new();
        let before = self.list();
        let answer = self.registrar.register(self.now, &request(call_id, cseq, wish), &mut out);
        if answer.is_err() {
            assert_eq!((self.list(), out.len()), (before, 0), "a refused request changes nothing");
        }
        self.check_index();
        answer.map(|()| told(&out))
    }

    fn change(&mut self, call_id: &str, cseq: u32, items: &[Item]) -> Result<Vec<String>, Refusal> {
        self.ask(call_id, cseq, Wish::Change(items.to_vec()))
    }

    fn list(&self) -> Vec<String> {
        self.registrar.bindings(ANNA).iter().map(|binding| binding.value(self.now)).collect()
    }

    fn check_index(&self) {
        let bound: usize = self.registrar.users.values().map(Vec::len).sum();
        assert_eq!(bound, self.registrar.ends.len());
        assert!(self.registrar.users.values().all(|bindings| !bindings.is_empty()));
    }
}

fn told(changes: &[Change]) -> Vec<String> {
    let short = |change: &Change| change.note().to_string().replace(&format!(" aor={ANNA} contact="), " ");
    changes.iter().map(short).collect()
}

fn listed(uri: &str, expires: u64) -> String {
    format!("<{uri}>;expires={expires}")
}

#[test]
fn every_contact_stands_for_itself() {
    let mut world = world(Model::Multi);
    assert_eq!(world.change("a", 1, &[item(A, 3600)]).unwrap(), [format!("bound {A} expires=3600")]);
    world.wait(10);
    world.change("b", 1, &[item(B, 600)]).unwrap();
    assert_eq!(world.list(), [listed(A, 3590), listed(B, 600)]);
    assert_eq!(world.change("a", 2, &[item(A, 0)]).unwrap(), [format!("removed {A} expires=3590")]);
    assert_eq!(world.list(), [listed(B, 600)]);
    assert!(world.ask("q", 1, Wish::Query).unwrap().is_empty());
}

#[test]
fn a_refresh_moves_the_deadline_and_a_binding_expires_at_it() {
    let mut world = world(Model::Multi);
    world.change("a", 1, &[item(A, 100)]).unwrap();
    world.wait(99);
    world.change("a", 2, &[item(A, 100)]).unwrap();
    assert!(world.wait(99).is_empty());
    assert_eq!(world.registrar.deadline(), Some(Moment::from_millis(199_000)));
    assert_eq!(world.wait(1), [format!("expired {A} expires=0")]);
    assert!(world.registrar.is_empty());
    assert_eq!(world.registrar.deadline(), None);
}

#[test]
fn a_part_of_a_second_is_listed_as_one() {
    let mut world = world(Model::Multi);
    world.change("a", 1, &[item(A, 100)]).unwrap();
    world.now = Moment::from_millis(99_999);
    assert_eq!(world.list(), [listed(A, 1)]);
}

#[test]
fn the_same_call_id_needs_a_higher_cseq_and_another_one_does_not() {
    let mut world = world(Model::Multi);
    world.change("a", 7, &[item(A, 100)]).unwrap();
    assert_eq!(world.change("a", 7, &[item(A, 100)]), Err(Refusal::OutOfOrder));
    assert_eq!(world.change("a", 6, &[item(A, 0)]), Err(Refusal::OutOfOrder));
    assert_eq!(world.ask("a", 7, Wish::RemoveAll), Err(Refusal::OutOfOrder));
    // S-06: the new owner may remove the former's contact although the Call-IDs differ.
    assert!(world.change("b", 1, &[item(A, 0), item(B, 100)]).is_ok());
    assert_eq!(world.list(), [listed(B, 100)]);
    // S-11: nothing of a removed contact is remembered, so a delayed copy brings it back.
    assert!(world.change("a", 7, &[item(A, 100)]).is_ok());
    assert_eq!(world.list().len(), 2);
}

#[test]
fn one_bad_contact_spoils_the_whole_request() {
    let mut world = world(Model::Multi);
    world.change("a", 5, &[item(A, 100)]).unwrap();
    assert_eq!(world.change("a", 5, &[item(B, 100), item(C, 100), item(A, 0)]), Err(Refusal::OutOfOrder));
    assert_eq!(world.list(), [listed(A, 100)]);
}

#[test]
fn too_brief_is_only_between_zero_and_the_minimum_and_below_an_hour() {
    let mut world = world(Model::Multi);
    world.registrar.policy.min = Duration::from_secs(7200);
    world.registrar.policy.max = Duration::from_secs(86_400);
    let brief = Err(Refusal::Brief(Duration::from_secs(7200)));
    assert_eq!(world.change("a", 1, &[item(A, 1)]), brief);
    assert_eq!(world.change("a", 1, &[item(A, 3599)]), brief);
    assert!(world.change("a", 1, &[item(A, 3600)]).is_ok());
    assert!(world.change("a", 2, &[item(A, 0)]).is_ok());
}

#[test]
fn long_requests_are_cut_and_unnamed_intervals_get_the_default() {
    let mut world = world(Model::Multi);
    world.change("a", 1, &[item(A, u64::from(u32::MAX))]).unwrap();
    let unnamed = Item { expires: None, ..item(B, 0) };
    world.change("b", 1, &[unnamed]).unwrap();
    assert_eq!(world.list(), [listed(A, 3600), listed(B, 3600)]);
}

#[test]
fn a_star_removes_everything() {
    let mut world = world(Model::Multi);
    world.change("a", 1, &[item(A, 100)]).unwrap();
    world.change("b", 1, &[item(B, 100)]).unwrap();
    let gone = world.ask("b", 2, Wish::RemoveAll).unwrap();
    assert_eq!(gone, [format!("removed {A} expires=100"), format!("removed {B} expires=100")]);
    assert!(world.registrar.is_empty());
}

#[test]
fn contacts_are_compared_as_uris_and_a_new_spelling_replaces_the_old_one() {
    let mut world = world(Model::Multi);
    world.change("a", 1, &[item("sip:101@Host.example.com;hm-ep=1", 100)]).unwrap();
    let changes = world.change("a", 2, &[item("sip:101@host.example.com;HM-EP=1", 200)]).unwrap();
    let expected = [
        "replaced sip:101@Host.example.com;hm-ep=1 expires=100",
        "bound sip:101@host.example.com;HM-EP=1 expires=200",
    ];
    assert_eq!(changes, expected);
    // Another epoch is another contact (19.1.4: a parameter that both have must be equal).
    world.change("a", 3, &[item("sip:101@host.example.com;hm-ep=2", 200)]).unwrap();
    assert_eq!(world.list().len(), 2);
}

#[test]
fn a_single_place_goes_to_the_last_comer() {
    let mut world = world(Model::SingleReplace { removes_any: false });
    world.change("a", 1, &[item(A, 100)]).unwrap();
    let changes = world.change("b", 1, &[item(B, 100)]).unwrap();
    assert_eq!(changes, [format!("replaced {A} expires=100"), format!("bound {B} expires=100")]);
    assert!(world.change("a", 2, &[item(A, 0)]).unwrap().is_empty(), "A holds nothing that it could remove");
    assert_eq!(world.list(), [listed(B, 100)]);
    assert_eq!(world.change("b", 2, &[item(B, 100)]).unwrap(), [format!("bound {B} expires=100")]);
}

/// Scenario R-2: the former's removal costs the new owner its binding.
#[test]
fn where_a_removal_removes_any_the_new_owner_is_lost_until_it_registers_again() {
    let mut world = world(Model::SingleReplace { removes_any: true });
    world.change("a", 1, &[item(A, 100)]).unwrap();
    world.change("b", 1, &[item(B, 100)]).unwrap();
    assert_eq!(world.change("a", 2, &[item(A, 0)]).unwrap(), [format!("removed {B} expires=100")]);
    assert!(world.list().is_empty());
    world.change("b", 2, &[item(B, 100)]).unwrap();
    assert_eq!(world.list(), [listed(B, 100)]);
}

/// Scenario R-3.
#[test]
fn a_single_place_is_kept_from_others_until_it_is_free() {
    let mut world = world(Model::SingleReject);
    world.change("a", 1, &[item(A, 100)]).unwrap();
    assert_eq!(world.change("b", 1, &[item(B, 100)]), Err(Refusal::Occupied));
    assert_eq!(world.change("c", 1, &[item(A, 0), item(B, 100), item(C, 100)]), Err(Refusal::Occupied));
    assert!(world.change("a", 2, &[item(A, 100)]).is_ok(), "a refresh is no second contact");
    world.change("a", 3, &[item(A, 0)]).unwrap();
    assert!(world.change("b", 1, &[item(B, 100)]).is_ok());
    // Eviction in one request, whatever the order.
    assert!(world.change("c", 1, &[item(C, 100), item(B, 0)]).is_ok());
    assert_eq!(world.list(), [listed(C, 100)]);
}

/// RFC 5626 6 and spec 3.7.
#[test]
fn flows_are_known_by_instance_and_reg_id() {
    let mut world = world(Model::Outbound);
    world.change("a", 1, &[flow(A, 1, 100)]).unwrap();
    world.change("b", 1, &[flow(B, 2, 100)]).unwrap();
    world.change("p", 1, &[item(A, 100)]).unwrap();
    assert_eq!(world.list().len(), 3, "an old-style contact with the same URI is another binding");
    let moved = world.change("a", 2, &[flow(C, 1, 100)]).unwrap();
    assert_eq!(moved, [format!("replaced {A} expires=100"), format!("bound {C} expires=100")]);
    // The hazard of 3.7: who removes reg-id 2 removes it whatever the URI.
    assert_eq!(world.change("z", 1, &[flow(A, 2, 0)]).unwrap(), [format!("removed {B} expires=100")]);
}

#[test]
fn contacts_of_one_user_are_bounded() {
    let mut world = world(Model::Multi);
    for number in 0..CONTACTS_MAX {
        world.change(&format!("c{number}"), 1, &[item(&format!("sip:101@h{number}"), 100)]).unwrap();
    }
    assert_eq!(world.change("z", 1, &[item(A, 100)]), Err(Refusal::Crowded));
    assert!(world.change("z", 1, &[item(A, 100), item("sip:101@h0", 0)]).is_ok());
    assert!(world.change("c5", 2, &[item("sip:101@h5", 100)]).is_ok());
}

#[test]
fn ten_thousand_users_expire_in_the_order_of_their_deadlines() {
    let mut registrar = Registrar::new(Policy::default());
    let mut out = Vec::new();
    for number in 0..10_000_u64 {
        let aor: Arc<str> = format!("sip:{number}@example.com").into();
        let wish = Wish::Change(vec![item(&format!("sip:{number}@10.0.0.1"), 60 + (number * 7919) % 3000)]);
        let request = Registration { aor, call_id: "c".into(), cseq: 1, wish };
        registrar.register(Moment::START, &request, &mut out).unwrap();
    }
    assert_eq!(registrar.len(), 10_000);
    let (mut gone, mut last) = (0, Moment::START);
    while let Some(at) = registrar.deadline() {
        assert!(at > last);
        out.clear();
        registrar.wake(at, &mut out);
        assert!(out.iter().all(|change| change.fate == Fate::Expired && change.expires.is_zero()));
        (gone, last) = (gone + out.len(), at);
    }
    assert_eq!(gone, 10_000);
}
