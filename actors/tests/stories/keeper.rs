//! The keeper of the store: one commit for all who wait, nobody told too early, nothing out of order.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ::actors::clock::{Calendar, Clock, Origin};
use ::actors::keeper::{Keep, Keeper, KeeperWays, Kept, RETRY};
use ::actors::messages::{Die, Fallen, Pillar};
use ::actors::store::Write;
use ::actors::trace::{Seen, Trace};
use actix::prelude::*;
use omm::stamp::OmmId;

use crate::ground::disk::{Disk, Mood};
use crate::ground::{pass, story};

const FLUSH: Duration = Duration::from_millis(20);

/// Somebody who wants something durable; writes down when he was told of it.
struct Waiter {
    name: &'static str,
    told: Rc<RefCell<Vec<&'static str>>>,
}

impl Actor for Waiter {
    type Context = Context<Self>;
}

impl Handler<Kept> for Waiter {
    type Result = ();
    fn handle(&mut self, _: Kept, _: &mut Context<Self>) {
        self.told.borrow_mut().push(self.name);
    }
}

impl Handler<Fallen<Pillar>> for Waiter {
    type Result = ();
    fn handle(&mut self, Fallen(pillar): Fallen<Pillar>, _: &mut Context<Self>) {
        assert_eq!(pillar, Pillar::Keeper);
        self.told.borrow_mut().push("fallen");
    }
}

struct Desk {
    disk: Rc<Disk>,
    keeper: Addr<Keeper>,
    told: Rc<RefCell<Vec<&'static str>>>,
    alarms: Rc<RefCell<Vec<String>>>,
}

impl Desk {
    fn new() -> Desk {
        let disk = Rc::new(Disk::default());
        disk.latency.set(FLUSH);
        let clock = Rc::new(Clock::new(Origin::now(), Calendar::System, OmmId::new(1)));
        let (told, alarms) = (Rc::<RefCell<Vec<_>>>::default(), Rc::<RefCell<Vec<_>>>::default());
        let hears = alarms.clone();
        let trace =
            Trace::new("here", Rc::new(move |seen: Seen<'_>| hears.borrow_mut().push(seen.note.to_string())));
        let boss = Waiter { name: "boss", told: told.clone() }.start();
        let keeper = Keeper::new(disk.clone(), clock, trace, KeeperWays { fallen: boss.recipient() }).start();
        Desk { disk, keeper, told, alarms }
    }

    fn keep(&self, name: &'static str) {
        let reply = Waiter { name, told: self.told.clone() }.start().recipient();
        self.keeper.do_send(Keep { writes: vec![write(name)], reply });
    }

    /// The keys of every batch that became durable.
    fn batches(&self) -> Vec<Vec<Write>> {
        self.disk.batches.borrow().clone()
    }
}

fn write(name: &str) -> Write {
    Write::Put(name.as_bytes().to_vec(), b"1".to_vec())
}

#[test]
fn all_who_come_during_a_commit_share_the_next_one() {
    story(async {
        let desk = Desk::new();
        desk.keep("a");
        pass(FLUSH / 4).await;
        for name in ["b", "c", "d"] {
            desk.keep(name);
        }
        pass(FLUSH * 3).await;
        assert_eq!(desk.batches(), [vec![write("a")], vec![write("b"), write("c"), write("d")]]);
        assert_eq!(*desk.told.borrow(), ["a", "b", "c", "d"]);
    });
}

#[test]
fn nobody_is_told_before_it_is_durable() {
    story(async {
        let desk = Desk::new();
        desk.keep("a");
        pass(FLUSH - Duration::from_millis(1)).await;
        assert!(desk.told.borrow().is_empty());
        pass(Duration::from_millis(2)).await;
        assert_eq!(*desk.told.borrow(), ["a"]);
    });
}

#[test]
fn a_commit_that_fails_is_tried_again_and_those_who_came_later_stay_behind() {
    story(async {
        let desk = Desk::new();
        desk.disk.mood.set(Mood::Full);
        desk.keep("a");
        pass(FLUSH / 4).await;
        desk.keep("b");
        pass(FLUSH * 2).await;
        assert_eq!(*desk.alarms.borrow(), ["alarm text=no room on the disk"]);
        pass(RETRY * 3).await;
        assert!(desk.told.borrow().is_empty(), "nothing is durable");
        assert_eq!(
            (desk.disk.asked.get(), desk.alarms.borrow().len()),
            (3, 3),
            "once a second, not more often"
        );
        desk.disk.mood.set(Mood::Good);
        pass(RETRY + FLUSH * 2).await;
        assert_eq!(desk.batches(), [vec![write("a"), write("b")]]);
        assert_eq!(*desk.told.borrow(), ["a", "b"]);
    });
}

#[test]
fn whoever_writes_nothing_is_told_after_those_who_came_before() {
    story(async {
        let desk = Desk::new();
        desk.keep("a");
        let reply = Waiter { name: "nothing", told: desk.told.clone() }.start().recipient();
        desk.keeper.do_send(Keep { writes: Vec::new(), reply });
        pass(FLUSH * 3).await;
        assert_eq!(*desk.told.borrow(), ["a", "nothing"]);
    });
}

#[test]
fn a_keeper_that_dies_begins_no_commit_and_tells_nobody() {
    story(async {
        let desk = Desk::new();
        desk.keep("a");
        pass(FLUSH / 4).await;
        desk.keep("b");
        desk.keeper.do_send(Die);
        pass(RETRY * 10).await;
        assert_eq!(desk.disk.asked.get(), 1);
        assert!(desk.told.borrow().is_empty());
    });
}

#[test]
fn a_keeper_that_falls_over_says_so() {
    story(async {
        let desk = Desk::new();
        desk.disk.mood.set(Mood::Bomb);
        desk.keep("a");
        pass(FLUSH * 2).await;
        assert_eq!(*desk.told.borrow(), ["fallen"]);
    });
}
