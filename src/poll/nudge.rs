//! Wakes an account's task from outside.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Somebody wants the task to look again.
#[derive(Debug, Default)]
pub struct Nudge {
    again: AtomicBool,
    woken: Notify,
}

impl Nudge {
    /// What was refused is to be asked for once more.
    pub fn ask_again(&self) {
        self.again.store(true, Ordering::Relaxed);
        self.woken.notify_one();
    }

    /// Something outside has changed that the task looks at by itself, only later.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// Whether that was asked for since the last time.
    pub(super) fn take(&self) -> bool {
        self.again.swap(false, Ordering::Relaxed)
    }

    /// Resolves when somebody wants something.
    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }
}
