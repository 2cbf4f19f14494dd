//! Invariant 5: what a machine was told, and when, is all that it decides by. A step that was recorded in the running
//! actor is decided the same way by a new machine, long afterwards, in no runtime at all.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::actors::clock::{Calendar, Clock, Origin};
use ::actors::seat::{Flow, Seat, Seated};
use ::actors::trace::Trace;
use actix::prelude::*;
use machine::chance::Chance;
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use omm::claim::{Claim, Confirm, Outcome, Phase, Word};
use omm::ids::{Ipei, Number};
use omm::roaming::{self, Ask, Roaming};
use omm::stamp::OmmId;
use sip::binding::{self, Binding, Order};
use sip::server::{Account, Listening, Local, Options, Server, Way};
use sip::target::{Target, Transport};
use sip::uas::Uas;

use crate::ground::{PBX, pass, story};

/// One step as the seat took it; no input is a deadline.
struct Step<I> {
    now: Moment,
    input: Option<I>,
    effects: Vec<String>,
}

type Record<I> = Rc<RefCell<Vec<Step<I>>>>;

/// A machine that is listened to.
struct Recorded<M: Machine> {
    machine: M,
    steps: Record<M::Input>,
}

impl<M: Machine<Input: Clone, Effect: std::fmt::Debug>> Machine for Recorded<M> {
    type Input = M::Input;
    type Effect = M::Effect;

    fn on(&mut self, now: Moment, input: M::Input, out: &mut Vec<M::Effect>) {
        self.machine.on(now, input.clone(), out);
        let effects = out.iter().map(|effect| format!("{effect:?}")).collect();
        self.steps.borrow_mut().push(Step { now, input: Some(input), effects });
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.machine.deadline()
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<M::Effect>) {
        self.machine.wake(now, out);
        let effects = out.iter().map(|effect| format!("{effect:?}")).collect();
        self.steps.borrow_mut().push(Step { now, input: None, effects });
    }
}

/// What comes back for an effect.
type Perform<M> = dyn FnMut(Moment, <M as Machine>::Effect) -> Vec<<M as Machine>::Input>;

/// Runs the machine and answers it: `perform` says what comes back.
struct Runner<M: Machine + 'static> {
    seat: Seat<M>,
    perform: Box<Perform<M>>,
}

impl<M: Machine<Effect: Unpin> + Unpin + 'static> Actor for Runner<M> {
    type Context = Context<Self>;
}

impl<M: Machine<Effect: Unpin> + Unpin + 'static> Seated<M> for Runner<M> {
    fn seat(&mut self) -> &mut Seat<M> {
        &mut self.seat
    }

    fn perform(&mut self, effect: M::Effect, ctx: &mut Context<Self>) -> Flow {
        for input in (self.perform)(self.seat.clock().moment(), effect) {
            ctx.run_later(Duration::from_millis(7), |runner, ctx| runner.feed(input, ctx));
        }
        Flow::Go
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Feed<I>(I);

impl<M: Machine<Input: Send, Effect: Unpin> + Unpin + 'static> Handler<Feed<M::Input>> for Runner<M> {
    type Result = ();
    fn handle(&mut self, Feed(input): Feed<M::Input>, ctx: &mut Context<Self>) {
        self.feed(input, ctx);
    }
}

fn clock() -> Rc<Clock> {
    Rc::new(Clock::new(Origin::now(), Calendar::System, OmmId::new(1)))
}

/// Lets a new machine decide every recorded step, and compares. Returns how many steps had effects.
fn replay<M: Machine<Input: Clone, Effect: std::fmt::Debug>>(
    mut machine: M,
    steps: &[Step<M::Input>],
) -> usize {
    for (index, step) in steps.iter().enumerate() {
        let mut effects = Vec::new();
        match step.input.clone() {
            Some(input) => machine.on(step.now, input, &mut effects),
            None => machine.wake(step.now, &mut effects),
        }
        let effects: Vec<String> = effects.iter().map(|effect| format!("{effect:?}")).collect();
        assert_eq!(effects, step.effects, "step {index} at {}", step.now);
    }
    steps.iter().filter(|step| !step.effects.is_empty()).count()
}

const HERE: OmmId = OmmId::new(0x102A_7000);
const THERE: OmmId = OmmId::new(0x102A_7010);

fn roaming() -> Roaming {
    Roaming::new(HERE, Number::new("101").expect("a number"), Arc::default())
}

/// What may happen to a user, drawn by lot.
fn happening(chance: &mut Chance, now: Moment) -> roaming::Input {
    use roaming::Input;
    let wall = Wall::from_millis(1_760_000_000_000 + now.as_millis());
    let (mut here, mut there) = (omm::stamp::Hlc::new(HERE), omm::stamp::Hlc::new(THERE));
    let (stamp, theirs) = (here.next(wall), there.next(wall));
    let user = Number::new("101").expect("a number");
    let device = Ipei::new(17, 1).expect("an IPEI");
    match chance.below(9) {
        0 | 1 => Input::Located { device, ask: Some(Ask(now.as_millis())), stamp, wall },
        2 => Input::Detached { device: Some(device), wall },
        3 => Input::Withdrawn { wall },
        4 => {
            let claim = Claim {
                user,
                device,
                epoch: theirs,
                owner: THERE,
                former: Some(HERE),
                phase: if chance.below(4) == 0 { Phase::Gone } else { Phase::Here },
                age: Duration::from_secs(chance.below(20)),
            };
            Input::Heard { word: Word::Claim(claim), stamp, wall }
        }
        5 => {
            let word = Confirm { user, epoch: stamp, from: THERE, outcome: Outcome::Removed };
            Input::Heard { word: Word::Confirm(word), stamp, wall }
        }
        6 => Input::Call { active: chance.below(2) == 0, wall },
        7 => Input::LinkUp,
        _ => Input::Unbound,
    }
}

#[test]
fn a_recorded_night_of_a_roaming_user_is_decided_the_same_way_again() {
    story(async {
        for seed in 0..20 {
            let steps = Record::default();
            let machine = Recorded { machine: roaming(), steps: steps.clone() };
            let perform = |_, effect| match effect {
                roaming::Effect::Bind { .. } | roaming::Effect::Renew => vec![roaming::Input::Bound],
                roaming::Effect::Unbind => vec![roaming::Input::Released(Outcome::Removed)],
                _other => Vec::new(),
            };
            let clock = clock();
            let seat = Seat::new(machine, "user/101", clock.clone(), Trace::silent("here"));
            let runner = Runner { seat, perform: Box::new(perform) }.start();
            let mut chance = Chance::of(seed, "night");
            for _ in 0..200 {
                pass(chance.between(Duration::from_millis(1), Duration::from_secs(600))).await;
                let input = happening(&mut chance, clock.moment());
                runner.send(Feed(input)).await.expect("a runner");
            }
            pass(Duration::from_secs(5 * 3600)).await;
            let steps = steps.take();
            let (told, woken) = (steps.iter().filter(|step| step.input.is_some()).count(), steps.len());
            assert!(told >= 200 && woken > told, "deadlines are recorded too");
            assert!(replay(roaming(), &steps) > 100);
        }
    });
}

fn bound() -> Binding {
    let account = Account {
        aor: "sip:101@sip.example".into(),
        registrar: "sip:sip.example".into(),
        username: "101".into(),
        password: Secret::new("secret"),
        expires: Duration::from_secs(3600),
        instance: None,
        reg_id: None,
        options: Options::default(),
    };
    let targets = vec![Target::new(Transport::Udp, PBX.parse().expect("an address"))];
    let server = Server { name: "pbx".into(), tier: 0, targets, spare: false, way: Way::default() };
    let local = Local {
        sent_by: "10.0.1.1:5060".to_owned(),
        host: "10.0.1.1".to_owned(),
        agent: "t".to_owned(),
        overload: true,
        listening: Listening::default(),
    };
    let chance = Chance::of(5, "binding");
    Binding::new(Arc::new(account), Arc::new(server), Arc::new(local), Arc::default(), chance)
}

#[test]
fn a_recorded_night_of_a_binding_is_decided_the_same_way_again() {
    story(async {
        let steps = Record::default();
        let machine = Recorded { machine: bound(), steps: steps.clone() };
        let profile = sip::uas::profile::Profile {
            domains: vec!["sip.example".to_owned()],
            open: true,
            ..sip::uas::profile::Profile::default()
        };
        let mut uas = Uas::new(profile, Chance::of(5, "registrar"));
        // The network loses every third datagram or so.
        let mut luck = Chance::of(5, "luck");
        let perform = move |now, effect| match effect {
            binding::Effect::Send { bytes, .. } if luck.below(3) > 0 => {
                let from = Target::new(Transport::Udp, "10.0.1.1:5060".parse().expect("an address"));
                let mut answers = Vec::new();
                uas.on(now, sip::uas::Input::Datagram { from, bytes }, &mut answers);
                let sent = answers.into_iter().filter_map(|answer| match answer {
                    sip::uas::Effect::Send { bytes, .. } => sip::message::Message::parse(bytes).ok(),
                    _other => None,
                });
                sent.map(binding::Input::Answer).collect()
            }
            _other => Vec::new(),
        };
        let seat = Seat::new(machine, "binding", clock(), Trace::silent("here"));
        let runner = Runner { seat, perform: Box::new(perform) }.start();
        let contact: Arc<str> = "sip:101@10.0.1.1:5060".into();
        runner.do_send(Feed(binding::Input::Order(Order::Register { contact })));
        pass(Duration::from_secs(12 * 3600)).await;
        for order in [Order::Renew, Order::Query, Order::Remove] {
            runner.do_send(Feed(binding::Input::Order(order)));
            pass(Duration::from_secs(60)).await;
        }
        let steps = steps.take();
        assert!(replay(bound(), &steps) > 24, "a dozen refreshes, their answers, and what was lost");
    });
}
