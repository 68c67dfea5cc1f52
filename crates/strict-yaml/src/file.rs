//! A small file, read whole within a size and a time.
//!
//! A path may be anything: a pipe nobody writes to, a device that never ends, a mount whose server is gone. Reading
//! happens on a thread of its own, and who asked waits no longer than [`Limits::time`]. A reading that hangs can't be
//! ended; the next one of the same path waits for the same thread, so that they never pile up.

use std::collections::HashMap;
use std::fs::{File, FileType};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

/// How much is read, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes.
    pub bytes: usize,
    /// The longest wait.
    pub time: Duration,
}

/// What a file held.
#[derive(Debug)]
pub struct Contents {
    /// All of it, wiped from memory when dropped.
    pub bytes: Zeroizing<Vec<u8>>,
    /// What it is, when it is no regular file: `a pipe`, say.
    pub irregular: Option<&'static str>,
}

/// Nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It can't be opened or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It holds more than [`Limits::bytes`].
    #[error("holds more than {0} bytes")]
    TooLong(usize),
    /// It didn't answer within [`Limits::time`].
    #[error("didn't answer within {} s: a pipe that nobody writes to, or a mount that hangs", .0.as_secs_f64())]
    Stalled(Duration),
    /// It holds bytes that aren't UTF-8, the first of them in this line.
    #[error("line {0} holds bytes that aren't UTF-8")]
    NotUtf8(usize),
}

/// Reads the file.
///
/// # Errors
/// When it can't be read, is too long, or doesn't answer in time.
pub fn read(path: &Path, limits: Limits) -> Result<Contents, ReadError> {
    let reading = begin(path, limits)?;
    let mut state = lock(&reading.state);
    if matches!(*state, State::Under) {
        let waiting = |state: &mut State| matches!(state, State::Under);
        let waited = reading.done.wait_timeout_while(state, limits.time, waiting);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    match std::mem::replace(&mut *state, State::Under) {
        State::Under => {
            lock(&STALLED).insert(path.to_owned(), Arc::clone(&reading));
            Err(ReadError::Stalled(limits.time))
        }
        State::Done(result) => result,
    }
}

/// Reads the file as text.
///
/// # Errors
/// As [`read`], and when it isn't UTF-8.
pub fn text(path: &Path, limits: Limits) -> Result<(String, Option<&'static str>), ReadError> {
    let contents = read(path, limits)?;
    match std::str::from_utf8(&contents.bytes) {
        Ok(text) => Ok((text.to_owned(), contents.irregular)),
        Err(error) => {
            let good = &contents.bytes[..error.valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(ReadError::NotUtf8(line))
        }
    }
}

/// What a path leads to when it is no regular file.
pub fn irregular(kind: FileType) -> Option<&'static str> {
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a directory")
    } else if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

/// Readings that somebody stopped waiting for.
static STALLED: LazyLock<Mutex<HashMap<PathBuf, Arc<Reading>>>> = LazyLock::new(Mutex::default);

#[derive(Debug)]
struct Reading {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Debug)]
enum State {
    Under,
    Done(Result<Contents, ReadError>),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reading that hangs already, or a new one.
fn begin(path: &Path, limits: Limits) -> Result<Arc<Reading>, ReadError> {
    if let Some(stalled) = lock(&STALLED).remove(path) {
        let of_a_pipe = |contents: &Contents| contents.irregular.is_some();
        let usable = match &*lock(&stalled.state) {
            State::Under => true,
            // What came out of a pipe is there once. A file may have changed since.
            State::Done(result) => result.as_ref().is_ok_and(of_a_pipe),
        };
        if usable {
            return Ok(stalled);
        }
    }
    let reading = Arc::new(Reading {
        state: Mutex::new(State::Under),
        done: Condvar::new(),
    });
    let (task, path) = (Arc::clone(&reading), path.to_owned());
    thread::Builder::new().name("file".to_owned()).spawn(move || {
        let result = read_now(&path, limits.bytes);
        *lock(&task.state) = State::Done(result);
        task.done.notify_all();
    })?;
    Ok(reading)
}

fn read_now(path: &Path, most: usize) -> Result<Contents, ReadError> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    // Room for all of it: growing would leave copies behind that nobody wipes.
    let expected = usize::try_from(metadata.len())
        .unwrap_or(most)
        .clamp(4096.min(most), most);
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected + 1));
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(ReadError::TooLong(most));
    }
    Ok(Contents {
        bytes,
        irregular: irregular(metadata.file_type()),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::Command;

    use super::*;

    const SOON: Limits = Limits {
        bytes: 100,
        time: Duration::from_millis(300),
    };

    #[test]
    fn files_are_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        assert!(matches!(read(&path, SOON), Err(ReadError::Io(_))));
        std::fs::write(&path, "x".repeat(100)).expect("written");
        let contents = read(&path, SOON).expect("read");
        assert_eq!((contents.bytes.len(), contents.irregular), (100, None));
        std::fs::write(&path, "x".repeat(101)).expect("written");
        assert!(matches!(read(&path, SOON), Err(ReadError::TooLong(100))));
        std::fs::write(&path, b"a\nb\xff").expect("written");
        assert!(matches!(text(&path, SOON), Err(ReadError::NotUtf8(2))));
        assert!(matches!(read(folder.path(), SOON), Err(ReadError::Io(_))));
        assert!(matches!(
            read(Path::new("/dev/zero"), SOON),
            Err(ReadError::TooLong(100))
        ));
        let nothing = read(Path::new("/dev/null"), SOON).expect("read");
        assert_eq!(nothing.irregular, Some("a device"));
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_is_given_up_and_heard_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .expect("mkfifo")
                .success()
        );
        for _ in 0..3 {
            assert!(matches!(read(&path, SOON), Err(ReadError::Stalled(_))));
        }
        let threads = std::fs::read_dir("/proc/self/task")
            .expect("threads")
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        assert_eq!(
            threads.filter(|name| name.trim() == "file").count(),
            1,
            "one reading, not three"
        );

        std::fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|mut pipe| pipe.write_all(b"late"))
            .expect("written");
        let contents = read(&path, SOON).expect("read");
        assert_eq!(
            (contents.bytes.as_slice(), contents.irregular),
            (&b"late"[..], Some("a pipe"))
        );
    }
}
