//! How urgent each step is, for the shaper of the server.

use super::*;
use crate::shaper::Rank;

impl Story {
    /// The haste that the input tells to the bindings.
    #[track_caller]
    fn hastes(&mut self, input: Input, expected: &[&str]) {
        let mut out = Vec::new();
        self.line.on(self.now, input, &mut out);
        let is_haste = |effect: &&Effect| matches!(effect, Effect::Tell { order: Order::Haste(_), .. });
        let told: Vec<String> = out.iter().filter(is_haste).map(show).collect();
        assert_eq!(told, expected);
    }
}

#[test]
fn a_start_up_waits_and_a_later_move_goes_before_it() {
    let mut story = Story::of(2);
    story.hastes(Input::Haste(Rank::StartUp), &[]);
    story.hastes(Input::Query, &["0 haste startup"]);
    story.hastes(bind(), &[]);
    story.hastes(registered(0), &[]);
    story.hastes(server(0, Standing::Down), &["1 haste refresh"]);
    story.hastes(registered(1), &[]);
    story.hastes(server(0, Standing::Usable), &["0 haste failback"]);
}

#[test]
fn a_user_in_a_roam_is_moved_before_those_who_were_served() {
    let mut story = Story::of(2);
    story.hastes(bind(), &[]);
    story.hastes(server(0, Standing::Down), &[]);
    story.hastes(registered(1), &[]);
    story.hastes(server(0, Standing::Recovering), &[]);
    story.hastes(server(1, Standing::Down), &["0 haste refresh"]);
    // The phone appears anew: that is urgent again.
    story.hastes(bind(), &["0 haste roam"]);
}

#[test]
fn of_those_who_were_forgotten_vips_and_roams_come_first() {
    let mut story = Story::of(2);
    story.hastes(Input::Haste(Rank::StartUp), &[]);
    story.hastes(bind(), &["0 haste startup"]);
    story.hastes(registered(0), &[]);
    story.hastes(Input::Restore { tier: 0 }, &["0 haste refresh"]);
    story.hastes(bind(), &["0 haste roam"]);
    story.hastes(Input::Restore { tier: 0 }, &[]);
    let mut story = Story::of(2);
    story.line = Line::new(2, Arc::new(Timing::default())).of_vip(true);
    story.hastes(bind(), &[]);
    story.hastes(registered(0), &[]);
    story.hastes(Input::Restore { tier: 0 }, &[]);
}

#[test]
fn a_vip_is_always_moved_first_but_comes_back_like_everybody() {
    let mut story = Story::of(2);
    story.line = Line::new(2, Arc::new(Timing::default())).of_vip(true);
    story.hastes(Input::Haste(Rank::StartUp), &[]);
    story.hastes(bind(), &[]);
    story.hastes(registered(0), &[]);
    story.hastes(server(0, Standing::Down), &[]);
    story.hastes(registered(1), &[]);
    story.hastes(server(0, Standing::Usable), &["0 haste failback"]);
}
