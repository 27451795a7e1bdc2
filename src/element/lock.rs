//! Taking a lock that a panic may have left behind: the panic itself has been reported, and what the lock guards is replaced
//! with the next flush or state change.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, whatever happened to the last holder.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
