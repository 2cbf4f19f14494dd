//! A synchronisation that takes longer than five minutes (M-2.2.8-e).

use super::*;

#[test]
fn y6_a_slow_synchronisation_is_told_and_goes_on() {
    let mut bench = Bench::download();
    for second in 1..15 {
        bench.hear(second * 20, Frame::Word(word()), &format!("deliver from {CENTRAL}"));
        bench.dial.timers.stop(Timer::Ping);
    }
    bench.pass(300, "alarm slow at 0 %, 0 kbit/s");
    assert_eq!(bench.dial.state(), State::Download(CENTRAL));
}

#[test]
fn y6_it_is_slow_as_long_as_records_come_in_whatever_became_of_the_claims() {
    let page = |percent| {
        let page = sync::word::Page { percent: Some(percent), ..sync::word::Page::default() };
        Frame::Directory(Box::new(sync::word::Word::Page(Box::new(page))))
    };
    let mut bench = Bench::in_sync();
    bench.hear(2, page(1), "synchronising, learn");
    for second in 1..15 {
        bench.hear(second * 20, Frame::Word(word()), &format!("deliver from {CENTRAL}"));
        bench.dial.timers.stop(Timer::Ping);
    }
    bench.hear(299, page(40), "synchronising, learn");
    // 17 kB in 300 s; at 40 % that is not half of what it takes.
    bench.pass(300, "alarm slow at 40 %, 0 kbit/s");
    bench.hear(310, page(100), "insync, learn");
    bench.pass(380, "");
    // Done in time it is not slow, and said once.
    let mut bench = Bench::in_sync();
    bench.hear(2, page(50), "synchronising, learn");
    bench.hear(3, page(100), "insync, learn");
    assert_eq!(bench.dial.timers.at(Timer::Slow), None);
    assert_eq!(
        Alarm::Slow { percent: 40, measured: 80 }.to_string(),
        "the synchronisation takes longer than 5 minutes: 40 % of the records have come at 80 kbit/s, all of them \
         need 200 kbit/s (M-2.2.8-e)"
    );
}
