//! What survives a restart: the ledger of requests and the last snapshot of each account.
//!
//! One folder an account, so that nothing that happens to one touches another; one lock for the whole path, so that
//! two processes can't spend one budget. Files are replaced whole or appended to, and checked when read: what is torn
//! or foreign is set aside with a warning. Neither a key nor personal data is in them. Calls block; async callers use
//! `spawn_blocking`.

mod progress;
mod saved;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

pub use progress::{Progress, RiskHistory};
pub use saved::Saved;

use quota::durable::{FileError, at, make_folder, private, replace, set_aside};
use quota::{Budget, FileLedger, Limits};

use crate::clock::Clock;
use crate::model::AccountName;

/// The storage path, held by this process alone.
#[derive(Debug)]
pub struct Storage {
    root: PathBuf,
    _lock: File,
}

/// The storage path can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the lock.
    #[error(
        "{0}: another process uses this storage path; stop it, or give each process its own --storage.path"
    )]
    Locked(PathBuf),
    /// A file or folder can't be made, read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Storage {
    /// Takes a storage path, which is made if it isn't there.
    ///
    /// # Errors
    /// When another process has it, or it can't be written.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        make_folder(root)?;
        let path = root.join("LOCK");
        let lock = private()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(at(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                root: root.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(root.to_owned())),
            Err(TryLockError::Error(error)) => Err(at(&path)(error).into()),
        }
    }

    /// The folder of an account.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn account(&self, account: &AccountName) -> Result<AccountStore, StoreError> {
        let folder = folder(&self.root, account);
        make_folder(&folder)?;
        Ok(AccountStore { folder })
    }

    /// What was last saved of an account, without taking the storage path: for `plan`, beside a running exporter.
    pub fn peek(root: &Path, account: &AccountName) -> Option<Saved> {
        saved::read(&folder(root, account)).ok().flatten()
    }
}

fn folder(root: &Path, account: &AccountName) -> PathBuf {
    root.join("accounts").join(account.as_str())
}

/// One account's files.
#[derive(Debug)]
pub struct AccountStore {
    folder: PathBuf,
}

impl AccountStore {
    /// The last snapshot; [`None`] on the first run, and when the file isn't one (then it is set aside).
    pub fn load_snapshot(&self) -> Option<Saved> {
        match saved::read(&self.folder) {
            Ok(saved) => saved,
            Err(error) => {
                set_aside(&self.folder, saved::FILE, &error.to_string());
                None
            }
        }
    }

    /// Keeps a snapshot: the old one or the new one is on disk at any time, whole.
    ///
    /// # Errors
    /// When it can't be written; the old one stays.
    pub fn save_snapshot(&self, saved: &Saved) -> Result<(), StoreError> {
        Ok(replace(&self.folder, saved::FILE, &saved::encode(saved))?)
    }

    /// The budget that this account's ledger records. A ledger that isn't readable, or is missing although there is a
    /// snapshot, is begun anew with the whole day counted as spent.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn open_budget(&self, limits: Limits, clock: Clock) -> Result<Budget, StoreError> {
        let known = self.folder.join(saved::FILE).exists();
        let (ledger, loaded) = FileLedger::open(&self.folder, known, clock.milliseconds())?;
        let wall = Box::new(move || clock.milliseconds());
        Ok(Budget::new(Box::new(ledger), loaded, limits, wall))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn acme() -> AccountName {
        "acme".parse().expect("a name")
    }

    #[test]
    fn one_process_has_a_storage_path() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = Storage::open(dir.path()).expect("free");
        assert!(matches!(Storage::open(dir.path()), Err(StoreError::Locked(_))));
        drop(first);
        assert!(Storage::open(dir.path()).is_ok());
    }

    #[test]
    fn snapshots_come_back_and_damaged_ones_are_set_aside() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Storage::open(dir.path())
            .expect("free")
            .account(&acme())
            .expect("a folder");
        assert_eq!(store.load_snapshot(), None);
        let saved = Saved {
            up: Some(true),
            ..Saved::default()
        };
        store.save_snapshot(&saved).expect("saved");
        assert_eq!(store.load_snapshot(), Some(saved.clone()));
        assert_eq!(Storage::peek(dir.path(), &acme()), Some(saved.clone()));
        let path = store.folder.join(saved::FILE);
        let whole = fs::read(&path).expect("bytes");
        for damage in [
            &b""[..],
            b"something else",
            &whole[..whole.len() - 1],
            &[&whole[..], b"x"].concat(),
        ] {
            fs::write(&path, damage).expect("written");
            assert_eq!(store.load_snapshot(), None, "{}", String::from_utf8_lossy(damage));
            assert!(!path.exists());
        }
        for index in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[index] ^= 1;
            fs::write(&path, &flipped).expect("written");
            assert_eq!(store.load_snapshot(), None, "byte {index}");
        }
    }
}
