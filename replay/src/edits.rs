//! Administrators: orders of the script become edits at a site's directory, the same as those of the service.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use actors::directory::{Change, Latest, shown};
use actors::omm::inspect::Writer;
use actors::trace::Trace;
use machine::note::Note;
use omm::directory::Directory;
use omm::directory::content::Digest;
use omm::directory::edit::{DeviceChange, Edit, NewDevice, NewUser, UserChange};
use omm::directory::user::{Kind, User};
use omm::ids::{Ipei, Number};
use omm::stamp::ORIGIN;

use crate::script::edit::{Field, Order};
use crate::world::{World, password};

/// Gives an order at a site. It has had its effect there when this returns, durable or not; what the directory refuses
/// is told by itself.
pub(crate) async fn give(world: &mut World, at: usize, order: &Order) {
    let Some(process) = &world.sites[at].process else {
        return refused(world, at, "nobody is there to take the order");
    };
    let (omm, directory) = (process.omm.clone(), process.directory.clone());
    let Ok(Some(writer)) = omm.send(Writer).await else {
        return refused(world, at, "nobody is there to take the order");
    };
    for step in steps(order) {
        // What one step looks up may be what the step before has made.
        let edit = step(&directory.borrow());
        match edit {
            Ok(edit) => {
                writer.do_send(Change(edit));
                let _ = writer.send(Latest).await;
            }
            Err(why) => return refused(world, at, &why),
        }
    }
}

fn refused(world: &World, at: usize, why: &str) {
    world.tell(&world.plan.sites[at].name, &Note::new("refused").text("text", why));
}

type Step<'a> = Box<dyn Fn(&Directory) -> Result<Edit, String> + 'a>;

/// The edits of an order, each made of what the directory is at its turn.
fn steps(order: &Order) -> Vec<Step<'_>> {
    match order {
        Order::CreateUser { user, phone, fields } => {
            let device = phone.iter().map(|device| -> Step<'_> { Box::new(move |_| created_device(device)) });
            let user: Step<'_> = Box::new(move |directory| {
                let number = number(user)?;
                let mut entry = NewUser::new(number.clone(), password(number.as_str()));
                entry.fields = UserChange { number: Some(number), ..change(entry.fields, fields) };
                if let Some(phone) = phone {
                    let ppn = directory.device(ipei(phone)?).map(|device| device.ppn);
                    entry.relation = ppn.map(|ppn| (Kind::Dynamic, ppn));
                }
                Ok(Edit::CreateUser(Box::new(entry)))
            });
            device.chain([user]).collect()
        }
        Order::SetUser { user, fields } => vec![Box::new(move |directory| {
            let uid = row(directory, user)?.uid;
            Ok(Edit::SetUser { uid, change: Box::new(change(UserChange::default(), fields)) })
        })],
        Order::DeleteUser { user } => {
            vec![Box::new(move |directory| Ok(Edit::DeleteUser(row(directory, user)?.uid)))]
        }
        Order::CreateDevice { device } => vec![Box::new(move |_| created_device(device))],
        Order::SetDevice { device, encrypt } => vec![Box::new(move |directory| {
            let change = DeviceChange { encrypt: Some(*encrypt), ..DeviceChange::default() };
            Ok(Edit::SetDevice { ppn: handset(directory, device)?, change: Box::new(change) })
        })],
        Order::DeleteDevice { device } => {
            vec![Box::new(move |directory| Ok(Edit::DeleteDevice(handset(directory, device)?)))]
        }
        Order::SetProfile { id, name, data } => {
            vec![Box::new(move |_| Ok(Edit::SetProfile { id: *id, name: name.clone(), data: data.clone() }))]
        }
        Order::DeleteProfile { id } => vec![Box::new(move |_| Ok(Edit::DeleteProfile(*id)))],
        Order::Bind { user, device, fixed } => vec![Box::new(move |directory| {
            let kind = if *fixed { Kind::Fixed } else { Kind::Dynamic };
            Ok(Edit::Attach { uid: row(directory, user)?.uid, ppn: handset(directory, device)?, kind })
        })],
        Order::Unbind { user } => {
            vec![Box::new(move |directory| Ok(Edit::Detach { uid: row(directory, user)?.uid }))]
        }
    }
}

fn created_device(device: &str) -> Result<Edit, String> {
    Ok(Edit::CreateDevice(Box::new(NewDevice::new(ipei(device)?))))
}

fn change(mut change: UserChange, fields: &[Field]) -> UserChange {
    for field in fields {
        match field {
            Field::Name(name) => change.name = Some(name.clone()),
            Field::Number(number) => change.number = Some(number.clone()),
            Field::Vip(vip) => change.vip = Some(*vip),
            Field::Expires(expires) => change.expires = Some(Some(*expires)),
            Field::Id(id) => change.add_id = Some(id.as_str().to_owned()),
        }
    }
    change
}

fn number(user: &str) -> Result<Number, String> {
    Number::new(user).map_err(|why| why.to_string())
}

fn ipei(device: &str) -> Result<Ipei, String> {
    device.parse::<Ipei>().map_err(|why| why.to_string())
}

fn row<'a>(directory: &'a Directory, user: &str) -> Result<&'a Arc<User>, String> {
    directory.user(&number(user)?).ok_or_else(|| format!("there is no user {user} here"))
}

fn handset(directory: &Directory, device: &str) -> Result<omm::directory::key::Ppn, String> {
    let known = directory.device(ipei(device)?).map(|device| device.ppn);
    known.ok_or_else(|| format!("there is no handset {device} here"))
}

/// Every running site tells the digest of its directory, when it is another one than it told last.
pub(crate) fn weigh(world: &mut World) {
    for at in 0..world.sites.len() {
        let Some(process) = &world.sites[at].process else { continue };
        let weight = process.directory.borrow().digest();
        if world.sites[at].weight.replace(weight) != Some(weight) {
            let note = Note::new("directory").text("digest", short(&weight));
            world.tell(&world.plan.sites[at].name, &note);
        }
    }
}

/// The first 64 bits, for people.
fn short(digest: &Digest) -> String {
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What a site's directory shows otherwise than the plan says, when its OMM starts: it may have become durable and not
/// been told before the OMM died.
pub(crate) fn tell_shown(world: &World, directory: &Directory, trace: &Trace) {
    let edited = |user: &&Arc<User>| {
        user.edited.omm != ORIGIN || user.related.is_some_and(|related| related.omm != ORIGIN)
    };
    let tell = |note: &Note| trace.tell(world.now(), "directory", note);
    let mut there = BTreeSet::new();
    for user in directory.users() {
        there.insert(user.number.as_str());
        if edited(&user) {
            tell(&shown::shown_note(user));
        }
    }
    directory.profiles().for_each(|profile| tell(&shown::profile_note(profile.id, Some(profile))));
    for user in world.plan.users.iter().filter(|user| !user.later && !there.contains(&*user.number)) {
        tell(&Note::new("user").text("state", "gone").text("number", &user.number));
    }
}
