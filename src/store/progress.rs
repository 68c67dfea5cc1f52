//! What a backfill has read so far, a line for each history: one that was stopped goes on where it was.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use quota::durable::{at, private};

use super::{AccountStore, StoreError};
use crate::model::RiskPoint;

const FILE: &str = "backfill";

/// One history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RiskHistory {
    /// Of which group; [`None`] of the account.
    pub group: Option<i64>,
    /// Oldest first.
    pub points: Vec<RiskPoint>,
}

/// The file of a backfill under way.
#[derive(Debug)]
pub struct Progress {
    path: PathBuf,
    file: File,
}

impl AccountStore {
    /// Takes up a backfill of the account at `source` (its base URL): what it has read already. What another source
    /// said, and a line that was torn, is forgotten.
    ///
    /// # Errors
    /// When the file can't be read or written.
    pub fn progress(&self, source: &str) -> Result<(Progress, Vec<RiskHistory>), StoreError> {
        let path = self.folder.join(FILE);
        let known = fs::read_to_string(&path).unwrap_or_default();
        let mut lines = known.lines();
        let histories: Vec<RiskHistory> = if lines.next() == Some(source) {
            lines.map_while(|line| serde_json::from_str(line).ok()).collect()
        } else {
            Vec::new()
        };
        let file = private()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&path)
            .map_err(at(&path))?;
        let mut progress = Progress { path, file };
        progress.line(source.to_owned())?;
        for history in &histories {
            progress.add(history)?;
        }
        Ok((progress, histories))
    }
}

impl Progress {
    /// Keeps one history.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn add(&mut self, history: &RiskHistory) -> Result<(), StoreError> {
        self.line(serde_json::to_string(history).unwrap_or_default())
    }

    fn line(&mut self, mut line: String) -> Result<(), StoreError> {
        line.push('\n');
        Ok(self.file.write_all(line.as_bytes()).map_err(at(&self.path))?)
    }

    /// The backfill is done.
    ///
    /// # Errors
    /// When the file can't be removed.
    pub fn finish(self) -> Result<(), StoreError> {
        Ok(fs::remove_file(&self.path).map_err(at(&self.path))?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;
    use crate::store::Storage;

    #[test]
    fn what_was_read_comes_back_but_torn_lines_and_another_source() {
        let dir = tempfile::tempdir().expect("a folder");
        let storage = Storage::open(dir.path()).expect("free");
        let store = storage
            .account(&"acme".parse().expect("a name"))
            .expect("a folder");
        let history = |group| RiskHistory {
            group,
            points: vec![RiskPoint {
                at: 86_400,
                score: 1.5,
            }],
        };
        let (mut progress, known) = store.progress("https://here").expect("opened");
        assert!(known.is_empty());
        progress.add(&history(None)).expect("written");
        progress.add(&history(Some(7))).expect("written");
        drop(progress);
        let path = store.folder.join(FILE);
        let mut file = OpenOptions::new().append(true).open(&path).expect("there");
        file.write_all(b"{\"group\":8,\"poi").expect("torn");

        for _ in 0..2 {
            let (_, known) = store.progress("https://here").expect("opened");
            assert_eq!(known, [history(None), history(Some(7))]);
        }
        let (progress, known) = store.progress("https://elsewhere").expect("opened");
        assert!(known.is_empty());
        progress.finish().expect("removed");
        assert!(!path.exists());
    }
}
