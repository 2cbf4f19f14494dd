//! How often the two ends of a link have to wait for each other until they are in step.

use std::cell::RefCell;
use std::rc::Rc;

use machine::chance::Chance;
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::{Moment, Wall};

use crate::directory::Directory;
use crate::directory::edit::{Edit, NewUser, UserChange};
use crate::directory::sync::{self, Shared, State, Sync};
use crate::ids::Number;
use crate::ids::park::{Park, Pli, Sari};
use crate::link::census::Census;
use crate::link::dial::{self, Attach, Dial};
use crate::link::frame::{Facts, Frame};
use crate::link::roster::Roster;
use crate::link::serve::{self, Serve};
use crate::link::timing::Timing;
use crate::platform::Platform;
use crate::stamp::{OmmId, Stamp};
use crate::star::{self, Role, Star};

const CENTRAL: OmmId = OmmId::new(0x102A_7C82);
const REMOTE: OmmId = OmmId::new(0x1018_7326);
const NOW: Moment = Moment::START;
const WALL: Wall = Wall::from_millis(1_790_000_000_000);

/// One OMM: what it knows of roams and of users, and what it has said and not sent yet.
struct Site {
    star: Star,
    sync: Sync,
    directory: Shared,
    said: Vec<Said>,
}

/// What the star and the directory want of the link.
enum Said {
    Star(star::Effect),
    Directory(sync::Effect),
}

impl Site {
    fn new(me: OmmId, role: Role) -> Site {
        let mut directory = Directory::new(Platform::Pc);
        for n in 101..=150 {
            let number = Number::new(&n.to_string()).unwrap();
            directory.plant_user(NewUser::new(number, Secret::new("file"))).unwrap();
        }
        let directory = Rc::new(RefCell::new(directory));
        let stored = (Vec::new(), State::default());
        let sync = Sync::resume(me, role, directory.clone(), stored, NOW, WALL);
        Site { star: Star::new(me, role), sync, directory, said: Vec::new() }
    }

    fn star(&mut self, input: star::Input) {
        let mut out = Vec::new();
        self.star.on(NOW, input, &mut out);
        self.said.extend(out.into_iter().map(Said::Star));
    }

    fn directory(&mut self, input: sync::Input) {
        let mut out = Vec::new();
        self.sync.on(NOW, input, &mut out);
        self.said.extend(out.into_iter().map(Said::Directory));
    }

    fn rename(&mut self, me: OmmId, n: u32, ms: u64) {
        let uid = self.directory.borrow().uid_of(&Number::new(&n.to_string()).unwrap()).unwrap();
        let change = Box::new(UserChange { name: Some("another".into()), ..UserChange::default() });
        let stamp = Stamp { ms: WALL.as_millis() + ms, ctr: 0, omm: me };
        self.directory(sync::Input::Edit { ask: 1, stamp, edit: Box::new(Edit::SetUser { uid, change }) });
    }
}

fn facts(omm: OmmId) -> Facts {
    let park: Park = "1F102A7C82".parse().unwrap();
    let (protocol, platform, pli) = (45, Platform::Pc, Pli::FULL);
    Facts { omm, term: 0, protocol, platform, pli, sari: Some(Sari::derive(park)), wall: WALL }
}

/// What one connection took.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    /// Flights of the remote that were followed by one of the central.
    round_trips: u32,
    /// Whether a flight of the remote ended it.
    and_a_half: bool,
}

/// A link that comes up: everything that is said at once is one flight.
fn connect(remote: &mut Site, central: &mut Site) -> Taken {
    let addresses = vec!["one:12622".into()];
    let (password, census, timing) = (Secret::new("secret"), Census::default(), Timing::default());
    let attach = Attach {
        addresses,
        user: "omm".into(),
        password: password.clone(),
        facts: facts(REMOTE),
        door: None,
        census,
        adopt: false,
        timing,
    };
    let mut dial = Dial::new(attach, Chance::of(1, "link"));
    let mut serve = Serve::new(timing);
    let mut roster = Roster::new("omm".into(), password, facts(CENTRAL));
    let mut taken = Taken { round_trips: 0, and_a_half: false };
    dial.on(NOW, dial::Input::Start, &mut Vec::new());
    serve.on(NOW, serve::Input::Accepted, &mut Vec::new());
    let mut up = flight_up(&mut dial, remote, vec![dial::Input::Connected { wall: WALL }]);
    while !up.is_empty() {
        let heard = up.into_iter().map(|frame| serve::Input::Received { frame, wall: WALL }).collect();
        let down = flight_down(&mut serve, central, &mut roster, heard);
        taken.and_a_half = down.is_empty();
        taken.round_trips += u32::from(!down.is_empty());
        let heard = down.into_iter().map(|frame| dial::Input::Received { frame, bytes: 1, wall: WALL });
        up = flight_up(&mut dial, remote, heard.collect());
    }
    assert_eq!((dial.state(), serve.state()), (dial::State::InSync(CENTRAL), serve::State::Live(REMOTE)));
    assert_eq!(remote.directory.borrow().digest(), central.directory.borrow().digest());
    remote.directory(sync::Input::LinkDown(CENTRAL));
    central.directory(sync::Input::LinkDown(REMOTE));
    remote.star(star::Input::LinkDown(CENTRAL));
    central.star(star::Input::LinkDown(REMOTE));
    remote.said.clear();
    central.said.clear();
    taken
}

fn flight_up(dial: &mut Dial, site: &mut Site, mut inputs: Vec<dial::Input>) -> Vec<Frame> {
    let mut flight = Vec::new();
    while !inputs.is_empty() {
        let mut out = Vec::new();
        inputs.into_iter().for_each(|input| dial.on(NOW, input, &mut out));
        for effect in out {
            match effect {
                dial::Effect::Send(frame) => flight.push(frame),
                dial::Effect::Ask => site.directory(sync::Input::Ask),
                dial::Effect::Up(peer) => {
                    site.star(star::Input::LinkUp(peer));
                    site.directory(sync::Input::LinkUp(peer));
                }
                dial::Effect::Downloaded(peer) => site.star(star::Input::Downloaded(peer)),
                dial::Effect::Deliver { from, word } => site.star(star::Input::Heard { from, word }),
                dial::Effect::Learn { from, word } => {
                    site.directory(sync::Input::Heard { from, word: *word, wall: WALL });
                }
                dial::Effect::Health(_) => {}
                other => panic!("{other:?}"),
            }
        }
        let said = std::mem::take(&mut site.said);
        inputs = said
            .into_iter()
            .filter_map(|said| match said {
                Said::Star(star::Effect::Send { word, .. }) => Some(dial::Input::Say(word)),
                Said::Star(star::Effect::EndOfDownload { .. }) => Some(dial::Input::Uploaded),
                Said::Directory(sync::Effect::Have(have)) => Some(dial::Input::Have(Box::new(have))),
                Said::Directory(sync::Effect::Send { word, .. }) => Some(dial::Input::Tell(Box::new(word))),
                Said::Star(_) | Said::Directory(_) => None,
            })
            .collect();
    }
    flight
}

fn flight_down(
    serve: &mut Serve,
    site: &mut Site,
    roster: &mut Roster,
    mut inputs: Vec<serve::Input>,
) -> Vec<Frame> {
    let mut flight = Vec::new();
    while !inputs.is_empty() {
        let (mut out, mut next) = (Vec::new(), Vec::new());
        inputs.into_iter().for_each(|input| serve.on(NOW, input, &mut out));
        for effect in out {
            match effect {
                serve::Effect::Knock(open) => {
                    let answer =
                        roster.admit(NOW, WALL, "192.0.2.1", &open, false).map(|admission| admission.facts);
                    next.push(serve::Input::Answered(answer));
                }
                serve::Effect::Send(frame) => flight.push(frame),
                serve::Effect::Up(peer) => {
                    site.star(star::Input::LinkUp(peer));
                    site.directory(sync::Input::LinkUp(peer));
                }
                serve::Effect::Downloaded(peer) => site.star(star::Input::Downloaded(peer)),
                serve::Effect::Deliver { from, word } => site.star(star::Input::Heard { from, word }),
                serve::Effect::Learn { from, word } => {
                    site.directory(sync::Input::Heard { from, word: *word, wall: WALL });
                }
                other => panic!("{other:?}"),
            }
        }
        let said = std::mem::take(&mut site.said);
        next.extend(said.into_iter().filter_map(|said| match said {
            Said::Star(star::Effect::Send { word, .. }) => Some(serve::Input::Say(word)),
            Said::Star(star::Effect::EndOfDownload { .. }) => Some(serve::Input::Served),
            Said::Directory(sync::Effect::Send { word, .. }) => Some(serve::Input::Tell(Box::new(word))),
            Said::Star(_) | Said::Directory(_) => None,
        }));
        inputs = next;
    }
    flight
}

#[test]
fn a_link_that_comes_back_to_an_unchanged_directory_costs_less_than_two_round_trips() {
    let (mut remote, mut central) = (Site::new(REMOTE, Role::Remote), Site::new(CENTRAL, Role::Central));
    for _ in 0..2 {
        let taken = connect(&mut remote, &mut central);
        assert_eq!(taken, Taken { round_trips: 1, and_a_half: true });
    }
    // What changed at the remote meanwhile is acknowledged.
    remote.rename(REMOTE, 101, 1);
    let taken = connect(&mut remote, &mut central);
    assert_eq!(taken, Taken { round_trips: 2, and_a_half: false });
    let taken = connect(&mut remote, &mut central);
    assert_eq!(taken, Taken { round_trips: 1, and_a_half: true });
    central.rename(CENTRAL, 102, 2);
    let taken = connect(&mut remote, &mut central);
    assert_eq!(taken, Taken { round_trips: 1, and_a_half: true });
}
