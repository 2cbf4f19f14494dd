//! The actors of one OMM, alive in virtual time, with doors and a store made for the test.

mod ground;

mod directory;
mod endpoint;
mod errands;
mod identity;
mod keeper;
mod links;
mod recorded;
mod restart;
mod slots;
mod zombies;
