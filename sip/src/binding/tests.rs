//! A binding and a registrar that answers as the story wants, in virtual time.

use super::*;
use crate::draft::Draft;
use crate::report::{Fault, Removal};
use crate::server::{Listening, Options, Way};
use crate::target::Transport;
use machine::secret::Secret;

mod alarm;
mod answers;
mod auditing;
mod chaos;
mod checking;
mod contact;
mod flow;
mod load;
mod redirect;
mod removing;
mod resting;
mod stories;
mod turns;
mod watching;
mod wild;

/// Our contact in roam epoch `epoch`.
pub(super) fn contact(epoch: u32) -> Arc<str> {
    format!("sip:101@10.0.1.1:5060;hm-site=1;hm-ep={epoch}").into()
}

pub(super) fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

pub(super) fn at(millis: u64) -> Moment {
    Moment::from_millis(millis)
}

/// How the world of a story is made.
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) ports: Vec<u16>,
    pub(super) transport: Transport,
    pub(super) spare: bool,
    /// Nobody prescribed the transport.
    pub(super) free: bool,
    /// It is asked as `sips:`.
    pub(super) secure: bool,
    /// The Route over an outbound proxy.
    pub(super) route: Option<&'static str>,
    pub(super) listening: Listening,
    pub(super) reg_id: Option<u32>,
    pub(super) expires: u64,
    pub(super) seed: u64,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            ports: vec![5060],
            transport: Transport::Udp,
            spare: false,
            free: false,
            secure: false,
            route: None,
            listening: Listening::default(),
            reg_id: None,
            expires: 3600,
            seed: 1,
        }
    }
}

impl Setup {
    pub(super) fn binding(&self) -> Binding {
        let account = Account {
            aor: "sip:101@example.com".into(),
            registrar: "sip:example.com".into(),
            username: "101".into(),
            password: Secret::new("hunter2"),
            expires: seconds(self.expires),
            instance: self.reg_id.map(|_| "urn:uuid:00000000-0000-5000-8000-000000000101".into()),
            reg_id: self.reg_id,
            options: Options::default(),
        };
        let transport = self.transport;
        let target = |port: &u16| Target { transport, addr: ([192, 0, 2, 1], *port).into() };
        let server = Server {
            name: "pbx".into(),
            tier: 0,
            targets: self.ports.iter().map(target).collect(),
            spare: self.spare,
            way: Way {
                free: self.free,
                secure: self.secure,
                route: self.route.map(Arc::from),
                ..Way::default()
            },
        };
        let local = Local {
            sent_by: "10.0.1.1:5060".into(),
            host: "10.0.1.1".into(),
            agent: "homing".into(),
            overload: true,
            listening: self.listening,
        };
        let chance = Chance::of(self.seed, "binding/101@pbx");
        let timing = Arc::new(Timing::default());
        Binding::new(Arc::new(account), Arc::new(server), Arc::new(local), timing, chance)
    }

    pub(super) fn story(&self) -> Story {
        Story {
            binding: self.binding(),
            now: at(0),
            sent: Vec::new(),
            targets: Vec::new(),
            passed: Vec::new(),
            alarms: Vec::new(),
        }
    }
}

pub(super) struct Story {
    pub(super) binding: Binding,
    pub(super) now: Moment,
    /// Every first copy of a REGISTER so far.
    pub(super) sent: Vec<Message>,
    pub(super) targets: Vec<Target>,
    /// Which ports have failed it so far, and how.
    pub(super) passed: Vec<(u16, Fault)>,
    pub(super) alarms: Vec<String>,
}

impl Story {
    pub(super) fn new() -> Story {
        Setup::default().story()
    }

    /// A story whose user is registered since the moment 0 with epoch 1.
    pub(super) fn registered() -> Story {
        let mut story = Story::new();
        story.tell(register(1));
        story.ok();
        assert_eq!(story.binding.state(), State::Registered);
        story
    }

    pub(super) fn give(&mut self, input: Input) -> Vec<String> {
        let mut out = Vec::new();
        self.binding.on(self.now, input, &mut out);
        self.show(out)
    }

    pub(super) fn tell(&mut self, order: Order) -> Vec<String> {
        self.give(Input::Order(order))
    }

    #[track_caller]
    pub(super) fn check(&mut self, order: Order, expected: &[&str]) {
        let told = format!("{order:?}");
        assert_eq!(self.tell(order), expected, "{told}");
    }

    /// Runs every deadline up to `millis`.
    pub(super) fn run(&mut self, millis: u64) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some((due, why)) = self.binding.deadline().filter(|(due, _)| *due <= at(millis)) {
            assert!(due >= self.now, "{why} is due in the past");
            self.now = due;
            let mut out = Vec::new();
            self.binding.wake(due, &mut out);
            lines.extend(self.show(out));
            let next = self.binding.deadline();
            assert!(next.is_none_or(|(next, _)| next > due), "{why} is due again at once: {next:?}");
        }
        self.now = at(millis);
        lines
    }

    /// Runs to the next deadline.
    pub(super) fn next(&mut self) -> Vec<String> {
        let (due, _) = self.binding.deadline().expect("a deadline");
        self.run(due.as_millis())
    }

    #[track_caller]
    pub(super) fn check_deadlines_without(&self, name: &str) {
        assert!(self.binding.deadline().is_none_or(|(_, why)| why != name), "{name} is still due");
    }

    pub(super) fn last(&self) -> &Message {
        self.sent.last().expect("something was sent")
    }

    /// An answer to the `index`-th REGISTER.
    pub(super) fn reply(&self, index: usize, code: u16, lines: &[(&str, &str)]) -> Message {
        let draft = Draft::response(&self.sent[index], code, "x").tag("registrar");
        let draft = lines.iter().fold(draft, |draft, (name, value)| draft.line(name, value));
        Message::parse(draft.finish()).expect("a response")
    }

    /// Answers the last REGISTER.
    pub(super) fn answer(&mut self, code: u16, lines: &[(&str, &str)]) -> Vec<String> {
        let reply = self.reply(self.sent.len() - 1, code, lines);
        self.give(Input::Answer(reply))
    }

    /// A 200 that lists every contact of the `index`-th REGISTER which was not to be removed.
    pub(super) fn agree(&self, index: usize) -> Message {
        let contacts = self.sent[index].contacts().expect("contacts");
        let live = contacts.list().iter().filter(|contact| contact.expires() != Some(0));
        let lines: Vec<String> = live
            .map(|contact| format!("<{}>;expires={}", contact.addr.address, contact.expires().unwrap_or(1)))
            .collect();
        let lines: Vec<(&str, &str)> = lines.iter().map(|line| ("Contact", line.as_str())).collect();
        self.reply(index, 200, &lines)
    }

    pub(super) fn ok(&mut self) -> Vec<String> {
        let reply = self.agree(self.sent.len() - 1);
        self.give(Input::Answer(reply))
    }

    fn show(&mut self, effects: Vec<Effect>) -> Vec<String> {
        let shown: Vec<Option<String>> = effects.into_iter().map(|effect| self.line(effect)).collect();
        shown.into_iter().flatten().collect()
    }

    fn line(&mut self, effect: Effect) -> Option<String> {
        Some(match effect {
            Effect::Send { to, bytes, first, register } => {
                let message = Message::parse(bytes).expect("a request");
                assert_eq!(message.call_id(), Ok(&**self.binding.call_id()));
                assert_eq!((&*register.server, register.tier), ("pbx", 0));
                let port = to.addr.port();
                if !first {
                    assert_eq!(Some(&message), self.sent.last(), "a copy differs");
                    return Some(format!("{} again >{port}", self.now.as_millis()));
                }
                let text = format!(
                    "{} {} >{port}{}",
                    self.now.as_millis(),
                    register.kind.word(),
                    contacts_of(&message)
                );
                self.sent.push(message);
                self.targets.push(to);
                text
            }
            Effect::Answered { .. }
            | Effect::Silence(_)
            | Effect::Dialog { .. }
            | Effect::Evidence(Evidence::Settled(_)) => {
                return None;
            }
            Effect::Unlisted => "unlisted".to_owned(),
            Effect::Evidence(Evidence::Passed(at, fault)) => {
                self.passed.push((at.addr.port(), fault));
                return None;
            }
            Effect::Seek(place) => format!("{} seek {place}", self.now.as_millis()),
            Effect::Alarm(text) => {
                self.alarms.push(text);
                return None;
            }
            Effect::Check => format!("{} check", self.now.as_millis()),
            Effect::Named { to, domain } => format!("{to} is {domain}"),
            Effect::Subscribe { bytes, first, .. } => {
                if first {
                    self.sent.push(Message::parse(bytes).expect("a request"));
                }
                let word = if first { "subscribe" } else { "subscribe again" };
                format!("{} {word}", self.now.as_millis())
            }
            Effect::Report(Report::Registered { granted, .. }) => format!("bound {}", granted.as_secs()),
            Effect::Report(Report::Listed(listed)) => format!("listed {}", listed.len()),
            Effect::Report(Report::Failed(failure)) => format!("unbound {failure}"),
            Effect::Report(Report::Removed(removal)) => format!("removed {removal}"),
            Effect::Report(Report::Granted(grant)) => match grant {
                Some(grant) => format!("granted {}", grant.service_route.join(",")),
                None => "granted nothing".to_owned(),
            },
            Effect::Report(Report::Done) => "done".to_owned(),
            Effect::Evidence(Evidence::Audited(what)) => format!("{what:?}").to_lowercase(),
            Effect::Evidence(evidence) => format!("{evidence:?}").to_lowercase(),
            Effect::Shape(wish) => format!("{wish:?}").to_lowercase(),
        })
    }
}

/// `+1:3600 -0`: stores epoch 1 for an hour, removes epoch 0.
fn contacts_of(message: &Message) -> String {
    let contacts = message.contacts().expect("contacts");
    assert!(!matches!(contacts, crate::contact::Contacts::Star), "I9");
    let show = |contact: &crate::contact::Contact<'_>| {
        let uri = contact.uri().expect("a URI");
        let epoch = uri.param("hm-ep").unwrap_or("?").to_owned();
        match contact.expires() {
            Some(0) => format!(" -{epoch}"),
            Some(expires) => format!(" +{epoch}:{expires}"),
            None => format!(" ={epoch}"),
        }
    };
    contacts.list().iter().map(show).collect()
}

pub(super) fn register(epoch: u32) -> Order {
    Order::Register { contact: contact(epoch) }
}

/// A challenge of the registrar.
pub(super) fn challenge(nonce: &str, more: &str) -> [(&'static str, String); 1] {
    [(
        "WWW-Authenticate",
        format!("Digest realm=\"pbx\", nonce=\"{nonce}\", qop=\"auth\", algorithm=MD5{more}"),
    )]
}

impl Story {
    pub(super) fn challenged(&mut self, nonce: &str, more: &str) -> Vec<String> {
        let [(name, value)] = challenge(nonce, more);
        self.answer(401, &[(name, &value)])
    }
}

/// Settled bindings are counted in tens of thousands: about a kilobyte each, everything counted.
#[test]
fn a_settled_binding_is_small() {
    assert!(size_of::<Binding>() <= 512, "{}", size_of::<Binding>());
    let mut story = Story::new();
    story.tell(register(1));
    story.challenged("0123456789abcdef0123456789abcdef", "");
    story.ok();
    assert!(story.binding.flight.is_none() && story.binding.orphans.is_empty());
    assert!(story.binding.timers.next().is_some());
}

#[test]
fn the_trace_tells_what_was_registered_and_answered() {
    let mut story = Story::new();
    let mut out = Vec::new();
    story.binding.on(at(0), Input::Order(register(1)), &mut out);
    let notes: Vec<String> =
        out.iter().filter_map(Binding::note_effect).map(|note| note.to_string()).collect();
    let uri = contact(1);
    assert_eq!(notes, [format!("register server=pbx tier=0 kind=initial contact={uri} expires=3600")]);
    story.show(out);
    for (effect, expected) in [
        (Effect::Answered { code: 401 }, Some("answer code=401")),
        (Effect::Report(Report::Failed(crate::report::Failure::Silent)), Some("unbound reason=silent")),
        (Effect::Report(Report::Removed(Removal::Failed(403))), Some("removed outcome=failed 403")),
    ] {
        assert_eq!(Binding::note_effect(&effect).map(|note| note.to_string()).as_deref(), expected);
    }
    let mut out = Vec::new();
    story.binding.wake(at(500), &mut out);
    assert!(out.iter().all(|effect| Binding::note_effect(effect).is_none()), "copies are no news");
}
