//! Waiting for strangers: look again and again, within a bound, and remember what was seen.
//!
//! The only place of these tests that reads a clock or sleeps.
#![expect(clippy::disallowed_methods, reason = "real peers live in real time")]

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long to rest between two looks (ours: a look at Kamailio's table costs about 3 ms of CPU time).
const REST: Duration = Duration::from_millis(20);

/// Rests for so long.
pub(crate) fn rest(time: Duration) {
    thread::sleep(time);
}

/// Does it, and how long that took.
pub(crate) fn taking<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

/// What was seen, each change with the time since the first look.
struct History<T>(Vec<(Duration, T)>);

impl<T: Debug + PartialEq> History<T> {
    fn add(&mut self, at: Duration, seen: T) {
        if self.0.last().is_none_or(|(_, last)| *last != seen) {
            self.0.push((at, seen));
        }
    }

    fn tell(&self) -> String {
        self.0.iter().map(|(at, seen)| format!("\n  {:>9.3} s  {seen:?}", at.as_secs_f64())).collect()
    }
}

/// Looks until `enough` says yes to what was seen, and returns that.
///
/// # Panics
/// When `within` is over: with `wish`, and with all that was seen meanwhile.
pub(crate) fn until<T: Debug + PartialEq>(
    within: Duration,
    wish: &str,
    look: impl FnMut() -> T,
    enough: impl Fn(&T) -> bool,
) -> T {
    until_after(within, wish, look, enough).0
}

/// [`until`], and how long it took.
///
/// # Panics
/// As [`until`].
pub(crate) fn until_after<T: Debug + PartialEq>(
    within: Duration,
    wish: &str,
    mut look: impl FnMut() -> T,
    enough: impl Fn(&T) -> bool,
) -> (T, Duration) {
    let start = Instant::now();
    let mut history = History(Vec::new());
    loop {
        let seen = look();
        if enough(&seen) {
            return (seen, start.elapsed());
        }
        history.add(start.elapsed(), seen);
        assert!(start.elapsed() < within, "not within {within:?}: {wish}; seen:{}", history.tell());
        thread::sleep(REST);
    }
}

/// Looks until `done`, or until `within` is over.
pub(crate) fn patiently(within: Duration, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() && start.elapsed() < within {
        thread::sleep(REST);
    }
}

/// Somebody who looks all the time, while the test does something else.
pub(crate) struct Watch<T> {
    seen: Arc<Mutex<History<T>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Debug + PartialEq + Clone + Send + 'static> Watch<T> {
    /// Begins to look. `None` from `look` means that nothing could be seen just now; that is no sighting.
    pub(crate) fn begin(mut look: impl FnMut() -> Option<T> + Send + 'static) -> Watch<T> {
        let (seen, over) = (Arc::new(Mutex::new(History(Vec::new()))), Arc::new(AtomicBool::new(false)));
        let (theirs, end) = (Arc::clone(&seen), Arc::clone(&over));
        let start = Instant::now();
        let thread = thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                if let Some(sight) = look() {
                    theirs.lock().unwrap_or_else(PoisonError::into_inner).add(start.elapsed(), sight);
                }
                thread::sleep(REST);
            }
        });
        Watch { seen, over, thread: Some(thread) }
    }

    /// Waits until the latest sighting is `enough`.
    ///
    /// # Panics
    /// When `within` is over.
    pub(crate) fn until(&self, within: Duration, wish: &str, enough: impl Fn(&T) -> bool) {
        let start = Instant::now();
        while !self.latest().is_some_and(|sight| enough(&sight)) {
            assert!(start.elapsed() < within, "not within {within:?}: {wish}; seen:{}", self.tell());
            thread::sleep(REST);
        }
    }

    /// Claims that every sighting was `good` since the first that fits `from`.
    ///
    /// # Panics
    /// With all that was seen, if one was not, or if none fits.
    pub(crate) fn since(&self, from: impl Fn(&T) -> bool, claim: &str, good: impl Fn(&T) -> bool) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut later = seen.0.iter().skip_while(|(_, sight)| !from(sight)).peekable();
        assert!(later.peek().is_some(), "never began: {claim}; seen:{}", seen.tell());
        assert!(later.all(|(_, sight)| good(sight)), "not always: {claim}; seen:{}", seen.tell());
    }

    /// The story so far, one change a line.
    pub(crate) fn tell(&self) -> String {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).tell()
    }

    fn latest(&self) -> Option<T> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).0.last().map(|(_, sight)| sight.clone())
    }
}

impl<T> Drop for Watch<T> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
