//! Refusals that an operator has to know of.

use super::*;

#[test]
fn a_refusal_is_told_once_for_each_code_until_the_user_is_registered_again() {
    let mut story = Story::new();
    story.tell(register(1));
    story.answer(403, &[]);
    assert_eq!(
        story.alarms,
        [
            "pbx answered 403 to the REGISTER of sip:101@example.com: expected 200; ask whoever runs the server why the user may \
          not register"
        ]
    );
    for (code, alarms) in [(403, 1), (404, 2), (603, 3), (403, 3)] {
        story.tell(Order::Retry);
        story.answer(code, &[]);
        assert_eq!(story.alarms.len(), alarms, "{code}");
    }
    story.tell(Order::Retry);
    story.ok();
    story.tell(Order::Renew);
    story.answer(403, &[]);
    assert_eq!(story.alarms.len(), 4);
    // Whoever invents a code each time is not listened to for ever.
    for code in 600..620 {
        story.tell(Order::Retry);
        story.answer(code, &[]);
    }
    assert_eq!(story.alarms.len(), 4 + 7);
}

#[test]
fn a_password_that_is_refused_is_an_alarm_that_names_it() {
    let mut story = Story::new();
    story.tell(register(1));
    story.challenged("a", "");
    assert!(story.alarms.is_empty());
    story.challenged("b", "");
    story.challenged("c", "");
    assert_eq!(story.alarms.len(), 1, "{:?}", story.alarms);
    assert!(story.alarms[0].contains("answered 401") && story.alarms[0].contains("password of 101"));
}

#[test]
fn what_another_server_may_do_better_is_no_alarm() {
    for code in [405, 408, 480, 500, 501, 503] {
        let mut story = Story::new();
        story.tell(register(1));
        let lines = story.answer(code, &[]);
        assert!(story.alarms.is_empty(), "{code}");
        let unfit = lines.iter().any(|line| *line == format!("unfit({code})"));
        assert_eq!(unfit, matches!(code, 405 | 501), "{lines:?}");
    }
}
