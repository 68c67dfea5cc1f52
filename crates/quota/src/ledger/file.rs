//! The ledger as a file: one record for each request, there before the request is sent.
//!
//! A header and records of 32 bytes, each with its checksum, and room for more, which is zero. Opened, it is written
//! anew with what still counts; then records are written into the room, each at its place, so that a failed write is
//! overwritten by the next. The file never grows, so that a shorter one is known to be damaged. A record half written
//! counts as a request; any other damage makes the file unreadable.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::spawn_blocking;

use super::{Entry, Ledger, LedgerError, Living, Loaded, Mark, Pending, Stamp};
use crate::durable::{FileError, at, private, replace, set_aside};

/// Name of the file.
const FILE: &str = "ledger";

/// What a ledger begins with; the digit is the format's version.
const MAGIC: [u8; 4] = *b"KBL1";
const RECORD: usize = 32;

/// Room for new records in a file: 128 KiB, which hold a day of most accounts.
const ROOM: u64 = 4096;

/// A budget's records in a file of its own.
#[derive(Debug)]
pub struct FileLedger(Arc<Mutex<OpenFile>>);

impl FileLedger {
    /// The ledger in `folder`, and what it holds. `wall` is unix milliseconds now; `known` says that the budget was
    /// spent from before. A ledger that isn't readable, or is missing although it is known, is begun anew with the
    /// whole day counted as spent.
    ///
    /// # Errors
    /// When it can't be written: then nothing could ever be sent.
    pub fn open(folder: &Path, known: bool, wall: u64) -> Result<(Self, Loaded), FileError> {
        let (file, loaded) = OpenFile::open(folder, known, wall)?;
        Ok((Self(Arc::new(Mutex::new(file))), loaded))
    }

    /// Takes what another ledger holds into the one in `folder`, in addition to what is there. See [`Self::open`].
    ///
    /// # Errors
    /// When it can't be written: then the one in `folder` is as it was.
    pub fn adopt(folder: &Path, known: bool, other: &Loaded, wall: u64) -> Result<(), FileError> {
        let (_, own) = OpenFile::open(folder, known, wall)?;
        let moved = other.moved_to(own.now);
        OpenFile::create(folder, &own.joined(&moved).entries(), wall)?;
        Ok(())
    }
}

impl Ledger for FileLedger {
    fn append(&self, mark: Mark, living: Arc<dyn Living>) -> Pending<'_, Result<Stamp, LedgerError>> {
        let file = Arc::clone(&self.0);
        Box::pin(async move {
            let written = spawn_blocking(move || {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let stamp = Stamp {
                    time: living.now(),
                    wall: living.wall(),
                };
                let entry = Entry {
                    time: stamp.time,
                    mark,
                };
                file.append(entry, stamp.wall, || living.entries(stamp.time))?;
                Ok(stamp)
            });
            written
                .await
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
                .map_err(|error: FileError| LedgerError::Failed(Box::new(error)))
        })
    }
}

/// The open file.
#[derive(Debug)]
struct OpenFile {
    folder: PathBuf,
    file: File,
    records: u64,
    capacity: u64,
}

impl OpenFile {
    fn open(folder: &Path, known: bool, wall: u64) -> Result<(Self, Loaded), FileError> {
        let loaded = match read(folder) {
            Ok(Some(loaded)) => loaded,
            Ok(None) if known => {
                tracing::warn!(
                    folder = %folder.display(),
                    "the ledger is gone although the account was polled before: the day's budget counts as spent"
                );
                Loaded::spent(wall)
            }
            Ok(None) => Loaded::fresh(wall),
            Err(error) => {
                set_aside(folder, FILE, &error.to_string());
                tracing::warn!(folder = %folder.display(), "the day's budget counts as spent, since nobody knows what was");
                Loaded::spent(wall)
            }
        };
        let loaded = loaded.resumed(wall);
        let ledger = Self::create(folder, &loaded.entries(), wall)?;
        Ok((ledger, loaded))
    }

    /// Writes a ledger of `entries` in place of any other.
    fn create(folder: &Path, entries: &[Entry], wall: u64) -> Result<Self, FileError> {
        let records = entries.len() as u64;
        let capacity = records + ROOM;
        let mut bytes = header(records, capacity, wall).to_vec();
        bytes.extend(entries.iter().flat_map(|entry| encode(*entry, wall)));
        bytes.resize(size(capacity), 0);
        replace(folder, FILE, &bytes)?;
        let path = folder.join(FILE);
        let file = private().write(true).open(&path).map_err(at(&path))?;
        Ok(Self {
            folder: folder.to_owned(),
            file,
            records,
            capacity,
        })
    }

    /// Adds a record, which is on disk when this returns. `living` are all entries that still count, a request under
    /// way among them: the file is written anew from them when it is full, or was removed.
    ///
    /// # Errors
    /// When it can't be made sure that the record is on disk, or another ledger has taken its place: somebody else
    /// spends the same budget. Then what the record is about must not happen.
    fn append(
        &mut self,
        entry: Entry,
        wall: u64,
        living: impl FnOnce() -> Vec<Entry>,
    ) -> Result<(), FileError> {
        let path = self.folder.join(FILE);
        if self.records == self.capacity || !self.is_in_place(&path)? {
            let mut all = living();
            // A request that is recorded is under way, so that it is there already.
            if !matches!(entry.mark, Mark::Request { .. }) {
                all.push(entry);
            }
            *self = Self::create(&self.folder, &all, wall)?;
            return Ok(());
        }
        let offset = (self.records + 1) * RECORD as u64;
        self.file
            .write_all_at(&encode(entry, wall), offset)
            .map_err(at(&path))?;
        self.file.sync_data().map_err(at(&path))?;
        self.records += 1;
        Ok(())
    }

    /// Whether the name still leads to the file: what is written to a removed file is lost.
    fn is_in_place(&self, path: &Path) -> Result<bool, FileError> {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let there = match fs::metadata(path) {
            Ok(there) => identity(there),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(at(path)(error)),
        };
        let ours = self.file.metadata().map(identity).map_err(at(path))?;
        if ours == there {
            return Ok(true);
        }
        let foreign = "the file was replaced: another process uses this storage path, stop one of them";
        Err(at(path)(io::Error::other(foreign)))
    }
}

fn sealed(mut record: [u8; RECORD]) -> [u8; RECORD] {
    let sum = crc32fast::hash(&record[..RECORD - 4]);
    record[RECORD - 4..].copy_from_slice(&sum.to_le_bytes());
    record
}

/// Bytes of a file with room for `capacity` records.
fn size(capacity: u64) -> usize {
    (capacity as usize).saturating_add(1).saturating_mul(RECORD)
}

/// `whole` records were written together with the header, so that one that isn't whole among them means damage.
fn header(whole: u64, capacity: u64, wall: u64) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..4].copy_from_slice(&MAGIC);
    record[4..12].copy_from_slice(&whole.to_le_bytes());
    record[12..20].copy_from_slice(&capacity.to_le_bytes());
    record[20..28].copy_from_slice(&wall.to_le_bytes());
    sealed(record)
}

fn encode(entry: Entry, wall: u64) -> [u8; RECORD] {
    let (kind, until) = match entry.mark {
        Mark::Request { previous_ended } => (1, previous_ended),
        Mark::PausedUntil(until) => (2, until),
        Mark::SpentUntil(until) => (3, until),
        Mark::Clock => (4, 0),
    };
    let mut record = [0; RECORD];
    record[0] = kind;
    record[4..12].copy_from_slice(&entry.time.to_le_bytes());
    record[12..20].copy_from_slice(&until.to_le_bytes());
    record[20..28].copy_from_slice(&wall.to_le_bytes());
    sealed(record)
}

fn number(record: &[u8], at: usize) -> u64 {
    record[at..at + 8]
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn decode(record: &[u8]) -> Option<(Entry, u64)> {
    let mark = match record[0] {
        1 => Mark::Request {
            previous_ended: number(record, 12),
        },
        2 => Mark::PausedUntil(number(record, 12)),
        3 => Mark::SpentUntil(number(record, 12)),
        4 => Mark::Clock,
        _ => return None,
    };
    is_sealed(record).then(|| {
        (
            Entry {
                time: number(record, 4),
                mark,
            },
            number(record, 20),
        )
    })
}

fn is_sealed(record: &[u8]) -> bool {
    record.len() == RECORD && crc32fast::hash(&record[..RECORD - 4]).to_le_bytes() == record[RECORD - 4..]
}

/// [`None`] when there is none.
fn read(folder: &Path) -> io::Result<Option<Loaded>> {
    let bytes = match fs::read(folder.join(FILE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    parse(&bytes)
        .map(Some)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no ledger, or a damaged one"))
}

fn parse(bytes: &[u8]) -> Option<Loaded> {
    let (head, body) = bytes.split_at_checked(RECORD)?;
    if !is_sealed(head) || head[..4] != MAGIC || bytes.len() != size(number(head, 12)) {
        return None;
    }
    let (whole, wall) = (number(head, 4), number(head, 20));
    let mut loaded = Loaded {
        now: 0,
        ..Loaded::fresh(wall)
    };
    let mut records = body.chunks_exact(RECORD);
    for (taken, record) in (0_u64..).zip(records.by_ref()) {
        match decode(record) {
            Some((entry, wall)) => loaded.take(entry, wall),
            None if taken < whole => return None,
            None => {
                // Half written: its request may have been sent. Zero is room.
                if record.iter().any(|byte| *byte != 0) {
                    let now = if loaded.now == 0 { wall } else { loaded.now };
                    loaded.take(Entry::settled(now), loaded.wall);
                }
                break;
            }
        }
    }
    if records.any(|rest| rest.iter().any(|byte| *byte != 0)) {
        return None;
    }
    if loaded.now == 0 {
        loaded.now = wall;
    }
    Some(loaded)
}

#[cfg(test)]
mod tests;
