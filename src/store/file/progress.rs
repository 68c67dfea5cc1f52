//! What a backfill has read already: its source, then one history a line. It may take more days than one, and must not
//! ask for the same again.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use quota::durable::{at, private};

use super::account::AccountFiles;
use crate::store::{Pending, Progress, RiskHistory, StoreError};

const FILE: &str = "backfill";

/// The file of a backfill under way.
#[derive(Debug)]
pub(super) struct ProgressFile {
    path: PathBuf,
    file: File,
}

impl AccountFiles {
    /// Takes up a backfill of the account at `source`: what it has read already. What another source said, and a line
    /// that was torn, is forgotten.
    pub(super) fn progress(&self, source: &str) -> Result<(ProgressFile, Vec<RiskHistory>), StoreError> {
        let path = self.folder().join(FILE);
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
        let mut progress = ProgressFile { path, file };
        progress.line(source.to_owned())?;
        for history in &histories {
            progress.history(history)?;
        }
        Ok((progress, histories))
    }
}

impl ProgressFile {
    fn history(&mut self, history: &RiskHistory) -> Result<(), StoreError> {
        self.line(serde_json::to_string(history).unwrap_or_default())
    }

    fn line(&mut self, mut line: String) -> Result<(), StoreError> {
        line.push('\n');
        Ok(self.file.write_all(line.as_bytes()).map_err(at(&self.path))?)
    }
}

impl Progress for ProgressFile {
    // A line at the end of a file: nobody else waits for this task.
    fn add<'a>(&'a mut self, history: &'a RiskHistory) -> Pending<'a, Result<(), StoreError>> {
        Box::pin(async move { self.history(history) })
    }

    fn finish(self: Box<Self>) -> Pending<'static, Result<(), StoreError>> {
        Box::pin(async move { Ok(fs::remove_file(&self.path).map_err(at(&self.path))?) })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;
    use crate::model::RiskPoint;

    #[tokio::test]
    async fn what_was_read_comes_back_but_torn_lines_and_another_source() {
        let dir = tempfile::tempdir().expect("a folder");
        let files = AccountFiles::at(dir.path());
        let history = |group| RiskHistory {
            group,
            points: vec![RiskPoint {
                at: 86_400,
                score: 1.5,
            }],
        };
        let (mut progress, known) = files.progress("https://here").expect("opened");
        assert!(known.is_empty());
        progress.add(&history(None)).await.expect("written");
        progress.add(&history(Some(7))).await.expect("written");
        drop(progress);
        let path = dir.path().join(FILE);
        let mut file = OpenOptions::new().append(true).open(&path).expect("there");
        file.write_all(b"{\"group\":8,\"poi").expect("torn");

        for _ in 0..2 {
            let (_, known) = files.progress("https://here").expect("opened");
            assert_eq!(known, [history(None), history(Some(7))]);
        }
        let (progress, known) = files.progress("https://elsewhere").expect("opened");
        assert!(known.is_empty());
        Box::new(progress).finish().await.expect("removed");
        assert!(!path.exists());
    }
}
