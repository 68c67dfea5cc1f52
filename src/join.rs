//! Waiting for a task so that its panic isn't lost: a bug in it goes on where it is waited for.

use std::panic::resume_unwind;

use tokio::task::{JoinError, JoinHandle};

/// What a task that nobody cancels ended with. Its panic goes on here.
pub async fn resumed<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(ended) => ended,
        Err(error) => panicked(error),
    }
}

/// What a task that may be cancelled ended with; [`None`] if it was. Its panic goes on here.
pub fn unless_cancelled<T>(ended: Result<T, JoinError>) -> Option<T> {
    match ended {
        Ok(ended) => Some(ended),
        Err(error) if error.is_cancelled() => None,
        Err(error) => panicked(error),
    }
}

/// A task is cancelled only where somebody holds on to it for that: what is left is a panic, or a runtime that ends
/// under the task that waits, which then ends, too.
fn panicked(error: JoinError) -> ! {
    match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(cancelled) => panic!("the runtime has ended: {cancelled}"),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use tokio::task::{JoinSet, spawn_blocking};

    use super::*;

    #[tokio::test]
    async fn a_panic_goes_on_where_the_task_is_waited_for() {
        let caught = tokio::task::LocalSet::new()
            .run_until(async {
                let waits = tokio::task::spawn_local(async {
                    resumed(spawn_blocking(|| -> u8 { panic!("a bug") })).await
                });
                waits.await
            })
            .await;
        assert!(caught.expect_err("it panicked").is_panic());
        assert_eq!(resumed(spawn_blocking(|| 7)).await, 7);
    }

    #[tokio::test]
    async fn a_cancelled_task_has_ended_with_nothing() {
        let mut tasks = JoinSet::new();
        tasks.spawn(std::future::pending::<u8>());
        tasks.abort_all();
        let ended = tasks.join_next().await.expect("one");
        assert_eq!(unless_cancelled(ended), None);
        tasks.spawn(async { panic!("a bug") });
        let ended = tasks.join_next().await.expect("one");
        assert!(std::panic::catch_unwind(AssertUnwindSafe(|| unless_cancelled(ended))).is_err());
    }
}
