//! The last snapshot of an account as bytes: a header with checksum and length, then JSON.

use serde::{Deserialize, Serialize};

use crate::model::{CollectorStatus, PerCollector};
use crate::snapshot::AccountSnapshot;

/// First word of the file, and its version.
const MAGIC: &str = "knowbe4-exporter-snapshot 1";

/// Everything that is known of an account besides its ledger. Every field has a default, so that a later version may
/// add some.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    /// The last whole refreshes.
    pub snapshot: AccountSnapshot,
    /// State and phase of each collector.
    pub collectors: PerCollector<CollectorStatus>,
    /// Whether the last request succeeded.
    pub up: Option<bool>,
    /// Requests that a refresh of each collector costs.
    pub costs: PerCollector<Option<u64>>,
    /// Requests that a refresh of the running campaigns' enrollments costs.
    pub running_enrollments_cost: Option<u64>,
    /// The server ignores the filter of enrollments by campaign.
    pub filter_ignored: bool,
    /// The part of the requests that brought nothing.
    pub overhead: f64,
    /// Where its API answered.
    pub base_url: Option<String>,
}

pub(super) fn encode(saved: &Saved) -> Vec<u8> {
    let json = serde_json::to_vec(saved).unwrap_or_default();
    let mut bytes = format!("{MAGIC} {:08x} {}\n", crc32fast::hash(&json), json.len()).into_bytes();
    bytes.extend(json);
    bytes
}

/// [`None`] for what isn't one, or is damaged.
pub(super) fn decode(bytes: &[u8]) -> Option<Saved> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (header, json) = (std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]);
    let expected = format!("{MAGIC} {:08x} {}", crc32fast::hash(json), json.len());
    if header != expected {
        return None;
    }
    serde_json::from_slice(json).ok()
}
