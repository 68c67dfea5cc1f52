//! One account's files. Calls block.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use quota::durable::{at, make_folder, replace, set_aside};

use crate::store::{Saved, StoreError, saved};

/// The last snapshot.
const SNAPSHOT: &str = "snapshot";

/// Folder of what collectors keep besides it.
const PARTS: &str = "parts";

/// Folder of the parts that were set aside last.
const PARTS_ASIDE: &str = "parts.aside";

/// The folder of one account.
#[derive(Debug)]
pub(super) struct AccountFiles {
    folder: PathBuf,
}

/// Tells one content of a file that is replaced whole from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version(u64, i64, i64, u64);

impl AccountFiles {
    /// The account whose folder this is; it is made by whoever holds the account.
    pub(super) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the account was polled before.
    pub(super) fn is_known(&self) -> bool {
        self.snapshot().exists()
    }

    /// Which snapshot is there, if there is one.
    pub(super) fn version(&self) -> Option<Version> {
        let file = fs::metadata(self.snapshot()).ok()?;
        Some(Version(file.ino(), file.mtime(), file.mtime_nsec(), file.len()))
    }

    fn snapshot(&self) -> PathBuf {
        self.folder.join(SNAPSHOT)
    }

    fn read(&self) -> io::Result<Option<Saved>> {
        let bytes = match fs::read(self.snapshot()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        saved::decode(&bytes)
            .map(Some)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no snapshot, or a damaged one"))
    }

    /// The last snapshot, left as it is; [`None`] where there isn't one, and for one that is damaged.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) fn peek(&self) -> Result<Option<Saved>, StoreError> {
        match self.read() {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            read => Ok(read.map_err(at(&self.snapshot()))?),
        }
    }

    /// The last snapshot; [`None`] on the first run, and when the file isn't one (then it is set aside).
    pub(super) fn load(&self) -> Option<Saved> {
        match self.read() {
            Ok(saved) => saved,
            Err(error) => {
                set_aside(&self.folder, SNAPSHOT, &error.to_string());
                None
            }
        }
    }

    /// Keeps a snapshot: the old one or the new one is on disk at any time, whole.
    ///
    /// # Errors
    /// When it can't be written; the old one stays.
    pub(super) fn save(&self, saved: &Saved) -> Result<(), StoreError> {
        Ok(replace(&self.folder, SNAPSHOT, &saved::encode(saved))?)
    }

    /// Ids of the parts, ascending.
    pub(super) fn parts(&self) -> Result<Vec<i64>, StoreError> {
        let folder = self.folder.join(PARTS);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(&folder)(error).into()),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(at(&folder))?.file_name();
            // What a crash left behind has a suffix.
            ids.extend(name.to_str().and_then(|name| name.parse::<i64>().ok()));
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// The part with this id, if there is one.
    pub(super) fn part(&self, id: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.folder.join(PARTS).join(id.to_string());
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error).into()),
        }
    }

    /// Keeps a part, or removes it.
    pub(super) fn keep_part(&self, id: i64, bytes: Option<&[u8]>) -> Result<(), StoreError> {
        let folder = self.folder.join(PARTS);
        if let Some(bytes) = bytes {
            make_folder(&folder)?;
            return Ok(replace(&folder, &id.to_string(), bytes)?);
        }
        let path = folder.join(id.to_string());
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&path)(error).into()),
            _ => Ok(()),
        }
    }

    /// Begins without parts. Those of the last time stay for whoever has the key that reads them; older ones go.
    pub(super) fn set_parts_aside(&self) -> Result<(), StoreError> {
        let (folder, aside) = (self.folder.join(PARTS), self.folder.join(PARTS_ASIDE));
        let unless_missing = |path: &Path, done: io::Result<()>| match done {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
            _ => Ok(()),
        };
        unless_missing(&aside, fs::remove_dir_all(&aside))?;
        Ok(unless_missing(&folder, fs::rename(&folder, &aside))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> (tempfile::TempDir, AccountFiles) {
        let dir = tempfile::tempdir().expect("a folder");
        let files = AccountFiles::at(dir.path());
        (dir, files)
    }

    #[test]
    fn snapshots_come_back_and_damaged_ones_are_set_aside() {
        let (_dir, files) = files();
        assert_eq!(files.load(), None);
        let saved = Saved {
            up: Some(true),
            ..Saved::default()
        };
        files.save(&saved).expect("saved");
        assert_eq!(files.load(), Some(saved.clone()));
        assert_eq!(files.peek().expect("read"), Some(saved.clone()));
        let path = files.snapshot();
        let whole = fs::read(&path).expect("bytes");
        for damage in [
            &b""[..],
            b"something else",
            &whole[..whole.len() - 1],
            &[&whole[..], b"x"].concat(),
        ] {
            fs::write(&path, damage).expect("written");
            assert_eq!(files.peek().expect("read"), None);
            assert!(path.exists(), "whoever only looks leaves it as it is");
            assert_eq!(files.load(), None, "{}", String::from_utf8_lossy(damage));
            assert!(!path.exists());
        }
        for index in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[index] ^= 1;
            fs::write(&path, &flipped).expect("written");
            assert_eq!(files.load(), None, "byte {index}");
        }
    }

    #[test]
    fn parts_come_back_by_id_until_they_are_removed() {
        let (_dir, files) = files();
        assert!(files.parts().expect("read").is_empty());
        files.keep_part(20, Some(b"2")).expect("kept");
        files.keep_part(3, Some(b"1")).expect("kept");
        files.keep_part(20, Some(b"3")).expect("kept");
        assert_eq!(files.parts().expect("read"), [3, 20]);
        assert_eq!(files.part(20).expect("read").as_deref(), Some(&b"3"[..]));
        files.keep_part(3, None).expect("removed");
        files.keep_part(3, None).expect("gone already");
        assert_eq!(files.part(3).expect("read"), None);
        for _ in 0..2 {
            files.set_parts_aside().expect("moved");
            assert!(files.parts().expect("read").is_empty());
        }
    }
}
