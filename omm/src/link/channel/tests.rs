use super::*;
use crate::claim::{Bound, Confirm, Outcome};
use crate::ids::Number;
use crate::ids::park::{Park, Pli, Sari};
use crate::link::frame::Mismatch;
use crate::platform::Platform;
use crate::stamp::Stamp;

const HERE: u32 = 1;
const THERE: u32 = 2;

fn facts(pari: u32) -> Facts {
    let park: Park = "1F102A7C82".parse().unwrap();
    let (sari, wall) = (Some(Sari::derive(park)), Wall::from_millis(7));
    let (protocol, platform, pli) = (45, Platform::Pc, Pli::FULL);
    Facts { omm: OmmId::new(pari), term: 0, protocol, platform, pli, sari, wall }
}

fn word() -> Word {
    let (user, from) = (Number::new("101").unwrap(), OmmId::new(THERE));
    let epoch = Stamp { ms: 1, ctr: 0, omm: OmmId::new(HERE) };
    Word::Confirm(Confirm { user, epoch, from, outcome: Outcome::Removed })
}

fn open(purpose: Purpose) -> Box<Open> {
    let (user, password) = ("omm".into(), Secret::new("right"));
    Box::new(Open { user, password, facts: facts(HERE), door: None, purpose })
}

struct Bench(Channel);

impl Bench {
    fn calling() -> Bench {
        let door = Door { address: "there:12622".into(), fingerprint: None };
        let to = Neighbour { omm: OmmId::new(THERE), door };
        let caller = Caller { user: "omm".into(), password: Secret::new("right"), facts: facts(HERE), to };
        let mut bench = Bench(Channel::calling(caller.clone(), Timing::default()));
        bench.see(0, Input::Start, vec![Effect::Connect(caller.to.door)]);
        let send = Effect::Send(Frame::Open(open(Purpose::Direct)));
        bench.see(1, Input::Connected { wall: Wall::from_millis(7) }, vec![send]);
        bench
    }

    fn called() -> Bench {
        let mut bench = Bench(Channel::called(Timing::default()));
        bench.see(0, Input::Start, vec![]);
        bench
    }

    fn see(&mut self, second: u64, input: Input, wanted: Vec<Effect>) {
        let mut out = Vec::new();
        self.0.on(Moment::from_millis(second * 1000), input, &mut out);
        assert_eq!(out, wanted, "at {second} s");
    }

    /// The second at which it ends by itself.
    fn ends(&mut self) -> Option<u64> {
        let (at, _) = self.0.deadline()?;
        let mut out = Vec::new();
        self.0.wake(at, &mut out);
        assert_eq!((out, self.0.state()), (vec![Effect::End], State::Closed));
        Some(at.as_millis() / 1000)
    }
}

#[test]
fn words_go_both_ways_and_a_minute_after_the_last_one_it_is_over() {
    let mut bench = Bench::calling();
    let up = Effect::Up(OmmId::new(THERE));
    bench.see(2, Input::Received(Frame::OpenResult(Ok(facts(THERE)))), vec![up]);
    bench.see(3, Input::Say(word()), vec![Effect::Send(Frame::Word(word()))]);
    let deliver = Effect::Deliver { from: OmmId::new(THERE), word: word() };
    bench.see(20, Input::Received(Frame::Word(word())), vec![deliver]);
    assert_eq!(bench.ends(), Some(80));
    bench.see(81, Input::Say(word()), vec![]);
}

#[test]
fn who_is_called_asks_before_it_answers() {
    let mut bench = Bench::called();
    let knock = Effect::Knock(open(Purpose::Direct));
    bench.see(1, Input::Received(Frame::Open(open(Purpose::Direct))), vec![knock]);
    let answer = Effect::Send(Frame::OpenResult(Ok(facts(THERE))));
    bench.see(1, Input::Answered(Ok(facts(THERE))), vec![answer, Effect::Up(OmmId::new(HERE))]);
    assert_eq!(bench.ends(), Some(61));

    let mut bench = Bench::called();
    let knock = Effect::Knock(open(Purpose::Direct));
    bench.see(1, Input::Received(Frame::Open(open(Purpose::Direct))), vec![knock]);
    let answer = Effect::Send(Frame::OpenResult(Err(OpenError::Stranger)));
    bench.see(1, Input::Answered(Err(OpenError::Stranger)), vec![answer, Effect::End]);
}

#[test]
fn nothing_but_words_about_roams_is_said() {
    let protocol = || vec![Effect::Alarm(Alarm::Protocol), Effect::End];
    for purpose in [Purpose::Link, Purpose::Trial] {
        Bench::called().see(1, Input::Received(Frame::Open(open(purpose))), protocol());
    }
    let bound = Bound { user: Number::new("101").unwrap(), by: OmmId::new(THERE), at: None };
    for frame in [Frame::Word(Word::Bound(bound)), Frame::EndOfDownload, Frame::Ping { seq: 1 }] {
        let mut bench = Bench::calling();
        let up = Effect::Up(OmmId::new(THERE));
        bench.see(2, Input::Received(Frame::OpenResult(Ok(facts(THERE)))), vec![up]);
        bench.see(3, Input::Received(frame), protocol());
    }
}

#[test]
fn who_is_not_the_neighbour_hears_nothing() {
    let refused = |error| vec![Effect::Alarm(Alarm::Refused(error)), Effect::End];
    Bench::calling().see(2, Input::Received(Frame::OpenResult(Ok(facts(3)))), refused(OpenError::Stranger));
    let older = Facts { protocol: 44, ..facts(THERE) };
    let mismatch = OpenError::Mismatch(Mismatch::Protocol);
    Bench::calling().see(2, Input::Received(Frame::OpenResult(Ok(older))), refused(mismatch));
    Bench::calling().see(
        2,
        Input::Received(Frame::OpenResult(Err(OpenError::Auth))),
        refused(OpenError::Auth),
    );
    Bench::calling().see(2, Input::Closed, vec![Effect::End]);
    assert_eq!(Bench::calling().ends(), Some(11), "t_open");
    assert_eq!(Bench::called().ends(), Some(10), "t_open");
}
