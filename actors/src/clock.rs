//! The only file of homing that reads a clock.
//!
//! Monotonic time is tokio's clock, so a paused runtime makes it virtual. Calendar time is the system's in the
//! service, and base + virtual time + this OMM's skew in a replay. The hybrid logical clock of the OMM lives here as
//! well, because a stamp is calendar time that was never allowed to run backwards (spec 6.1).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use machine::time::{Moment, Wall};
use omm::stamp::{Hlc, OmmId, Stamp};

/// Where [`Moment::START`] is. All OMMs of one process share it, so that their traces can be read side by side.
#[derive(Clone, Copy)]
pub struct Origin(tokio::time::Instant);

impl Origin {
    /// The present moment becomes [`Moment::START`].
    #[expect(clippy::disallowed_methods, reason = "this file is the clock's door")]
    pub fn now() -> Origin {
        Origin(tokio::time::Instant::now())
    }

    /// How long ago that was.
    #[expect(clippy::disallowed_methods, reason = "this file is the clock's door")]
    pub fn moment(&self) -> Moment {
        let elapsed = tokio::time::Instant::now().saturating_duration_since(self.0);
        Moment::START + elapsed
    }
}

/// Where an OMM's calendar time comes from.
#[derive(Clone)]
pub enum Calendar {
    /// The machine's own clock.
    System,
    /// A scripted one: `base` at [`Moment::START`], going with virtual time, wrong by `skew` milliseconds.
    Scripted {
        /// The true calendar time at the start of the world.
        base: Wall,
        /// How far this OMM's clock is ahead (or behind), in milliseconds; the script may change it at any time.
        skew: Rc<Cell<i64>>,
    },
}

/// The clocks of one OMM.
pub struct Clock {
    origin: Origin,
    calendar: Calendar,
    hybrid: RefCell<Hlc>,
}

impl Clock {
    /// The clocks of the OMM `omm`.
    pub fn new(origin: Origin, calendar: Calendar, omm: OmmId) -> Clock {
        Clock { origin, calendar, hybrid: RefCell::new(Hlc::new(omm)) }
    }

    /// Monotonic time, for timers.
    pub fn moment(&self) -> Moment {
        self.origin.moment()
    }

    /// Calendar time, for stamps and persisted dates.
    #[expect(clippy::disallowed_methods, reason = "this file is the clock's door")]
    pub fn wall(&self) -> Wall {
        match &self.calendar {
            Calendar::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Wall::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
            }
            Calendar::Scripted { base, skew } => {
                let true_ms = base.as_millis().saturating_add(self.moment().as_millis());
                Wall::from_millis(true_ms.saturating_add_signed(skew.get()))
            }
        }
    }

    /// A stamp newer than every stamp this OMM has made or observed.
    pub fn stamp(&self) -> Stamp {
        self.hybrid.borrow_mut().next(self.wall())
    }

    /// Takes note of a stamp that came from elsewhere.
    pub fn observe(&self, stamp: Stamp) {
        self.hybrid.borrow_mut().observe(stamp);
    }
}
