//! The virtual provisioning server of external users: a shelf of files that the script fills, and the door to it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, Context, Handler, ResponseFuture};
use actors::doors::{Fetch, Fetched};
use actors::epr::{Import, Provisioning};
use machine::note::Note;
use machine::secret::Secret;
use omm::epr::Policy;
use omm::ids::Number;

use crate::script::Name;
use crate::script::external::{Mood, Supply};
use crate::world::{World, password};

/// What the server has, and how it answers. Every site reaches it whatever happens to the links.
#[derive(Default)]
pub(crate) struct Shelf {
    files: BTreeMap<String, String>,
    mood: Mood,
    /// Switched off in the configuration of every site.
    is_off: bool,
}

impl Shelf {
    fn fetch(&self, file: &str) -> Option<Fetched> {
        Some(match self.mood {
            Mood::Silence => return None,
            Mood::Code(404) => Fetched::Missing,
            Mood::Code(code) => Fetched::Failed(format!("the server answered {code}")),
            Mood::Normal => match self.files.get(file) {
                Some(text) => Fetched::Text(Secret::new(text.clone())),
                None => Fetched::Missing,
            },
        })
    }
}

/// The door of one site.
struct Door(Rc<RefCell<Shelf>>);

impl Actor for Door {
    type Context = Context<Self>;
}

impl Handler<Fetch> for Door {
    type Result = ResponseFuture<Fetched>;

    fn handle(&mut self, Fetch { file }: Fetch, _: &mut Context<Self>) -> Self::Result {
        match self.0.borrow().fetch(&file) {
            Some(fetched) => Box::pin(std::future::ready(fetched)),
            None => Box::pin(std::future::pending()),
        }
    }
}

/// What a site's OMM is born with; nothing in a world without `set epr on`.
pub(crate) fn provisioning(world: &World, at: usize) -> Option<Provisioning> {
    let interval = world.tuning.external?;
    let (enabled, authority) = (!world.shelf.borrow().is_off, world.plan.sites[at].central);
    let policy = Policy { enabled, authority, common: false, interval };
    Some(Provisioning { policy, door: Door(world.shelf.clone()).start().recipient() })
}

/// Does what the script says.
pub(crate) fn order(world: &World, order: &Supply) {
    let file = |number: &Name| {
        let user = world.plan.users.iter().find(|user| user.number == *number);
        format!("{}.cfg", user.map_or(number, |user| world.login_name(user)))
    };
    let mut shelf = world.shelf.borrow_mut();
    let told = match order {
        Supply::Provide { user, name } => {
            let name = name.as_deref().unwrap_or_default();
            let text =
                format!("UD_Number={user}\nUD_Name={name}\nUD_SipPassword={}\n", password(user).reveal());
            shelf.files.insert(file(user), text);
            format!("the server has {}", file(user))
        }
        Supply::Withdraw { user } => {
            shelf.files.remove(&file(user));
            format!("the server has {} no more", file(user))
        }
        Supply::Answer(mood) => {
            shelf.mood = *mood;
            match mood {
                Mood::Normal => "the server answers".to_owned(),
                Mood::Silence => "the server is silent".to_owned(),
                Mood::Code(code) => format!("the server answers {code}"),
            }
        }
        Supply::Switch(on) => {
            shelf.is_off = !on;
            format!("external users are {}", if *on { "on" } else { "off" })
        }
        Supply::Import { user, site } => {
            let site = world.plan.sites.iter().position(|known| known.name == *site);
            let process = site.and_then(|at| world.sites[at].process.as_ref());
            let user: Option<Option<Number>> = user.as_ref().map(|user| Number::new(user).ok());
            if let (Some(process), None | Some(Some(_))) = (process, &user) {
                process.omm.do_send(Import(user.flatten()));
            }
            return;
        }
    };
    let told: Arc<str> = told.into();
    world.tell("world", &Note::new("note").text("text", told));
}
