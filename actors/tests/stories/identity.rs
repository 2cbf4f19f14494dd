//! Who an OMM is outlives it: its SARI, its roster, its attachment; and starting over for them disturbs nobody.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ::actors::clock::Origin;
use ::actors::doors::{Accept, ToPeer};
use ::actors::identity::Attachment;
use ::actors::link::{FromLink, LinkNews};
use ::actors::office::Glance;
use ::actors::omm::OmmActor;
use ::actors::omm::identity::{Expel, SetAttachment, SetSari, Unchanged};
use actix::prelude::*;
use axi::frame::Frames;
use axi::link::{decode, encode};
use axi::request::Look;
use machine::secret::Secret;
use omm::ids::park::{Park, Sari};
use omm::link::dial::Health;
use omm::link::frame::{Facts, Frame, Open, OpenError, Purpose};
use omm::stamp::OmmId;
use omm::star::Role;

use crate::ground::disk::Mood;
use crate::ground::line::Exchange;
use crate::ground::outside::{Listed, Since};
use crate::ground::{Ground, PBX, facts, pass, story};

const SECOND: Duration = Duration::from_secs(1);

fn sari(park: &str) -> Sari {
    Sari::derive(park.parse::<Park>().expect("a PARK"))
}

/// A peer that keeps what it is told.
#[derive(Clone, Default)]
struct Ear(Rc<RefCell<Frames>>, Rc<RefCell<usize>>);

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<ToPeer> for Ear {
    type Result = ();
    fn handle(&mut self, message: ToPeer, _: &mut Context<Self>) {
        match message {
            ToPeer::Bytes(bytes) => self.0.borrow_mut().push(&bytes).expect("frames"),
            ToPeer::Close => *self.1.borrow_mut() += 1,
        }
    }
}

/// A connection of a remote to the central, over which it has introduced itself.
struct Caller {
    ear: Ear,
    wire: Recipient<::actors::doors::Wire>,
}

impl Caller {
    async fn call(omm: &Addr<OmmActor>, from: &str) -> Caller {
        let ear = Ear::default();
        let line = ear.clone().start().recipient();
        let accept = Accept { peer: from.to_owned(), line };
        let wire = omm.send(accept).await.expect("an OMM").expect("a central takes connections");
        Caller { ear, wire }
    }

    fn say(&self, frame: &Frame) {
        let event = ::actors::doors::WireEvent::Bytes(encode(frame));
        self.wire.do_send(::actors::doors::Wire { attempt: 0, event });
    }

    /// The central's answer to an introduction, if it has come.
    async fn answer(&self) -> Option<Result<Facts, OpenError>> {
        pass(Duration::from_millis(1)).await;
        let mut frames = self.ear.0.borrow_mut();
        while let Some(message) = frames.next() {
            if let Ok(Frame::OpenResult(answer)) = decode(&message.expect("a message")) {
                return Some(answer);
            }
        }
        None
    }
}

fn open(ground: &Ground, pari: u32, password: &str) -> Frame {
    let facts = Facts { omm: OmmId::new(pari), ..facts(Role::Remote, ground.clock.wall()) };
    Frame::Open(Box::new(Open {
        user: "omm".into(),
        password: Secret::new(password),
        facts,
        door: None,
        purpose: Purpose::Link,
    }))
}

/// Calls, introduces itself, and hears the answer.
async fn knock(ground: &Ground, pari: u32) -> (Caller, Option<Result<Facts, OpenError>>) {
    let caller = Caller::call(&ground.omm().await, &format!("192.0.2.{}:4711", pari % 250)).await;
    caller.say(&open(ground, pari, "omm"));
    let answer = caller.answer().await;
    (caller, answer)
}

fn refusal(answer: Option<Result<Facts, OpenError>>) -> Option<OpenError> {
    answer.expect("an answer").err()
}

#[test]
fn y11_the_sari_is_generated_once_and_no_remote_is_let_in_before() {
    story(async {
        let central = Ground::new().await;
        central.waits_for_sari();
        assert_eq!(central.status().await.sari, None);
        assert_eq!(refusal(knock(&central, 1).await.1), Some(OpenError::NoSari));
        let own = sari("1F102A7000");
        assert_eq!(central.omm().await.send(SetSari(own)).await.expect("an OMM"), Ok(()));
        central.start_over().await;
        assert_eq!(central.status().await.sari, Some(own));
        let (_caller, answer) = knock(&central, 1).await;
        assert_eq!(answer.expect("an answer").expect("let in").sari, Some(own));
        // A second time fails and changes nothing, whatever it is to be.
        let before = central.disk.durable.borrow().clone();
        for again in [own, sari("1F10187326")] {
            let refused = central.omm().await.send(SetSari(again)).await.expect("an OMM");
            assert_eq!(refused, Err(Unchanged::SariSet(own)));
        }
        assert_eq!(*central.disk.durable.borrow(), before);
    });
}

#[test]
fn a_sari_is_told_only_when_the_disk_has_it() {
    story(async {
        let central = Ground::new().await;
        central.waits_for_sari();
        let omm = central.omm().await;
        central.disk.mood.set(Mood::Full);
        let asked = actix::spawn(omm.send(SetSari(sari("1F102A7000"))));
        pass(10 * SECOND).await;
        assert!(!asked.is_finished(), "a full disk has nothing");
        central.disk.mood.set(Mood::Good);
        assert_eq!(asked.await.expect("a task").expect("an OMM"), Ok(()));
    });
}

#[test]
fn a_configured_central_keeps_its_first_sari_for_good() {
    story(async {
        let central = Ground::new().await;
        let derived = central.status().await.sari.expect("that of its PARK");
        pass(SECOND).await;
        // Its PARK is another one in the next life.
        central.derives(sari("1F10187326"));
        central.start_over().await;
        assert_eq!(central.status().await.sari, Some(derived));
        let (_caller, answer) = knock(&central, 1).await;
        assert_eq!(answer.expect("an answer").expect("let in").sari, Some(derived));
        assert_eq!(central.seen(machine::time::Moment::START, "omm alarm text=the SARI is"), 1);
    });
}

#[test]
fn y1_a_remote_learns_the_sari_keeps_it_and_never_generates_one() {
    story(async {
        let origin = Origin::now();
        let central = Ground::with(Role::Central, origin).await;
        let remote = Ground::with(Role::Remote, origin).await;
        remote.dials(Exchange(central.omm().await).start().recipient());
        assert_eq!(::actors::identity::sari(remote.disk.as_ref()), Ok(None));
        let refused = remote.omm().await.send(SetSari(sari("1F10187326"))).await.expect("an OMM");
        assert_eq!(refused, Err(Unchanged::NoCentral));
        pass(5 * SECOND).await;
        let learned = remote.status().await.sari;
        assert_eq!(learned, central.status().await.sari);
        assert!(learned.is_some());
        let stored = ::actors::identity::sari(remote.disk.as_ref()).expect("a store");
        assert_eq!(stored, learned);
        remote.start_over().await;
        assert_eq!(remote.status().await.sari, learned, "also before the link is up");
    });
}

#[test]
fn y3_the_roster_outlives_the_central_and_gives_no_place_away() {
    story(async {
        let central = Ground::new().await;
        for pari in 1..=10 {
            assert_eq!(refusal(knock(&central, pari).await.1), None, "{pari}");
        }
        assert_eq!(refusal(knock(&central, 11).await.1), Some(OpenError::Full));
        central.start_over().await;
        assert_eq!(central.status().await.remotes.len(), 10);
        assert_eq!(refusal(knock(&central, 11).await.1), Some(OpenError::Full));
        let (caller, answer) = knock(&central, 3).await;
        assert_eq!(refusal(answer), None, "it has its place");
        // An administrator gives it to another.
        let expel = |pari| Expel(OmmId::new(pari));
        assert_eq!(central.omm().await.send(expel(3)).await.expect("an OMM"), Ok(()));
        assert_eq!(central.omm().await.send(expel(3)).await.expect("an OMM"), Err(Unchanged::NoSuchRemote));
        pass(SECOND).await;
        assert_eq!(*caller.ear.1.borrow(), 1, "its connection has ended");
        assert_eq!(refusal(knock(&central, 11).await.1), None);
        central.start_over().await;
        let listed: Vec<u32> = central.status().await.remotes.iter().map(|(omm, _, _)| omm.pari).collect();
        assert_eq!(listed, [1, 2, 4, 5, 6, 7, 8, 9, 10, 11]);
    });
}

#[test]
fn a_newcomer_is_let_in_only_when_the_disk_has_it() {
    story(async {
        let central = Ground::new().await;
        central.omm().await;
        pass(SECOND).await;
        central.disk.mood.set(Mood::Full);
        let (caller, answer) = knock(&central, 1).await;
        assert_eq!(answer, None);
        central.disk.mood.set(Mood::Good);
        pass(2 * SECOND).await;
        assert_eq!(refusal(caller.answer().await), None);
    });
}

#[test]
fn who_guesses_passwords_is_put_off_and_the_remotes_are_not() {
    story(async {
        let central = Ground::new().await;
        let omm = central.omm().await;
        for port in 0..6 {
            // Every guess from another port of one address.
            let guesser = Caller::call(&omm, &format!("198.51.100.7:{}", 1000 + port)).await;
            guesser.say(&open(&central, 1, "guess"));
            let refused = refusal(guesser.answer().await).expect("a refusal");
            match port {
                5 => assert!(matches!(refused, OpenError::Delayed(_)), "{refused}"),
                _ => assert_eq!(refused, OpenError::Auth),
            }
        }
        assert_eq!(refusal(knock(&central, 1).await.1), None);
    });
}

#[test]
fn a_newer_connection_of_a_remote_that_was_cut_off_takes_over() {
    story(async {
        let central = Ground::new().await;
        let (older, answer) = knock(&central, 1).await;
        assert_eq!(refusal(answer), None);
        let (newer, answer) = knock(&central, 1).await;
        assert_eq!(refusal(answer), None);
        assert_eq!((*older.ear.1.borrow(), *newer.ear.1.borrow()), (1, 0));
        let live: Vec<bool> = central.status().await.remotes.iter().map(|(_, _, live)| *live).collect();
        assert_eq!(live, [true], "the older one's end is not the newer one's");
    });
}

#[test]
fn a_trial_disturbs_nobody() {
    story(async {
        let central = Ground::new().await;
        let (standing, answer) = knock(&central, 1).await;
        assert_eq!(refusal(answer), None);
        let trial = Caller::call(&central.omm().await, "192.0.2.9:1").await;
        let Frame::Open(asked) = open(&central, 1, "omm") else { panic!("no introduction") };
        trial.say(&Frame::Open(Box::new(Open { purpose: Purpose::Trial, ..*asked })));
        assert_eq!(refusal(trial.answer().await), None);
        assert_eq!((*standing.ear.1.borrow(), *trial.ear.1.borrow()), (0, 1));
        assert_eq!(central.status().await.remotes.len(), 1);
    });
}

#[test]
fn a_detached_remote_stays_detached_until_it_is_attached() {
    story(async {
        let origin = Origin::now();
        let central = Ground::with(Role::Central, origin).await;
        let remote = Ground::with(Role::Remote, origin).await;
        remote.dials(Exchange(central.omm().await).start().recipient());
        remote.omm().await;
        pass(5 * SECOND).await;
        let wish = |attached| SetAttachment(Attachment { attached, adopt: false });
        let learned = remote.status().await.sari;
        for (attached, health) in [(false, Health::Off), (true, Health::InSync)] {
            assert_eq!(remote.omm().await.send(wish(attached)).await.expect("an OMM"), Ok(()));
            for _ in 0..2 {
                remote.start_over().await;
                pass(5 * SECOND).await;
                let status = remote.status().await;
                assert_eq!(status.link.map(|(health, _, _)| health), Some(health), "{}", remote.trace());
                assert_eq!(status.sari, learned, "the SARI stays");
            }
        }
        let refused = central.omm().await.send(wish(false)).await.expect("an OMM");
        assert_eq!(refused, Err(Unchanged::NoRemote));
    });
}

/// How the sync link does, as clients of this OMM are told.
async fn health(ground: &Ground) -> String {
    let glance = Glance { look: Look::Health, sync: false };
    let told = ground.omm().await.send(glance).await.expect("an OMM").expect("a health");
    let health = &told.children[0];
    format!("{} {}", health.get("severity").unwrap_or("?"), health.get("reason").unwrap_or("-"))
}

#[test]
fn clients_are_told_how_the_link_does_at_both_of_its_ends() {
    story(async {
        let origin = Origin::now();
        let central = Ground::with(Role::Central, origin).await;
        assert_eq!(health(&central).await, "Idle -", "there are no remotes");
        let remote = Ground::with(Role::Remote, origin).await;
        remote.dials(Exchange(central.omm().await).start().recipient());
        remote.omm().await;
        pass(5 * SECOND).await;
        assert_eq!((&*health(&central).await, &*health(&remote).await), ("OK -", "OK -"));
        for (apart, expected) in [(true, "Warning Different system times"), (false, "OK -")] {
            for end in [&central, &remote] {
                // The first link that each of them has.
                for link in 0..2 {
                    end.omm().await.do_send(FromLink { link, news: LinkNews::Apart(apart) });
                }
                assert_eq!(health(end).await, expected);
            }
        }
        let wish = SetAttachment(Attachment { attached: false, adopt: false });
        assert_eq!(remote.omm().await.send(wish).await.expect("an OMM"), Ok(()));
        remote.start_over().await;
        pass(5 * SECOND).await;
        let lost = "Warning Cannot connect to external AXI / lost AXI connection";
        assert_eq!((&*health(&central).await, &*health(&remote).await), (lost, "Idle -"));
    });
}

#[test]
fn x1_an_omm_that_starts_over_keeps_every_registration() {
    story(async {
        let site = Ground::new().await;
        for user in ["101", "102"] {
            site.locate(user).await;
        }
        pass(30 * SECOND).await;
        let listed = async |user| site.outside.send(Listed(PBX, user)).await.expect("the outside");
        let before = (listed("101").await, listed("102").await);
        assert_eq!((before.0.len(), before.1.len()), (1, 1));
        let began = site.clock.moment();
        site.start_over().await;
        assert!(site.clock.moment().since(began) <= 5 * SECOND, "AMB-16");
        pass(30 * SECOND).await;
        assert_eq!((listed("101").await, listed("102").await), before, "{}", site.trace());
        let heard = site.outside.send(Since(began)).await.expect("the outside");
        let removals = heard.iter().filter(|heard| heard.text.starts_with("REGISTER"));
        let removals = removals.filter(|heard| heard.text.to_lowercase().contains("expires=0"));
        assert_eq!(removals.count(), 0, "nobody is taken out for it");
        assert_eq!(site.falls().await, 0, "it did not fall");
    });
}
