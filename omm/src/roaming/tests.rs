//! The table of SM-2 row by row, its edge cases as stories, and random worlds.

mod seeds;
mod stories;
mod table;
mod world;
