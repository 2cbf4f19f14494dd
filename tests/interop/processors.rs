//! Who has the processors: tests that count milliseconds, and tests that keep all of them busy, take turns.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Tests that hold homing to milliseconds share this; one that keeps all processors busy has it for itself.
static PROCESSORS: RwLock<()> = RwLock::new(());

/// For a test in which a phone must be reachable at every moment: no other test keeps the processors busy meanwhile.
pub(crate) fn counting_milliseconds() -> RwLockReadGuard<'static, ()> {
    PROCESSORS.read().unwrap_or_else(PoisonError::into_inner)
}

/// For a test that floods, or that makes keys by the dozen.
pub(crate) fn burdening_the_machine() -> RwLockWriteGuard<'static, ()> {
    PROCESSORS.write().unwrap_or_else(PoisonError::into_inner)
}
