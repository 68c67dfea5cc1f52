//! Looks at files on a thread of its own: a mount that hangs holds up no handshake and no start.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a handshake waits for a look. A local file system takes microseconds.
const PATIENCE: Duration = Duration::from_millis(250);

/// What `look` finds; [`None`] when it takes longer than `time`, or no thread can be had.
pub(super) fn within<T: Send + 'static>(
    time: Duration,
    look: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    begin(look)?.recv_timeout(time).ok()
}

fn begin<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Option<Receiver<T>> {
    let (found, finds) = channel();
    let thread = thread::Builder::new().name("look".to_owned());
    thread
        .spawn(move || {
            // Nobody waits any more: then nobody misses it.
            let _ = found.send(look());
        })
        .ok()?;
    Some(finds)
}

/// Looks again and again, with one thread at most: one that hangs is waited for, and no other begins.
#[derive(Debug)]
pub(super) struct Looks<T>(Mutex<Option<Receiver<T>>>);

impl<T> Default for Looks<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Send + 'static> Looks<T> {
    /// What `look` finds, or what one before it has found that took longer; [`None`] for as long as it hangs.
    pub(super) fn look(&self, look: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (finds, patience) = match under_way.take() {
            Some(finds) => (finds, Duration::ZERO),
            None => (begin(look)?, PATIENCE),
        };
        let found = finds.recv_timeout(patience).ok();
        if found.is_none() {
            *under_way = Some(finds);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_hangs_holds_up_nobody_and_is_begun_once() {
        let (free, hangs) = channel::<()>();
        let looks = Looks::default();
        let hanging = move || {
            hangs.recv().ok();
            1
        };
        assert_eq!(looks.look(hanging), None);
        assert_eq!(looks.look(|| 2), None, "the first still hangs");
        free.send(()).expect("it waits");
        let found = (0..1000).find_map(|_| {
            thread::sleep(Duration::from_millis(5));
            looks.look(|| 3)
        });
        assert_eq!(found, Some(1), "what the first found");
        assert_eq!(looks.look(|| 4), Some(4));
        assert_eq!(within(Duration::from_millis(1), thread::park), None);
    }
}
