//! What an account's machine wants done, and what it has to say. The loop in `poll` does it, in the order in which it
//! comes out.

use std::time::Duration;

use tracing::{info, warn};

use crate::api::Refresh;
use crate::config::duration;
use crate::model::{AccountName, Collector, EnrollmentScope, Failure, Reason};
use crate::secret::ApiKey;

/// Something that changes the world.
#[derive(Debug)]
pub(super) enum Effect {
    /// A refresh begins; its end comes back as an event.
    Begin(Order),
    /// All refreshes under way stop where they are: no events come of them.
    CutOff,
    /// The key is read again; what it is comes back as an event.
    ReadKey,
    /// Requests carry this key from now on.
    UseKey(ApiKey),
    /// A failed refresh is counted.
    Count(Collector, Reason),
    /// What is known is kept on disk.
    Save,
    /// The snapshot is served.
    Publish,
    /// Whoever reads the log is told.
    Say(Notice),
}

/// A refresh to begin.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) collector: Collector,
    /// Its priority, and what it may send at most.
    pub(super) refresh: Refresh,
    /// How to read enrollments.
    pub(super) scope: EnrollmentScope,
}

/// What the log says of an account.
#[derive(Debug, PartialEq)]
pub(super) enum Notice {
    Refreshed {
        collector: Collector,
        requests: u64,
        duration: Duration,
    },
    Failed {
        collector: Collector,
        requests: u64,
        failure: Failure,
        /// After which pause it is asked again; [`None`] for never.
        again: Option<Duration>,
    },
    NotPlanned {
        collector: Collector,
        failure: Failure,
    },
    KeyWorks,
    KeyChanged,
    KeyUnreadable(String),
    KeyReadable,
    Slept(Duration),
    /// The wall clock was set forward by so many seconds, or back.
    Stepped(f64),
}

impl Notice {
    pub(super) fn log(&self, account: &AccountName) {
        match self {
            Self::Refreshed {
                collector,
                requests,
                duration,
            } => info!(
                %account, %collector, requests, duration_seconds = duration.as_secs_f64(), "refreshed"
            ),
            Self::Failed {
                collector,
                requests,
                failure,
                again,
            } => warn!(
                %account, %collector, reason = failure.reason.as_str(), requests,
                request_id = failure.request_id.as_deref(),
                "refresh failed: {}; {}; {}", failure.cause, failure.cure, asked_again(*again)
            ),
            Self::NotPlanned { collector, failure } => warn!(
                %account, %collector, reason = failure.reason.as_str(),
                "not planned: {}; {}", failure.cause, failure.cure
            ),
            Self::KeyWorks => info!(%account, "the key works"),
            Self::KeyChanged => info!(%account, "the key has changed"),
            Self::KeyUnreadable(why) => {
                warn!(%account, "the key can't be read again, the one in use stays: {why}");
            }
            Self::KeyReadable => info!(%account, "the key can be read again"),
            Self::Slept(slept) => info!(
                %account, seconds = slept.as_secs(), "the machine has slept: what has grown too old is due"
            ),
            Self::Stepped(seconds) => {
                info!(%account, seconds, "the wall clock was set: what was read keeps its age");
            }
        }
    }
}

fn asked_again(after: Option<Duration>) -> String {
    after.map_or_else(
        || "it is not asked again as things are".to_owned(),
        |after| {
            let seconds = after.as_secs().max(1);
            format!(
                "it is asked again in {}",
                duration::format(Duration::from_secs(seconds))
            )
        },
    )
}
