//! What the actors of a registered user cost before they know anything: the floor under every figure of memory.
//!
//! ```text
//! cargo bench -p actors --bench bare
//! ```
//!
//! A user and its binding are two actors. Here they are empty: each has a mailbox, one alarm that is far away, and the
//! address that its boss holds of it; the binding knows its user weakly, and somebody who brings answers knows the
//! binding weakly. Linux counts (`Pss` of this process).

use std::time::Duration;

use actix::WeakRecipient;
use actix::prelude::*;

/// How many of each.
const USERS: usize = 10_000;
/// An alarm that does not ring while anybody looks.
const FAR: Duration = Duration::from_secs(3600);

/// Goes from the user to its binding and back, so that everything is there that a life needs.
#[derive(Message)]
#[rtype(result = "()")]
enum Word {
    Order,
    Report,
}

/// An actor with nothing of its own but whom it knows.
struct Empty {
    child: Option<Addr<Empty>>,
    boss: Option<WeakRecipient<Word>>,
}

impl Actor for Empty {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_later(FAR, |_, _| {});
        if self.boss.is_none() {
            let boss = Some(ctx.address().downgrade().recipient());
            self.child = Some(Empty { child: None, boss }.start());
        }
    }
}

impl Handler<Word> for Empty {
    type Result = ();

    fn handle(&mut self, word: Word, _: &mut Context<Self>) {
        match (word, &self.child, self.boss.as_ref().and_then(WeakRecipient::upgrade)) {
            (Word::Order, Some(child), _) => child.do_send(Word::Order),
            (Word::Order, None, Some(boss)) => boss.do_send(Word::Report),
            (Word::Order, None, None) | (Word::Report, ..) => {}
        }
    }
}

/// The proportional set size of this process in bytes; zero where there is none.
fn memory() -> usize {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kilobytes =
        pss.and_then(|text| text.trim().strip_suffix("kB")).and_then(|text| text.trim().parse().ok());
    kilobytes.unwrap_or(0_usize) * 1024
}

#[actix::main]
async fn main() {
    let idle = memory();
    let users: Vec<Addr<Empty>> = (0..USERS).map(|_| Empty { child: None, boss: None }.start()).collect();
    for user in &users {
        user.send(Word::Order).await.expect("an empty actor");
    }
    tokio::task::yield_now().await;
    let each = memory().saturating_sub(idle) / USERS;
    println!("two empty actors, their mailboxes, alarms and addresses: {each} bytes a user");
}
