//! Actions: what a script does to the world.

use std::sync::Arc;
use std::time::Duration;

use super::Name;

/// What a script does to the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `start|stop|restart|kill|pause|resume NODE|all [over D]`
    Power { verb: Power, nodes: Nodes, over: Option<Duration> },
    /// `cut link A-B [for D]`
    Cut { link: Ends, span: Option<Duration> },
    /// `heal link A-B`
    Heal { link: Ends },
    /// `flap link A-B [every D] [for D]`
    Flap { link: Ends, every: Duration, span: Duration },
    /// `slow link A-B latency|jitter|loss V [for D]`
    Slow { link: Ends, quality: Quality, span: Option<Duration> },
    /// `drop proxy P [for D]`
    Drop { server: Name, span: Option<Duration> },
    /// `return proxy P`
    Return { server: Name },
    /// `answer P [METHOD] CODE|silence|normal [header "N: v"] [for D]`
    Answer { server: Name, method: Option<Arc<str>>, reply: Reply, span: Option<Duration> },
    /// `skew clock SITE by D` (sets the error) and `step clock SITE by D` (adds to it)
    Clock { site: Name, ahead_ms: i64, adds: bool },
    /// `locate USER [at SITE]`
    Locate { phone: Name, site: Option<Name> },
    /// `detach USER [at SITE]`
    Detach { phone: Name, site: Option<Name> },
    /// `silence USER [at SITE]`
    Silence { phone: Name, site: Option<Name> },
    /// `roam USER|N% of users [at A] to B [over D]`
    Roam { who: Who, from: Option<Name>, to: Name, over: Option<Duration> },
    /// `call USER [for D]`
    Call { user: Name, span: Duration },
    /// `login USER [at SITE] [on DEVICE]`
    Login { user: Name, site: Option<Name>, device: Option<Name> },
    /// `logout USER [at SITE]`
    Logout { user: Name, site: Option<Name> },
    /// `note "..."`
    Note(String),
    /// `end`
    End,
}

/// The two ends of a link, in the order in which it was declared.
pub type Ends = (Name, Name);

/// What can be done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Begins, or begins again with what was stored.
    Start,
    /// Ends in good order.
    Stop,
    /// Ends in good order and begins again.
    Restart,
    /// Ends at once; what was not flushed is lost.
    Kill,
    /// Stops doing anything, as a stuck process does.
    Pause,
    /// Goes on after a pause.
    Resume,
}

/// Which nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nodes {
    /// Every site and every server.
    All,
    /// One site or server.
    One(Name),
}

/// One quality of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quality {
    /// The time one way.
    Latency(Duration),
    /// Up to this much more, drawn for each message.
    Jitter(Duration),
    /// Lost messages per million.
    Loss(u32),
}

/// How a server answers instead of its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// With this code and, if given, one more header.
    Code { code: u16, header: Option<(Arc<str>, Arc<str>)> },
    /// Not at all.
    Silence,
    /// As it did before.
    Normal,
}

/// Who roams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// One user's phone.
    One(Name),
    /// So many of a million users, chosen by the seed.
    Share(u32),
}
