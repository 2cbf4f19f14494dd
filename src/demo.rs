//! `homing demo`: three OMMs, a PBX and some phones in one process, on real sockets of this machine, in real time.
//!
//! - [`world`]: builds it; [`phone`], [`cable`]: what stands around the OMMs.
//! - [`story`]: what happens, and whether it went as it should; [`timeline`]: how it is printed.

use std::io;
use std::time::Duration;

use actix::System;
use tokio::time::timeout;

use crate::console::complain;
use crate::entropy;
use crate::exit::Exit;

mod cable;
mod phone;
mod story;
mod timeline;
mod world;

use world::World;

/// Runs the demo: the story once, and then on until `limit`, if that is later. `json`: one object a line.
pub fn run(limit: Option<Duration>, json: bool) -> Exit {
    let (Some(seed), Some(key)) = (entropy::seed(), entropy::key()) else { return Exit::Missing };
    System::new().block_on(async move {
        let world = match World::build(seed, key, json).await {
            Ok(world) => world,
            Err(error) => {
                complain(&format!("the demo cannot be built: {error}"));
                return Exit::Missing;
            }
        };
        let told = tokio::select! {
            told = play(&world, limit) => told,
            heard = tokio::signal::ctrl_c() => heard.map(|()| Exit::Interrupted),
        };
        world.end().await;
        told.unwrap_or_else(|error| {
            complain(&error.to_string());
            Exit::Missing
        })
    })
}

async fn play(world: &World, limit: Option<Duration>) -> io::Result<Exit> {
    let Some(limit) = limit else { return Ok(verdict(story::tell(world).await)) };
    let mut told = None;
    let whole = async {
        told = Some(story::tell(world).await);
        std::future::pending::<()>().await;
    };
    let _ = timeout(limit, whole).await;
    // Out of time before everything was seen.
    Ok(told.map_or(Exit::Interrupted, verdict))
}

fn verdict(kept: bool) -> Exit {
    if kept { Exit::Passed } else { Exit::Failed }
}
