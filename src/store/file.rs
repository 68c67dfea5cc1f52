//! The embedded storage: one folder an account below `--storage.path`, and one lock for the whole path.
//!
//! The lock is the lease of all accounts: a process has all of them or none, until it ends. One that waits looks
//! once a second whether the lock is free, and reads what the other one saves. Files are replaced whole or appended
//! to, and checked when they are read: what is torn or foreign is set aside with a warning.

mod account;
mod progress;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use quota::durable::{at, make_folder, private};
use quota::{FileLedger, Ledger, Loaded, Pending};

use self::account::{AccountFiles, Version};
use super::{Lease, LeaseEnd, Progress, Recorded, Saved, Storage, StoreError, Stored, TakenUp};
use crate::join::resumed;
use crate::model::AccountName;

/// How often a process without the lock tries to take it, and looks at what the other one has saved.
const LOOK: Duration = Duration::from_secs(1);

/// The storage path.
#[derive(Debug)]
pub struct FileStorage(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    /// Held for as long as it lives.
    lock: Mutex<Option<File>>,
    held: watch::Sender<bool>,
    followed: Mutex<BTreeMap<AccountName, Followed>>,
}

/// An account of which somebody wants to know what another process saves.
#[derive(Debug)]
struct Followed {
    to: watch::Sender<Option<Arc<Saved>>>,
    /// The file that was sent last.
    version: Option<Version>,
}

impl FileStorage {
    /// A storage path. It is made, and its lock taken, with the first lease.
    pub fn at(root: &Path) -> Self {
        Self(Arc::new(Shared {
            root: root.to_owned(),
            lock: Mutex::default(),
            held: watch::Sender::new(false),
            followed: Mutex::default(),
        }))
    }

    async fn lease_now(&self, account: &AccountName) -> Result<Option<Arc<dyn Lease>>, StoreError> {
        let (shared, account) = (Arc::clone(&self.0), account.clone());
        resumed(spawn_blocking(move || {
            if !shared.take_lock()? {
                return Ok(None);
            }
            let folder = shared.folder(&account);
            make_folder(&folder)?;
            let held: Arc<dyn Lease> = Arc::new(Held {
                files: Arc::new(AccountFiles::at(&folder)),
                _locked: shared,
            });
            Ok(Some(held))
        }))
        .await
    }
}

impl Shared {
    fn folder(&self, account: &AccountName) -> PathBuf {
        self.root.join("accounts").join(account.as_str())
    }

    /// Whether this process has the path, now at the latest.
    fn take_lock(&self) -> Result<bool, StoreError> {
        let mut place = locked(&self.lock);
        if place.is_some() {
            return Ok(true);
        }
        make_folder(&self.root)?;
        let path = self.root.join("LOCK");
        let file = private()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => {
                *place = Some(file);
                self.held.send_replace(true);
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => Err(StoreError::Failed {
                what: format!("{}: this file system has no locks", path.display()),
                cure: "nothing would keep two processes from spending one budget: put --storage.path on a local disk, or \
                       mount it with locks (NFS: run its lock service, or mount with local_lock=flock where one machine \
                       alone uses it)"
                    .to_owned(),
                source: Box::new(error),
            }),
            Err(TryLockError::Error(error)) => Err(at(&path)(error).into()),
        }
    }

    /// Sends what another process has saved since the last look.
    fn look(&self) {
        let known: Vec<_> = {
            let mut followed = locked(&self.followed);
            followed.retain(|_, followed| followed.to.receiver_count() > 0);
            let known = followed
                .iter()
                .map(|(account, followed)| (account.clone(), followed.version));
            known.collect()
        };
        for (account, known) in known {
            let files = AccountFiles::at(&self.folder(&account));
            let version = files.version();
            if version.is_none() || version == known {
                continue;
            }
            let saved = files.peek();
            if let (Ok(Some(saved)), Some(followed)) = (saved, locked(&self.followed).get_mut(&account)) {
                followed.version = version;
                followed.to.send_replace(Some(Arc::new(saved)));
            }
        }
    }
}

impl Storage for FileStorage {
    fn place(&self) -> String {
        self.0.root.display().to_string()
    }

    fn lease<'a>(&'a self, account: &'a AccountName) -> Stored<'a, Arc<dyn Lease>> {
        Box::pin(async move {
            let mut held = self.0.held.subscribe();
            loop {
                if let Some(lease) = self.lease_now(account).await? {
                    return Ok(lease);
                }
                // The sender lives as long as this storage.
                let _ = held.wait_for(|held| *held).await;
            }
        })
    }

    fn try_lease<'a>(&'a self, account: &'a AccountName) -> Stored<'a, Option<Arc<dyn Lease>>> {
        Box::pin(self.lease_now(account))
    }

    fn follow(&self, account: &AccountName) -> watch::Receiver<Option<Arc<Saved>>> {
        let mut followed = locked(&self.0.followed);
        let followed = followed.entry(account.clone()).or_insert_with(|| Followed {
            to: watch::Sender::new(None),
            version: None,
        });
        followed.to.subscribe()
    }

    fn peek<'a>(&'a self, account: &'a AccountName) -> Stored<'a, Option<Saved>> {
        Box::pin(async move {
            let files = AccountFiles::at(&self.0.folder(account));
            resumed(spawn_blocking(move || files.peek())).await
        })
    }

    fn run(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            while !*self.0.held.borrow() {
                sleep(LOOK).await;
                let shared = Arc::clone(&self.0);
                let waits = self.0.held.receiver_count() > 0;
                resumed(spawn_blocking(move || {
                    // What keeps it from being taken is said where a lease is asked for.
                    if !(waits && shared.take_lock().unwrap_or(false)) {
                        shared.look();
                    }
                }))
                .await;
            }
            std::future::pending().await
        })
    }
}

/// One account of a path that this process has.
#[derive(Debug)]
struct Held {
    files: Arc<AccountFiles>,
    _locked: Arc<Shared>,
}

impl Held {
    /// Does what waits for the disk where that holds up nobody. It is done even if the future is dropped.
    fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AccountFiles) -> Result<T, StoreError> + Send + 'static,
    ) -> Stored<'_, T> {
        let files = Arc::clone(&self.files);
        Box::pin(async move { resumed(spawn_blocking(move || work(&files))).await })
    }
}

impl Lease for Held {
    fn ended(&self) -> Pending<'_, LeaseEnd> {
        // Whoever has the lock has it until the process ends.
        Box::pin(std::future::pending())
    }

    fn ledger(&self, wall: u64) -> Stored<'_, Recorded> {
        self.with(move |files| {
            let (ledger, loaded) = FileLedger::open(files.folder(), files.is_known(), wall)?;
            Ok((Box::new(ledger) as Box<dyn Ledger>, loaded))
        })
    }

    fn adopt(&self, spent: Loaded, wall: u64) -> Stored<'_, ()> {
        self.with(move |files| Ok(FileLedger::adopt(files.folder(), files.is_known(), &spent, wall)?))
    }

    fn load(&self) -> Stored<'_, Option<Saved>> {
        self.with(|files| Ok(files.load()))
    }

    fn save(&self, saved: Saved) -> Stored<'_, ()> {
        self.with(move |files| files.save(&saved))
    }

    fn parts(&self) -> Stored<'_, Vec<i64>> {
        self.with(AccountFiles::parts)
    }

    fn part(&self, id: i64) -> Stored<'_, Option<Vec<u8>>> {
        self.with(move |files| files.part(id))
    }

    fn keep_part(&self, id: i64, bytes: Option<Vec<u8>>) -> Stored<'_, ()> {
        self.with(move |files| files.keep_part(id, bytes.as_deref()))
    }

    fn set_parts_aside(&self) -> Stored<'_, ()> {
        self.with(AccountFiles::set_parts_aside)
    }

    fn progress(&self, source: String) -> Stored<'_, TakenUp> {
        self.with(move |files| {
            let (progress, known) = files.progress(&source)?;
            Ok((Box::new(progress) as Box<dyn Progress>, known))
        })
    }

    fn release(&self) -> Pending<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// ENOLCK, which has no kind of its own, and what file systems say that know no such call.
fn has_no_locks(error: &io::Error) -> bool {
    const ENOLCK: i32 = 37;
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(ENOLCK)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> AccountName {
        "acme".parse().expect("a name")
    }

    fn saved() -> Saved {
        Saved {
            up: Some(true),
            ..Saved::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_follows_the_first_until_it_ends_and_then_has_the_lease() {
        let dir = tempfile::tempdir().expect("a folder");
        let open = || FileStorage::at(dir.path());
        let (first, second) = (open(), open());
        let lease = first.lease(&acme()).await.expect("free");
        assert!(second.try_lease(&acme()).await.expect("usable").is_none());
        let mut followed = second.follow(&acme());
        let waits = async {
            lease.save(saved()).await.expect("saved");
            followed.changed().await.expect("told");
            assert_eq!(followed.borrow().as_deref(), Some(&saved()));
            let name = acme();
            let turn = second.lease(&name);
            let ends = async {
                sleep(LOOK * 3).await;
                drop((lease, first));
            };
            let (taken, ()) = tokio::join!(turn, ends);
            let (_, loaded) = {
                let lease = taken.expect("its turn");
                assert_eq!(lease.load().await.expect("read"), Some(saved()));
                lease.ledger(1_700_000_000_000).await.expect("taken up")
            };
            loaded
        };
        tokio::select! {
            _ = waits => {}
            () = second.run() => {}
        }
        assert!(open().try_lease(&acme()).await.expect("usable").is_none());
    }

    #[tokio::test]
    async fn two_accounts_of_one_process_share_the_lock() {
        let dir = tempfile::tempdir().expect("a folder");
        let storage = FileStorage::at(dir.path());
        let umbrella: AccountName = "umbrella".parse().expect("a name");
        let _first = storage.lease(&acme()).await.expect("free");
        assert!(storage.try_lease(&umbrella).await.expect("usable").is_some());
    }
}
