//! NOTIFYs of the host's own subscriptions (RFC 3680, RFC 6665 4.1.3).

use super::*;

#[test]
fn a_notify_is_served_only_while_its_subscription_lives() {
    let mut world = world(plain());
    let lines = "Event: reg\r\nSubscription-State: active\r\nContent-Type: application/reginfo+xml\r\n";
    let notify = |world: &mut World| {
        let text = world.request("NOTIFY", "sip:101@10.0.1.1", lines);
        let text = text.replace("Call-ID: call-", "Call-ID: watch\r\nX-Call: ");
        world.hear(&(text.replace("Content-Length: 0", "Content-Length: 4") + "<a/>"))
    };
    assert_eq!(answer(&notify(&mut world)).code(), Some(415), "nobody has subscribed to anything");
    world.step(Input::Dialog { call_id: "other".into(), open: true });
    assert_eq!(answer(&notify(&mut world)).code(), Some(481));
    world.step(Input::Dialog { call_id: "watch".into(), open: true });
    let effects = notify(&mut world);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Notified(_))));
    assert_eq!(answer(&effects).code(), Some(200));
    world.step(Input::Dialog { call_id: "watch".into(), open: false });
    assert_eq!(answer(&notify(&mut world)).code(), Some(481));
}
