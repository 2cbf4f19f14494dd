use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Moment {
    Moment::from_millis(millis)
}

fn shaper(mode: Mode) -> Shaper {
    Shaper::new(Shape { mode, ..Shape::default() }, Chance::of(1, "shaper"))
}

fn say(shaper: &mut Shaper, now: u64, who: Ticket, wish: Wish) -> Vec<Ticket> {
    let mut out = Vec::new();
    shaper.on(at(now), Input { who, wish }, &mut out);
    granted(&out)
}

fn granted(out: &[Effect]) -> Vec<Ticket> {
    out.iter()
        .filter_map(|effect| match effect {
            Effect::Grant(who) => Some(*who),
            Effect::Booked(..) => None,
        })
        .collect()
}

const GOOD: Wish = Wish::Over(Some(Evidence::Alive));

#[test]
fn mitel_s_values_are_four_at_a_time_and_forty_milliseconds_apart() {
    let mut shaper = shaper(Shape::FIXED);
    assert_eq!(say(&mut shaper, 0, 1, Wish::Queue(Rank::StartUp)), [1]);
    for who in 2..=6 {
        assert!(say(&mut shaper, 0, who, Wish::Queue(Rank::StartUp)).is_empty());
    }
    let mut starts = Vec::new();
    while let Some((next, "next-start")) = shaper.deadline() {
        let mut out = Vec::new();
        shaper.wake(next, &mut out);
        starts.extend(granted(&out).into_iter().map(|who| (next.as_millis(), who)));
    }
    assert_eq!(starts, [(40, 2), (80, 3), (120, 4)], "the fifth waits for a slot");
    assert_eq!(say(&mut shaper, 130, 2, GOOD), [0; 0], "and for its time");
    assert_eq!(shaper.deadline(), Some((at(160), "next-start")));
}

#[test]
fn ten_thousand_start_as_fast_as_answers_come_and_no_timer_is_waited_for() {
    let mut shaper = shaper(Shape::ADAPTIVE);
    let mut flying = VecDeque::new();
    for who in 0..10_000 {
        flying.extend(say(&mut shaper, 0, who, Wish::Queue(Rank::StartUp)));
    }
    assert_eq!(flying.len(), 14, "two of sixteen slots are kept for roams");
    let mut served = 0;
    while let Some(who) = flying.pop_front() {
        served += 1;
        flying.extend(say(&mut shaper, 0, who, GOOD));
        assert!(flying.len() <= SLOTS_MAX as usize);
    }
    assert_eq!((served, shaper.slots()), (10_000, SLOTS_MAX));
}

#[test]
fn a_roam_does_not_wait_behind_ten_thousand_start_ups() {
    let mut shaper = shaper(Shape::ADAPTIVE);
    for who in 0..10_000 {
        say(&mut shaper, 0, who, Wish::Queue(Rank::StartUp));
    }
    assert_eq!(say(&mut shaper, 1, 20_000, Wish::Queue(Rank::Roam)), [20_000], "at once: a slot was kept");
    // One that waits as a start-up and then roams moves up.
    assert_eq!(say(&mut shaper, 1, 9_000, Wish::Queue(Rank::Roam)), [9_000]);
    assert!(say(&mut shaper, 1, 9_001, Wish::Queue(Rank::Roam)).is_empty(), "now all sixteen are taken");
    assert_eq!(say(&mut shaper, 2, 0, GOOD), [9_001], "and the next one is its");
}

#[test]
fn ranks_come_before_the_order_of_asking() {
    let mut shaper = shaper(Mode::Fixed { slots: 1, spacing: Duration::ZERO });
    assert_eq!(say(&mut shaper, 0, 1, Wish::Queue(Rank::StartUp)), [1]);
    let ranks = [Rank::StartUp, Rank::Failback, Rank::Refresh, Rank::Renew, Rank::Roam, Rank::Refresh];
    for (who, rank) in (2..).zip(ranks) {
        say(&mut shaper, 0, who, Wish::Queue(rank));
    }
    let order: Vec<Ticket> = [1, 6, 5, 4, 7, 3].map(|over| say(&mut shaper, 0, over, GOOD)[0]).into();
    assert_eq!(order, [6, 5, 4, 7, 3, 2]);
}

/// A registrar that refuses within a millisecond whatever comes beyond so many transactions in a second, and what a
/// shaper makes of it: how many it refused, and after how many milliseconds everybody was in.
fn refusals(per_second: usize, users: u64) -> (u64, u64) {
    let mut shaper = shaper(Shape::ADAPTIVE);
    let (mut seen, mut refused, mut left) = (VecDeque::new(), 0, users);
    let mut granted = Vec::new();
    for who in 0..users {
        granted.extend(say(&mut shaper, 0, who, Wish::Queue(Rank::StartUp)));
    }
    for now in 1..3_600_000 {
        seen.retain(|at| now - at < 1000);
        for who in std::mem::take(&mut granted) {
            seen.push_back(now);
            let wish = if seen.len() > per_second {
                refused += 1;
                Wish::Over(Some(Evidence::Broken(503)))
            } else {
                left -= 1;
                GOOD
            };
            granted.extend(say(&mut shaper, now, who, wish));
            if wish != GOOD {
                granted.extend(say(&mut shaper, now, who, Wish::Queue(Rank::StartUp)));
            }
        }
        if left == 0 {
            return (refused, now);
        }
        if shaper.deadline().is_some_and(|(due, _)| due <= at(now)) {
            let mut out = Vec::new();
            shaper.wake(at(now), &mut out);
            granted.extend(self::granted(&out));
        }
    }
    panic!("{left} of {users} are out still, after {refused} refusals");
}

#[test]
fn a_registrar_that_refuses_in_an_instant_is_asked_at_a_rate_that_it_bears() {
    for (per_second, users) in [(20, 200), (50, 200), (50, 2_000), (500, 10_000)] {
        let (refused, millis) = refusals(per_second, users);
        let ideal = users * 1000 / per_second as u64;
        println!("{users} users at {per_second}/s: {refused} refused, {millis} ms, ideal {ideal} ms");
        assert!(refused * 5 < users.max(200), "{users} at {per_second}/s: {refused} refused");
        assert!(millis * 2 < ideal * 3, "{users} at {per_second}/s: {millis} ms, where {ideal} could do");
    }
}

#[test]
fn a_single_refusal_and_one_of_long_ago_slow_nobody_down() {
    let refused = || Wish::Over(Some(Evidence::Broken(503)));
    let starts = |shaper: &mut Shaper, now: u64, first: Ticket| {
        let all = first..first + 1_000;
        all.map(|who| say(shaper, now, who, Wish::Queue(Rank::StartUp)).len()).sum::<usize>()
    };
    let mut lone = shaper(Mode::Adaptive { first: 64, most: 128 });
    say(&mut lone, 0, 1, Wish::Queue(Rank::Refresh));
    say(&mut lone, 1, 1, refused());
    assert_eq!(starts(&mut lone, 10, 100), 28, "as many as there are slots: one refresh was no load");

    let mut crowd = shaper(Mode::Adaptive { first: 64, most: 128 });
    for who in 0..40 {
        say(&mut crowd, 0, who, Wish::Queue(Rank::StartUp));
    }
    (0..40).for_each(|who| drop(say(&mut crowd, 1, who, refused())));
    assert!(starts(&mut crowd, 2_000, 100) < 28, "two seconds later it counts");
    (100..1_100).for_each(|who| drop(say(&mut crowd, 2_001, who, Wish::Leave)));
    assert_eq!(starts(&mut crowd, 63_000, 2_000), 28, "a minute later it does not");
}

#[test]
fn a_silence_says_nothing_about_the_rate() {
    let mut shaper = shaper(Mode::Adaptive { first: 64, most: 128 });
    for who in 0..200 {
        say(&mut shaper, 0, who, Wish::Queue(Rank::StartUp));
    }
    say(&mut shaper, 10, 0, Wish::Over(Some(Evidence::Silent)));
    let mut out = Vec::new();
    shaper.wake(at(4000), &mut out);
    assert_eq!(granted(&out).len(), 28, "as many as there are slots, all in one millisecond");
}

#[test]
fn silence_halves_once_for_all_that_were_on_their_way() {
    let mut shaper = shaper(Mode::Adaptive { first: 64, most: 128 });
    for who in 0..200 {
        say(&mut shaper, 0, who, Wish::Queue(Rank::StartUp));
    }
    say(&mut shaper, 10, 0, Wish::Over(Some(Evidence::Broken(504))));
    assert_eq!(shaper.slots(), 32);
    say(&mut shaper, 11, 1, Wish::Over(Some(Evidence::Silent)));
    assert_eq!(shaper.slots(), 32, "it had been sent before");
    assert_eq!(shaper.in_flight(), 54, "nobody is called back, but nobody starts");
    let mut out = Vec::new();
    shaper.wake(at(4000), &mut out);
    assert_eq!(shaper.slots(), 32, "these as well");
    assert_eq!(granted(&out).len(), 28);
    shaper.wake(at(8000), &mut out);
    assert_eq!(shaper.slots(), 16, "the next round of silence");
    for round in 3..20 {
        shaper.wake(at(round * 4000), &mut out);
    }
    assert_eq!(shaper.slots(), SLOTS_MIN);
}

#[test]
fn a_slot_is_held_through_the_challenge_and_given_back_once() {
    let mut shaper = shaper(Mode::Fixed { slots: 1, spacing: Duration::ZERO });
    say(&mut shaper, 0, 1, Wish::Queue(Rank::StartUp));
    say(&mut shaper, 0, 2, Wish::Queue(Rank::StartUp));
    assert!(say(&mut shaper, 3000, 1, Wish::Again).is_empty());
    let mut out = Vec::new();
    shaper.wake(at(4000), &mut out);
    assert!(out.is_empty());
    assert_eq!(shaper.deadline(), Some((at(7000), "slot-held")), "four seconds from what was sent last");
    shaper.wake(at(7000), &mut out);
    assert_eq!(granted(&out), [2], "the slot of a silent exchange is taken back");
    assert!(say(&mut shaper, 7100, 1, GOOD).is_empty(), "its late answer gives nothing more back");
    assert_eq!(shaper.in_flight(), 1);
}

#[test]
fn whoever_leaves_gives_back_its_place_or_its_slot() {
    let mut shaper = shaper(Mode::Fixed { slots: 1, spacing: Duration::ZERO });
    for who in 1..=3 {
        say(&mut shaper, 0, who, Wish::Queue(Rank::StartUp));
    }
    assert!(say(&mut shaper, 1, 2, Wish::Leave).is_empty());
    assert_eq!(say(&mut shaper, 1, 1, Wish::Leave), [3]);
    say(&mut shaper, 1, 3, Wish::Leave);
    say(&mut shaper, 1, 4711, Wish::Leave);
    assert_eq!((shaper.in_flight(), shaper.waiting()), (0, 0));
    shaper.wake(at(4000), &mut Vec::new());
    assert_eq!(shaper.deadline(), None);
}

/// What a random world remembers: who waits and who tries, as the world sees it.
#[derive(Default)]
struct World {
    waiting: BTreeMap<Ticket, Rank>,
    trying: BTreeSet<Ticket>,
    sent: Vec<u64>,
}

impl World {
    /// Checks every grant against what must hold.
    fn take(&mut self, shaper: &Shaper, now: u64, grants: Vec<Ticket>) {
        for who in &grants {
            let rank = self.waiting.remove(who).expect("only those who wait are served");
            let better = self.waiting.values().filter(|other| **other < rank).count();
            let served_after = grants.iter().skip_while(|other| *other != who).count();
            assert!(better < served_after, "someone more urgent was passed over");
            self.trying.insert(*who);
            self.sent.push(now);
        }
        if !grants.is_empty() {
            assert!(shaper.in_flight() <= shaper.slots() as usize, "more than the slots in flight");
        }
    }
}

/// Lives through a random world of 3,000 steps.
fn live(seed: u64) {
    let mut chance = Chance::of(seed, "world");
    let per_second = if chance.happens(300_000) { 20 + chance.below(60) as u32 } else { PER_SECOND };
    let mode = match chance.below(3) {
        0 => Mode::Fixed { slots: 1 + chance.below(6) as u32, spacing: ms(chance.below(80)) },
        1 => Shape::ADAPTIVE,
        _ => Mode::Adaptive { first: 1 + chance.below(30) as u32, most: 1 + chance.below(60) as u32 },
    };
    let shape = Shape { mode, per_second, ..Shape::default() };
    let mut shaper = Shaper::new(shape, Chance::of(seed, "shaper"));
    let (mut world, mut now) = (World::default(), 0);
    for step in 0..3000_u64 {
        now += chance.below(40);
        while let Some((due, _)) = shaper.deadline().filter(|(due, _)| due.as_millis() <= now) {
            let mut out = Vec::new();
            let before = shaper.in_flight();
            shaper.wake(due, &mut out);
            assert!(shaper.deadline().is_none_or(|(next, _)| next > due || before != shaper.in_flight()));
            world.take(&shaper, due.as_millis(), granted(&out));
        }
        let who = chance.below(400);
        let of =
            |set: &BTreeSet<Ticket>, pick: u64| set.iter().nth(pick as usize % set.len().max(1)).copied();
        let rank =
            [Rank::Roam, Rank::Renew, Rank::Refresh, Rank::Failback, Rank::StartUp][chance.below(5) as usize];
        let (who, wish) = match chance.below(10) {
            0..=4 if !world.trying.contains(&who) => {
                let known = world.waiting.entry(who).or_insert(rank);
                *known = rank.min(*known);
                (who, Wish::Queue(rank))
            }
            5..=7 => {
                let Some(who) = of(&world.trying, chance.next()) else { continue };
                world.trying.remove(&who);
                let evidence = [Evidence::Alive, Evidence::Alive, Evidence::Silent][chance.below(3) as usize];
                (who, Wish::Over(Some(evidence)))
            }
            8 => {
                world.waiting.remove(&who);
                world.trying.remove(&who);
                (who, Wish::Leave)
            }
            _ => continue,
        };
        let mut out = Vec::new();
        shaper.on(at(now), Input { who, wish }, &mut out);
        world.take(&shaper, now, granted(&out));
        assert_eq!(world.waiting.len(), shaper.waiting(), "step {step} of seed {seed}");
    }
    for pair in world.sent.windows(per_second.max(2) as usize + 1) {
        assert!(pair[pair.len() - 1] - pair[0] >= 1000, "too many in a second, seed {seed}");
    }
    // Everybody goes: nothing is left.
    for who in world.waiting.keys().copied().chain(world.trying.iter().copied()).collect::<Vec<_>>() {
        shaper.on(at(now), Input { who, wish: Wish::Leave }, &mut Vec::new());
    }
    while let Some((due, _)) = shaper.deadline() {
        shaper.wake(due, &mut Vec::new());
    }
    assert_eq!((shaper.in_flight(), shaper.waiting()), (0, 0), "a slot leaked, seed {seed}");
}

#[test]
fn random_worlds_keep_to_the_slots_lose_none_and_starve_no_roam() {
    (0..200).for_each(live);
}

#[test]
fn no_second_sees_more_starts_than_it_may_challenges_included() {
    let mut shaper = Shaper::new(Shape { per_second: 20, ..Shape::default() }, Chance::of(1, "cap"));
    let mut sent: Vec<u64> = Vec::new();
    let mut flying: VecDeque<(u64, Ticket, bool)> = VecDeque::new();
    let note = |grants: Vec<Ticket>, now: u64, sent: &mut Vec<u64>, flying: &mut VecDeque<_>| {
        for who in grants {
            sent.push(now);
            flying.push_back((now + 3, who, true));
        }
    };
    for who in 0..200 {
        let grants = say(&mut shaper, 0, who, Wish::Queue(Rank::StartUp));
        note(grants, 0, &mut sent, &mut flying);
    }
    for now in 1..60_000 {
        while let Some((_, who, first)) = flying.pop_front_if(|(due, _, _)| *due <= now) {
            let grants = if first {
                sent.push(now);
                flying.push_back((now + 3, who, false));
                say(&mut shaper, now, who, Wish::Again)
            } else {
                say(&mut shaper, now, who, GOOD)
            };
            note(grants, now, &mut sent, &mut flying);
        }
        if shaper.deadline().is_some_and(|(due, _)| due.as_millis() <= now) {
            let mut out = Vec::new();
            shaper.wake(at(now), &mut out);
            note(granted(&out), now, &mut sent, &mut flying);
        }
    }
    assert_eq!(sent.len(), 400, "a challenge and its answer each");
    sent.sort_unstable();
    assert!(sent.windows(21).all(|window| window[20] - window[0] >= 1000));
    assert!(sent[399] < 22_000, "and the seconds are used: {}", sent[399]);
}
