//! What every engine has to keep: the same tests for each.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use actors::store::{Store, StoreFault, Write};

use super::{ENGINES, Engine, open};

/// Writes these pairs as one change; `None` deletes the key.
pub(super) fn commit<T: AsRef<str>>(store: &dyn Store, batch: &[(T, Option<T>)]) -> Result<(), StoreFault> {
    let write = |(key, value): &(T, Option<T>)| match value {
        Some(value) => Write::Put(key.as_ref().into(), value.as_ref().into()),
        None => Write::Delete(key.as_ref().into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(store.commit(batch.iter().map(write).collect()))
}

/// All that is in the store, as `key=value`.
pub(super) fn pairs(store: &dyn Store) -> Vec<String> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let all = store.load(b"").expect("a load");
    all.into_iter().map(|(key, value)| format!("{}={}", text(key), text(value))).collect()
}

/// Opens a store that was just closed: sled's own threads let go of the lock a moment after the store is dropped.
pub(super) fn reopen(engine: Engine, dir: &Path) -> Rc<dyn Store> {
    let mut tries = (0..100_000).map(|_| {
        std::thread::yield_now();
        open(engine, dir, "test")
    });
    tries.find_map(Result::ok).expect("a store")
}

fn each(test: impl Fn(Engine, &Path)) {
    for (_, engine) in ENGINES {
        let dir = tempfile::tempdir().expect("a folder");
        test(*engine, dir.path());
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

#[test]
fn a_commit_is_one_change_and_keys_come_in_order() {
    each(|engine, dir| {
        let store = open(engine, dir, "test").expect("a store");
        assert_eq!(store.load(b"").expect("a load"), []);
        let first = [("b", Some("1")), ("a", Some("1")), ("b", Some("2")), ("c", Some("1"))];
        commit(&*store, &first).expect("a commit");
        commit(&*store, &[("c", None), ("never", None)]).expect("a commit");
        assert_eq!(pairs(&*store), ["a=1", "b=2"]);
        commit(&*store, &[("ba", Some("3")), ("c", Some("1"))]).expect("a commit");
        let begins = store.load(b"b").expect("a load");
        assert_eq!(begins, [(b"b".to_vec(), b"2".to_vec()), (b"ba".to_vec(), b"3".to_vec())]);
    });
}

#[test]
fn what_was_acknowledged_is_in_the_files_while_the_store_is_still_open() {
    each(|engine, dir| {
        let after = tempfile::tempdir().expect("a folder");
        let store = open(engine, dir, "test").expect("a store");
        for round in 0..20 {
            let batch =
                [(format!("k{round:02}"), Some("x".to_owned())), ("last".into(), Some(round.to_string()))];
            commit(&*store, &batch).expect("a commit");
        }
        // What a killed process leaves behind: the files as they are now, with no goodbye.
        copy(dir, after.path());
        let found = pairs(&*open(engine, after.path(), "test").expect("a store"));
        assert_eq!((found.len(), found.last().map(String::as_str)), (21, Some("last=19")), "{engine:?}");
    });
}

#[test]
fn what_was_written_is_there_after_a_closing() {
    each(|engine, dir| {
        let store = open(engine, dir, "test").expect("a store");
        commit(&*store, &[("a", Some("1")), ("b", Some("2"))]).expect("a commit");
        drop(store);
        let store = reopen(engine, dir);
        commit(&*store, &[("a", None)]).expect("a commit");
        assert_eq!(pairs(&*store), ["b=2"], "{engine:?}");
    });
}

#[test]
fn a_second_opener_is_told_who_was_first() {
    each(|engine, dir| {
        let _first = open(engine, dir, "homing serve, site berlin").expect("a store");
        let fault = open(engine, dir, "test").err().expect("a fault");
        let expected = format!(
            "the store in {} is in use by process {} (homing serve, site berlin)",
            dir.join(engine.place()).display(),
            std::process::id()
        );
        assert_eq!(fault.0, expected);
    });
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    each(|engine, dir| {
        fs::write(dir.join("file"), "").expect("a file");
        let fault = open(engine, &dir.join("file"), "test").err().expect("a fault");
        assert!(fault.0.starts_with(&format!("cannot make {}/file: ", dir.display())), "{fault}");
    });
}

#[test]
fn nobody_begins_anew_beside_the_data_of_the_other_engine() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(open(Engine::Sled, dir.path(), "test").expect("a store"));
    let fault = open(Engine::Redb, dir.path(), "test").err().expect("a fault").0;
    assert!(fault.contains("holds a store of sled") && fault.contains("say `store = \"sled\"`"), "{fault}");
    assert!(!dir.path().join("store.redb").exists());
}
