//! A world in virtual time, made of a script.
//!
//! - [`script`]: the scenario language, read into typed statements.
//! - [`plan`]: what a script comes to: a world to build, verbs at their times, asserts with their windows.
//! - [`trace`]: the events of a run, as JSON lines and as text; [`ladder`]: who sent what to whom about one user.
//! - [`ledger`]: what the events say about the world; [`claims`]: whether a claim holds by it.
//! - [`judge`]: asserts and triggers over the run; [`invariants`]: what must hold in every run (spec 6.3);
//!   `survey`: who looks at the directories for them.
//! - [`chronicle`]: what a run writes while it goes.
//! - [`report`]: the verdict, for people and for machines.
//! - [`world`]: the running world: [`site`]s with the actors of the service, registrars, [`phone`]s, their
//!   [`network`] and their disks ([`memory`]), administrators (`edits`), set by [`tuning`]; [`run`]: a plan is lived through; [`tally`]: what
//!   came of it when nobody watched.

pub mod chronicle;
pub mod claims;
mod dns;
mod edits;
mod external;
pub mod invariants;
pub mod judge;
pub mod ladder;
pub mod ledger;
pub mod memory;
pub mod network;
mod operations;
pub mod phone;
pub mod plan;
pub mod registrar;
pub mod report;
pub mod run;
pub mod script;
pub mod site;
mod survey;
pub mod tally;
pub mod trace;
pub mod tuning;
pub mod world;
