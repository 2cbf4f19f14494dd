//! The ladder of one user: a lane for each node, time downwards, an arrow for each message.
//!
//! ```text
//!               phone        aachen       berlin       pbx
//! 00:10:00.012    |------------------------>|            |   located
//! 00:10:00.013    |            |            |----------->|   register initial
//! ```

use std::sync::Arc;

use machine::time::Moment;

use crate::ledger::index::Index;
use crate::plan::Plan;
use crate::trace::Sight;

/// The most rows of a ladder; what comes later is counted (ours).
const ROWS_MAX: usize = 20_000;
/// The width of a lane.
const LANE: usize = 14;

/// The ladder of one user, as it grows.
#[derive(Clone, Debug)]
pub struct Ladder {
    plan: Arc<Plan>,
    index: Index,
    user: usize,
    rows: Vec<Row>,
    left_out: usize,
}

#[derive(Clone, Debug)]
struct Row {
    at: Moment,
    from: usize,
    to: usize,
    label: String,
}

impl Ladder {
    /// An empty ladder of a user; a place in [`Plan::users`].
    pub fn new(plan: &Arc<Plan>, user: usize) -> Ladder {
        Ladder { plan: Arc::clone(plan), index: Index::new(plan), user, rows: Vec::new(), left_out: 0 }
    }

    /// The user's name.
    pub fn name(&self) -> &str {
        self.plan.users.get(self.user).map_or("", |user| &*user.name)
    }

    /// Takes an event in if it is about this user.
    pub fn see(&mut self, sight: &Sight<'_>) {
        if self.index.user_of(sight) != Some(self.user) {
            return;
        }
        let Some(node) = self.lane(sight.node) else { return };
        let (from, to, label) = match sight.event {
            "register" => {
                let server = sight.text("server").and_then(|name| self.lane(name)).unwrap_or(node);
                (node, server, format!("register {}", sight.text("kind").unwrap_or_default()))
            }
            "answer" => {
                let server = sight.who.split_once('@').and_then(|(_, name)| self.lane(name)).unwrap_or(node);
                (server, node, format!("answer {}", sight.number("code").unwrap_or_default()))
            }
            "located" | "asked" => (0, node, sight.event.to_string()),
            "admit" | "refuse" => (node, 0, words(sight)),
            "claim" | "stale" | "confirm" if sight.text("way") == Some("heard") => {
                let speaker =
                    sight.text("from").or_else(|| sight.text("owner")).and_then(|omm| self.index.omm(omm));
                (speaker.map_or(node, |site| site + 1), node, words(sight))
            }
            _ => (node, node, words(sight)),
        };
        if self.rows.len() < ROWS_MAX {
            self.rows.push(Row { at: sight.at, from, to, label });
        } else {
            self.left_out += 1;
        }
    }

    /// The lane of a node: the phone's is the first, then the sites, then the servers.
    fn lane(&self, name: &str) -> Option<usize> {
        let site = self.plan.sites.iter().position(|site| *site.name == *name).map(|at| at + 1);
        site.or_else(|| {
            let server = self.plan.servers.iter().position(|server| *server.name == *name)?;
            Some(self.plan.sites.len() + 1 + server)
        })
    }

    /// The whole ladder as text; lanes that nothing touches are left out.
    pub fn print(&self) -> String {
        let sites = self.plan.sites.iter().map(|site| site.name.to_string());
        let servers = self.plan.servers.iter().map(|server| server.name.to_string());
        let names: Vec<String> = std::iter::once("phone".to_string()).chain(sites).chain(servers).collect();
        let used: Vec<usize> = (0..names.len())
            .filter(|lane| self.rows.iter().any(|row| row.from == *lane || row.to == *lane))
            .collect();
        let column = |lane: usize| used.iter().position(|known| *known == lane).unwrap_or_default() * LANE;
        let head: String = used
            .iter()
            .filter_map(|lane| names.get(*lane))
            .map(|name| format!("{:<LANE$}", name.chars().take(LANE - 1).collect::<String>()))
            .collect();
        let mut text = format!("ladder of {}\n\n{:14}{}\n", self.name(), "", head.trim_end());
        for row in &self.rows {
            let (left, right) = (column(row.from.min(row.to)), column(row.from.max(row.to)));
            let mut line: Vec<char> = vec![' '; used.len().max(1) * LANE];
            for lane in 0..used.len() {
                put(&mut line, lane * LANE + 1, '|');
            }
            for at in left + 2..right + 1 {
                put(&mut line, at, '-');
            }
            match row.from.cmp(&row.to) {
                std::cmp::Ordering::Less => put(&mut line, right, '>'),
                std::cmp::Ordering::Greater => put(&mut line, left + 2, '<'),
                std::cmp::Ordering::Equal => put(&mut line, left + 1, '*'),
            }
            let line: String = line.into_iter().collect();
            text.push_str(&format!("{:<14}{line}{}\n", row.at.to_string(), row.label));
        }
        if self.left_out > 0 {
            text.push_str(&format!("({} more)\n", self.left_out));
        }
        text
    }
}

fn put(line: &mut [char], at: usize, c: char) {
    if let Some(slot) = line.get_mut(at) {
        *slot = c;
    }
}

/// The event with the words that tell it from others of its name.
fn words(sight: &Sight<'_>) -> String {
    let keys = ["way", "outcome", "state", "reason", "kind"];
    let told = keys.iter().filter_map(|key| sight.text(key)).filter(|word| *word != "heard");
    std::iter::once(sight.event).chain(told).collect::<Vec<_>>().join(" ")
}
