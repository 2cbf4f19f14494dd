//! The only place where a machine meets the world.
//!
//! A step is always the same: read the clock once, let the machine decide, write the trace, perform the effects in
//! order, re-arm one alarm. An effect that has to become durable first holds back those behind it, also the effects
//! of later steps, until the store has answered: order is part of every promise.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use machine::step::Machine;
use machine::time::Moment;

use crate::clock::Clock;
use crate::trace::Trace;

/// Whether the effects behind this one may be performed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Go,
    /// Wait until somebody calls [`Seated::release`].
    Hold,
}

/// A machine, its name, and what it needs to be run.
pub struct Seat<M: Machine> {
    machine: M,
    who: Arc<str>,
    clock: Rc<Clock>,
    trace: Trace,
    alarm: Option<(Moment, SpawnHandle)>,
    /// `None` nearly always.
    held: Option<Box<Held<M::Effect>>>,
}

/// An effect has yet to become durable. Who can hold has to mind [`Seat::held`] when something comes from outside.
struct Held<E> {
    /// What waits behind it, in order.
    effects: VecDeque<E>,
}

impl<M: Machine> Seat<M> {
    /// Seats `machine` under the name that the trace prints.
    pub fn new(machine: M, who: impl Into<Arc<str>>, clock: Rc<Clock>, trace: Trace) -> Seat<M> {
        Seat { machine, who: who.into(), clock, trace, alarm: None, held: None }
    }

    /// The machine, to look at.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The clocks of this OMM.
    pub fn clock(&self) -> &Rc<Clock> {
        &self.clock
    }

    /// The trace of this OMM.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The name that the trace prints.
    pub fn who(&self) -> &Arc<str> {
        &self.who
    }

    /// Whether effects wait for the store.
    pub fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// How many effects wait.
    pub fn held(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.effects.len())
    }

    fn step(&mut self, input: Option<M::Input>) -> Vec<M::Effect> {
        let now = self.clock.moment();
        let mut effects = Vec::new();
        let cause = input.as_ref().filter(|_| self.trace.listening()).and_then(M::note_input);
        if let Some(note) = &cause {
            self.trace.tell(now, &self.who, note);
        }
        match input {
            Some(input) => self.machine.on(now, input, &mut effects),
            None => self.machine.wake(now, &mut effects),
        }
        self.watch(now, &effects);
        effects
    }

    fn watch(&self, now: Moment, effects: &[M::Effect]) {
        if self.trace.listening() {
            for note in effects.iter().filter_map(M::note_effect) {
                self.trace.tell(now, &self.who, &note);
            }
        }
    }
}

/// An actor that runs a machine `M`. Who runs two of them has a seat for each, and tells one what the other wants when
/// the step is over: see [`Seated::settled`].
pub trait Seated<M: Machine + 'static>: Actor<Context = Context<Self>> {
    /// The machine's seat.
    fn seat(&mut self) -> &mut Seat<M>;

    /// Performs one effect. A match of one-liners; no rule of the domain belongs here, and no [`Seated::feed`]: what
    /// it would bring about would overtake the effects that are still to be performed.
    fn perform(&mut self, effect: M::Effect, ctx: &mut Context<Self>) -> Flow;

    /// A step is over: its effects are performed (or held back), its alarm is set. Now the actor's other machine may be
    /// told what [`Seated::perform`] has put aside for it.
    fn settled(&mut self, _ctx: &mut Context<Self>) {}

    /// Gives the machine one input.
    fn feed(&mut self, input: M::Input, ctx: &mut Context<Self>) {
        let effects = self.seat().step(Some(input));
        settle(self, effects, ctx);
    }

    /// The effect that held the others back is done: performs what waited.
    fn release(&mut self, ctx: &mut Context<Self>) {
        let held = self.seat().held.take();
        debug_assert!(held.is_some(), "nothing was held back");
        settle(self, held.map(|held| held.effects).unwrap_or_default(), ctx);
    }

    /// Performs what the machine wanted when it was born and arms its first alarm. Call it from `started`.
    fn seated(&mut self, born: Vec<M::Effect>, ctx: &mut Context<Self>) {
        let seat = self.seat();
        seat.watch(seat.clock.moment(), &born);
        settle(self, born, ctx);
    }
}

fn settle<M: Machine + 'static, A: Seated<M>>(
    actor: &mut A,
    effects: impl IntoIterator<Item = M::Effect>,
    ctx: &mut Context<A>,
) {
    let mut effects = effects.into_iter();
    if let Some(held) = &mut actor.seat().held {
        held.effects.extend(effects);
    } else {
        while let Some(effect) = effects.next() {
            if actor.perform(effect, ctx) == Flow::Hold {
                actor.seat().held = Some(Box::new(Held { effects: effects.collect() }));
                break;
            }
        }
    }
    arm(actor, ctx);
    actor.settled(ctx);
}

fn arm<M: Machine + 'static, A: Seated<M>>(actor: &mut A, ctx: &mut Context<A>) {
    let seat = actor.seat();
    let wanted = seat.machine.deadline().map(|(at, _)| at);
    if seat.alarm.as_ref().map(|(at, _)| *at) == wanted {
        return;
    }
    if let Some((_, handle)) = seat.alarm.take() {
        ctx.cancel_future(handle);
    }
    if let Some(at) = wanted {
        let pause = at.since(seat.clock.moment());
        seat.alarm = Some((at, ctx.run_later(pause, ring::<M, A>)));
    }
}

fn ring<M: Machine + 'static, A: Seated<M>>(actor: &mut A, ctx: &mut Context<A>) {
    actor.seat().alarm = None;
    let effects = actor.seat().step(None);
    settle(actor, effects, ctx);
}

#[cfg(test)]
mod tests;
