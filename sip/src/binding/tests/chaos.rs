//! Random orders and answers over many seeds: I8 (one REGISTER in flight), I9 (no star), no loop, always an end.

use super::*;

/// One world: orders, answers, silence, duplicates and strangers at random.
struct World {
    story: Story,
    chance: Chance,
    /// Transactions that are neither answered nor given up, by their place in `sent`.
    open: Option<(usize, Moment)>,
    patience: Duration,
}

impl World {
    fn new(seed: u64) -> World {
        let mut chance = Chance::of(seed, "chaos");
        let ports = if chance.happens(500_000) { vec![5060, 5070] } else { vec![5060] };
        let spare = chance.happens(500_000);
        let reg_id = chance.happens(500_000).then_some(4);
        let patience = seconds(if spare || ports.len() > 1 { 4 } else { 32 });
        let story = Setup { ports, spare, reg_id, seed, ..Setup::default() }.story();
        World { story, chance, open: None, patience }
    }

    fn order(&mut self) -> Order {
        let epoch = self.chance.below(4) as u32;
        match self.chance.below(16) {
            0..5 => register(epoch),
            5..7 => Order::Renew,
            7 => Order::Query,
            8 => Order::Evict(vec!["sip:101@10.0.2.1;hm-ep=0".into(), "*".into()]),
            9..12 => Order::Remove,
            12 => Order::Rest,
            13 => Order::Resume { contact: contact(epoch) },
            14 => Order::Hold(seconds(self.chance.below(20))),
            _ => [Order::Retry, Order::Caution(true), Order::Caution(false)][self.chance.below(3) as usize]
                .clone(),
        }
    }

    fn answer(&mut self, index: usize) -> Message {
        let [(name, value)] = challenge(&self.chance.hex(8), "");
        match self.chance.below(12) {
            0..5 => self.story.agree(index),
            5 => self.story.reply(index, 401, &[(name, &value)]),
            6 => self.story.reply(index, 100, &[]),
            7 => self.story.reply(index, 200, &[("Contact", "<sip:101@10.0.2.1;hm-ep=9>;expires=60")]),
            8 => self.story.reply(index, 423, &[("Min-Expires", "4000")]),
            9 => self.story.reply(index, 503, &[("Retry-After", "3")]),
            10 => self.story.reply(index, 302, &[("Contact", "<sip:192.0.2.7:5080>")]),
            _ => {
                let codes = [403, 404, 408, 420, 480, 500, 603];
                let code = codes[self.chance.below(codes.len() as u64) as usize];
                self.story.reply(index, code, &[])
            }
        }
    }

    /// Performs `step` and checks that a REGISTER leaves only when the former one has its final answer, was given
    /// up after its time, or was abandoned by an order to rest.
    fn watch(&mut self, may_replace: bool, step: impl FnOnce(&mut Story) -> Vec<String>) {
        let before = self.story.sent.len();
        step(&mut self.story);
        for index in before..self.story.sent.len() {
            if let Some((open, since)) = self.open {
                let waited = self.story.now.since(since);
                assert!(
                    may_replace || waited >= self.patience,
                    "I8: {index} left while {open} was in flight for {waited:?}"
                );
            }
            self.open = Some((index, self.story.now));
        }
        let flying = usize::from(self.story.binding.flight.is_some());
        assert!(self.story.binding.orphans.len() <= ORPHANS_MAX && flying <= 1);
    }

    fn step(&mut self) {
        match self.chance.below(10) {
            0..3 => {
                let order = self.order();
                if matches!(order, Order::Rest) {
                    self.open = None;
                }
                self.watch(false, |story| story.tell(order));
            }
            3..7 if !self.story.sent.is_empty() => {
                // Mostly the last, sometimes an old one; sometimes twice.
                let last = self.story.sent.len() - 1;
                let back = if self.chance.happens(700_000) { 0 } else { self.chance.below(4) as usize };
                let index = last.saturating_sub(back);
                let message = self.answer(index);
                let is_final = message.code().is_some_and(|code| code >= 200);
                let closes = is_final && self.open.is_some_and(|(open, _)| open == index);
                if closes {
                    self.open = None;
                }
                let copies = if self.chance.happens(100_000) { 2 } else { 1 };
                for _ in 0..copies {
                    let message = message.clone();
                    self.watch(false, |story| story.give(Input::Answer(message)));
                }
            }
            3..8 => {
                let target = self.story.targets.last().map(|target| target.addr);
                let Some(addr) = target else { return };
                self.open = None;
                self.watch(true, |story| story.give(Input::Unsent(addr)));
            }
            _ => {
                let span = [10, 600, 4_000, 30_000, 200_000][self.chance.below(5) as usize];
                let until = self.story.now.as_millis() + span;
                while let Some((due, _)) = self.story.binding.deadline() {
                    let due = due.as_millis();
                    if due > until {
                        break;
                    }
                    self.watch(false, |story| story.run(due));
                }
                self.story.run(until);
            }
        }
    }
}

#[test]
fn never_two_registers_in_flight_whatever_happens() {
    for seed in 0..150 {
        let mut world = World::new(seed);
        for _ in 0..150 {
            world.step();
        }
        // I9 is checked with every REGISTER that is shown; the CSeq grows by one each time.
        let cseqs: Vec<u32> = world.story.sent.iter().map(|sent| sent.cseq().unwrap().number).collect();
        assert!(cseqs.iter().copied().eq(1..=cseqs.len() as u32), "seed {seed}");
        let mut branches: Vec<&str> =
            world.story.sent.iter().map(|sent| sent.via().unwrap().branch().unwrap()).collect();
        branches.sort_unstable();
        branches.dedup();
        assert_eq!(branches.len(), cseqs.len(), "seed {seed}: a branch was used twice");
    }
}

#[test]
fn whatever_happened_a_removal_ends_and_nothing_stays_behind() {
    for seed in 0..100 {
        let mut world = World::new(seed);
        for _ in 0..80 {
            world.step();
        }
        let story = &mut world.story;
        let mut lines = story.tell(Order::Remove);
        // Nobody answers any more: in the end everything has aged out.
        lines.extend(story.run(story.now.as_millis() + 200_000_000));
        let outcomes = lines.iter().filter(|line| line.starts_with("removed")).count();
        assert_eq!(outcomes, 1, "seed {seed}: {lines:?}");
        assert_eq!(lines.last().map(String::as_str), Some("done"), "seed {seed}: {lines:?}");
        assert_eq!(story.binding.state(), State::Idle);
        assert_eq!(story.binding.deadline(), None, "seed {seed}");
    }
}

#[test]
fn a_binding_that_wants_to_be_registered_never_gives_up() {
    for seed in 0..100 {
        let mut world = World::new(seed);
        for _ in 0..80 {
            world.step();
        }
        let story = &mut world.story;
        story.tell(Order::Caution(false));
        story.tell(register(9));
        for _ in 0..200 {
            let is_settled = story.binding.state() == State::Registered && story.binding.flight.is_none();
            if is_settled && !story.binding.wants.renew {
                break;
            }
            match story.binding.flight {
                Some(_) => _ = story.ok(),
                None => _ = story.next(),
            }
        }
        assert_eq!(story.binding.state(), State::Registered, "seed {seed}");
        assert_eq!(story.binding.ours.last(), Some(&contact(9)), "seed {seed}");
    }
}
