//! What the book holds about one user.

use machine::time::Moment;

/// A contact that a registrar lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The registrar; a place in the plan.
    pub server: usize,
    /// The OMM behind the contact; `None` for a contact of somebody else.
    pub site: Option<usize>,
    /// The contact as listed.
    pub contact: Box<str>,
}

/// The stamp of a claim as far as it is needed here: which is newer. The OMM is the tie-break.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    ms: u64,
    ctr: u16,
    omm: Box<str>,
}

impl Stamp {
    /// Reads `1790000000000.0.102A7C82`.
    pub fn read(text: &str) -> Option<Stamp> {
        let mut parts = text.splitn(3, '.');
        let (ms, ctr) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Stamp { ms, ctr, omm: parts.next()?.into() })
    }
}

/// The newest claim of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roam {
    /// The claim's stamp.
    pub epoch: Stamp,
    /// Who claims.
    pub owner: usize,
    /// Who is to confirm.
    pub former: Option<usize>,
    /// When it was claimed.
    pub since: Moment,
    /// Whether the former owner's confirm was heard by the owner, or nobody is to confirm.
    pub confirmed: bool,
}

/// One user.
#[derive(Clone, Debug)]
pub struct Person {
    /// What the registrars list.
    pub held: Vec<Held>,
    /// Where the phone was last let in; its home before that.
    pub at: usize,
    /// Whether the phone is on, as far as its OMM knows.
    pub present: bool,
    /// The newest claim.
    pub roam: Option<Roam>,
    /// Whom each site believes the owner to be, by its newest claim.
    pub views: Vec<Option<(Stamp, usize)>>,
    /// Since when two OMMs are listed.
    pub double_since: Option<Moment>,
    /// The longest time for which two OMMs were listed, and when it began.
    pub double_longest: (std::time::Duration, Moment),
    before: usize,
}

impl Person {
    /// Nothing is known yet.
    pub(super) fn new(home: usize, sites: usize, present: bool) -> Person {
        Person {
            held: Vec::new(),
            at: home,
            present,
            roam: None,
            views: vec![None; sites],
            double_since: None,
            double_longest: (std::time::Duration::ZERO, Moment::START),
            before: home,
        }
    }

    /// How many OMMs are listed for the user, less one.
    pub fn surplus(&self) -> usize {
        // A handful of contacts: each counts when none before it is of the same OMM.
        let known = |(at, held): (usize, &Held)| {
            held.site.is_some() && self.held.iter().take(at).all(|earlier| earlier.site != held.site)
        };
        let sites = self.held.iter().enumerate().filter(|pair| known(*pair)).count();
        sites.saturating_sub(1)
    }

    /// Whether a registrar lists the user's contact at this site; `via` this one.
    pub fn registered(&self, at: Option<usize>, via: Option<usize>) -> bool {
        self.held
            .iter()
            .any(|held| at.is_none_or(|at| held.site == Some(at)) && via.is_none_or(|via| held.server == via))
    }

    /// How many contacts a registrar lists.
    pub fn times_bound(&self, server: usize) -> u64 {
        self.held.iter().filter(|held| held.server == server).count() as u64
    }

    pub(super) fn bound(&mut self, server: usize, site: Option<usize>, contact: &str) -> bool {
        if self.held.iter().any(|held| held.server == server && &*held.contact == contact) {
            return false;
        }
        self.held.push(Held { server, site, contact: contact.into() });
        true
    }

    pub(super) fn released(&mut self, server: usize, contact: &str) -> bool {
        let before = self.held.len();
        self.held.retain(|held| held.server != server || &*held.contact != contact);
        self.held.len() != before
    }

    pub(super) fn doubled(&mut self, before: usize, after: usize, now: Moment) {
        if before == 0 && after > 0 {
            self.double_since = Some(now);
        }
        if after == 0
            && let Some(since) = self.double_since.take()
        {
            let span = now.since(since);
            if span > self.double_longest.0 {
                self.double_longest = (span, since);
            }
        }
    }

    pub(super) fn located(&mut self, site: usize) {
        self.before = self.at;
        (self.at, self.present) = (site, true);
    }

    /// The site did not let the phone in: it counts as being where it was.
    pub(super) fn refused(&mut self) {
        self.at = self.before;
    }

    pub(super) fn left(&mut self, site: usize) {
        if self.at == site {
            self.present = false;
        }
    }

    pub(super) fn believes(&mut self, site: usize, epoch: &Stamp, owner: usize) {
        if let Some(view) = self.views.get_mut(site)
            && view.as_ref().is_none_or(|(known, _)| known < epoch)
        {
            *view = Some((epoch.clone(), owner));
        }
    }

    /// A claim was made; `true` when it is a new one.
    pub(super) fn claims(&mut self, epoch: &Stamp, owner: usize, former: Option<usize>, now: Moment) -> bool {
        if self.roam.as_ref().is_some_and(|known| known.epoch >= *epoch) {
            return false;
        }
        self.roam =
            Some(Roam { epoch: epoch.clone(), owner, former, since: now, confirmed: former.is_none() });
        true
    }

    pub(super) fn confirmed(&mut self, owner: usize, epoch: &Stamp, from: usize) {
        if let Some(roam) = &mut self.roam
            && roam.owner == owner
            && roam.epoch == *epoch
            && roam.former == Some(from)
        {
            roam.confirmed = true;
        }
    }
}
