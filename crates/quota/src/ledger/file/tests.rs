//! No damage, clock or crash frees the budget.

use super::*;
use crate::windows::DAY;

const WALL: u64 = 1_700_000_000_000;

struct Store {
    folder: PathBuf,
    known: bool,
}

impl Store {
    fn open_ledger(&self, wall: u64) -> Result<(OpenFile, Loaded), FileError> {
        OpenFile::open(&self.folder, self.known, wall)
    }
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store {
        folder: dir.path().to_owned(),
        known: false,
    };
    (dir, store)
}

fn nothing() -> Vec<Entry> {
    Vec::new()
}

/// A ledger of three requests, a minute apart.
fn three() -> (tempfile::TempDir, Store) {
    let (dir, store) = store();
    let (mut ledger, loaded) = store.open_ledger(WALL).expect("first");
    assert!(loaded.requests.is_empty());
    for minute in 0..3 {
        let time = loaded.now + minute * 60_000;
        ledger
            .append(Entry::settled(time), WALL + minute * 60_000, nothing)
            .expect("written");
    }
    (dir, store)
}

#[test]
fn requests_come_back_and_the_last_counts_from_now() {
    let (_dir, store) = three();
    let later = WALL + 600_000;
    let (_, loaded) = store.open_ledger(later).expect("again");
    assert_eq!(loaded.requests, [WALL, WALL + 60_000, later]);
    assert_eq!(loaded.now, later);
}

#[test]
fn what_another_ledger_holds_is_spent_here_as_well_on_this_ones_time() {
    let (_dir, store) = three();
    let (_, own) = store.open_ledger(WALL + 120_000).expect("its own");
    // Its clock is an hour ahead.
    let other = Loaded {
        requests: vec![WALL + 3_590_000],
        under_way: vec![WALL + 4_000_000],
        paused_until: WALL + 3_630_000,
        spent_until: 7,
        now: WALL + 3_600_000,
        wall: WALL,
    };
    FileLedger::adopt(&store.folder, true, &other, WALL + 120_000).expect("adopted");
    let (_, both) = store.open_ledger(WALL + 120_000).expect("again");
    assert_eq!(own.now, WALL + 120_000);
    assert_eq!(
        both.requests,
        [
            WALL,
            WALL + 60_000,
            WALL + 110_000,
            WALL + 120_000,
            WALL + 120_000
        ]
    );
    assert_eq!((both.paused_until, both.spent_until), (WALL + 150_000, 0));
}

#[test]
fn a_request_counts_from_its_end_if_the_next_one_says_so() {
    let (_dir, store) = store();
    let (mut ledger, loaded) = store.open_ledger(WALL).expect("first");
    let begun = loaded.now;
    ledger
        .append(Entry::settled(begun), WALL, nothing)
        .expect("written");
    let next = Entry {
        time: begun + 9_000,
        mark: Mark::Request {
            previous_ended: begun + 4_000,
        },
    };
    ledger.append(next, WALL + 9_000, nothing).expect("written");
    let (_, loaded) = store.open_ledger(WALL + 20_000).expect("again");
    assert_eq!(loaded.requests, [begun + 4_000, begun + 20_000]);
}

#[test]
fn a_clock_behind_the_ledger_counts_as_no_time() {
    let (_dir, store) = three();
    let (_, loaded) = store.open_ledger(WALL - 5 * DAY).expect("again");
    assert_eq!(loaded.now, WALL + 120_000);
    assert_eq!(loaded.requests.len(), 3);
}

#[test]
fn a_day_later_nothing_but_the_last_counts() {
    let (_dir, store) = three();
    let (_, loaded) = store.open_ledger(WALL + 2 * DAY).expect("again");
    assert_eq!(loaded.requests, [WALL + 2 * DAY]);
}

#[test]
fn marks_come_back() {
    let (_dir, store) = store();
    let (mut ledger, loaded) = store.open_ledger(WALL).expect("first");
    let paused = Entry {
        time: loaded.now,
        mark: Mark::PausedUntil(loaded.now + 60_000),
    };
    let spent = Entry {
        time: loaded.now,
        mark: Mark::SpentUntil(loaded.now + DAY),
    };
    ledger.append(paused, WALL, nothing).expect("written");
    ledger.append(spent, WALL, nothing).expect("written");
    for _ in 0..2 {
        let (_, loaded) = store.open_ledger(WALL + 1000).expect("again");
        assert_eq!(
            (loaded.paused_until, loaded.spent_until),
            (WALL + 60_000, WALL + DAY)
        );
    }
}

/// Spent, or at least as many requests as before: never a freer budget.
fn no_freer(loaded: &Loaded, requests: usize) -> bool {
    loaded.spent_until >= loaded.now + DAY - 1 || loaded.requests.len() >= requests
}

#[test]
fn no_damage_frees_the_budget() {
    let (dir, store) = three();
    let path = dir.path().join(FILE);
    let whole = fs::read(&path).expect("bytes");
    let interesting = (0..6 * RECORD).chain([whole.len() / 2, whole.len() - 1]);
    for cut in interesting.clone() {
        fs::write(&path, &whole[..cut]).expect("written");
        let (_, loaded) = store.open_ledger(WALL + 200_000).expect("opened");
        assert!(no_freer(&loaded, 3), "cut at {cut}: {loaded:?}");
    }
    for index in interesting {
        let mut flipped = whole.clone();
        flipped[index] ^= 0x55;
        fs::write(&path, &flipped).expect("written");
        let (_, loaded) = store.open_ledger(WALL + 200_000).expect("opened");
        assert!(no_freer(&loaded, 3), "byte {index}: {loaded:?}");
    }
    for foreign in [&b""[..], b"hello", &[0; 4096]] {
        fs::write(&path, foreign).expect("written");
        let (_, loaded) = store.open_ledger(WALL).expect("opened");
        assert!(no_freer(&loaded, usize::MAX), "{loaded:?}");
    }
}

#[test]
fn damage_to_a_spent_mark_frees_nothing() {
    let (dir, store) = store();
    let path = dir.path().join(FILE);
    fs::write(&path, "foreign").expect("written");
    store.open_ledger(WALL).expect("opened");
    let whole = fs::read(&path).expect("bytes");
    for index in (0..4 * RECORD).chain([whole.len() / 2]) {
        fs::write(&path, &whole[..index]).expect("written");
        let (_, loaded) = store.open_ledger(WALL).expect("opened");
        assert!(loaded.spent_until >= WALL + DAY, "cut at {index}");
        let mut flipped = whole.clone();
        flipped[index] ^= 0x55;
        fs::write(&path, &flipped).expect("written");
        let (_, loaded) = store.open_ledger(WALL).expect("opened");
        assert!(loaded.spent_until >= WALL + DAY, "byte {index}");
    }
}

#[test]
fn a_ledger_missing_beside_a_snapshot_is_spent() {
    let (dir, mut store) = three();
    store.known = true;
    fs::remove_file(dir.path().join(FILE)).expect("removed");
    let (_, loaded) = store.open_ledger(WALL).expect("opened");
    assert_eq!(loaded.spent_until, WALL + DAY);
}

#[test]
fn a_deleted_file_is_written_anew() {
    let (dir, store) = store();
    let (mut ledger, loaded) = store.open_ledger(WALL).expect("first");
    ledger
        .append(Entry::settled(loaded.now), WALL, nothing)
        .expect("written");
    fs::remove_file(dir.path().join(FILE)).expect("removed");
    ledger
        .append(Entry::settled(loaded.now + 1), WALL, || {
            vec![Entry::settled(loaded.now), Entry::settled(loaded.now + 1)]
        })
        .expect("written");
    let (_, again) = store.open_ledger(WALL).expect("opened");
    assert_eq!(again.requests.len(), 2);
}

#[test]
fn where_another_ledger_has_taken_the_place_nothing_is_recorded() {
    let (_dir, store) = store();
    let (mut ledger, loaded) = store.open_ledger(WALL).expect("first");
    let (mut other, _) = store.open_ledger(WALL).expect("another process");
    let entry = Entry::settled(loaded.now);
    for _ in 0..2 {
        let refused = ledger.append(entry, WALL, || vec![entry]).expect_err("replaced");
        assert!(refused.to_string().contains("another process"), "{refused}");
        other.append(entry, WALL, nothing).expect("in its place");
    }
}

#[test]
fn a_full_file_is_written_anew() {
    let (dir, store) = store();
    let (mut ledger, loaded) = store.open_ledger(WALL).expect("first");
    ledger.records = ledger.capacity;
    let entry = Entry::settled(loaded.now);
    ledger.append(entry, WALL, || vec![entry]).expect("written");
    assert_eq!(
        fs::metadata(dir.path().join(FILE)).expect("there").len() as usize,
        size(ROOM + 1)
    );
    assert_eq!(store.open_ledger(WALL).expect("again").1.requests.len(), 1);
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let (dir, store) = store();
    let (mut ledger, loaded) = store.open_ledger(WALL).expect("first");
    fs::remove_dir_all(dir.path()).expect("removed");
    assert!(ledger.append(Entry::settled(loaded.now), WALL, nothing).is_err());
}
