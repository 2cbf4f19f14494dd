//! Where the steps of the machines can be watched. Nothing is formatted when nobody listens.

use std::rc::Rc;

use machine::note::Note;
use machine::time::Moment;

/// One line of a trace: who saw or did what, and when.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// Monotonic time.
    pub moment: Moment,
    /// The site (or the registrar) it happened at.
    pub node: &'a str,
    /// The machine: `user/101`, `binding/101@pbx`, `link/central` ...
    pub who: &'a str,
    /// What.
    pub note: &'a Note,
}

/// Who hears every line.
pub type Sink = Rc<dyn Fn(Seen<'_>)>;

/// The trace of one OMM: its node name and whoever listens.
#[derive(Clone)]
pub struct Trace(Rc<Watched>);

/// What all actors of one OMM share: each of them keeps a trace.
struct Watched {
    node: Box<str>,
    sink: Option<Sink>,
}

impl Trace {
    /// A trace that nobody listens to.
    pub fn silent(node: &str) -> Trace {
        Trace(Rc::new(Watched { node: node.into(), sink: None }))
    }

    /// A trace that `sink` listens to.
    pub fn new(node: &str, sink: Sink) -> Trace {
        Trace(Rc::new(Watched { node: node.into(), sink: Some(sink) }))
    }

    /// Whether it is worth making a note at all.
    pub fn listening(&self) -> bool {
        self.0.sink.is_some()
    }

    /// The node whose trace this is.
    pub fn node(&self) -> &str {
        &self.0.node
    }

    /// Hands one line to the listener.
    pub fn tell(&self, moment: Moment, who: &str, note: &Note) {
        if let Some(sink) = &self.0.sink {
            sink(Seen { moment, node: &self.0.node, who, note });
        }
    }
}
