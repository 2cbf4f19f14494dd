//! What the trace tells about the world, kept in one book: which registrar lists whom, who claims whom at which site,
//! which links are up, how often somebody registered.
//!
//! It reads events and nothing else, so it judges a live run and a `trace.jsonl` alike. It never asks an OMM what it
//! believes: `registered` means that a registrar says so.
//!
//! | event | at | keys that are read |
//! |---|---|---|
//! | `bound` `replaced` `removed` `expired` `lost` | a registrar | `aor` `contact` (with `hm-site=`, or the OMM's address) |
//! | `claim` `stale` `confirm` | a site | `way` said/heard, `owner` `epoch` `former` `phase`; `from` `epoch` |
//! | `located` `detached` `withdrawn` `refuse` `watchdog` | a site | `watchdog` has `state` |
//! | `register` | a site | `server` `target` |
//! | `resolved` | a site | `server` `targets` |
//! | `link` `sync` | a remote site | `state`, `reason` |
//! | `user` `directory` | a site | `state` `number` `name` `vip` `status` `device`; `digest` |
//! | `stop` `crash` `start` | a site | |

pub mod index;
pub mod links;
pub mod person;
pub mod places;
pub mod rows;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use machine::time::Moment;

use crate::plan::{Form, Node, Plan};
use crate::script::claim::Claim;
use crate::script::setting::Setting;
use crate::trace::Sight;
use index::Index;
use links::Links;
use person::{Person, Stamp};
use places::Places;
use rows::Rows;

/// When a new owner renews unconfirmed (spec section 8), unless the script sets it.
const T_CONFIRM: Duration = Duration::from_secs(15);

/// What was counted over the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events of the trace.
    pub events: u64,
    /// Claims made.
    pub claims: u64,
    /// Confirms said.
    pub confirms: u64,
    /// Renewals asked for.
    pub renewals: u64,
    /// Alarms raised.
    pub alarms: u64,
    /// REGISTER requests of OMMs by server, in the order of the plan.
    pub registers: Vec<u64>,
    /// REGISTER requests, claims, confirms, renewals, alarms and events by site.
    pub by_site: Vec<[u64; 6]>,
    /// The largest number of surplus registrations that one user ever had.
    pub duplicates: u64,
}

/// The book.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) plan: Arc<Plan>,
    index: Index,
    places: Places,
    people: Vec<Person>,
    links: Links,
    rows: Rows,
    running: Vec<bool>,
    /// The last REGISTERs by server, kept as long as a claim looks back.
    recent: Vec<(Duration, VecDeque<Moment>)>,
    counts: Counts,
    /// How many users have so many surplus registrations.
    surplus: Vec<u64>,
    t_confirm: Duration,
    version: u64,
    touched: Vec<usize>,
}

impl Ledger {
    /// An empty book for this world.
    pub fn new(plan: &Arc<Plan>) -> Ledger {
        let t_confirm = match plan.settings.get("t_confirm") {
            Some(Setting::Time(span)) => *span,
            _ => T_CONFIRM,
        };
        let people: Vec<Person> =
            plan.users.iter().map(|user| Person::new(user.home, plan.sites.len(), !user.later)).collect();
        let mut surplus = vec![0; plan.sites.len() + 2];
        if let Some(none) = surplus.first_mut() {
            *none = people.len() as u64;
        }
        Ledger {
            index: Index::new(plan),
            places: Places::new(plan),
            people,
            links: Links::new(plan),
            rows: Rows::new(plan),
            running: vec![true; plan.sites.len()],
            recent: plan
                .servers
                .iter()
                .map(|server| (longest_look_back(plan, &server.name), VecDeque::new()))
                .collect(),
            counts: Counts {
                registers: vec![0; plan.servers.len()],
                by_site: vec![[0; 6]; plan.sites.len()],
                ..Counts::default()
            },
            surplus,
            t_confirm,
            version: 0,
            touched: Vec::new(),
            plan: Arc::clone(plan),
        }
    }

    /// Grows with every change that a claim could see.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The users whose registrations or presence changed since [`Ledger::untouch`].
    pub fn touched(&self) -> &[usize] {
        &self.touched
    }

    /// Everybody has looked at what changed.
    pub fn untouch(&mut self) {
        self.touched.clear();
    }

    /// What was counted so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Everything about one user; a place in [`Plan::users`].
    pub fn person(&self, user: usize) -> Option<&Person> {
        self.people.get(user)
    }

    /// The users in the order of the plan.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// How the sync links are.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// What the sites' directories show.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Whether a site runs, as far as the trace tells.
    pub fn runs(&self, site: usize) -> bool {
        self.running.get(site).copied().unwrap_or_default()
    }

    /// When a roam that nobody confirmed counts as unconfirmed.
    pub fn t_confirm(&self) -> Duration {
        self.t_confirm
    }

    /// The largest number of surplus registrations of one user right now: OMMs that are listed for the user, less one.
    pub fn duplicates(&self) -> u64 {
        self.surplus.iter().rposition(|users| *users > 0).unwrap_or_default() as u64
    }

    /// REGISTER requests to a server; in the last `per`, or ever.
    pub fn registers(&self, server: usize, per: Option<Duration>, now: Moment) -> u64 {
        match (per, self.recent.get(server)) {
            (Some(per), Some((_, sent))) => {
                let since = now.back(per);
                // A look back over the start counts everything.
                let old = sent.partition_point(|at| *at <= since && since > Moment::START);
                (sent.len() - old) as u64
            }
            _ => self.counts.registers.get(server).copied().unwrap_or_default(),
        }
    }

    /// The user that an event is about.
    pub fn user_of(&self, sight: &Sight<'_>) -> Option<usize> {
        self.index.user_of(sight)
    }

    /// The registrar to which the REGISTER of an event at this site goes, if it can be told.
    pub fn registrar(&self, site: usize, sight: &Sight<'_>) -> Option<usize> {
        self.places.registrar(site, sight)
    }

    /// The site of a node.
    pub fn site(&self, node: &str) -> Option<usize> {
        self.index.site(node)
    }

    /// The site of an OMM: `102A7010`, `102A7010-2`, or its name.
    pub fn omm(&self, text: &str) -> Option<usize> {
        self.index.omm(text)
    }

    /// Writes an event into the book.
    pub fn see(&mut self, sight: &Sight<'_>) {
        self.counts.events += 1;
        match self.index.node(sight.node) {
            Some(Node::Server(server)) => self.registrar_says(server, sight),
            Some(Node::Site(site)) => {
                self.count(site, 5);
                self.site_says(site, sight);
            }
            None => {}
        }
    }

    fn count(&mut self, site: usize, what: usize) {
        if let Some(count) = self.counts.by_site.get_mut(site).and_then(|counts| counts.get_mut(what)) {
            *count += 1;
        }
    }

    fn registrar_says(&mut self, server: usize, sight: &Sight<'_>) {
        let gone = match sight.event {
            "bound" => false,
            "replaced" | "removed" | "expired" | "lost" => true,
            _ => return,
        };
        let (Some(user), Some(contact)) = (self.user_of(sight), sight.text("contact")) else { return };
        let site = self.site_of_contact(contact);
        let Some(person) = self.people.get_mut(user) else { return };
        let before = person.surplus();
        let changed =
            if gone { person.released(server, contact) } else { person.bound(server, site, contact) };
        let after = person.surplus();
        person.doubled(before, after, sight.at);
        if changed {
            self.version += 1;
            self.touched.push(user);
        }
        if before != after {
            if let Some(count) = self.surplus.get_mut(before) {
                *count = count.saturating_sub(1);
            }
            if let Some(count) = self.surplus.get_mut(after) {
                *count += 1;
            }
            self.counts.duplicates = self.counts.duplicates.max(self.duplicates());
        }
    }

    /// The OMM behind a contact: `hm-site=` of the URI, else its address.
    fn site_of_contact(&self, contact: &str) -> Option<usize> {
        let named = contact
            .split_once("hm-site=")
            .map(|(_, rest)| rest.split([';', '>', '?']).next().unwrap_or(rest));
        if let Some(site) = named.and_then(|omm| self.omm(omm)) {
            return Some(site);
        }
        let host = contact.split_once('@').map_or(contact, |(_, host)| host);
        let host = host.split([':', ';', '>']).next().unwrap_or(host);
        self.plan.sites.iter().position(|site| site.address.ip().to_string() == host)
    }

    fn site_says(&mut self, site: usize, sight: &Sight<'_>) {
        match sight.event {
            "register" => {
                self.count(site, 0);
                if let Some(server) = self.registrar(site, sight) {
                    self.registered(server, sight.at);
                }
            }
            "resolved" => self.places.resolved(site, sight),
            "claim" | "stale" => self.claimed(site, sight),
            "confirm" => self.confirmed(site, sight),
            "renew" => {
                self.counts.renewals += 1;
                self.count(site, 3);
            }
            "alarm" => {
                self.counts.alarms += 1;
                self.count(site, 4);
                self.version += 1;
            }
            "located" => self.here(sight, |person| person.located(site)),
            "refuse" => self.here(sight, Person::refused),
            "detached" | "withdrawn" => self.here(sight, |person| person.left(site)),
            "watchdog" if sight.text("state") == Some("expired") => {
                self.here(sight, |person| person.left(site))
            }
            "link" | "sync" => {
                self.version += u64::from(self.links.see(site, sight));
            }
            "user" | "profile" | "directory" => {
                self.rows.see(site, sight);
                self.version += 1;
            }
            "stop" | "crash" | "start" => {
                if let Some(running) = self.running.get_mut(site) {
                    *running = sight.event == "start";
                }
                self.links.end(site);
                if sight.event == "start" {
                    self.rows.begin(site);
                }
                self.version += 1;
            }
            _ => {}
        }
    }

    fn registered(&mut self, server: usize, at: Moment) {
        if let Some(count) = self.counts.registers.get_mut(server) {
            *count += 1;
        }
        if let Some((look_back, sent)) = self.recent.get_mut(server)
            && !look_back.is_zero()
        {
            sent.push_back(at);
            while sent.front().is_some_and(|first| at.since(*first) > *look_back) {
                sent.pop_front();
            }
        }
        self.version += 1;
    }

    fn here(&mut self, sight: &Sight<'_>, change: impl FnOnce(&mut Person)) {
        if let Some(user) = self.user_of(sight)
            && let Some(person) = self.people.get_mut(user)
        {
            change(person);
            self.touched.push(user);
            self.version += 1;
        }
    }

    fn claimed(&mut self, site: usize, sight: &Sight<'_>) {
        let owner = sight.text("owner").and_then(|omm| self.omm(omm));
        let epoch = sight.text("epoch").and_then(Stamp::read);
        let (Some(owner), Some(epoch)) = (owner, epoch) else { return };
        let former = sight.text("former").and_then(|omm| self.omm(omm)).filter(|former| *former != owner);
        let said = sight.event == "claim" && owner == site && sight.text("way") != Some("heard");
        let here = sight.text("phase") != Some("gone");
        let Some(person) = self.user_of(sight).and_then(|user| self.people.get_mut(user)) else { return };
        person.believes(site, &epoch, owner);
        let fresh = said && here && person.claims(&epoch, owner, former, sight.at);
        self.version += 1;
        if fresh {
            self.counts.claims += 1;
            self.count(site, 1);
        }
    }

    fn confirmed(&mut self, site: usize, sight: &Sight<'_>) {
        if sight.text("way") != Some("heard") {
            self.counts.confirms += 1;
            self.count(site, 2);
            return;
        }
        let from = sight.text("from").and_then(|omm| self.omm(omm));
        let epoch = sight.text("epoch").and_then(Stamp::read);
        if let (Some(from), Some(epoch)) = (from, epoch)
            && let Some(person) = self.user_of(sight).and_then(|user| self.people.get_mut(user))
        {
            person.confirmed(site, &epoch, from);
            self.version += 1;
        }
    }
}

/// The longest time over which a claim counts the REGISTERs at this server.
fn longest_look_back(plan: &Plan, name: &str) -> Duration {
    let per = plan.asserts.iter().filter_map(|assert| match &assert.form {
        Form::Expect(Claim::Registers { server, per, .. })
        | Form::Always(Claim::Registers { server, per, .. })
        | Form::Never(Claim::Registers { server, per, .. })
            if **server == *name =>
        {
            *per
        }
        _ => None,
    });
    per.max().unwrap_or_default()
}
