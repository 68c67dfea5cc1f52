//! Every default with its reason: what holds when the file says nothing.

use std::time::Duration;

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

/// `requests_per_day`. The lowest figure that is known for a key. The vendor's documented figure is 2000 and one for
/// each licensed user; who has it may say so.
pub const REQUESTS_PER_DAY: u64 = 1000;

/// `share`. The quota belongs to the account, and others (SIEM, HR, reporting) live on it too: a fifth is theirs.
pub const SHARE: f64 = 0.8;

/// `requests_per_minute`. The vendor cuts at 50 a minute; a tenth is left for clocks that differ.
pub const REQUESTS_PER_MINUTE: u64 = 45;

/// `requests_per_second`. The vendor's own limit; its clock matters less here, since a minute's limit binds first.
pub const REQUESTS_PER_SECOND: u64 = 4;

/// The vendor's limit a minute, above which a configuration earns a warning.
pub const VENDOR_PER_MINUTE: u64 = 50;

/// The vendor's limit a second, above which a configuration earns a warning.
pub const VENDOR_PER_SECOND: u64 = 4;

/// `min_interval`. Nothing in the API changes so fast that asking again within five minutes tells more, and
/// Prometheus itself looks back as far.
pub const MIN_INTERVAL: Duration = Duration::from_secs(5 * MINUTE);

/// `max_interval`. A day: what people report on is never older, whatever it costs. Below [`STALE_AFTER`], so that
/// one lost refresh doesn't empty a dashboard.
pub const MAX_INTERVAL: Duration = Duration::from_secs(DAY);

/// `stale_after`. A weekend: what broke on Friday evening is still shown, with its age, on Monday morning.
pub const STALE_AFTER: Duration = Duration::from_secs(3 * DAY);

/// `phishing.windows`. A month, a quarter and a year: the spans that the console and its reports compare.
pub const PHISHING_WINDOWS: [(&str, Duration); 3] = [
    ("30d", Duration::from_secs(30 * DAY)),
    ("90d", Duration::from_secs(90 * DAY)),
    ("365d", Duration::from_secs(365 * DAY)),
];

/// `phishing.max_tests`. At some fifteen series a test it bounds the exposition at 7,500 series; weekly tests of ten
/// years stay below it.
pub const MAX_TESTS: usize = 500;

/// `phishing.callback`. Callback tests are a listing of their own that most accounts don't have, and it costs requests.
pub const CALLBACK: bool = false;

/// `phishing.recipients_share`. A tenth of the exporter's part of the quota: enough to read a few dozen tests a day,
/// and little enough that everything else stays about as fresh.
pub const RECIPIENTS_SHARE: f64 = 0.1;

/// `groups.include`. All of them.
pub const GROUPS_INCLUDE: &str = ".*";

/// `groups.min_size`. Hides nothing: whether a score of two people is private is the operator's call.
pub const GROUPS_MIN_SIZE: u64 = 1;

/// `segment_min_size`. The usual smallest cell of a published statistic about people.
pub const SEGMENT_MIN_SIZE: u64 = 5;

/// The smallest `segment_min_size`: a segment of one is a person.
pub const SEGMENT_MIN_SIZE_FLOOR: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::duration;

    #[test]
    fn the_table_agrees_with_itself() {
        for (label, length) in PHISHING_WINDOWS {
            assert_eq!(duration::parse(label), Ok(length), "{label}");
        }
        const {
            assert!(REQUESTS_PER_MINUTE <= VENDOR_PER_MINUTE && REQUESTS_PER_SECOND <= VENDOR_PER_SECOND);
            assert!(SEGMENT_MIN_SIZE >= SEGMENT_MIN_SIZE_FLOOR);
        }
        assert!(MIN_INTERVAL < MAX_INTERVAL && MAX_INTERVAL < STALE_AFTER);
    }
}
