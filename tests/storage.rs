//! Files that earlier versions wrote are read for ever, and nothing in them is lost.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use knowbe4_exporter::{
    Clock, Exposition, FileStorage, Format, Instruments, Published, Storage as _,
    model::{AccountName, Collector},
};
use quota::Limits;

/// When the files were written, in unix seconds.
const WRITTEN: f64 = 1_795_738_450.0;

const LIMITS: Limits = Limits {
    per_second: 4,
    per_minute: 45,
    per_day: 800,
};

fn fixture(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/storage-{version}"))
}

/// A copy of a storage path, and the account in it.
fn copy(version: &str) -> (tempfile::TempDir, AccountName) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("accounts/acme");
    fs::create_dir_all(&folder).unwrap();
    for file in ["snapshot", "ledger"] {
        fs::copy(
            fixture(version).join("accounts/acme").join(file),
            folder.join(file),
        )
        .unwrap();
    }
    (dir, "acme".parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_first_format_is_read_without_a_loss() {
    let (dir, acme) = copy("v1");
    let lease = FileStorage::at(dir.path()).lease(&acme).await.unwrap();
    let saved = lease.load().await.unwrap().expect("it isn't set aside");
    let tenth: Vec<_> = Collector::ALL.into_iter().skip(9).collect();
    for collector in Collector::ALL {
        let status = &saved.collectors[collector];
        if tenth.contains(&collector) {
            assert_eq!(saved.snapshot.at(collector), None, "{collector}");
            continue;
        }
        assert!(saved.snapshot.at(collector).is_some(), "{collector}");
        assert_eq!(status.success, Some(true), "{collector}");
        assert_eq!(status.last_success, saved.snapshot.at(collector), "{collector}");
        assert!(status.last_failure.is_none(), "{collector}");
        let cost = if collector == Collector::TrainingCampaigns {
            2
        } else {
            1
        };
        assert_eq!(saved.costs[collector], Some(cost), "{collector}");
    }
    assert_eq!(saved.up, Some(true));

    // Every request that it records counts, so that an upgrade frees nothing.
    let budget = lease.budget(LIMITS, Clock::anchored(WRITTEN)).await.unwrap();
    assert_eq!(budget.state().used[2], 10);

    // And every series that it held is served.
    let published = Arc::new(Published::default());
    published.publish(&acme, Arc::new(saved.snapshot));
    let instruments = Arc::new(Instruments::new(WRITTEN));
    instruments.account(&acme);
    let exposition = Exposition::new(
        published,
        instruments,
        Clock::anchored(WRITTEN),
        Duration::from_secs(259_200),
    );
    let body = exposition.body(None, Format::Text, false).unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let served: BTreeSet<&str> = body.lines().collect();
    let expected = fs::read_to_string(fixture("v1").join("exposition.txt")).unwrap();
    let lost: Vec<_> = expected.lines().filter(|line| !served.contains(line)).collect();
    assert!(expected.lines().count() > 2_000 && lost.is_empty(), "{lost:?}");
}
