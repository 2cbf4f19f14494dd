//! How one request is answered: at once, or by asking, in up to three steps.
//!
//! ```text
//! SetPPUser sipPw=CIPHER -- Unseal --> clear text -- Change --> done -- Look --> the complete record -> response
//! GetPPUser              -- Look --> records -> response
//! ```

use super::*;
use crate::account::implied;
use crate::record::Record;
use crate::request::accounts::Deed;
use crate::request::{Page, Relation, UserKey};

/// What an account has to be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Nothing, not even to be logged in.
    Nothing,
    /// To be logged in.
    Login,
    /// This.
    Permission(Permission),
}

fn need(body: &Body) -> Need {
    match body {
        // Ping tells no more than the time, and one client family asks for the versions first (axi 3).
        Body::Open(_) | Body::Ping | Body::Versions => Need::Nothing,
        Body::Limits | Body::PublicKey | Body::Subscribe(_) => Need::Login,
        Body::Look(Look::State(_) | Look::LastAction(_) | Look::Active) => {
            Need::Permission(Permission::Monitoring)
        }
        Body::Look(_) => Need::Permission(Permission::AllCnfRead),
        Body::Change(_)
        | Body::Set(_)
        | Body::Account(_)
        | Body::Order(_)
        | Body::Expect(_)
        | Body::Import(_) => Need::Permission(Permission::AllCnfWrite),
    }
}

impl Desk {
    /// Why the session may not ask this.
    fn forbidden(&self, body: &Body) -> Option<Refused> {
        let need = need(body);
        let Some(session) = &self.session else {
            return (need != Need::Nothing).then(|| Refused::new(ErrCode::Perm));
        };
        if matches!(body, Body::Open(_)) {
            let info = Some("this session is logged in already".to_owned());
            return Some(Refused { info, ..Refused::new(ErrCode::Forbidden) });
        }
        if let Need::Permission(permission) = need
            && !session.account.permissions.contains(&permission)
        {
            return Some(Refused::new(ErrCode::Perm));
        }
        let paired = matches!(body, Body::Change(change) if matches!(**change, Change::SetPair { .. }));
        (paired && !session.sync).then(|| Refused {
            info: Some("SetPP needs a session with UserDeviceSyncClient".to_owned()),
            ..Refused::new(ErrCode::Perm)
        })
    }

    /// Begins to answer a request, and ends when nothing has to be asked.
    pub(super) fn begin(&mut self, now: Moment, request: Request, wall: Wall, out: &mut Vec<Effect>) {
        if let Some(why) = self.forbidden(&request.body) {
            return send(request.refuse(why), out);
        }
        match &request.body {
            Body::Open(open) if open.sibling.is_some() => {
                self.end();
                return out.push(Effect::Sibling);
            }
            Body::Open(open) => {
                self.listen(now);
                out.push(Effect::Ask(Ask::Login(open.clone())));
            }
            Body::Ping => {
                let clock = Ok(Clock::Seconds(wall.as_millis() / 1000));
                return send(PingResp { seq: request.seq, clock }.element().into_owned(), out);
            }
            Body::Versions => return respond(&request, &system::versions(), out),
            Body::Limits => return self.tell_limits(&request, out),
            Body::PublicKey => return self.tell_key(&request, out),
            Body::Subscribe(wishes) => return self.subscribe(&request, &wishes.clone(), out),
            Body::Look(look) => {
                let sync = self.session.as_ref().is_some_and(|session| session.sync);
                out.push(Effect::Ask(Ask::Look { look: look.clone(), sync }));
            }
            Body::Set(setting) => out.push(Effect::Ask(Ask::Set(setting.clone()))),
            Body::Account(change) => {
                out.push(Effect::Ask(match change.password.clone().filter(|text| !text.is_empty()) {
                    Some(sealed) if !request.plain => Ask::Unseal(vec![sealed]),
                    Some(_) | None => Ask::Account(change.clone()),
                }));
            }
            Body::Order(order) => out.push(Effect::Ask(Ask::Order(order.clone()))),
            Body::Expect(expectation) => {
                out.push(Effect::Ask(Ask::Look { look: expectation.look.clone(), sync: false }));
            }
            Body::Import(user) => out.push(Effect::Ask(Ask::Import(user.clone()))),
            Body::Change(change) => {
                let sealed: Vec<String> =
                    change.secrets().into_iter().map(|(_, text)| text.to_owned()).collect();
                out.push(Effect::Ask(match request.plain || sealed.is_empty() {
                    true => Ask::Change(change.clone()),
                    false => Ask::Unseal(sealed),
                }));
            }
        }
        self.turn = Some(request);
    }

    fn tell_limits(&self, request: &Request, out: &mut Vec<Effect>) {
        let Some(session) = &self.session else { return };
        respond(request, &system::limits(session.platform), out);
    }

    fn tell_key(&self, request: &Request, out: &mut Vec<Effect>) {
        let Some(session) = &self.session else { return };
        let PublicKey { modulus, exponent } = session.key.clone();
        respond(request, &Reply::of([("modulus", modulus), ("exponent", exponent)]), out);
    }

    fn subscribe(&mut self, request: &Request, wishes: &[crate::subscribe::Wish], out: &mut Vec<Effect>) {
        let Some(session) = &mut self.session else { return };
        match session.heard.grant(wishes, &session.account.permissions) {
            Ok(()) => send(request.respond(), out),
            Err(why) => send(request.refuse(why), out),
        }
    }

    /// Goes on with the request whose turn it is.
    pub(super) fn answered(&mut self, now: Moment, answer: Answer, out: &mut Vec<Effect>) {
        let Some(request) = self.turn.take() else { return };
        match answer {
            Answer::Welcome(welcome) => self.welcome(now, &request, *welcome, out),
            Answer::Refused(why, wait) if !wait.is_zero() => {
                self.denied = Some(why);
                self.turn = Some(request);
                self.timers.set(Timer::Delay, now + wait);
            }
            Answer::Refused(why, _) => send(request.refuse(why), out),
            Answer::Found(reply) => match request.disappointed(&reply) {
                Some(why) => send(request.refuse(why), out),
                None => respond(&request, &reply, out),
            },
            Answer::Set => self.set(request, out),
            Answer::Account(id) => self.account_set(request, id, out),
            Answer::Unsealed(texts) => self.unsealed(request, texts, out),
            Answer::Changed { uid, ppn } => self.changed(request, uid, ppn, out),
        }
    }

    /// Tells a refused login that it is, after its delay.
    pub(super) fn deny(&mut self, now: Moment, out: &mut Vec<Effect>) {
        if let (Some(request), Some(why)) = (self.turn.take(), self.denied.take()) {
            self.listen(now);
            send(request.refuse(why), out);
        }
    }

    fn welcome(&mut self, now: Moment, request: &Request, welcome: Welcome, out: &mut Vec<Effect>) {
        let Body::Open(open) = &request.body else { return };
        let Welcome { account, key, about, platform } = welcome;
        let Some(mut account) = self.as_it_is_now(account) else {
            send(request.refuse(Refused::new(ErrCode::Auth)), out);
            return self.close("its account is no more", out);
        };
        account.permissions = implied(account.permissions);
        let permissions = account.permissions.iter().copied().map(crate::words::Kept::Known).collect();
        let response =
            OpenResp { seq: request.seq.clone(), public_key: Some(key.clone()), permissions, ..about };
        send(response.element().into_owned(), out);
        self.session =
            Some(Session { account, sync: open.sync_client, key, platform, heard: Subscriptions::default() });
        self.listen(now);
    }

    /// The account as which somebody was let in a moment ago, with all that it was told since; `None` when it may not log in
    /// any more.
    fn as_it_is_now(&mut self, mut account: Account) -> Option<Account> {
        for news in self.held.drain(..) {
            if let Some(change) = news.of_account(account.id) {
                account = change.filter(|now| now.active)?.clone();
            }
        }
        Some(account)
    }

    /// It is done; the response shows what is set now.
    fn set(&mut self, request: Request, out: &mut Vec<Effect>) {
        let Body::Set(setting) = &request.body else { return send(request.respond(), out) };
        let look = match setting {
            Setting::Mode { .. } => Look::Mode,
            Setting::AutoCreate(_) => Look::AutoCreate,
            Setting::AuthCode(_) => Look::AuthCode,
            Setting::RfpCapture(_) => Look::RfpCapture,
        };
        out.push(Effect::Ask(Ask::Look { look, sync: false }));
        self.turn = Some(request);
    }

    /// It is done; the response shows the account, unless it is no more.
    fn account_set(&mut self, request: Request, id: u32, out: &mut Vec<Effect>) {
        if matches!(&request.body, Body::Account(change) if matches!(change.deed, Deed::Delete(_))) {
            return send(request.respond(), out);
        }
        out.push(Effect::Ask(Ask::Look { look: Look::Accounts(Page { from: id, max: 1 }), sync: false }));
        self.turn = Some(request);
    }

    fn unsealed(&mut self, mut request: Request, texts: Vec<Option<Secret>>, out: &mut Vec<Effect>) {
        if let Body::Account(change) = &mut request.body {
            match texts.into_iter().next().flatten() {
                Some(clear) => {
                    change.password = Some(clear.reveal().to_owned());
                    out.push(Effect::Ask(Ask::Account(change.clone())));
                    self.turn = Some(request);
                }
                None => send(request.refuse(not_ours("password")), out),
            }
            return;
        }
        let Body::Change(change) = &mut request.body else { return };
        let names: Vec<&'static str> = change.secrets().into_iter().map(|(name, _)| name).collect();
        let mut clear = Vec::new();
        for (name, text) in names.into_iter().zip(texts) {
            match text {
                Some(text) => clear.push(text),
                None => return send(request.refuse(not_ours(name)), out),
            }
        }
        match change.unseal(&clear) {
            Ok(()) => {
                out.push(Effect::Ask(Ask::Change(change.clone())));
                self.turn = Some(request);
            }
            Err(why) => send(request.refuse(why), out),
        }
    }

    /// It is done; most responses show the complete record.
    fn changed(&mut self, request: Request, uid: u32, ppn: u32, out: &mut Vec<Effect>) {
        let Body::Change(change) = &request.body else { return };
        let sync = self.session.as_ref().is_some_and(|session| session.sync);
        let look = match &**change {
            Change::CreateUser { .. } | Change::SetUser { .. } => Look::Users(Page { from: uid, max: 1 }),
            Change::CreateDevice { .. } | Change::SetDevice { .. } => {
                Look::Devices(Page { from: ppn, max: 1 })
            }
            Change::SetProfile { id, .. } => Look::Profiles(Page { from: u32::from(*id), max: 1 }),
            Change::CreateFixed { .. } => Look::Pair { uid, ppn },
            // Both as they were named: whoever was parted already shows with nobody.
            Change::SetPair { user, device } => {
                let named = |record: &Record, name| record.number(name).and_then(|id| u32::try_from(id).ok());
                let ppn = named(device, "ppn").filter(|ppn| *ppn != 0).unwrap_or(ppn);
                Look::Pair { uid: named(user, "uid").unwrap_or(uid), ppn }
            }
            Change::DeleteUser(UserKey::Uid(_) | UserKey::Number(_))
            | Change::DeleteDevice(_)
            | Change::DeleteProfile(_) => {
                return send(request.respond(), out);
            }
            Change::SetRelation {
                uid,
                relation: relation @ (Relation::Fixed | Relation::Dynamic | Relation::Unbound),
            } => {
                let told = [("uid", uid.to_string()), ("relType", relation.to_string())];
                return respond(&request, &Reply::of(told), out);
            }
        };
        out.push(Effect::Ask(Ask::Look { look, sync }));
        self.turn = Some(request);
    }
}

fn not_ours(name: &str) -> Refused {
    let info = Some("not encrypted with this OMM's public key".to_owned());
    Refused { bad: Some(name.into()), info, ..Refused::new(ErrCode::Inval) }
}

fn respond(request: &Request, reply: &Reply, out: &mut Vec<Effect>) {
    let mut response = request.respond();
    reply.write(&mut response);
    send(response, out);
}
