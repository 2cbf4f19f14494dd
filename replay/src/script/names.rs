//! The names that a script has declared so far.

use std::sync::Arc;

use super::Name;
use super::action::Ends;

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// An OMM.
    Site,
    /// A registrar.
    Server,
    /// A user; its phone has the same name unless it was declared.
    User,
    /// A phone declared with `device`.
    Device,
    /// A name in the DNS.
    Zone,
}

impl Sort {
    /// `a site`, `a proxy or registrar` ...
    pub fn article(self) -> &'static str {
        match self {
            Sort::Site => "a site",
            Sort::Server => "a proxy or registrar",
            Sort::User => "a user",
            Sort::Device => "a device",
            Sort::Zone => "a name in the DNS",
        }
    }

    /// `site`, `proxy` ...
    pub fn noun(self) -> &'static str {
        match self {
            Sort::Site => "site",
            Sort::Server => "proxy",
            Sort::User => "user",
            Sort::Device => "device",
            Sort::Zone => "dns",
        }
    }
}

/// The number of the first user of the crowd (ours).
pub const CROWD_FIRST: u32 = 10_001;

/// The names declared so far; few, so a list is enough.
#[derive(Clone, Debug, Default)]
pub struct Names {
    declared: Vec<(Name, Sort, usize)>,
    links: Vec<Ends>,
    crowd: u32,
}

impl Names {
    /// Declares a name; `Err` is the line on which it was declared before.
    pub fn declare(&mut self, name: &str, sort: Sort, line: usize) -> Result<Name, usize> {
        match self.declared.iter().find(|(known, _, _)| **known == *name) {
            Some((_, _, first)) => Err(*first),
            None => {
                let name: Name = Arc::from(name);
                self.declared.push((name.clone(), sort, line));
                Ok(name)
            }
        }
    }

    /// Declares a link; `false` when there is one already.
    pub fn declare_link(&mut self, ends: Ends) -> bool {
        let fresh = !self.links.iter().any(|known| same(known, &ends));
        if fresh {
            self.links.push(ends);
        }
        fresh
    }

    /// Declares `count` more users of the crowd, who are named by their numbers.
    pub fn declare_crowd(&mut self, count: u32) {
        self.crowd = self.crowd.saturating_add(count);
    }

    /// The declared name of this sort, if it is one. A user of the crowd is known by the number.
    pub fn find(&self, name: &str, sorts: &[Sort]) -> Option<Name> {
        let declared = self.declared.iter().find(|(known, sort, _)| **known == *name && sorts.contains(sort));
        if let Some((known, _, _)) = declared {
            return Some(known.clone());
        }
        let number: u32 = name.parse().ok()?;
        let crowd = CROWD_FIRST..CROWD_FIRST.saturating_add(self.crowd);
        (sorts.contains(&Sort::User) && crowd.contains(&number)).then(|| Arc::from(name))
    }

    /// What a name is the name of.
    pub fn sort(&self, name: &str) -> Option<Sort> {
        let declared = self.declared.iter().find(|(known, _, _)| **known == *name).map(|(_, sort, _)| *sort);
        declared.or_else(|| self.find(name, &[Sort::User]).map(|_| Sort::User))
    }

    /// The names of these sorts, sorted.
    pub fn of(&self, sorts: &[Sort]) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .declared
            .iter()
            .filter(|(_, sort, _)| sorts.contains(sort))
            .map(|(name, _, _)| &**name)
            .collect();
        names.sort_unstable();
        names
    }

    /// The link of this text, in the order in which it was declared.
    pub fn link(&self, text: &str) -> Option<Ends> {
        let ends = self.ends(text)?;
        self.links.iter().find(|known| same(known, &ends)).cloned()
    }

    /// The texts of the declared links.
    pub fn links(&self) -> Vec<String> {
        self.links.iter().map(|(a, b)| format!("{a}-{b}")).collect()
    }

    /// Two declared sites with a hyphen between them. A site's name may contain hyphens, so every one is tried.
    pub fn ends(&self, text: &str) -> Option<Ends> {
        text.match_indices('-').find_map(|(at, _)| {
            let a = self.find(&text[..at], &[Sort::Site])?;
            let b = self.find(&text[at + 1..], &[Sort::Site])?;
            (a != b).then_some((a, b))
        })
    }
}

fn same(a: &Ends, b: &Ends) -> bool {
    a == b || (a.0 == b.1 && a.1 == b.0)
}
