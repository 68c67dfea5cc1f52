//! What is kept of who did what: in memory, and sealed in the account's storage, one record a test.
//!
//! A record is written when its test has been read whole, so that a crash loses the one being read. All that can't be
//! opened is read anew: what was sealed under another API key is set aside first. Beside the records is what was spent
//! of the share.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::{info, warn};

use crate::model::{AccountName, TestSpan};
use crate::recipients::{Memory, ReadTest, Trouble};
use crate::secret::ApiKey;
use crate::secret::seal::{Unsealable, open, seal};
use crate::store::Lease;

/// Id of the part that holds what was spent of the share, as JSON: no test has it.
const SPENT: i64 = -1;

/// One account's tests that have been read.
pub struct Archive {
    account: AccountName,
    lease: Arc<dyn Lease>,
    /// What the records are sealed under; [`None`] before they have been opened.
    key: Option<ApiKey>,
    memory: Memory,
    /// Tests that could not be read the last time, and why.
    trouble: BTreeMap<i64, (Trouble, String)>,
    /// Requests of the share, and when they were spent; [`None`] where no part tells.
    spent: Option<Vec<(f64, u64)>>,
    /// Whether a record could not be kept the last time.
    unkept: bool,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Archive({} tests of {})",
            self.memory.ids().count(),
            self.account
        )
    }
}

impl Archive {
    /// An archive that has not been opened.
    pub fn new(account: AccountName, lease: Arc<dyn Lease>) -> Self {
        Self {
            account,
            lease,
            key: None,
            memory: Memory::default(),
            trouble: BTreeMap::new(),
            spent: None,
            unkept: false,
        }
    }

    /// Opens what was kept, the first time; seals it anew when the account has got another key since.
    pub(super) async fn unlock(&mut self, key: &ApiKey, now: f64) {
        match &self.key {
            Some(known) if known == key => {}
            Some(_) => {
                self.key = Some(key.clone());
                let tests: Vec<_> = self.memory.shared().collect();
                for (id, test) in tests {
                    self.write(id, &test).await;
                }
            }
            None => {
                self.key = Some(key.clone());
                if let Err(why) = self.load(key, now).await {
                    warn!(account = %self.account, "what was kept of recipients can't be read, and is read anew: {why}");
                }
            }
        }
    }

    async fn load(&mut self, key: &ApiKey, now: f64) -> Result<(), String> {
        let spent = self.lease.part(SPENT).await.map_err(|error| error.explain())?;
        self.spent = spent.and_then(|part| serde_json::from_slice(&part).ok());
        let ids = self.lease.parts().await.map_err(|error| error.explain())?;
        for id in ids.into_iter().filter(|id| *id != SPENT) {
            let Some(sealed) = self.lease.part(id).await.map_err(|error| error.explain())? else {
                continue;
            };
            match open(key, &about(&self.account, id), sealed) {
                Ok(plain) => match ReadTest::decode(&plain) {
                    // A clock that was set back must not make a reading younger than new.
                    Some(read) if read.at <= now => self.memory.keep(id, read),
                    Some(read) => self.memory.keep(id, ReadTest { at: now, ..read }),
                    None => {
                        warn!(account = %self.account, test = id, "a record of recipients is of another form, and is read anew")
                    }
                },
                Err(Unsealable::OtherKey) => {
                    info!(account = %self.account, "recipients were sealed under another API key: set aside, and read anew");
                    self.memory = Memory::default();
                    let aside = self.lease.set_parts_aside().await;
                    // What another key has spent stays spent.
                    if let Some(spent) = self.spent.take() {
                        self.keep_spent(spent).await;
                    }
                    return aside.map_err(|error| error.explain());
                }
                Err(why) => {
                    warn!(account = %self.account, test = id, "a record of recipients is read anew: {why}")
                }
            }
        }
        Ok(())
    }

    /// Forgets the tests that are no longer in any window, or gone from the API.
    pub(super) async fn retain(&mut self, roster: &[TestSpan]) {
        let known = |id: i64| roster.iter().any(|test| test.id == id);
        let gone: Vec<_> = self.memory.ids().filter(|id| !known(*id)).collect();
        for id in gone {
            self.memory.forget(id);
            let removed = self.lease.keep_part(id, None).await;
            self.note_kept(removed.map_err(|error| error.explain()));
        }
        self.trouble.retain(|id, _| known(*id));
    }

    /// Keeps a test that has been read.
    pub(super) async fn keep(&mut self, id: i64, read: ReadTest) {
        self.write(id, &read).await;
        self.memory.keep(id, read);
        self.trouble.remove(&id);
    }

    async fn write(&mut self, id: i64, read: &ReadTest) {
        let Some(key) = &self.key else { return };
        let kept = match seal(key, &about(&self.account, id), &read.encode()) {
            Ok(sealed) => self
                .lease
                .keep_part(id, Some(sealed))
                .await
                .map_err(|error| error.explain()),
            Err(error) => Err(error.to_string()),
        };
        self.note_kept(kept);
    }

    /// Warns once for a row of failures: what is in memory is served all the same.
    fn note_kept(&mut self, kept: Result<(), String>) {
        match kept {
            Ok(()) => self.unkept = false,
            Err(why) if !self.unkept => {
                warn!(account = %self.account, "recipients can't be kept, a restart would read them anew: {why}");
                self.unkept = true;
            }
            Err(_) => {}
        }
    }

    /// The tests that have been read.
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What is known of a test that could not be read.
    pub(super) fn trouble(&self, id: i64) -> Option<Trouble> {
        self.trouble.get(&id).map(|(trouble, _)| *trouble)
    }

    /// A test could not be read at `now`: it is left alone for a while.
    pub(super) fn failed(&mut self, id: i64, cause: &str, now: f64) {
        let (trouble, why) = self.trouble.entry(id).or_default();
        trouble.failed(now);
        cause.clone_into(why);
    }

    /// The tests that could not be read, in words.
    pub(super) fn troubles(&self, now: f64) -> impl Iterator<Item = String> {
        self.trouble.iter().map(move |(id, (trouble, cause))| {
            let hours = (trouble.until - now).max(0.0) / 3600.0;
            format!("the recipients of test {id} can't be read ({cause}): asked again in {hours:.1} h")
        })
    }

    /// What was spent of the share: as its own part tells, else as `kept`.
    pub(super) fn spent(&self, kept: Vec<(f64, u64)>) -> Vec<(f64, u64)> {
        self.spent.clone().unwrap_or(kept)
    }

    /// Keeps what is spent of the share: before a test is read, so that a crash forgets none of it.
    pub(super) async fn keep_spent(&mut self, spent: Vec<(f64, u64)>) {
        if self.spent.as_ref() == Some(&spent) {
            return;
        }
        match serde_json::to_vec(&spent) {
            Ok(part) => {
                let kept = self.lease.keep_part(SPENT, Some(part)).await;
                self.note_kept(kept.map_err(|error| error.explain()));
            }
            Err(error) => self.note_kept(Err(error.to_string())),
        }
        self.spent = Some(spent);
    }
}

/// What a record is about: it opens as nothing else.
fn about(account: &AccountName, test: i64) -> String {
    format!("recipients/{account}/{test}")
}
