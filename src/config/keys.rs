//! Every key of the configuration file, once: its name, its default with the reason for it, what it may be, and what it
//! means. The reader takes its ranges from here, `account` its defaults, and the documentation its reference
//! ([`markdown`]).

mod key;

use std::ops::RangeInclusive;
use std::time::Duration;

use self::key::{AtLeast, Entry, Key, UpTo, Weights, Written, written};

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

/// No quota is larger, and a typing error ends here.
const REQUESTS: RangeInclusive<u64> = 1..=10_000_000;

/// As many as a number of users can be.
const USERS: u64 = u32::MAX as u64;

/// The shortest interval. Whoever fixes one below has forgotten the unit.
const SHORTEST_INTERVAL: AtLeast = AtLeast(Duration::from_secs(1));

/// The vendor's limit a minute, above which a configuration earns a warning.
pub(super) const VENDOR_PER_MINUTE: u64 = 50;

/// The vendor's limit a second, above which a configuration earns a warning.
pub(super) const VENDOR_PER_SECOND: u64 = 4;

/// The smallest `segment_min_size`: a segment of one is a person.
const SEGMENT_MIN_SIZE_FLOOR: u64 = 2;

/// The shortest window of phishing tests: anything that isn't nothing.
pub(super) const SHORTEST_WINDOW: Duration = Duration::from_millis(1);

/// `phishing.windows`. A month, a quarter and a year: the spans that the console and its reports compare.
pub(super) const PHISHING_WINDOWS: [(&str, Duration); 3] = [
    ("30d", Duration::from_secs(30 * DAY)),
    ("90d", Duration::from_secs(90 * DAY)),
    ("365d", Duration::from_secs(365 * DAY)),
];

/// The lowest figure that is known for a key. The vendor's documented figure is 2000 and one for each licensed user; who
/// has it may say so.
pub(super) const REQUESTS_PER_DAY: Key<u64, RangeInclusive<u64>> = Key {
    path: "accounts[].budget.requests_per_day",
    default: 1000,
    allowed: REQUESTS,
    doc: "The key's quota: requests in any 24 hours.",
};

/// The quota belongs to the account, and others (SIEM, HR, reporting) live on it too: a fifth is theirs.
pub(super) const SHARE: Key<f64, UpTo> = Key {
    path: "accounts[].budget.share",
    default: 0.8,
    allowed: UpTo(1.0),
    doc: "How much of the day's quota the exporter may use.",
};

/// The vendor cuts at 50 a minute; a tenth is left for clocks that differ.
pub(super) const REQUESTS_PER_MINUTE: Key<u64, RangeInclusive<u64>> = Key {
    path: "accounts[].budget.requests_per_minute",
    default: 45,
    allowed: REQUESTS,
    doc: "Requests in any 60 seconds.",
};

/// The vendor's own limit; its clock matters less here, since a minute's limit binds first.
pub(super) const REQUESTS_PER_SECOND: Key<u64, RangeInclusive<u64>> = Key {
    path: "accounts[].budget.requests_per_second",
    default: 4,
    allowed: REQUESTS,
    doc: "Requests in any second.",
};

/// All that the API has.
pub(super) const ENABLED: Key<bool, ()> = Key {
    path: "accounts[].collectors.NAME.enabled",
    default: true,
    allowed: (),
    doc: "Whether the collector runs.",
};

/// The collectors' own; the largest is enough to put one before all others.
pub(super) const WEIGHT: Key<Weights, UpTo> = Key {
    path: "accounts[].collectors.NAME.weight",
    default: Weights,
    allowed: UpTo(1000.0),
    doc: "How much its staleness hurts, compared with the others': a fourfold weight halves its interval.",
};

/// Nothing in the API changes so fast that asking again within five minutes tells more, and Prometheus itself looks back
/// as far.
pub(super) const MIN_INTERVAL: Key<Duration, AtLeast> = Key {
    path: "accounts[].collectors.NAME.min_interval",
    default: Duration::from_secs(5 * MINUTE),
    allowed: SHORTEST_INTERVAL,
    doc: "The planner refreshes it no more often.",
};

/// A day: what people report on is never older, whatever it costs. Below [`STALE_AFTER`], so that one lost refresh
/// doesn't empty a dashboard.
pub(super) const MAX_INTERVAL: Key<Duration, AtLeast> = Key {
    path: "accounts[].collectors.NAME.max_interval",
    default: Duration::from_secs(DAY),
    allowed: SHORTEST_INTERVAL,
    doc: "The planner refreshes it no less often.",
};

/// The planner's to choose.
pub(super) const INTERVAL: Key<Option<Duration>, AtLeast> = Key {
    path: "accounts[].collectors.NAME.interval",
    default: None,
    allowed: SHORTEST_INTERVAL,
    doc: "Fixes its interval, whatever the planner would choose.",
};

const WINDOWS: Key<Written, Written> = Key {
    path: "accounts[].phishing.windows",
    default: Written("30d, 90d, 365d"),
    allowed: Written("durations, each once"),
    doc: "Spans of the account's phish-prone ratio; `all` is always there besides.",
};

/// At some fifteen series a test it bounds the exposition at 7,500 series; weekly tests of ten years stay below it. The
/// series of the most would be a million and a half.
pub(super) const MAX_TESTS: Key<u64, RangeInclusive<u64>> = Key {
    path: "accounts[].phishing.max_tests",
    default: 500,
    allowed: 0..=100_000,
    doc: "How many tests have series of their own, the newest first.",
};

/// Callback tests are a listing of their own that most accounts don't have, and it costs requests.
pub(super) const CALLBACK: Key<bool, ()> = Key {
    path: "accounts[].phishing.callback",
    default: false,
    allowed: (),
    doc: "Whether callback tests are listed as well.",
};

/// A tenth of the exporter's part of the quota: enough to read a few dozen tests a day, and little enough that everything
/// else stays about as fresh.
pub(super) const RECIPIENTS_SHARE: Key<f64, RangeInclusive<f64>> = Key {
    path: "accounts[].phishing.recipients_share",
    default: 0.1,
    allowed: 0.0..=1.0,
    doc: "How much of the exporter's part of the day's quota the tests' recipients may take; 0 leaves them out.",
};

/// All of them.
pub(super) const GROUPS_INCLUDE: Key<&str, Written> = Key {
    path: "accounts[].groups.include",
    default: ".*",
    allowed: Written("a regular expression (RE2) for whole names"),
    doc: "Groups that are exported.",
};

const GROUPS_EXCLUDE: Key<Written, Written> = Key {
    path: "accounts[].groups.exclude",
    default: Written(""),
    allowed: Written("a regular expression (RE2) for whole names"),
    doc: "Groups that aren't, though they are included.",
};

/// Hides nothing: whether a score of two people is private is the operator's call.
pub(super) const GROUPS_MIN_SIZE: Key<u64, RangeInclusive<u64>> = Key {
    path: "accounts[].groups.min_size",
    default: 1,
    allowed: 0..=USERS,
    doc: "Groups of fewer members keep name and members; their scores are left out.",
};

const SEGMENTS: Key<Written, Written> = Key {
    path: "accounts[].segments",
    default: Written(""),
    allowed: Written(
        "department, location, division, organization, language, job_title, custom_field_1 to custom_field_4",
    ),
    doc: "Attributes by which users are aggregated.",
};

/// The usual smallest cell of a published statistic about people.
pub(super) const SEGMENT_MIN_SIZE: Key<u64, RangeInclusive<u64>> = Key {
    path: "accounts[].segment_min_size",
    default: 5,
    allowed: SEGMENT_MIN_SIZE_FLOOR..=USERS,
    doc: "Segments of fewer users are left out.",
};

/// A weekend: what broke on Friday evening is still shown, with its age, on Monday morning.
pub(super) const STALE_AFTER: Key<Duration, AtLeast> = Key {
    path: "stale_after",
    default: Duration::from_secs(3 * DAY),
    allowed: AtLeast(Duration::from_secs(1)),
    doc: "A collector's series leave the exposition once its last success is this old.",
};

static ACCOUNT: [Key<Written, Written>; 4] = [
    written(
        "accounts[].name",
        "",
        "1 to 64 of a-z, 0-9, _ and -",
        "The `account` label; each account has one of its own.",
    ),
    written(
        "accounts[].api_key_file",
        "",
        "a path, from the file's folder on",
        "The file that holds the key; it is read again when it changes.",
    ),
    written(
        "accounts[].api_key_env",
        "",
        "a variable's name",
        "The environment variable that holds the key.",
    ),
    written(
        "accounts[].api_key_credential",
        "the account's name, if systemd passes it",
        "a name",
        "The systemd credential that holds the key.",
    ),
];

static PLACE: [Key<Written, Written>; 2] = [
    written(
        "accounts[].region",
        "US",
        "US, EU, CA, UK, DE",
        "Where the account is: the console's host tells.",
    ),
    written(
        "accounts[].base_url",
        "the region's",
        "https; http to this machine",
        "The API's address in place of the region; a path prefix is kept.",
    ),
];

static STORAGE: [Key<Written, Written>; 3] = [
    written(
        "storage.path",
        "`$STATE_DIRECTORY`, `./data`",
        "a directory",
        "Where the ledger and the last values are kept; `--storage.path` goes first.",
    ),
    written(
        "storage.url_file",
        "",
        "a path",
        "A file with the URL of a PostgreSQL database that replicas share, in place of the path.",
    ),
    written(
        "storage.url_env",
        "",
        "a variable's name",
        "An environment variable with that URL.",
    ),
];

static TOP: [Key<Written, Written>; 2] = [
    written("accounts", "", "a list", "The accounts to poll, at least one."),
    written(
        "defaults",
        "",
        "an account's keys",
        "What holds for all accounts; names and keys belong to one.",
    ),
];

/// Keys that an account and `defaults` may have.
const SHARED: [&'static dyn Entry; 20] = [
    &PLACE[0],
    &PLACE[1],
    &REQUESTS_PER_DAY,
    &SHARE,
    &REQUESTS_PER_MINUTE,
    &REQUESTS_PER_SECOND,
    &ENABLED,
    &WEIGHT,
    &MIN_INTERVAL,
    &MAX_INTERVAL,
    &INTERVAL,
    &WINDOWS,
    &MAX_TESTS,
    &CALLBACK,
    &RECIPIENTS_SHARE,
    &GROUPS_INCLUDE,
    &GROUPS_EXCLUDE,
    &GROUPS_MIN_SIZE,
    &SEGMENTS,
    &SEGMENT_MIN_SIZE,
];

/// Keys of the file itself.
const FILE: [&'static dyn Entry; 5] = [&TOP[1], &STORAGE[0], &STORAGE[1], &STORAGE[2], &STALE_AFTER];

/// Where a key belongs that is often put into the wrong place.
pub(super) fn home(name: &str) -> Option<&'static str> {
    let section = SHARED.iter().chain(&FILE).find_map(|entry| {
        let (section, last) = entry.path().rsplit_once('.')?;
        (last == name).then_some(section)
    })?;
    match section.strip_prefix("accounts[]").unwrap_or(section) {
        "" => None,
        ".collectors.NAME" => Some("collectors and the collector's name"),
        section => Some(section.trim_start_matches('.')),
    }
}

fn all() -> impl Iterator<Item = &'static dyn Entry> {
    let accounts = std::iter::once(&TOP[0] as &dyn Entry);
    let one = ACCOUNT.iter().map(|key| key as &dyn Entry);
    accounts.chain(one).chain(SHARED).chain(FILE)
}

/// The keys from the top of the file on; `accounts[]` is one account, `NAME` a collector.
pub fn paths() -> impl Iterator<Item = &'static str> {
    all().map(Entry::path)
}

/// All keys as a Markdown table, for the documentation.
pub fn markdown() -> String {
    let mut table = "| key | value | default | what it does |\n| --- | --- | --- | --- |\n".to_owned();
    for entry in all() {
        let cells = [entry.allowed(), entry.default(), entry.doc().to_owned()];
        table.push_str(&format!("| `{}` |", entry.path()));
        for cell in cells.map(|cell| cell.replace('|', "\\|")) {
            table.push_str(&if cell.is_empty() {
                " |".to_owned()
            } else {
                format!(" {cell} |")
            });
        }
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests;
