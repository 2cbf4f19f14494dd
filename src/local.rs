//! A runtime for commands that ask something and end: one thread, no actors.

use tokio::task::LocalSet;

/// Runs `what` to its end.
pub(crate) fn block_on<T>(what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // Without threads, sockets and timers there is nothing that could be done instead.
    let runtime = runtime.unwrap_or_else(|error| panic!("the system gives no runtime: {error}"));
    LocalSet::new().block_on(&runtime, what)
}
