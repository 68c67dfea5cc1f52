//! Files of which a crash leaves the old content or the new one, whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Once;

/// A file or folder that can't be made, read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source} ({cure})", path = path.display(), cure = self.cure())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl FileError {
    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self.source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                "make room on its disk, or raise the user's disk quota"
            }
            ErrorKind::PermissionDenied => "the storage path must be a folder that this user may write",
            ErrorKind::ReadOnlyFilesystem => "the storage path is mounted read-only: mount it writable",
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "the storage path must be a folder",
            ErrorKind::NotFound => {
                "somebody removed it: nothing but this program may change the storage path"
            }
            _ => "the storage path must be a folder on a disk that works",
        }
    }
}

/// Names the file that an error is about.
pub fn at(path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    |source| FileError { path, source }
}

/// Options that make files readable by this user alone.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Makes a folder, and those above it, for this user alone.
///
/// # Errors
/// When it can't be made.
pub fn make_folder(path: &Path) -> Result<(), FileError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(at(path))
}

/// Puts a file in place of another so that a crash leaves one of them, whole.
///
/// # Errors
/// When it isn't certain that the new one is on disk.
pub fn replace(folder: &Path, file: &str, bytes: &[u8]) -> Result<(), FileError> {
    // One name, so that crashes leave one such file and not one each.
    let temporary = folder.join(format!("{file}.tmp"));
    let path = folder.join(file);
    let mut written = private()
        .create(true)
        .truncate(true)
        .write(true)
        .open(&temporary)
        .map_err(at(&temporary))?;
    written.write_all(bytes).map_err(at(&temporary))?;
    written.sync_all().map_err(at(&temporary))?;
    fs::rename(&temporary, &path).map_err(at(&path))?;
    // The new name itself is on disk only once its folder is.
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some network and FUSE file systems can't, and don't need to: a rename is on their server when it returns.
        // What is lost without are records of the time since the start, and by a failure of power only.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            SAID.call_once(|| {
                tracing::warn!(
                    folder = %folder.display(),
                    "this file system can't sync folders ({error}): a power failure may undo the last start of the ledger; kills and restarts can't"
                );
            });
            Ok(())
        }
        synced => synced.map_err(at(folder)),
    }
}

/// Folders that can't be synced are warned of once.
static SAID: Once = Once::new();

/// Keeps what can't be read for whoever wants to look at it, under a name of its own.
pub fn set_aside(folder: &Path, file: &str, why: &str) {
    let path = folder.join(file);
    let aside = (0..)
        .map(|number| folder.join(format!("{file}.corrupt-{number}")))
        .find(|path| !path.exists());
    let Some(aside) = aside else { return };
    match fs::rename(&path, &aside) {
        Ok(()) => tracing::warn!(file = %path.display(), moved_to = %aside.display(), "set aside: {why}"),
        Err(error) => tracing::warn!(file = %path.display(), "{why}, and it can't be set aside: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cure_fits_the_cause() {
        for (kind, word) in [
            (ErrorKind::StorageFull, "room"),
            (ErrorKind::PermissionDenied, "may write"),
            (ErrorKind::ReadOnlyFilesystem, "read-only"),
        ] {
            let error = at(Path::new("/data/LOCK"))(kind.into());
            let said = error.to_string();
            assert!(said.starts_with("/data/LOCK: ") && said.contains(word), "{said}");
        }
    }
}
