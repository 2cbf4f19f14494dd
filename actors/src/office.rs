//! What the AXI sessions of one OMM share: runs [`axi::office`], hires the sessions and brings them their answers.

use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use axi::account::{Account, Accounts};
use axi::desk::{Answer, Ask, Welcome};
use axi::error::{ErrCode, Refused};
use axi::news::News;
use axi::office::{DeskId, Effect, Input, Office};
use axi::reply::Reply;
use axi::request::{Change, Look};
use axi::strangers::Strangers;
use axi::system::{self, Known, UserDataServer};
use omm::platform::Platform;

use crate::desk::{DeskActor, DeskWays, DeskWord, FromDesk, ToDesk};
use crate::doors::{Accept, Hash, TellKey, Unseal, Verify, Visit, Wire};
use crate::epr::Import;
use crate::keeper::{Keep, Kept};
use crate::messages::{Die, Fallen};
use crate::seat::{Flow, Seat, Seated};
use crate::settings::{self, Remembered};
use crate::site::Site;
use crate::store::Write;

/// What an OMM needs to receive AXI clients.
#[derive(Clone)]
pub struct Reception {
    /// Who may log in.
    pub accounts: Accounts,
    /// The product and its version, for people.
    pub product: String,
    /// What the OMM runs on.
    pub platform: Platform,
    /// Where external users come from.
    pub external: Option<UserDataServer>,
    /// Who opens secrets.
    pub vault: Recipient<Unseal>,
    /// Who tells the public key.
    pub key: Recipient<TellKey>,
    /// Who hashes new passwords.
    pub hash: Recipient<Hash>,
    /// Who compares passwords with hashes.
    pub verify: Recipient<Verify>,
}

/// Looks at what the OMM knows.
#[derive(Message)]
#[rtype(result = "Result<Reply, Refused>")]
pub struct Glance {
    /// At what.
    pub look: Look,
    /// In the eyes of a session with `UserDeviceSyncClient`.
    pub sync: bool,
}

/// Changes users and handsets. Answered when that is durable, with the user and the handset; 0 for none.
#[derive(Message)]
#[rtype(result = "Result<(u32, u32), Refused>")]
pub struct Amend(pub Box<Change>);

/// What sessions may hear of.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Happened(pub Vec<News>);

/// Somebody did not behave; the OMM counts it.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub enum Misbehaved {
    /// A message could not be understood.
    Misread,
    /// What came had no place.
    Astray,
    /// What came was no message.
    Broken,
    /// A login was refused.
    Refused,
    /// A login was refused without a look at its password, because its address had failed too often.
    TurnedAway,
    /// A connection was hung up on because there were too many.
    Unwanted,
}

/// Where an office turns to: its OMM, mostly.
pub struct OfficeWays {
    /// Who knows.
    pub glance: Recipient<Glance>,
    /// Who changes.
    pub amend: Recipient<Amend>,
    /// Who reads files of external users.
    pub import: Recipient<Import>,
    /// Who hires links for other OMMs.
    pub links: Recipient<Accept>,
    /// Who counts what strangers do.
    pub misbehaved: Recipient<Misbehaved>,
    /// The store.
    pub keeper: Recipient<Keep>,
    /// Who hires another one when this one falls over.
    pub fallen: Recipient<Fallen<OfficeFell>>,
}

/// Says that it was the office that fell over.
#[derive(Clone, Copy, Debug)]
pub struct OfficeFell;

/// The office of one OMM.
pub struct OfficeActor {
    seat: Seat<Office>,
    site: Rc<Site>,
    reception: Reception,
    ways: OfficeWays,
    desks: BTreeMap<DeskId, Addr<DeskActor>>,
    /// Where they come from.
    addresses: BTreeMap<DeskId, Arc<str>>,
    /// Those on whose connection nobody has logged in yet.
    strangers: Strangers,
    next: DeskId,
}

impl OfficeActor {
    /// Hires an office that remembers these settings.
    pub fn new(site: Rc<Site>, reception: Reception, kept: Remembered, ways: OfficeWays) -> OfficeActor {
        let Remembered { settings, accounts } = kept;
        let machine = Office::new(reception.accounts.clone().with(accounts), settings);
        let seat = Seat::new(machine, "axi", site.clock.clone(), site.trace.clone());
        let (desks, addresses, strangers) = (BTreeMap::new(), BTreeMap::new(), Strangers::default());
        OfficeActor { seat, site, reception, ways, desks, addresses, strangers, next: 1 }
    }

    fn answer(&self, desk: DeskId, answer: Answer) {
        if let Some(desk) = self.desks.get(&desk) {
            desk.do_send(ToDesk::Answered(answer));
        }
    }

    /// Answers as soon as somebody else has.
    fn answer_later(
        &self,
        desk: DeskId,
        answer: impl Future<Output = Option<Answer>> + 'static,
        ctx: &mut Context<Self>,
    ) {
        ctx.spawn(answer.into_actor(self).map(move |answer, office, _| {
            office.answer(desk, answer.unwrap_or_else(|| refused(Refused::new(ErrCode::Failed))));
        }));
    }

    fn asked(&mut self, desk: DeskId, ask: Ask, ctx: &mut Context<Self>) {
        match ask {
            Ask::Login(open) => {
                let Some(address) = self.addresses.get(&desk).cloned() else { return };
                let (username, password) = (open.username, open.password);
                self.feed(Input::Login { desk, address, username, password }, ctx);
            }
            Ask::Set(setting) => self.feed(Input::Set { desk, setting }, ctx),
            Ask::Unseal(texts) => {
                let texts = self.reception.vault.send(Unseal(texts));
                self.answer_later(desk, async move { texts.await.ok().map(Answer::Unsealed) }, ctx);
            }
            Ask::Look { look, sync } => {
                let known = Known {
                    name: &self.site.node,
                    domain: &self.site.domain,
                    login: self.site.login,
                    external: self.reception.external.as_ref(),
                    office: self.seat.machine(),
                };
                match system::look(&look, known) {
                    Some(found) => self.answer(desk, found.map_or_else(refused, Answer::Found)),
                    None => {
                        let found = self.ways.glance.send(Glance { look, sync });
                        let answer =
                            async move { Some(found.await.ok()?.map_or_else(refused, Answer::Found)) };
                        self.answer_later(desk, answer, ctx);
                    }
                }
            }
            Ask::Account(change) => self.feed(Input::Edit { desk, change }, ctx),
            Ask::Import(user) => {
                let begun = self.ways.import.send(Import(user));
                let answer = async move {
                    let info = Some("this OMM has no external users; write [epr]".to_owned());
                    let none = Refused { info, ..Refused::new(ErrCode::NoEnt) };
                    Some(if begun.await.ok()? { Answer::Set } else { refused(none) })
                };
                self.answer_later(desk, answer, ctx);
            }
            Ask::Change(change) => {
                let done = self.ways.amend.send(Amend(change));
                let changed = |(uid, ppn)| Answer::Changed { uid, ppn };
                let answer = async move { Some(done.await.ok()?.map_or_else(refused, changed)) };
                self.answer_later(desk, answer, ctx);
            }
        }
    }

    /// Lets a session in, with the key for its secrets.
    fn admit(&mut self, desk: DeskId, account: Account, ctx: &mut Context<Self>) {
        self.strangers.left(desk);
        let (key, sari) = (
            self.reception.key.send(TellKey),
            self.ways.glance.send(Glance { look: Look::Sari, sync: false }),
        );
        let (product, platform) = (self.reception.product.clone(), self.reception.platform);
        let uptime = self.site.clock.moment().as_millis() / 1000;
        let answer = async move {
            let key = key.await.ok().flatten()?;
            let sari = sari.await.ok()?.ok()?.attributes.into_iter().next().map(|(_, sari)| sari);
            let about = system::about(&product, platform, sari.as_deref(), uptime);
            Some(Answer::Welcome(Box::new(Welcome { account, key, about, platform })))
        };
        self.answer_later(desk, answer, ctx);
    }

    fn keep(&self, write: Write, ctx: &mut Context<Self>) -> Flow {
        self.ways.keeper.do_send(Keep { writes: vec![write], reply: ctx.address().recipient() });
        Flow::Hold
    }

    fn tell_account(&self, id: u32, change: Option<Account>) {
        self.tell_all(&Arc::new(News::Account { id, change }));
        let summary = system::account_summary(self.seat.machine().accounts());
        self.tell_all(&Arc::new(News::AccountSummary(summary)));
    }

    fn tell_all(&self, news: &Arc<News>) {
        for (_, desk) in self.desks.iter().filter(|(desk, _)| !self.strangers.contains(**desk)) {
            desk.do_send(ToDesk::Happened(news.clone()));
        }
    }
}

fn refused(why: Refused) -> Answer {
    Answer::Refused(why, Duration::ZERO)
}

/// The address without the port, which is another one for each connection.
fn address(peer: &str) -> Arc<str> {
    peer.parse::<std::net::SocketAddr>().map_or_else(|_| peer.into(), |peer| peer.ip().to_string().into())
}

impl Actor for OfficeActor {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Context<Self>) {
        for desk in self.desks.values() {
            desk.do_send(Die);
        }
        if std::thread::panicking() {
            self.ways.fallen.do_send(Fallen(OfficeFell));
        }
    }
}

impl Seated<Office> for OfficeActor {
    fn seat(&mut self) -> &mut Seat<Office> {
        &mut self.seat
    }

    fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) -> Flow {
        match effect {
            Effect::Admit { desk, account } => self.admit(desk, *account, ctx),
            Effect::Deny { desk, why, wait } => {
                // Only who has failed too often waits for it.
                let looked = wait.is_zero();
                self.ways.misbehaved.do_send(if looked {
                    Misbehaved::Refused
                } else {
                    Misbehaved::TurnedAway
                });
                self.answer(desk, Answer::Refused(why, wait));
            }
            Effect::Done(desk) => self.answer(desk, Answer::Set),
            Effect::Announce(mode) => self.tell_all(&Arc::new(News::Mode(mode))),
            Effect::Verify { password, hash } => {
                let compared = self.reception.verify.send(Verify { password, hash });
                ctx.spawn(compared.into_actor(self).map(|right, office, ctx| {
                    office.feed(Input::Verified(right.unwrap_or_default()), ctx);
                }));
            }
            Effect::Hash { desk, password } => {
                let hashed = self.reception.hash.send(Hash(password));
                ctx.spawn(hashed.into_actor(self).map(move |hash, office, ctx| {
                    office.feed(Input::Hashed { desk, hash: hash.ok().flatten() }, ctx);
                }));
            }
            Effect::Edited { desk, id } => self.answer(desk, Answer::Account(id)),
            Effect::Refuse { desk, why } => self.answer(desk, refused(why)),
            Effect::AccountIs(account) => self.tell_account(account.id, Some(*account)),
            Effect::AccountGone(id) => self.tell_account(id, None),
            Effect::AuthCodeIs(code) => self.tell_all(&Arc::new(News::AuthCode(code))),
            Effect::Save(settings) => return self.keep(settings::write(&settings), ctx),
            Effect::Keep(account) => return self.keep(settings::write_account(&account), ctx),
            Effect::Forget(id) => return self.keep(settings::forget_account(id), ctx),
        }
        Flow::Go
    }
}

impl Handler<Visit> for OfficeActor {
    type Result = Option<Recipient<Wire>>;

    fn handle(&mut self, Visit { peer, line }: Visit, ctx: &mut Context<Self>) -> Self::Result {
        let desk = self.next;
        self.next += 1;
        let address = address(&peer);
        if let Some(goes) = self.strangers.came(desk, address.clone())
            && let Some(goes) = self.desks.get(&goes)
        {
            goes.do_send(Die);
            self.ways.misbehaved.do_send(Misbehaved::Unwanted);
        }
        self.addresses.insert(desk, address);
        let ways = DeskWays { desk, office: ctx.address().recipient(), links: self.ways.links.clone() };
        let actor = DeskActor::new(&self.site, peer, line, ways).start();
        self.desks.insert(desk, actor.clone());
        Some(actor.recipient())
    }
}

impl Handler<FromDesk> for OfficeActor {
    type Result = ();

    fn handle(&mut self, FromDesk { desk, word }: FromDesk, ctx: &mut Context<Self>) {
        match word {
            DeskWord::Asks(ask) => self.asked(desk, ask, ctx),
            DeskWord::Misread => self.ways.misbehaved.do_send(Misbehaved::Misread),
            DeskWord::Astray => self.ways.misbehaved.do_send(Misbehaved::Astray),
            DeskWord::Broken(why) => {
                self.ways.misbehaved.do_send(Misbehaved::Broken);
                let note = machine::note::Note::new("broken").number("desk", desk).text("why", why);
                self.site.trace.tell(self.site.clock.moment(), "axi", &note);
            }
            DeskWord::Ended => {
                self.desks.remove(&desk);
                self.addresses.remove(&desk);
                self.strangers.left(desk);
                self.feed(Input::Left(desk), ctx);
            }
        }
    }
}

impl Handler<Happened> for OfficeActor {
    type Result = ();

    fn handle(&mut self, Happened(news): Happened, _: &mut Context<Self>) {
        for news in news {
            self.tell_all(&Arc::new(news));
        }
    }
}

impl Handler<Kept> for OfficeActor {
    type Result = ();

    fn handle(&mut self, _: Kept, ctx: &mut Context<Self>) {
        self.release(ctx);
    }
}

impl Handler<Die> for OfficeActor {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
