//! What a year of phishing tests to many people costs: `cargo bench --bench recipients`.
//!
//! 52 weekly tests to 100,000 people, 5.2 million mails: how large they are on disk, how long they take to come back, how
//! much memory they take, and how long a summary takes. Linux alone: memory is read from `/proc`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use knowbe4_exporter::{
    ApiKey, DirectoryBuilder, Event, Inputs, Mail, Memory, ReadTest, Reading, model::TestSpan, open, seal,
    summarise,
};

const PEOPLE: i64 = 100_000;
const TESTS: i64 = 52;
const WEEK: f64 = 7.0 * 86_400.0;
/// The argument of the process that writes.
const WRITE_TO: &str = "--write-to";
const NOW: f64 = 1_780_000_000.0;

/// Ids of one account: not in a row, since others get some in between.
fn user(person: i64) -> i64 {
    81_000_000 + person * 37 + person * person % 31
}

fn mail(test: i64, person: i64) -> Mail {
    let sent = started(test) + person as f64 / 20.0;
    let chance = (person * 7919 + test * 104_729) % 1000;
    let event = |happens: bool, after: f64| {
        if happens {
            Event::At(sent + after)
        } else {
            Event::Never
        }
    };
    Mail {
        user: Some(user(person)),
        delivered: event(chance > 4, 0.0),
        failed: event((5..65).contains(&chance), 40.0 + chance as f64),
        reported: event(chance > 650, 60.0 + chance as f64),
    }
}

fn started(test: i64) -> f64 {
    NOW - (TESTS - test) as f64 * WEEK
}

/// Kibibytes of memory: what is resident now, and the most so far.
fn memory() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.unwrap_or(0)
    };
    (field("VmRSS:"), field("VmHWM:"))
}

fn forget_the_most() {
    // Where that isn't allowed the most is of the whole run, and larger.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = tokio::time::Instant::now();
    let result = work();
    (result, begin.elapsed())
}

fn write_all(folder: &Path, key: &ApiKey) {
    for test in 0..TESTS {
        let mut reading = Reading::default();
        for person in 0..PEOPLE {
            reading.add(&mail(test, person));
        }
        let sealed = seal(key, &test.to_string(), &reading.finish(NOW, true).encode()).expect("randomness");
        fs::write(folder.join(test.to_string()), sealed).expect("room on disk");
    }
}

fn read_all(folder: &Path, key: &ApiKey) -> Memory {
    let mut memory = Memory::default();
    for test in 0..TESTS {
        let sealed = fs::read(folder.join(test.to_string())).expect("written");
        let plain = open(key, &test.to_string(), sealed).expect("the same key");
        memory.keep(test, ReadTest::decode(&plain).expect("whole"));
    }
    memory
}

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn main() {
    let key = ApiKey::new("benchmark").expect("a key");
    let mut arguments = env::args().skip_while(|argument| argument != WRITE_TO).skip(1);
    if let Some(folder) = arguments.next() {
        return write_all(Path::new(&folder), &key);
    }
    let folder = tempfile::tempdir().expect("a folder");
    // By another process: what writing leaves behind in memory isn't counted.
    let myself = env::current_exe().expect("a program");
    let written = Command::new(myself).arg(WRITE_TO).arg(folder.path()).status();
    assert!(written.is_ok_and(|status| status.success()), "it was written");
    let files = fs::read_dir(folder.path()).expect("a folder");
    let sizes = files.map(|file| file.and_then(|file| file.metadata()).expect("a file").len());
    let size: u64 = sizes.sum();
    let mails = (TESTS * PEOPLE) as f64;
    println!(
        "{mails} mails: {size} bytes sealed, {:.2} a mail",
        size as f64 / mails
    );

    let mut builder = DirectoryBuilder::new(1);
    for person in 0..PEOPLE {
        builder.add(user(person), &[person % 200], [Some((person % 100) as u32)]);
    }
    let segments = (0..100).map(|number| ("department".to_owned(), format!("D{number}")));
    let shown: Vec<_> = (0..100).map(Some).collect();
    let people = builder.finish(segments.collect(), &shown);

    forget_the_most();
    let (before, _) = memory();
    let (read, took) = timed(|| read_all(folder.path(), &key));
    let (after, most) = memory();
    println!(
        "read back in {} ms: {:.1} MiB, {:.1} MiB at most",
        took.as_millis(),
        (after - before) as f64 / 1024.0,
        (most - before) as f64 / 1024.0
    );

    let roster: Vec<_> = (0..TESTS)
        .map(|id| TestSpan {
            id,
            started_at: started(id),
            recipients: Some(PEOPLE as u64),
            ..TestSpan::default()
        })
        .collect();
    let windows = [30, 90, 365].map(|days| (format!("{days}d"), Duration::from_secs(days * 86_400)));
    let inputs = Inputs {
        roster: &roster,
        windows: &windows,
        people: Some(&people),
        group_min_size: 5,
        segment_min_size: 10,
        now: NOW,
    };
    let (summary, took) = timed(|| summarise(&read, &inputs));
    let (_, most) = memory();
    println!(
        "summed up in {} ms: {} windows, {:.1} MiB at most",
        took.as_millis(),
        summary.windows.len(),
        (most - before) as f64 / 1024.0
    );
}
