//! A world in virtual time, made of a script.
//!
//! - [`script`]: the scenario language, read into typed statements.
//! - [`plan`]: what a script comes to: a world to build, verbs at their times, asserts with their windows.

pub mod plan;
pub mod script;
