//! Whether files have changed since they were read.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What stat says of a file; [`None`] when it can't be read, and when there is nothing to watch: what comes out of a pipe
/// is there once.
type Stamp = Option<(SystemTime, u64, u64)>;

/// The state of all files that a configuration was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint(Vec<(PathBuf, Stamp)>);

impl Fingerprint {
    /// Of these files, now.
    pub(super) fn of<'a>(files: impl IntoIterator<Item = &'a Path>) -> Self {
        Self(
            files
                .into_iter()
                .map(|file| (file.to_owned(), stamp(file)))
                .collect(),
        )
    }

    /// Of the same files, now.
    pub(super) fn now(&self) -> Self {
        Self::of(self.0.iter().map(|(file, _)| file.as_path()))
    }
}

fn stamp(file: &Path) -> Stamp {
    let metadata = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    // A file that replaces another by rename may have the same time and length; it has another number.
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let number = 0;
    Some((metadata.modified().ok()?, metadata.len(), number))
}
