//! What a publication and a scrape cost: `cargo bench --bench exposition`.
//!
//! - `publish`: encode what changed and render the body
//! - `next second`: the exporter's own families again, and a copy of the data
//! - `same second`: the body that another scrape has made
//!
//! Each is the best of several, in microseconds.

use std::sync::Arc;
use std::time::Duration;

use knowbe4_exporter::{
    AccountSnapshot, Clock, Collection, Exposition, Format, Instruments, Published,
    model::{AccountName, Group, Groups, Mean, Users},
};

const EPOCH: f64 = 1_750_000_000.0;
/// Enough for the best to be undisturbed.
const ROUNDS: u32 = 15;

struct Setup {
    published: Arc<Published>,
    exposition: Exposition,
    names: Vec<AccountName>,
    groups: i64,
}

impl Setup {
    fn new(accounts: i64, series: i64) -> Self {
        let published = Arc::new(Published::default());
        let instruments = Arc::new(Instruments::new(EPOCH));
        let names: Vec<AccountName> = (0..accounts)
            .map(|index| format!("account-{index}").parse().expect("name"))
            .collect();
        for name in &names {
            instruments.account(name);
        }
        let day = Duration::from_secs(86_400);
        let exposition = Exposition::new(Arc::clone(&published), instruments, Clock::anchored(EPOCH), day);
        // Four series a group.
        let groups = series / accounts / 4;
        Self {
            published,
            exposition,
            names,
            groups,
        }
    }

    fn publish(&self, account: &AccountName, seed: u32) {
        let value = |id: i64| (id * 7 + i64::from(seed)) as f64;
        let groups = (0..self.groups).map(|id| Group {
            id: 1_000_000 + id,
            name: format!("Department of {}", id * 7919 % 10_007),
            kind: "console_group".to_owned(),
            status: "active".to_owned(),
            members: Some(value(id)),
            risk_score: Some(value(id) % 1_000.0 / 10.0),
            hidden: false,
        });
        let means = (0..self.groups).map(|id| {
            let (sum, count) = (value(id) / 7.0, 1_000);
            (1_000_000 + id, Mean { sum, count })
        });
        let mut snapshot = AccountSnapshot::default();
        let users = Users {
            group_phish_prone: means.collect(),
            ..Users::default()
        };
        snapshot.set(Collection::Users(users), EPOCH);
        snapshot.set(
            Collection::Groups(Groups {
                groups: groups.collect(),
            }),
            EPOCH,
        );
        self.published.publish(account, Arc::new(snapshot));
    }

    fn scrape(&self, encoding: Format, gzip: bool) -> usize {
        let body = self.exposition.body(None, encoding, gzip);
        body.map_or(0, |body| body.len())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tokio's clock stands still here, so that the benchmark says when a second has passed"
)]
fn microseconds(work: impl FnOnce()) -> f64 {
    let start = std::time::Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e6
}

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
async fn measure(accounts: i64, series: i64) {
    for (encoding, gzip) in [
        (Format::OpenMetrics, false),
        (Format::OpenMetrics, true),
        (Format::Text, false),
    ] {
        let setup = Setup::new(accounts, series);
        for name in &setup.names {
            setup.publish(name, 0);
        }
        let mut size = 0;
        let [mut publish, mut next, mut same] = [f64::INFINITY; 3];
        for round in 1..=ROUNDS {
            setup.publish(&setup.names[0], round);
            publish = publish.min(microseconds(|| size = setup.scrape(encoding, gzip)));
            tokio::time::advance(Duration::from_secs(1)).await;
            next = next.min(microseconds(|| size = setup.scrape(encoding, gzip)));
            same = same.min(microseconds(|| size = setup.scrape(encoding, gzip)));
        }
        println!(
            "{accounts:>5} accounts {series:>7} series {:<16} {size:>9} bytes: \
             publish {publish:>9.1}  next second {next:>8.1}  same second {same:>6.2}",
            format!("{encoding:?}{}", if gzip { " gzip" } else { "" }),
        );
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for (accounts, series) in [
            (1, 1_000),
            (1, 10_000),
            (1, 100_000),
            (10, 100_000),
            (1_000, 100_000),
        ] {
            measure(accounts, series).await;
        }
    });
}
