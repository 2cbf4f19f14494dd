//! `kill -9` of any one site at any moment of a stream of edits: what was acknowledged is there, at all sites.
//!
//! `HOMING_DEATHS` sets how many deaths are tried, `HOMING_SEED` at which moments.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use machine::chance::Chance;

use crate::poll;
use crate::processors::burdening_the_machine;
use crate::session::{Session, attribute};
use crate::trio::Trio;

/// How long a dead process stays dead.
const DEAD: Duration = Duration::from_millis(300);
/// Deaths fall into so much time of edits.
const STREAM: Duration = Duration::from_millis(600);
/// Deaths in a usual run.
const DEATHS: u64 = 6;
/// The first row of the stream; below are the users of the file.
const FIRST: u64 = 1000;

/// What may be read of one user: the last state that was acknowledged, and whatever was asked for since.
#[derive(Debug, Clone, Default)]
struct Wanted {
    site: usize,
    states: Vec<Option<String>>,
}

/// Everything that was asked for, by row. The number of a user is its row.
#[derive(Debug, Default)]
struct Ledger {
    users: BTreeMap<u64, Wanted>,
    acknowledged: u64,
}

impl Ledger {
    /// One edit, at the site where the user was made: so the order of its edits is the order in which they are asked
    /// for. Only what was acknowledged must be; what was not may be.
    fn edit(&mut self, session: &mut Session, site: usize, chance: &mut Chance) -> Option<()> {
        let alive = |(row, user): (&u64, &Wanted)| {
            (user.site == site && user.states.len() == 1 && user.states[0].is_some()).then_some(*row)
        };
        let own: Vec<u64> = self.users.iter().filter_map(alive).collect();
        let pick = usize::try_from(chance.below(own.len().max(1) as u64)).unwrap_or_default();
        let step = self.acknowledged;
        let (row, request, state) = match (chance.below(4), own.get(pick)) {
            (0, Some(row)) => (*row, format!("<DeletePPUser seq=\"1\" uid=\"{row}\"/>"), None),
            (1 | 2, Some(row)) => {
                let name = format!("name {step}");
                let set = format!("<SetPPUser seq=\"1\"><user uid=\"{row}\" name=\"{name}\"/></SetPPUser>");
                (*row, set, Some(name))
            }
            (_, _) => {
                let row = FIRST + self.users.len() as u64;
                let name = format!("new {step}");
                let user = format!("<user uid=\"{row}\" num=\"{row}\" name=\"{name}\"/>");
                self.users.insert(row, Wanted { site, states: vec![None] });
                (row, format!("<CreatePPUser seq=\"1\">{user}</CreatePPUser>"), Some(name))
            }
        };
        let user = self.users.entry(row).or_default();
        user.states.push(state.clone());
        let answer = session.ask(&request)?;
        assert!(!answer.contains("errCode"), "{request}: {answer}");
        user.states = vec![state];
        self.acknowledged += 1;
        Some(())
    }

    /// Whether what a site shows is what is wanted; returns what is shown, to be compared with other sites.
    fn check(&self, session: &mut Session, what: &str) -> BTreeMap<u64, Option<String>> {
        let shown = |(row, wanted): (&u64, &Wanted)| {
            let state = session.user(&row.to_string()).and_then(|user| attribute(&user, "name"));
            assert!(wanted.states.contains(&state), "{what}: {row} is {state:?}, wanted {wanted:?}");
            (*row, state)
        };
        self.users.iter().map(shown).collect()
    }
}

/// Edits at all sites in turn, until told to stop; a site that is dead is passed over.
fn stream(
    open: &(impl Fn(usize) -> Option<Session> + Sync),
    ledger: &mut Ledger,
    chance: &mut Chance,
    over: &AtomicBool,
) {
    let mut sessions: [Option<Session>; 3] = [None, None, None];
    while !over.load(Ordering::Relaxed) {
        for (site, session) in sessions.iter_mut().enumerate() {
            let done = match session.take().or_else(|| open(site)) {
                Some(mut open) => ledger.edit(&mut open, site, chance).map(|()| open),
                None => None,
            };
            *session = done;
        }
    }
}

#[test]
fn whoever_dies_in_a_stream_of_edits_what_was_acknowledged_is_everywhere() {
    die_in_a_stream_of_edits("sled");
}

#[test]
fn whoever_dies_in_a_stream_of_edits_loses_nothing_from_the_other_store_either() {
    die_in_a_stream_of_edits("redb");
}

fn die_in_a_stream_of_edits(store: &str) {
    let _processors = burdening_the_machine();
    let number = |variable: &str| std::env::var(variable).ok().and_then(|text| text.parse().ok());
    let (seed, deaths) = (number("HOMING_SEED").unwrap_or(1), number("HOMING_DEATHS").unwrap_or(DEATHS));
    eprintln!("HOMING_SEED={seed} HOMING_DEATHS={deaths} cargo test --test interop whoever_dies");
    let mut trio = Trio::keeping_in(store);
    let (mut moments, mut edits) = (Chance::of(seed, "moments"), Chance::of(seed, "edits"));
    let mut ledger = Ledger::default();
    for death in 0..deaths {
        let victim = usize::try_from(moments.below(3)).unwrap_or_default();
        let (time, over) = (moments.between(Duration::ZERO, STREAM), AtomicBool::new(false));
        let before = ledger.acknowledged;
        let doors: Vec<_> = trio.sites.iter().map(crate::omm::Omm::clients).collect();
        let open = |site: usize| Session::open(doors[site]);
        thread::scope(|scope| {
            let (ledger, edits, over) = (&mut ledger, &mut edits, &over);
            scope.spawn(move || stream(&open, ledger, edits, over));
            poll::rest(time);
            trio.sites[victim].kill();
            poll::rest(DEAD);
            trio.sites[victim].revive();
            over.store(true, Ordering::Relaxed);
        });
        trio.in_step();
        let what = format!("death {death}, of site {victim} after {time:?}");
        assert!(ledger.acknowledged > before, "{what}: nothing was acknowledged");
        let mut seen = (0..3).map(|site| {
            let mut session = trio.session(site).unwrap_or_else(|| panic!("{what}: nobody at {site}"));
            ledger.check(&mut session, &format!("{what}: at site {site}"))
        });
        let (first, rest) = (seen.next(), seen.collect::<Vec<_>>());
        assert!(rest.iter().all(|other| Some(other) == first.as_ref()), "{what}: the sites differ");
        // What was in doubt is known now.
        for (row, state) in first.into_iter().flatten() {
            ledger.users.entry(row).or_default().states = vec![state];
        }
    }
    eprintln!("{store}: {} edits were acknowledged, {} users", ledger.acknowledged, ledger.users.len());
}
