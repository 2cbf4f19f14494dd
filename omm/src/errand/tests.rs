//! Errands over links that are there, that are not, and that break.

use super::*;

const CENTRAL: OmmId = OmmId::new(1);
const A: OmmId = OmmId::new(2);
const B: OmmId = OmmId::new(3);

/// Three OMMs; what is asked at one is answered with "NAME heard TEXT", when it answers.
struct Star {
    now: Moment,
    sites: BTreeMap<OmmId, Errands>,
    answers: Vec<(u64, Option<String>)>,
    attends: bool,
    /// Whose words are lost.
    deaf: BTreeSet<OmmId>,
}

impl Star {
    fn new() -> Star {
        let site = |omm, role| (omm, Errands::new(omm, role));
        let sites = [site(CENTRAL, Role::Central), site(A, Role::Remote), site(B, Role::Remote)];
        let (answers, deaf) = (Vec::new(), BTreeSet::new());
        let mut star = Star { now: Moment::START, sites: sites.into(), answers, attends: true, deaf };
        [A, B].into_iter().for_each(|remote| star.link(remote));
        star
    }

    fn link(&mut self, remote: OmmId) {
        self.feed(CENTRAL, Input::LinkUp(remote));
        self.feed(remote, Input::LinkUp(CENTRAL));
    }

    fn cut(&mut self, remote: OmmId) {
        self.feed(CENTRAL, Input::LinkDown(remote));
        self.feed(remote, Input::LinkDown(CENTRAL));
    }

    fn feed(&mut self, at: OmmId, input: Input) {
        let mut out = Vec::new();
        self.sites.get_mut(&at).unwrap().on(self.now, input, &mut out);
        self.perform(at, out);
    }

    fn perform(&mut self, at: OmmId, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { peer, errand } if !self.deaf.contains(&peer) => {
                    self.feed(peer, Input::Heard { from: at, errand });
                }
                Effect::Send { .. } => {}
                Effect::Attend { ticket, text } if self.attends => {
                    let text = Some(format!("{at} heard {text}").into());
                    self.feed(at, Input::Attended { ticket, text });
                }
                Effect::Attend { .. } => {}
                Effect::Told { number, text } => {
                    self.answers.push((number, text.map(|text| text.to_string())));
                }
            }
        }
    }

    fn ask(&mut self, at: OmmId, number: u64, to: OmmId) {
        self.feed(at, Input::Ask { number, to, text: "q".into() });
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now + span;
        for at in [CENTRAL, A, B] {
            let mut out = Vec::new();
            self.sites.get_mut(&at).unwrap().wake(self.now, &mut out);
            self.perform(at, out);
        }
    }

    fn is_idle(&self) -> bool {
        self.sites.values().all(|site| site.deadline().is_none())
    }
}

#[test]
fn everybody_can_ask_everybody() {
    let all = [CENTRAL, A, B];
    for from in all {
        for to in all.into_iter().filter(|to| *to != from) {
            let mut star = Star::new();
            star.ask(from, 7, to);
            assert_eq!(star.answers, [(7, Some(format!("{to} heard q")))], "{from} asks {to}");
            assert!(star.is_idle());
        }
    }
}

#[test]
fn who_cannot_be_reached_is_known_at_once() {
    let mut star = Star::new();
    star.cut(B);
    star.ask(A, 1, B);
    star.ask(CENTRAL, 2, B);
    star.ask(B, 3, A);
    star.ask(A, 4, OmmId::new(99));
    star.ask(A, 5, A);
    assert_eq!(star.answers, (1..=5).map(|number| (number, None)).collect::<Vec<_>>());
}

#[test]
fn silence_is_an_answer_after_a_while_and_a_late_one_is_none() {
    let mut star = Star::new();
    star.attends = false;
    star.ask(A, 1, B);
    star.pass(PATIENCE - Duration::from_millis(1));
    assert_eq!(star.answers, []);
    star.pass(Duration::from_millis(1));
    assert_eq!(star.answers, [(1, None)]);
    let ticket = Ticket { from: A, number: 1 };
    star.feed(B, Input::Attended { ticket, text: Some("late".into()) });
    assert_eq!(star.answers.len(), 1);
    assert!(star.is_idle());
}

#[test]
fn a_link_that_breaks_ends_what_was_under_way_over_it() {
    let mut star = Star::new();
    star.attends = false;
    star.ask(A, 1, B);
    star.ask(CENTRAL, 2, B);
    star.cut(A);
    assert_eq!(star.answers, [(1, None)]);
    star.cut(B);
    assert_eq!(star.answers, [(1, None), (2, None)]);
}

#[test]
fn at_the_central_nobody_asks_in_the_name_of_another() {
    let mut star = Star::new();
    let errand = Errand::Ask { ticket: Ticket { from: B, number: 1 }, to: CENTRAL, text: "q".into() };
    let mut out = Vec::new();
    let central = star.sites.get_mut(&CENTRAL).unwrap();
    central.on(Moment::START, Input::Heard { from: A, errand }, &mut out);
    assert_eq!(out, []);
}

#[test]
fn too_many_and_too_long_ones_are_turned_away() {
    let mut star = Star::new();
    star.attends = false;
    let most = UNDER_WAY_MAX as u64;
    (0..=most).for_each(|number| star.ask(A, number, B));
    assert_eq!(star.answers, [(most, None)], "the one too many");
    // B attends to as many as it can, for whomever.
    star.ask(CENTRAL, 1000, B);
    assert_eq!(star.answers[1], (1000, None));
    let text: Arc<str> = "x".repeat(TEXT_MAX + 1).into();
    star.feed(B, Input::Ask { number: 2000, to: A, text });
    assert_eq!(star.answers[2], (2000, None));
}
