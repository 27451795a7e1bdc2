//! Taking a lock that a panic may have left behind. The panic itself has been reported, and what the lock guards is whole
//! after every statement or replaced before its next use.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, whatever happened to the last holder.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
