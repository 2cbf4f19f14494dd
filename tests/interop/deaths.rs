//! `kill -9` of any one process at any moment of a journey, and a start again: the same end, and nothing that was
//! acknowledged is lost.
//!
//! `HOMING_DEATHS` sets how many deaths at moments drawn by chance are tried, `HOMING_SEED` which moments those are.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use machine::chance::Chance;

use crate::journeys::{AT_ONCE, never_without, only};
use crate::kamailio::password;
use crate::phone::Phone;
use crate::poll::{self, Watch};
use crate::presence::needs;
use crate::processors::counting_milliseconds;
use crate::relay::Wire;
use crate::system::System;

/// The end of any journey: whoever died is back, and B has renewed without a confirmation if it had to (45 s).
const END: Duration = Duration::from_secs(90);
/// How long a dead process stays dead.
const DEAD: Duration = Duration::from_millis(300);
/// The length of a journey on a machine that has nothing else to do; deaths by chance fall into it.
const JOURNEY: Duration = Duration::from_millis(600);
/// Deaths by chance in a usual run.
const DEATHS: u64 = 6;

/// Who dies.
#[derive(Debug, Clone, Copy)]
enum Victim {
    /// The site where the phone was.
    A,
    /// The site where it is.
    B,
    /// The one in the middle.
    Central,
    /// The registrar, with its location table.
    Pbx,
}

/// When. A roam takes some 20 ms here, so what lies between two steps is held open: by a PBX that is frozen, by a wire
/// that is cut.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// A has said 200 to the phone, and the PBX knows nothing of it.
    KnownOnlyToA,
    /// The PBX has A's contact.
    BoundAtA,
    /// The phone's REGISTER is on its way to B.
    OnTheWayToB,
    /// B has said 200 to the phone, and nobody else knows: the PBX is frozen, the link is cut.
    KnownOnlyToB,
    /// B has said 200 to the phone and told the other sites, and the PBX knows nothing of it.
    ClaimedByB,
    /// The PBX has both contacts: A has not heard of B.
    BoundAtBoth,
    /// B has said 200 to the phone; everything else is going on.
    AcceptedAtB,
    /// The PBX has B's contact.
    BoundAtB,
}

use Moment::{
    AcceptedAtB, BoundAtA, BoundAtB, BoundAtBoth, ClaimedByB, KnownOnlyToA, KnownOnlyToB, OnTheWayToB,
};

const ALL: [Moment; 8] =
    [KnownOnlyToA, BoundAtA, OnTheWayToB, KnownOnlyToB, ClaimedByB, BoundAtBoth, AcceptedAtB, BoundAtB];

impl Victim {
    fn dies(self, system: &mut System) {
        let omm = match self {
            Victim::A => &mut system.a,
            Victim::B => &mut system.b,
            Victim::Central => &mut system.central,
            Victim::Pbx => return system.pbx.restart(),
        };
        omm.kill();
        poll::rest(DEAD);
        omm.revive();
    }
}

/// Registers as a phone does: again and again until it works.
fn register(phone: &Phone, at: SocketAddr) {
    poll::until(
        END,
        "the phone is accepted",
        || phone.register(at).codes,
        |codes| codes.last() == Some(&200),
    );
}

/// Waits until this site has a contact, whoever else has one.
fn bound(watch: &Watch<Vec<String>>, site: &str) {
    watch.until(END, &format!("a contact of {site}"), |sites| sites.iter().any(|known| known == site));
}

/// The journey with a death at `moment`. Whatever the phone was told 200 for comes true without its asking again.
fn journey(victim: Victim, moment: Moment) {
    let mut system = System::start();
    let (phone, watch) = (Phone::new("101", &password("101")), system.watch("101"));
    let (a, b) = (system.a.sip(), system.b.sip());
    if matches!(moment, KnownOnlyToA) {
        system.pbx.freeze();
        register(&phone, a);
        victim.dies(&mut system);
        system.pbx.thaw();
    } else {
        register(&phone, a);
    }
    bound(&watch, "site-a");
    if matches!(moment, BoundAtA) {
        victim.dies(&mut system);
    }
    match moment {
        KnownOnlyToA | BoundAtA | AcceptedAtB | BoundAtB => register(&phone, b),
        OnTheWayToB => {
            let run = phone.begin(b, &[phone.contact("", 120)]);
            victim.dies(&mut system);
            run.outcome();
            register(&phone, b);
        }
        KnownOnlyToB => {
            system.wire_b.turn(Wire::Silent);
            system.pbx.freeze();
            register(&phone, b);
            victim.dies(&mut system);
            system.pbx.thaw();
            only(&watch, END, &["site-a", "site-b"]);
            system.wire_b.turn(Wire::Whole);
        }
        ClaimedByB => {
            system.pbx.freeze();
            register(&phone, b);
            victim.dies(&mut system);
            system.pbx.thaw();
        }
        BoundAtBoth => {
            system.wire_a.turn(Wire::Silent);
            register(&phone, b);
            only(&watch, END, &["site-a", "site-b"]);
            victim.dies(&mut system);
            system.wire_a.turn(Wire::Whole);
        }
    }
    if matches!(moment, AcceptedAtB) {
        victim.dies(&mut system);
    }
    bound(&watch, "site-b");
    if matches!(moment, BoundAtB) {
        victim.dies(&mut system);
    }
    end(&system, &watch, gapless(victim, moment), &format!("{victim:?} died, {moment:?}"));
}

/// Whether the user may be expected to have a contact all the time. A removes as soon as it hears B's claim
/// (M-2.1.4.1-c), whether B's registration has arrived or not: not when B died between the two, and not when both
/// waited for the same frozen PBX.
fn gapless(victim: Victim, moment: Moment) -> bool {
    match victim {
        Victim::A | Victim::Central => !matches!(moment, ClaimedByB),
        Victim::B => !matches!(moment, OnTheWayToB | ClaimedByB | AcceptedAtB),
        Victim::Pbx => false,
    }
}

/// The journey with a death after `time`, whatever was going on then.
fn journey_by_chance(victim: Victim, time: Duration) {
    let mut system = System::start();
    let (phone, watch) = (Phone::new("101", &password("101")), system.watch("101"));
    let (a, b, seen) = (system.a.sip(), system.b.sip(), &watch);
    thread::scope(|scope| {
        let journey = scope.spawn(move || {
            register(&phone, a);
            bound(seen, "site-a");
            register(&phone, b);
        });
        poll::rest(time);
        victim.dies(&mut system);
        journey.join().unwrap_or_else(|_| panic!("{victim:?} died after {time:?}:{}", watch.tell()));
    });
    // B may have been between claiming and registering.
    end(&system, &watch, !matches!(victim, Victim::B), &format!("{victim:?} died after {time:?}"));
}

/// Where every journey ends: one contact, that of the site where the phone is, and three sites that agree on it.
fn end(system: &System, watch: &Watch<Vec<String>>, gapless: bool, what: &str) {
    eprintln!("{what}");
    only(watch, END, &["site-b"]);
    system.agree("101", "site-b");
    if gapless {
        never_without(watch);
    }
    // It stays so when the links are up and everybody has told everything.
    system.linked();
    only(watch, AT_ONCE, &["site-b"]);
    eprintln!("{what}:{}", watch.tell());
}

#[test]
fn the_former_site_dies_on_the_way() {
    needs!("kamailio", "kamcmd", "sipp");
    let _processors = counting_milliseconds();
    ALL.into_iter().for_each(|moment| journey(Victim::A, moment));
}

#[test]
fn the_new_site_dies_on_the_way() {
    needs!("kamailio", "kamcmd", "sipp");
    let _processors = counting_milliseconds();
    ALL.into_iter().for_each(|moment| journey(Victim::B, moment));
}

#[test]
fn the_central_dies_on_the_way() {
    needs!("kamailio", "kamcmd", "sipp");
    let _processors = counting_milliseconds();
    ALL.into_iter().for_each(|moment| journey(Victim::Central, moment));
}

/// Over UDP nobody tells a client that its registrar forgot it: an audit or the next refresh is the remedy (expires is 1 min here).
#[test]
fn a_pbx_that_lost_its_memory_learns_everything_again() {
    needs!("kamailio", "kamcmd", "sipp");
    let _processors = counting_milliseconds();
    [BoundAtA, OnTheWayToB, ClaimedByB, BoundAtB].into_iter().for_each(|moment| journey(Victim::Pbx, moment));
}

#[test]
fn somebody_dies_at_a_moment_drawn_by_chance() {
    needs!("kamailio", "kamcmd", "sipp");
    let _processors = counting_milliseconds();
    let number = |variable: &str| std::env::var(variable).ok().and_then(|text| text.parse().ok());
    let (seed, deaths) = (number("HOMING_SEED").unwrap_or(1), number("HOMING_DEATHS").unwrap_or(DEATHS));
    let mut chance = Chance::of(seed, "deaths");
    eprintln!("HOMING_SEED={seed} HOMING_DEATHS={deaths}");
    for death in 0..deaths {
        let victim = match death % 3 {
            0 => Victim::B,
            1 => Victim::A,
            _ => Victim::Central,
        };
        journey_by_chance(victim, chance.between(Duration::ZERO, JOURNEY));
    }
}
