//! The keys of the configuration file as a table: what `docs/configuration.md` is made of.
//!
//! That the reader takes these keys and no others is what `tests/documents` checks.

use std::time::Duration;

use super::defaults;

/// One key of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// From the top of the file; `accounts[]` is one account, `NAME` a collector.
    pub path: &'static str,
    /// What it may be.
    pub value: &'static str,
    /// What holds without it; empty where it has to be there or nothing does.
    pub default: String,
    /// What it does.
    pub help: &'static str,
}

/// All keys, in the order in which they are shown. Those of an account but its name and key may stand under
/// `defaults` too.
pub fn keys() -> Vec<Key> {
    let key = |path, value, default: String, help| Key {
        path,
        value,
        default,
        help,
    };
    let none = String::new;
    let windows: Vec<&str> = defaults::PHISHING_WINDOWS
        .iter()
        .map(|(label, _)| *label)
        .collect();
    vec![
        key("accounts", "list", none(), "The accounts to poll, at least one."),
        key(
            "accounts[].name",
            "1 to 64 of `a-z`, `0-9`, `_`, `-`",
            none(),
            "The `account` label, and the account's folder in the storage.",
        ),
        key(
            "accounts[].api_key_file",
            "path",
            none(),
            "File that holds the key, from the configuration file's folder on; read again when it changes.",
        ),
        key(
            "accounts[].api_key_env",
            "name",
            none(),
            "Environment variable that holds the key, instead.",
        ),
        key(
            "accounts[].api_key_credential",
            "name",
            "the account's name".to_owned(),
            "systemd credential that holds the key, instead.",
        ),
        key(
            "accounts[].region",
            "`US`, `EU`, `CA`, `UK`, `DE`",
            "`US`".to_owned(),
            "Where the account lives, which the console's address tells.",
        ),
        key(
            "accounts[].base_url",
            "URL",
            none(),
            "Address of the API, instead of the region. A path prefix is kept; plain http is for loopback addresses only.",
        ),
        key(
            "accounts[].budget.requests_per_day",
            "whole number",
            defaults::REQUESTS_PER_DAY.to_string(),
            "The quota of the key: what KnowBe4 allows in 24 hours.",
        ),
        key(
            "accounts[].budget.share",
            "above 0, at most 1",
            defaults::SHARE.to_string(),
            "The part of the quota that the exporter may use.",
        ),
        key(
            "accounts[].budget.requests_per_minute",
            "whole number",
            defaults::REQUESTS_PER_MINUTE.to_string(),
            "Most requests in 60 seconds; KnowBe4 allows 50.",
        ),
        key(
            "accounts[].budget.requests_per_second",
            "whole number",
            defaults::REQUESTS_PER_SECOND.to_string(),
            "Most requests in a second; KnowBe4 allows 4.",
        ),
        key(
            "accounts[].collectors.NAME.enabled",
            "`true`, `false`",
            "true".to_owned(),
            "Whether the collector runs.",
        ),
        key(
            "accounts[].collectors.NAME.weight",
            "number above 0",
            "by collector".to_owned(),
            "How much its staleness matters against that of the others.",
        ),
        key(
            "accounts[].collectors.NAME.min_interval",
            "duration",
            short(defaults::MIN_INTERVAL),
            "It is never refreshed more often.",
        ),
        key(
            "accounts[].collectors.NAME.max_interval",
            "duration",
            short(defaults::MAX_INTERVAL),
            "It is never planned more seldom.",
        ),
        key(
            "accounts[].collectors.NAME.interval",
            "duration",
            "planned".to_owned(),
            "Fixes the interval; the plan then has no say.",
        ),
        key(
            "accounts[].phishing.windows",
            "list of durations",
            windows.join(", "),
            "Spans over which phishing tests are summed.",
        ),
        key(
            "accounts[].phishing.max_tests",
            "whole number",
            defaults::MAX_TESTS.to_string(),
            "The newest tests that have series of their own; windows and months count them all.",
        ),
        key(
            "accounts[].phishing.callback",
            "`true`, `false`",
            defaults::CALLBACK.to_string(),
            "Whether callback phishing tests are read: a listing of its own.",
        ),
        key(
            "accounts[].phishing.recipients_share",
            "0 to 1",
            defaults::RECIPIENTS_SHARE.to_string(),
            "Most of the day's budget that reading the recipients of past tests may take.",
        ),
        key(
            "accounts[].groups.include",
            "regular expression",
            format!("`{}`", defaults::GROUPS_INCLUDE),
            "Names of the groups to export, matched whole.",
        ),
        key(
            "accounts[].groups.exclude",
            "regular expression",
            none(),
            "Names of those to leave out.",
        ),
        key(
            "accounts[].groups.min_size",
            "whole number",
            defaults::GROUPS_MIN_SIZE.to_string(),
            "Groups with fewer members keep their score to themselves.",
        ),
        key(
            "accounts[].segments",
            "list of attributes",
            "none".to_owned(),
            "Attributes of users by which they are aggregated, such as `department`.",
        ),
        key(
            "accounts[].segment_min_size",
            "whole number from 2",
            defaults::SEGMENT_MIN_SIZE.to_string(),
            "Segments with fewer users are left out.",
        ),
        key(
            "defaults",
            "the keys of an account",
            none(),
            "What holds for all accounts, but for name and key.",
        ),
        key(
            "storage.path",
            "path",
            "`$STATE_DIRECTORY`, `./data`".to_owned(),
            "Where ledger and last values are kept. The flag goes before it.",
        ),
        key(
            "storage.url_file",
            "path",
            none(),
            "File that holds a PostgreSQL URL, which takes the place of the path.",
        ),
        key(
            "storage.url_env",
            "name",
            none(),
            "Environment variable that holds it.",
        ),
        key(
            "stale_after",
            "duration",
            short(defaults::STALE_AFTER),
            "A collector's series leave once its last success is this old.",
        ),
    ]
}

/// The keys as a Markdown table.
pub fn markdown() -> String {
    let mut table = "| key | value | default | what it does |\n| --- | --- | --- | --- |\n".to_owned();
    for key in keys() {
        let default = match key.default.as_str() {
            "" => String::new(),
            default => format!(" {default}"),
        };
        table.push_str(&format!(
            "| `{}` | {} |{default} | {} |\n",
            key.path, key.value, key.help
        ));
    }
    table
}

/// As the file would have it: `5m`, `1d`.
fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (unit, name) = [(86_400, 'd'), (3600, 'h'), (60, 'm')]
        .into_iter()
        .find(|(unit, _)| seconds.is_multiple_of(*unit))
        .unwrap_or((1, 's'));
    format!("{}{name}", seconds / unit)
}
