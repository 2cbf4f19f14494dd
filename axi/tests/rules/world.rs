//! A server without sockets: what the actors do with a session, an office and a directory, in a few lines.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axi::account::{self, Account, Accounts, Proof, implied};
use axi::desk::{self, Answer, Ask, Desk, Welcome};
use axi::edits::{Here, edits};
use axi::element::Element;
use axi::error::{ErrCode, Refused};
use axi::health::{Condition, Files, Wellbeing};
use axi::look::{self, Registered, View};
use axi::news::News;
use axi::office::{self, Office, Settings};
use axi::open::{Permission, PublicKey};
use axi::portal::{Place, Server, Shaping, SiteFile, Transport, agree, sync_link};
use axi::reply::Reply;
use axi::request::Look;
use axi::request::orders::Order;
use axi::showing;
use axi::system::{self, Known, UserDataServer};
use axi::transaction::{Last, Transaction};
use machine::secret::Secret;
use machine::step::Machine;
use machine::time::{Moment, Wall};
use omm::claim::{Claim, Phase};
use omm::directory::Directory;
use omm::directory::login::Variant;
use omm::ids::{Ipei, Number};
use omm::link::dial::Health;
use omm::platform::Platform;
use omm::stamp::{OmmId, Stamp};
use omm::star::Role;

/// This OMM.
const HERE: OmmId = OmmId::new(0x102A_7C82);
/// The one session.
const DESK: u64 = 1;

/// What kind of session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// An application.
    Plain,
    /// With `UserDeviceSyncClient`.
    Sync,
}

impl Mode {
    pub(crate) const ALL: [Mode; 2] = [Mode::Plain, Mode::Sync];
}

/// A server, and one client of it.
pub(crate) struct World {
    desk: Desk,
    office: Office,
    directory: Directory,
    stamps: u64,
    roam: Option<Claim>,
    news: VecDeque<News>,
}

impl World {
    /// Nobody has logged in yet, and there is nothing.
    pub(crate) fn stranger() -> World {
        let permissions = implied([Permission::AllCnfWrite, Permission::Monitoring]);
        let (username, password) = ("omm".to_owned(), Proof::Clear(Secret::new("geheim")));
        let omm = Account { id: account::OMM, username, password, permissions, active: true };
        let mut world = World {
            desk: Desk::new(Duration::from_secs(5)),
            office: Office::new(Accounts::of([omm]), Settings::default()),
            directory: Directory::new(Platform::Pc),
            stamps: 0,
            roam: None,
            news: VecDeque::new(),
        };
        world.feed(desk::Input::Accepted);
        world
    }

    /// Somebody who may do everything has logged in, and there is nothing.
    pub(crate) fn empty(mode: Mode) -> World {
        let mut world = World::stranger();
        let sync = if mode == Mode::Sync { " UserDeviceSyncClient=\"true\"" } else { "" };
        let told = world.say(&format!("<Open username=\"omm\" password=\"geheim\"{sync}/>"));
        assert!(told[0].starts_with("<OpenResp"), "{told:?}");
        world
    }

    /// The same with users and handsets, free and together, a profile and an account.
    pub(crate) fn filled(mode: Mode) -> World {
        let mut world = World::empty(Mode::Sync);
        for xml in [
            "<CreatePPUser plainText=\"1\"><user num=\"101\" name=\"Ada\" sipPw=\"geheim\" pin=\"1234\"/></CreatePPUser>",
            "<CreatePPUser><user num=\"102\" forwardState=\"All\" forwardDest=\"103\" vip=\"1\" monitoringMode=\"Active\"/></CreatePPUser>",
            "<CreatePPDev><pp ipei=\"03074 0220259 3\" s=\"Yes\" uak=\"00112233445566778899AABBCCDDEEFF\" hwType=\"622d\"/></CreatePPDev>",
            "<CreatePPDev><pp ipei=\"02914 0376663 7\" encrypt=\"1\" ac=\"1234\"/></CreatePPDev>",
            "<CreateFixedPP><user num=\"103\"/><pp ipei=\"01032 0345625 0\"/></CreateFixedPP>",
            "<SetPP><user uid=\"1\" ppn=\"1\" relType=\"Dynamic\"/><pp ppn=\"1\" uid=\"1\" relType=\"Dynamic\"/></SetPP>",
            "<SetPpProfile><ppProfile id=\"3\" name=\"Ward\" ppData=\"UD_DispFont=2\"/></SetPpProfile>",
            "<CreateAccount plainText=\"1\"><account username=\"exporter\" password=\"geheim geheim\" permission=\"Monitoring\"/></CreateAccount>",
        ] {
            let told = world.say(xml);
            assert!(!told[0].contains("errCode"), "{xml}: {told:?}");
        }
        let other = World::empty(mode);
        World { desk: other.desk, roam: Some(settled()), ..world }
    }

    /// What the client hears when it says this, in order, as it goes over the wire.
    pub(crate) fn say(&mut self, xml: &str) -> Vec<String> {
        let element = Box::new(Element::read(xml.as_bytes()).expect("an element").into_owned());
        let wall = Wall::from_millis(1_795_299_552_000);
        self.feed(desk::Input::Received { element, length: xml.len(), wall })
    }

    /// What it hears when this happens.
    pub(crate) fn happened(&mut self, news: News) -> Vec<String> {
        self.feed(desk::Input::Happened(Arc::new(news)))
    }

    fn feed(&mut self, input: desk::Input) -> Vec<String> {
        let (mut told, mut inputs) = (Vec::new(), VecDeque::from([input]));
        while let Some(input) = inputs.pop_front() {
            let mut out = Vec::new();
            self.desk.on(Moment::from_millis(1000), input, &mut out);
            for effect in out {
                match effect {
                    desk::Effect::Send(element) => told.push(element.to_string()),
                    desk::Effect::Ask(ask) => inputs.push_back(desk::Input::Answered(self.answer(ask))),
                    desk::Effect::Misread | desk::Effect::Astray | desk::Effect::Sibling => {}
                    desk::Effect::Close(why) => panic!("the session is closed: {why}"),
                }
            }
            if inputs.is_empty() {
                inputs.extend(self.news.drain(..).map(|news| desk::Input::Happened(Arc::new(news))));
            }
        }
        told
    }

    fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Login(open) => self.office(office::Input::Login {
                desk: DESK,
                address: "192.0.2.7".into(),
                username: open.username,
                password: open.password,
            }),
            // What is encrypted here begins with a star.
            Ask::Unseal(texts) => {
                let clear = |text: String| text.strip_prefix('*').map(Secret::new);
                Answer::Unsealed(texts.into_iter().map(clear).collect())
            }
            Ask::Look { look, sync } => self.look(&look, sync).map_or_else(refused, Answer::Found),
            Ask::Set(setting) => self.office(office::Input::Set { desk: DESK, setting }),
            Ask::Account(change) => self.office(office::Input::Edit { desk: DESK, change }),
            Ask::Import(_) => Answer::Set,
            Ask::Order(Order::Sari(sari)) => Answer::Found(system::sari(Some(sari))),
            Ask::Order(Order::Sync { enable, stated }) => match agree(&link(enable), &stated, "the file") {
                Ok(()) => Answer::Found(link(enable)),
                Err(why) => refused(why),
            },
            Ask::Change(change) => {
                let (mut uid, mut ppn) = (0, 0);
                let edits = match edits(&change, &self.directory, Here { omm: HERE, role: Role::Remote }) {
                    Ok(edits) => edits,
                    Err(why) => return refused(why),
                };
                for edit in edits {
                    self.stamps += 1;
                    let stamp = Stamp { ms: (1_520_386_972 + self.stamps) * 1000, ctr: 0, omm: HERE };
                    match self.directory.edit(stamp, edit) {
                        Ok(done) => {
                            uid = done.uid.map_or(uid, |done| done.get());
                            ppn = done.ppn.map_or(ppn, |done| done.get());
                            let news =
                                showing::news(&done.changed, &self.directory, &|user| self.claim(user));
                            self.news.extend(news);
                        }
                        Err(refusal) => return refused(Refused::from(&refusal)),
                    }
                }
                self.count();
                Answer::Changed { uid, ppn }
            }
        }
    }

    fn count(&mut self) {
        let users = self.view(look::user_summary);
        self.news.push_back(News::UserSummary(users));
        self.news.push_back(News::DeviceSummary(look::device_summary(&self.directory)));
    }

    fn view<T>(&self, see: impl FnOnce(&View<'_>) -> T) -> T {
        let server = Registered { tier: 1, host: "192.0.2.9".to_owned(), port: 5060 };
        let registered = |user: &Number| (user.as_str() == "101").then(|| server.clone());
        let last = Last { what: Transaction::LocReg, ago: Duration::from_secs(7) };
        let acted = |ipei: Ipei| (ipei.to_string() == "03074 0220259 3").then_some(last);
        see(&View {
            directory: &self.directory,
            roam: &|user| self.claim(user),
            registered: &registered,
            acted: &acted,
        })
    }

    fn claim(&self, user: &Number) -> Option<Claim> {
        self.roam.clone().filter(|claim| claim.user == *user)
    }

    fn look(&self, look: &Look, sync: bool) -> Result<Reply, Refused> {
        let external = UserDataServer {
            enabled: true,
            protocol: "HTTPS",
            host: "prov.example".to_owned(),
            path: "/users".to_owned(),
            username: String::new(),
            common: true,
        };
        let known = Known {
            name: "aachen",
            domain: "example.com",
            login: Variant::default(),
            external: Some(&external),
            file: &file(),
            office: &self.office,
        };
        match look {
            Look::Sari => Ok(system::sari(None)),
            Look::BasicSip => Ok(file().basic(Number::new("101").ok().as_ref())),
            Look::SyncLink => Ok(link(true)),
            Look::Health => {
                let (link, files) = (Condition::of_link(Health::InSync, false), Files::default());
                Ok(Wellbeing { link, files }.reply())
            }
            look => match system::look(look, known) {
                Some(found) => found,
                None => self.view(|view| look::look(look, sync, view)).expect("somebody knows"),
            },
        }
    }

    /// Tells the office, and what it answers to the session.
    fn office(&mut self, input: office::Input) -> Answer {
        let mut answer = None;
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut out = Vec::new();
            self.office.on(Moment::from_millis(1000), input, &mut out);
            for effect in out {
                match effect {
                    office::Effect::Admit { account, .. } => answer = Some(welcome(*account)),
                    office::Effect::Deny { why, wait, .. } => answer = Some(Answer::Refused(why, wait)),
                    office::Effect::Refuse { why, .. } => answer = Some(refused(why)),
                    office::Effect::Edited { id, .. } => answer = Some(Answer::Account(id)),
                    office::Effect::Done(_) => answer = Some(Answer::Set),
                    office::Effect::Verify { password, hash } => {
                        inputs.push_back(office::Input::Verified(hashed(&password) == hash));
                    }
                    office::Effect::Hash { desk, password } => {
                        inputs.push_back(office::Input::Hashed { desk, hash: Some(hashed(&password)) });
                    }
                    office::Effect::Announce(mode) => self.news.push_back(News::Mode(mode)),
                    office::Effect::AuthCodeIs(code) => self.news.push_back(News::AuthCode(code)),
                    office::Effect::AccountIs(account) => self.tell(account.id, Some(*account)),
                    office::Effect::AccountGone(id) => self.tell(id, None),
                    office::Effect::Keep(_) | office::Effect::Forget(_) | office::Effect::Save(_) => {}
                }
            }
        }
        answer.unwrap_or_else(|| refused(Refused::new(ErrCode::Failed)))
    }

    fn tell(&mut self, id: u32, change: Option<Account>) {
        // An account that the session is logged in with is changed, so that it hears what it may do.
        if let Some(changed) = &change {
            let own = Account {
                id: account::OMM,
                permissions: implied([Permission::AllCnfWrite, Permission::Monitoring]),
                ..changed.clone()
            };
            self.news
                .push_back(News::Account { id: account::OMM, change: Some(Account { active: true, ..own }) });
        }
        self.news.push_back(News::Account { id, change });
        self.news.push_back(News::AccountSummary(system::account_summary(self.office.accounts())));
    }
}

/// The first user's handset is here, and everybody knows.
fn settled() -> Claim {
    Claim {
        user: Number::new("101").expect("a number"),
        device: "03074 0220259 3".parse().expect("an IPEI"),
        epoch: Stamp { ms: 1_510_486_477_000, ctr: 0, omm: HERE },
        owner: HERE,
        former: None,
        phase: Phase::Here,
        age: Duration::from_secs(60),
    }
}

/// A remote's way to its central.
fn link(enabled: bool) -> Reply {
    sync_link(enabled, &["central.example:12622"], Some("sync"))
}

fn file() -> SiteFile {
    let place = |host: &str, port| Place { host: host.to_owned(), port };
    let server = Server {
        proxy: place("pbx.example", 0),
        registrar: Some(place("reg.example", 5060)),
        outbound: Some(place("sbc.example", 5070)),
        transport: Transport::Tls,
    };
    SiteFile {
        park: "1F102F0E86".parse().expect("a PARK"),
        servers: vec![server.clone(), server.clone(), server],
        period: 3600,
        gruu: true,
        shaping: Shaping { most: 128, spacing: 0 },
    }
}

fn hashed(password: &Secret) -> Secret {
    Secret::new(format!("#{}", password.reveal()))
}

fn welcome(account: Account) -> Answer {
    let key = PublicKey { modulus: "C021".to_owned(), exponent: "010001".to_owned() };
    let about = system::about("homing", Platform::Pc, Some("1F10187326"), 7);
    Answer::Welcome(Box::new(Welcome { account, key, about, platform: Platform::Pc }))
}

fn refused(why: Refused) -> Answer {
    Answer::Refused(why, Duration::ZERO)
}
