//! Order, holding back, alarms, and what is not paid for when nobody listens.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use machine::note::Note;
use omm::stamp::OmmId;

use super::*;
use crate::clock::{Calendar, Origin};
use crate::trace::Seen;

/// A machine that wants what it is told to want, and one thing more at each deadline.
struct Parrot {
    alarms: Vec<Moment>,
}

enum Input {
    Want(Vec<Effect>),
    Alarms(Vec<Moment>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Say(u32),
    Save,
    Woke(Moment),
}

thread_local! {
    /// Notes that were made: `note_input` has no self.
    static NOTES: Cell<usize> = const { Cell::new(0) };
}

fn noted() -> Option<Note> {
    NOTES.set(NOTES.get() + 1);
    Some(Note::new("parrot"))
}

impl Machine for Parrot {
    type Input = Input;
    type Effect = Effect;

    fn on(&mut self, _: Moment, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Want(effects) => out.extend(effects),
            Input::Alarms(alarms) => self.alarms = alarms,
        }
    }

    fn deadline(&self) -> Option<(Moment, &'static str)> {
        self.alarms.iter().min().map(|at| (*at, "alarm"))
    }

    fn wake(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let due = self.alarms.iter().filter(|at| **at <= now).count();
        self.alarms.retain(|at| *at > now);
        out.extend(std::iter::repeat_n(Effect::Woke(now), due));
    }

    fn note_input(_: &Input) -> Option<Note> {
        noted()
    }

    fn note_effect(_: &Effect) -> Option<Note> {
        noted()
    }
}

struct Runner {
    seat: Seat<Parrot>,
    born: Vec<Effect>,
    done: Rc<RefCell<Vec<Effect>>>,
}

impl Actor for Runner {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let born = std::mem::take(&mut self.born);
        self.seated(born, ctx);
    }
}

impl Seated<Parrot> for Runner {
    fn seat(&mut self) -> &mut Seat<Parrot> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, _: &mut Context<Self>) -> Flow {
        self.done.borrow_mut().push(effect);
        if effect == Effect::Save { Flow::Hold } else { Flow::Go }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Feed(Input);

impl Handler<Feed> for Runner {
    type Result = ();
    fn handle(&mut self, Feed(input): Feed, ctx: &mut Context<Self>) {
        self.feed(input, ctx);
    }
}

#[derive(Message)]
#[rtype(result = "usize")]
struct Release;

impl Handler<Release> for Runner {
    type Result = usize;
    /// How many effects wait still.
    fn handle(&mut self, _: Release, ctx: &mut Context<Self>) -> usize {
        self.release(ctx);
        self.seat.held()
    }
}

/// The clock of the timers and that of the moments do not tick together: lets the alarm fire a millisecond too early.
#[derive(Message)]
#[rtype(result = "()")]
struct Hurry;

impl Handler<Hurry> for Runner {
    type Result = ();
    fn handle(&mut self, _: Hurry, ctx: &mut Context<Self>) {
        let (at, handle) = self.seat.alarm.take().expect("an alarm");
        ctx.cancel_future(handle);
        let pause = at.since(self.seat.clock.moment()) - Duration::from_millis(1);
        self.seat.alarm = Some((at, ctx.run_later(pause, ring)));
    }
}

struct Desk {
    runner: Addr<Runner>,
    done: Rc<RefCell<Vec<Effect>>>,
}

impl Desk {
    fn new(alarms: &[u64], born: &[Effect], trace: Trace) -> Desk {
        let clock = Rc::new(Clock::new(Origin::now(), Calendar::System, OmmId::new(1)));
        let machine = Parrot { alarms: alarms.iter().map(|at| Moment::from_millis(*at)).collect() };
        let done = Rc::<RefCell<Vec<Effect>>>::default();
        let seat = Seat::new(machine, "parrot", clock, trace);
        let runner = Runner { seat, born: born.to_vec(), done: done.clone() }.start();
        Desk { runner, done }
    }

    async fn want(&self, effects: &[Effect]) {
        self.runner.send(Feed(Input::Want(effects.to_vec()))).await.expect("a runner");
    }

    async fn alarms(&self, alarms: &[u64]) {
        let alarms = alarms.iter().map(|at| Moment::from_millis(*at)).collect();
        self.runner.send(Feed(Input::Alarms(alarms))).await.expect("a runner");
    }

    async fn release(&self) -> usize {
        self.runner.send(Release).await.expect("a runner")
    }

    fn done(&self) -> Vec<Effect> {
        self.done.take()
    }
}

fn story<F: Future<Output = ()> + 'static>(tale: F) {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().expect("a runtime")
    };
    System::with_tokio_rt(runtime).block_on(tale);
}

#[expect(clippy::disallowed_methods, reason = "virtual time: no real time passes")]
async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

fn woke(at: u64) -> Effect {
    Effect::Woke(Moment::from_millis(at))
}

use Effect::{Save, Say};

#[test]
fn what_stands_behind_a_save_waits_and_so_does_all_that_follows() {
    story(async {
        let desk = Desk::new(&[], &[], Trace::silent("here"));
        desk.want(&[Say(1), Save, Say(2)]).await;
        desk.want(&[Say(3)]).await;
        assert_eq!(desk.done(), [Say(1), Save]);
        assert_eq!(desk.release().await, 0);
        assert_eq!(desk.done(), [Say(2), Say(3)]);
        desk.want(&[Say(4)]).await;
        assert_eq!(desk.done(), [Say(4)], "nothing waits any more");
    });
}

#[test]
fn a_save_among_those_that_waited_holds_the_rest_again() {
    story(async {
        let desk = Desk::new(&[], &[], Trace::silent("here"));
        desk.want(&[Save, Say(1), Save, Say(2)]).await;
        desk.want(&[Save, Say(3)]).await;
        assert_eq!(desk.done(), [Save]);
        assert_eq!(desk.release().await, 3);
        assert_eq!(desk.done(), [Say(1), Save]);
        assert_eq!(desk.release().await, 1);
        assert_eq!(desk.done(), [Say(2), Save]);
        assert_eq!(desk.release().await, 0);
        assert_eq!(desk.done(), [Say(3)]);
    });
}

#[test]
fn a_save_that_is_the_last_word_still_holds_what_comes_later() {
    story(async {
        let desk = Desk::new(&[50], &[], Trace::silent("here"));
        desk.want(&[Save]).await;
        pass(60).await;
        assert_eq!(desk.done(), [Save], "the alarm was heard, what it wants waits");
        desk.release().await;
        assert_eq!(desk.done(), [woke(50)]);
    });
}

#[test]
fn a_machine_born_with_wishes_and_deadlines_is_heard_and_woken() {
    story(async {
        let desk = Desk::new(&[30, 10], &[Say(1), Save, Say(2)], Trace::silent("here"));
        pass(20).await;
        assert_eq!(desk.done(), [Say(1), Save]);
        desk.release().await;
        assert_eq!(desk.done(), [Say(2), woke(10)]);
        pass(20).await;
        assert_eq!(desk.done(), [woke(30)]);
    });
}

#[test]
fn the_alarm_follows_the_deadline_wherever_it_goes() {
    story(async {
        let desk = Desk::new(&[1000], &[], Trace::silent("here"));
        desk.alarms(&[20]).await;
        pass(30).await;
        assert_eq!(desk.done(), [woke(20)], "sooner");
        desk.alarms(&[100]).await;
        desk.alarms(&[200]).await;
        pass(100).await;
        assert!(desk.done().is_empty(), "later");
        pass(100).await;
        assert_eq!(desk.done(), [woke(200)]);
        desk.alarms(&[300]).await;
        desk.alarms(&[]).await;
        pass(1000).await;
        assert!(desk.done().is_empty(), "called off, the first one of all too");
        desk.alarms(&[5]).await;
        pass(1).await;
        assert_eq!(desk.done(), [woke(1230)], "one that is past is rung at once");
    });
}

#[test]
fn an_alarm_that_fires_a_hair_early_is_set_again() {
    story(async {
        let desk = Desk::new(&[100], &[], Trace::silent("here"));
        desk.runner.send(Hurry).await.expect("a runner");
        pass(99).await;
        assert!(desk.done().is_empty());
        pass(2).await;
        assert_eq!(desk.done(), [woke(100)]);
        pass(1000).await;
        assert!(desk.done().is_empty(), "once");
    });
}

#[test]
fn no_note_is_made_when_nobody_listens() {
    story(async {
        let lines = Rc::<RefCell<Vec<String>>>::default();
        let heard = lines.clone();
        let sink = move |seen: Seen<'_>| {
            heard.borrow_mut().push(format!("{} {} {}", seen.moment, seen.who, seen.note))
        };
        NOTES.set(0);
        let quiet = Desk::new(&[10], &[Say(1)], Trace::silent("here"));
        quiet.want(&[Say(2)]).await;
        pass(20).await;
        assert_eq!(quiet.done().len(), 3);
        assert_eq!(NOTES.get(), 0);
        let loud = Desk::new(&[10], &[Say(1)], Trace::new("here", Rc::new(sink)));
        loud.want(&[Say(2)]).await;
        pass(20).await;
        assert_eq!(NOTES.get(), 4, "the birth's wish, an input, its effect, the alarm's effect");
        assert_eq!(
            *lines.borrow(),
            ["00:00:00.000", "00:00:00.000", "00:00:00.000", "00:00:00.010"]
                .map(|at| format!("{at} parrot parrot"))
        );
    });
}
