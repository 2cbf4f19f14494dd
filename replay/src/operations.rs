//! What administrators do to OMMs as a whole: the same requests to the same actors as in the service.

use std::sync::Arc;

use actix::Addr;
use actors::identity::Attachment;
use actors::omm::OmmActor;
use actors::omm::identity::{Expel, SetAttachment, SetSari, Unchanged};
use actors::omm::revise::Revise;
use machine::note::Note;
use machine::time::Wall;
use omm::directory::edit::Edit;
use omm::directory::restore::{Mode, Restore};
use omm::ids::park::{Pari, Park, Pli, Sari};
use omm::stamp::OmmId;

use crate::plan::Site;
use crate::script::operate::{Alteration, Operation};
use crate::site;
use crate::world::World;

/// Does it. What is refused is told as an event.
pub(crate) async fn perform(world: &mut World, at: usize, operation: &Operation) {
    let done = match operation {
        Operation::GenerateSari => generate_sari(world, at).await,
        Operation::Attach { adopt } => attach(world, at, Attachment { attached: true, adopt: *adopt }).await,
        Operation::Detach => attach(world, at, Attachment { attached: false, adopt: false }).await,
        Operation::Remove { remote } => remove(world, remote).await,
        Operation::Reinitialise => reinitialise(world, at),
        Operation::Backup => backup(world, at),
        Operation::Restore { mode, from, preserve_relations } => {
            restore(world, at, *mode, from, *preserve_relations).await
        }
        Operation::Alter(alteration) => {
            alter(world, at, *alteration);
            Ok("is another one when it starts next".to_owned())
        }
    };
    let node = &world.plan.sites[at].name;
    match done {
        Ok(what) => world.tell(node, &Note::new("operated").text("text", what)),
        Err(why) => world.tell(node, &Note::new("refused").text("text", why)),
    }
}

type Done = Result<String, String>;

fn running(world: &World, at: usize) -> Result<Addr<OmmActor>, String> {
    let process = world.sites[at].process.as_ref().ok_or("nobody is there to take the order")?;
    Ok(process.omm.clone())
}

fn told<E>(answer: Result<Result<(), Unchanged>, E>) -> Result<(), String> {
    answer.unwrap_or(Err(Unchanged::Ended)).map_err(|why| match why {
        Unchanged::NoCentral => "only the central has that".to_owned(),
        Unchanged::NoRemote => "only a remote is attached".to_owned(),
        Unchanged::SariSet(sari) => format!("the SARI is {sari} for good"),
        Unchanged::NoSuchRemote => "no such remote is on the roster".to_owned(),
        Unchanged::NotEmpty(census) => format!("this OMM has {census} of its own"),
        Unchanged::Ended => "the OMM ended meanwhile".to_owned(),
    })
}

/// What an administrator changes about who an OMM is starts it over (AMB-16); its registrations stay.
fn start_over(world: &mut World, at: usize) {
    site::stop(world, at, "stop");
    world.sites[at].rehire = Some(world.now() + site::REHIRE);
}

/// The SARI of its PARK (spec 4.4).
fn own_sari(site: &Site) -> Result<Sari, String> {
    let (pli, ari) = (Pli::new(site.park.pli), Pari::new(site.park.pari));
    match (pli, ari) {
        (Ok(pli), Ok(ari)) => Ok(Sari::derive(Park { pli, ari })),
        (Err(_), _) | (_, Err(_)) => Err("its PARK makes no SARI".to_owned()),
    }
}

async fn generate_sari(world: &mut World, at: usize) -> Done {
    let omm = running(world, at)?;
    let sari = own_sari(&world.plan.sites[at])?;
    told(omm.send(SetSari(sari)).await)?;
    start_over(world, at);
    Ok(format!("has the SARI {sari}"))
}

async fn attach(world: &mut World, at: usize, wish: Attachment) -> Done {
    let omm = running(world, at)?;
    told(omm.send(SetAttachment(wish)).await)?;
    start_over(world, at);
    Ok(if wish.attached { "attached" } else { "detached" }.to_owned())
}

async fn remove(world: &World, remote: &str) -> Done {
    let find = |is: &dyn Fn(&Site) -> bool| world.plan.sites.iter().position(is);
    let central = find(&|site| site.central).ok_or("there is no central")?;
    let remote = find(&|site| *site.name == *remote).ok_or("there is no such site")?;
    let omm = running(world, central)?;
    told(omm.send(Expel(OmmId::new(world.plan.sites[remote].park.pari))).await)?;
    Ok("is off the central's list".to_owned())
}

/// Also of a machine that was broken and is replaced: the new one has an empty disk.
fn reinitialise(world: &mut World, at: usize) -> Done {
    if world.sites[at].process.is_some() {
        return Err("it runs; stop it first".to_owned());
    }
    let mut disk = world.sites[at].disk.borrow_mut();
    let count = disk.len();
    disk.clear();
    drop(disk);
    world.sites[at].wipes += 1;
    Ok(format!("is new: {count} records are gone"))
}

fn wall(world: &World) -> Wall {
    let elapsed = world.now().since(machine::time::Moment::START);
    let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    Wall::from_millis(world.plan.wall.as_millis().saturating_add(elapsed))
}

fn backup(world: &mut World, at: usize) -> Done {
    let process = world.sites[at].process.as_ref().ok_or("nobody is there to take the order")?;
    let pieces: Vec<_> = process.directory.borrow().pieces().collect();
    let (count, taken) = (pieces.len(), wall(world));
    world.sites[at].backup = Some((pieces, taken));
    Ok(format!("put {count} records aside"))
}

async fn restore(world: &World, at: usize, mode: Mode, from: &str, preserve_relations: bool) -> Done {
    let omm = running(world, at)?;
    if mode == Mode::Authoritative && !world.plan.sites[at].central {
        return Err("an authoritative restore is for the central (SM-7)".to_owned());
    }
    let from = world.plan.sites.iter().position(|site| *site.name == *from);
    let backup = from.and_then(|from| world.sites[from].backup.clone());
    let (pieces, taken) = backup.ok_or("there is no backup of it")?;
    let restore = Restore { pieces, taken: taken.as_millis(), mode, preserve_relations };
    match omm.send(Revise(Edit::Restore(Box::new(restore)))).await.ok().flatten() {
        Some(Ok(done)) => {
            let (users, devices) = (done.changed.users.len(), done.changed.devices.len());
            Ok(format!("restored: {users} users and {devices} devices are other than they were"))
        }
        Some(Err(refusal)) => Err(refusal.to_string()),
        None => Err("the OMM ended meanwhile".to_owned()),
    }
}

fn alter(world: &mut World, at: usize, alteration: Alteration) {
    let Some(site) = Arc::make_mut(&mut world.plan).sites.get_mut(at) else { return };
    match alteration {
        Alteration::Platform(platform) => site.platform = platform,
        Alteration::Axi(axi) => site.axi = Some(axi),
        Alteration::Park(park) => site.park = park,
    }
}
