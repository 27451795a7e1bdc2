//! Why a window was not transcribed.

/// Errors of the scheduler itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The stream gave the window up.
    #[error("the window was cancelled")]
    Cancelled,
    /// A worker panicked; the engine goes on with the next window.
    #[error("inference failed unexpectedly: {message}; other streams go on, please report this")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The worker thread cannot be started.
    #[error("the worker thread cannot be started: {reason}")]
    Thread {
        /// What the system said.
        reason: String,
    },
}
