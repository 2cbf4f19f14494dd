//! The one trait that every rule of homing is written against.

use crate::note::Note;
use crate::time::Moment;

/// A pure state machine: an input and the time go in, effects come out, nothing else happens.
pub trait Machine {
    /// What can happen to it. Outcomes (a 403, a silence, a stale confirm) are inputs, not errors.
    type Input;
    /// What it wants done. Performed in order by the actor that runs the machine.
    type Effect;

    /// Takes one input at `now` and appends the effects to `out`.
    ///
    /// `now` never runs backwards between two calls.
    fn on(&mut self, now: Moment, input: Self::Input, out: &mut Vec<Self::Effect>);

    /// When the machine wants to be woken next, and why (the timer's name, for the trace).
    fn deadline(&self) -> Option<(Moment, &'static str)>;

    /// Performs every deadline that is due at `now`; does nothing when none is.
    fn wake(&mut self, now: Moment, out: &mut Vec<Self::Effect>);

    /// What an input looks like in the trace; `None` for one that would only be noise.
    fn note_input(_input: &Self::Input) -> Option<Note> {
        None
    }

    /// What an effect looks like in the trace; `None` for one that would only be noise.
    fn note_effect(_effect: &Self::Effect) -> Option<Note> {
        None
    }
}
