//! SM-3H row by row, in virtual time.

use std::time::Duration;

use super::*;
use crate::draft::Draft;
use crate::name::Name;
use crate::server::Way;
use crate::target::Transport;

mod audits;
mod round;
mod shunned;
mod targets;
mod users;

struct Story {
    health: Health,
    now: Moment,
    probe: Option<Message>,
}

fn target(port: u16) -> Target {
    Target { transport: Transport::Udp, addr: ([192, 0, 2, 1], port).into() }
}

fn unsent(port: u16) -> Input {
    Input::Unsent(target(port).addr)
}

fn at(millis: u64) -> Moment {
    Moment::from_millis(millis)
}

impl Story {
    fn of(targets: Vec<Target>) -> Story {
        Story::with(targets, true)
    }

    fn with(targets: Vec<Target>, spare: bool) -> Story {
        // Audits have their own stories.
        Story::timed(targets, spare, Timing { audit: Duration::ZERO, ..Timing::default() })
    }

    fn timed(targets: Vec<Target>, spare: bool, timing: Timing) -> Story {
        let server = Server { name: "pbx".into(), tier: 0, targets, spare, way: Way::default() };
        let (sent_by, host, agent) = ("10.0.1.1:5060".into(), "10.0.1.1".into(), "homing".into());
        let local = Local { sent_by, host, agent, overload: true, listening: Default::default() };
        let chance = Chance::of(1, "pbx");
        let timing = Arc::new(timing);
        let health = Health::new(Arc::new(server), Arc::new(local), "sip:example.com", timing, chance);
        Story { health, now: at(0), probe: None }
    }

    fn new() -> Story {
        Story::of(vec![target(5060)])
    }

    /// An operator drains the server, or ends that.
    #[track_caller]
    fn drill(&mut self, drill: bool, expected: &[&str]) {
        assert_eq!(self.give(Input::Drill(drill)), expected, "{drill}");
    }

    /// A server that is down since the moment 0.
    fn down() -> Story {
        let mut story = Story::new();
        story.check(Evidence::Unreachable, &["0 down"]);
        story
    }

    fn show(&mut self, effects: Vec<Effect>) -> Vec<String> {
        let mut lines = Vec::new();
        for effect in effects {
            lines.push(match effect {
                Effect::Probe { to, bytes, first, server, routine: _, among: _ } => {
                    assert_eq!(&*server, "pbx");
                    self.probe = Message::parse(bytes).ok();
                    let word = if first { "probe" } else { "again" };
                    format!("{} {word} {}", self.now.as_millis(), to.addr.port())
                }
                Effect::Canvass { tier: 0, .. } => format!("{} probe user", self.now.as_millis()),
                Effect::Demands { tier: 0, demands, .. } => {
                    format!("{} shed {} lacks {}", self.now.as_millis(), demands.shed, demands.lacks)
                }
                Effect::Audit { tier: 0 } => format!("{} audit", self.now.as_millis()),
                Effect::Restore { tier: 0, .. } => format!("{} restore", self.now.as_millis()),
                Effect::Canvass { .. }
                | Effect::Demands { .. }
                | Effect::Audit { .. }
                | Effect::Restore { .. } => panic!("another tier"),
                Effect::Unfit { code, .. } => format!("{} unfit {code}", self.now.as_millis()),
                Effect::Rests { target, time, rest } => {
                    format!(
                        "{} rests {} {} {rest:?}",
                        self.now.as_millis(),
                        target.addr.port(),
                        time.as_secs()
                    )
                }
                Effect::Absent(target) => format!("{} absent {}", self.now.as_millis(), target.addr.port()),
                Effect::Standing { standing, tier: 0, .. } => format!("{} {standing}", self.now.as_millis()),
                Effect::Standing { .. } => panic!("another tier"),
            });
        }
        lines
    }

    fn give(&mut self, input: Input) -> Vec<String> {
        let mut out = Vec::new();
        self.health.on(self.now, input, &mut out);
        self.show(out)
    }

    #[track_caller]
    fn check(&mut self, evidence: Evidence, expected: &[&str]) {
        assert_eq!(self.give(Input::Evidence(evidence)), expected, "{evidence:?}");
    }

    /// The answer to the last probe.
    fn reply(&self, code: u16, retry_after: Option<&str>) -> Input {
        let probe = self.probe.as_ref().unwrap();
        let draft = Draft::response(probe, code, "x").tag("t");
        let draft = match retry_after {
            Some(value) => draft.line(Name::RetryAfter, value),
            None => draft,
        };
        Input::Answer(Message::parse(draft.finish()).unwrap())
    }

    #[track_caller]
    fn answers(&mut self, code: u16, expected: &[&str]) {
        let reply = self.reply(code, None);
        assert_eq!(self.give(reply), expected, "{code}");
    }

    /// Runs every deadline up to `millis`.
    fn run(&mut self, millis: u64) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some((due, _)) = self.health.deadline().filter(|(due, _)| *due <= at(millis)) {
            assert!(due >= self.now, "a deadline in the past");
            self.now = due;
            let mut out = Vec::new();
            self.health.wake(due, &mut out);
            lines.extend(self.show(out));
        }
        self.now = at(millis);
        lines
    }
}

#[test]
fn one_failure_makes_suspect_and_any_answer_clears_it() {
    let mut story = Story::new();
    story.check(Evidence::Broken(500), &[]);
    assert_eq!(story.health.state(), State::Suspect { since: at(0) });
    story.check(Evidence::Alive, &[]);
    assert_eq!(story.health.state(), State::Up);
}

#[test]
fn a_second_failure_within_a_minute_takes_the_server_down() {
    for (after, expected) in [(60_000, &["60000 down"][..]), (60_001, &[])] {
        let mut story = Story::new();
        story.check(Evidence::Broken(500), &[]);
        assert!(story.run(after).is_empty());
        assert_eq!(story.give(Input::Evidence(Evidence::Broken(503))), expected);
    }
}

#[test]
fn a_transport_error_takes_the_server_down_at_once() {
    let mut story = Story::new();
    story.check(Evidence::Unreachable, &["0 down"]);
    story.check(Evidence::Unreachable, &[]);
    story.check(Evidence::Silent, &[]);
}

#[test]
fn silence_is_settled_by_one_probe() {
    let mut story = Story::new();
    story.check(Evidence::Silent, &["0 probe 5060"]);
    assert_eq!(story.run(100), Vec::<String>::new());
    story.answers(200, &[]);
    assert_eq!(story.health.state(), State::Up);
    let mut story = Story::new();
    story.check(Evidence::Silent, &["0 probe 5060"]);
    assert_eq!(story.run(4000), ["500 again 5060", "1500 again 5060", "2500 down"]);
}

#[test]
fn many_users_who_notice_at_once_cost_one_probe_and_one_verdict() {
    let mut story = Story::new();
    story.check(Evidence::Silent, &["0 probe 5060"]);
    story.check(Evidence::Silent, &["0 down"]);
    for _ in 0..1000 {
        story.check(Evidence::Silent, &[]);
    }
}

#[test]
fn a_server_that_is_down_is_probed_less_and_less_often() {
    let mut story = Story::down();
    let probes: Vec<String> =
        story.run(2_000_000).into_iter().filter(|line| line.contains("probe")).collect();
    // Each probe waits 2.5 s for its answer before the next pause begins: 30, 60, 120, 240, 300, 300 ...
    let times = [30_000, 92_500, 215_000, 457_500, 760_000, 1_062_500, 1_365_000, 1_667_500, 1_970_000]
        .map(|millis| format!("{millis} probe 5060"));
    assert_eq!(probes[..6], times[..6]);
    // Perhaps its answers to OPTIONS are filtered: users take turns from now on.
    assert_eq!(probes[6..], ["1365000 probe user", "1667500 probe 5060", "1970000 probe user"]);
}

#[test]
fn a_server_with_several_targets_is_probed_at_each_in_turn() {
    let mut story = Story::of(vec![target(5060), target(5070)]);
    story.check(Evidence::Unreachable, &["0 down"]);
    let probes: Vec<String> = story.run(300_000).into_iter().filter(|line| line.contains("probe")).collect();
    assert_eq!(probes, ["30000 probe 5060", "92500 probe 5070", "215000 probe 5060"]);
    // The one that answers is asked again: its neighbour may be dead for ever.
    let mut story = Story::of(vec![target(5060), target(5070)]);
    story.check(Evidence::Unreachable, &["0 down"]);
    story.run(92_500);
    story.answers(200, &["92500 recovering"]);
    assert_eq!(story.run(122_500), ["122500 probe 5070"]);
}

#[test]
fn ten_stable_minutes_with_a_probe_each_half_minute_bring_it_back() {
    let mut story = Story::down();
    assert_eq!(story.run(30_000), ["30000 probe 5060"]);
    story.answers(404, &["30000 recovering"]);
    for minute in 1..20 {
        let now = 30_000 * (minute + 1);
        assert_eq!(story.run(now), [format!("{now} probe 5060")]);
        story.answers(200, &[]);
    }
    assert_eq!(story.run(630_000), ["630000 usable"]);
    assert_eq!((story.health.state(), story.health.deadline()), (State::Up, Some((at(634_000), "idle"))));
}

#[test]
fn a_quiet_server_is_asked_and_its_silence_takes_it_down_within_ten_seconds() {
    let mut story = Story::new();
    story.check(Evidence::Alive, &[]);
    assert_eq!(story.run(4_000), ["4000 probe 5060"]);
    story.answers(200, &[]);
    story.run(5_000);
    story.check(Evidence::Alive, &[]);
    assert_eq!(story.run(8_999), Vec::<String>::new(), "somebody has heard of it meanwhile");
    let lines = story.run(20_000);
    assert_eq!(lines.first().map(String::as_str), Some("9000 probe 5060"));
    assert_eq!(lines.last().map(String::as_str), Some("14000 down"), "{lines:?}");
}

#[test]
fn a_quiet_server_that_answers_5xx_to_everything_is_down_within_ten_seconds() {
    let mut story = Story::new();
    story.check(Evidence::Alive, &[]);
    assert_eq!(story.run(4000), ["4000 probe 5060"]);
    story.answers(200, &[]);
    assert_eq!(story.run(8000), ["8000 probe 5060"]);
    story.answers(503, &[]);
    assert_eq!(story.health.state(), State::Suspect { since: at(8000) });
    assert_eq!(story.run(12_000), ["12000 probe 5060"]);
    story.answers(503, &["12000 down"]);
    // What a REGISTER got is not settled by OPTIONS.
    let mut story = Story::new();
    story.check(Evidence::Broken(500), &[]);
    assert_eq!(story.run(60_000), Vec::<String>::new());
}

#[test]
fn a_server_without_a_spare_is_seldom_asked_for_its_silence_moves_nobody() {
    let mut story = Story::with(vec![target(5060)], false);
    story.check(Evidence::Alive, &[]);
    assert_eq!(story.run(299_999), Vec::<String>::new());
    assert_eq!(story.run(300_000), ["300000 probe 5060"]);
    // A second target is somewhere to go.
    let mut story = Story::with(vec![target(5060), target(5070)], false);
    story.check(Evidence::Alive, &[]);
    assert_eq!(story.run(4_000), ["4000 probe 5060"]);
}

#[test]
fn one_failure_while_recovering_starts_all_over() {
    let mut story = Story::down();
    story.run(30_000);
    story.answers(200, &["30000 recovering"]);
    story.run(60_000);
    story.answers(500, &["60000 down"]);
    assert_eq!(story.run(90_000), ["90000 probe 5060"]);
    story.answers(200, &["90000 recovering"]);
    story.check(Evidence::Broken(500), &["90000 down"]);
}

#[test]
fn a_probe_answer_of_408_or_5xx_is_a_failure() {
    for code in [408, 500, 503, 504, 599] {
        let mut story = Story::down();
        story.run(30_000);
        story.answers(code, &[]);
        assert_eq!(story.health.state(), State::Down, "{code}");
    }
    for code in [200, 302, 401, 403, 404, 405, 481, 603] {
        let mut story = Story::down();
        story.run(30_000);
        story.answers(code, &["30000 recovering"]);
    }
}

#[test]
fn a_503_with_retry_after_is_obeyed_and_then_probed() {
    for first in [Evidence::Alive, Evidence::Silent, Evidence::Unreachable] {
        let mut story = Story::new();
        story.give(Input::Evidence(first));
        story.check(Evidence::Overloaded(Duration::from_secs(60)), &["0 draining 60 s"]);
        story.check(Evidence::Overloaded(Duration::from_secs(60)), &[]);
        story.check(Evidence::Alive, &[]);
        story.check(Evidence::Silent, &[]);
        assert!(story.run(59_999).is_empty());
        assert_eq!(story.run(60_000), ["60000 probe 5060"]);
        story.answers(200, &["60000 recovering"]);
    }
    let mut story = Story::new();
    story.check(Evidence::Overloaded(Duration::from_secs(86_400)), &["0 draining 1800 s"]);
    let mut story = Story::new();
    story.check(Evidence::Overloaded(Duration::ZERO), &[]);
    assert_eq!(story.health.state(), State::Suspect { since: at(0) });
}

#[test]
fn a_probe_may_be_told_to_come_back_later_too() {
    let mut story = Story::down();
    story.run(30_000);
    let reply = story.reply(503, Some("120 (maintenance);duration=3600"));
    assert_eq!(story.give(reply), ["30000 draining 120 s"]);
    assert_eq!(story.run(150_000), ["150000 probe 5060"]);
    story.run(154_000);
    assert_eq!(story.health.standing(), Standing::Down);
}

#[test]
fn a_probe_that_cannot_be_sent_has_failed() {
    let mut story = Story::down();
    story.run(30_000);
    assert!(story.give(unsent(5060)).is_empty());
    assert_eq!(story.health.state(), State::Down);
    assert!(story.give(unsent(5060)).is_empty(), "none was under way");
}

#[test]
fn answers_to_former_probes_and_strangers_are_counted_and_dropped() {
    let mut story = Story::down();
    story.run(30_000);
    let old = story.reply(200, None);
    story.run(94_000);
    assert!(story.give(old.clone()).is_empty());
    assert_eq!((story.health.state(), story.health.dropped()), (State::Probing, 1));
    story.answers(100, &[]);
    assert_eq!((story.health.state(), story.health.dropped()), (State::Probing, 1));
    story.answers(200, &["94000 recovering"]);
    story.answers(200, &[]);
    assert_eq!(story.health.dropped(), 2);
}

#[test]
fn a_user_whom_a_dead_server_answers_proves_it_recovering() {
    let mut story = Story::down();
    story.check(Evidence::Alive, &["0 recovering"]);
    assert_eq!(story.run(30_000), ["30000 probe 5060"]);
}

#[test]
fn a_probe_is_a_complete_options_request() {
    let mut story = Story::down();
    story.run(30_000);
    let probe = story.probe.clone().unwrap();
    assert_eq!((probe.method(), probe.request_uri()), (Some("OPTIONS"), Some("sip:example.com")));
    assert_eq!(probe.call_id(), Ok(story.health.call_id()));
    assert_eq!(probe.via().unwrap().rport(), Some(None));
    for name in [Name::From, Name::To, Name::CSeq, Name::MaxForwards, Name::UserAgent] {
        assert!(probe.header(name).is_some(), "{name}");
    }
}

#[test]
fn a_drill_shows_while_the_server_is_well_and_ends_at_once() {
    let mut story = Story::new();
    story.drill(true, &["0 drained by drill"]);
    story.drill(true, &[]);
    story.check(Evidence::Unreachable, &["0 down"]);
    story.drill(false, &[]);
    story.drill(true, &[]);
    story.check(Evidence::Alive, &["0 drained by drill"]);
    story.drill(false, &["0 recovering"]);
    let mut story = Story::new();
    story.drill(true, &["0 drained by drill"]);
    story.drill(false, &["0 usable"]);
}
