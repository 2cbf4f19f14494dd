//! What the book holds about the sync links. Each end tells its own view; the remote's counts, for it dials.

use crate::plan::Plan;
use crate::trace::Sight;

/// How a link is, by one end.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum View {
    /// Nothing was told, or it was lost.
    #[default]
    Down,
    /// Open.
    Up,
    /// Refused for this reason.
    Held(String),
}

/// The sync links of the star: one from each site to the centre.
#[derive(Clone, Debug)]
pub struct Links {
    centre: usize,
    views: Vec<View>,
    synced: Vec<bool>,
}

impl Links {
    pub(super) fn new(plan: &Plan) -> Links {
        Links {
            centre: plan.sites.iter().position(|site| site.central).unwrap_or_default(),
            views: vec![View::Down; plan.sites.len()],
            synced: vec![false; plan.sites.len()],
        }
    }

    /// How the link of two sites is: of a remote and the centre, by the remote.
    pub fn between(&self, a: usize, b: usize) -> &View {
        let remote = if a == self.centre { b } else { a };
        self.views.get(remote).unwrap_or(&View::Down)
    }

    /// Whether a site has everything the centre has; the centre, when all remotes have.
    pub fn synced(&self, site: usize) -> bool {
        if site == self.centre {
            return self.synced.iter().enumerate().all(|(at, synced)| *synced || at == self.centre);
        }
        self.synced.get(site).copied().unwrap_or_default()
    }

    /// A site that does not run has no link.
    pub(super) fn end(&mut self, site: usize) {
        if let (Some(view), Some(synced)) = (self.views.get_mut(site), self.synced.get_mut(site)) {
            (*view, *synced) = (View::Down, false);
        }
    }

    /// Reads a `link` or `sync` event of a site; `true` when something changed. The centre's own are passed by: it
    /// sees a link end, but not why.
    pub(super) fn see(&mut self, site: usize, sight: &Sight<'_>) -> bool {
        if site == self.centre {
            return false;
        }
        let (Some(view), Some(synced)) = (self.views.get_mut(site), self.synced.get_mut(site)) else {
            return false;
        };
        let before = (view.clone(), *synced);
        match sight.text("state").unwrap_or_default() {
            "insync" | "joined" => (*view, *synced) = (View::Up, true),
            "synchronising" => (*view, *synced) = (View::Up, false),
            // The table of claims hears of a held link that it is down.
            "down" if sight.who == "star" && matches!(view, View::Held(_)) => *synced = false,
            "off" | "lost" | "down" => (*view, *synced) = (View::Down, false),
            "held" => {
                *view = View::Held(sight.text("reason").unwrap_or_default().to_string());
                *synced = false;
            }
            // A held link that is dialled again is held until that succeeds.
            _ => {}
        }
        before != (view.clone(), *synced)
    }
}
