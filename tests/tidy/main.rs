//! The rules of the house as tests: what ARCHITECTURE.md promises is held here against the files.
//!
//! Each rule is a function from the tree of files to complaints, one a line. It is run twice: on this repository,
//! where it must find nothing, and on a small bad tree, where it must find exactly what is bad.

mod arrows;
mod hosts;
mod limits;
mod places;
mod readme;
mod sizes;
mod stories;
mod tree;

use tree::Tree;

/// The rule finds nothing in this repository.
fn kept(rule: fn(&Tree) -> Vec<String>) {
    let complaints = rule(&Tree::of_this_repository());
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn the_arrows_point_one_way() {
    kept(arrows::check);
}

#[test]
fn foreign_crates_stay_with_their_hosts() {
    kept(hosts::check);
}

#[test]
fn only_the_clock_reads_clocks_and_nothing_sleeps() {
    kept(places::check);
}

#[test]
fn files_are_short_and_named_after_things() {
    kept(sizes::check);
}

#[test]
fn every_limit_says_where_it_comes_from() {
    kept(limits::check);
}

#[test]
fn every_scenario_has_a_story_and_a_golden_trace() {
    kept(stories::check);
}

#[test]
fn the_commands_of_the_readme_exist() {
    kept(readme::check);
}
