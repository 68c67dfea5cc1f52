//! Why a refresh failed: a closed set of reasons, and the words that name cause and cure.

use serde::{Deserialize, Serialize};

/// The `reason` label of `knowbe4_exporter_collector_failures_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// 400 and other refusals of the request itself.
    BadRequest,
    /// 401: the key is wrong, disabled, or of another region.
    Unauthorized,
    /// 403: the key may not read this endpoint.
    Forbidden,
    /// 404: no such endpoint here.
    NotFound,
    /// 429: the API's own limit.
    RateLimited,
    /// 5xx.
    ServerError,
    /// Connected, but no whole answer in time.
    Timeout,
    /// DNS, TCP, TLS, a proxy, or a connection that broke.
    Transport,
    /// An answer that isn't the JSON that was asked for.
    Decode,
    /// A listing whose end could not be established.
    Incomplete,
    /// The exporter's own budget does not allow it, or a request could not be recorded.
    Budget,
}

impl Reason {
    /// How many there are.
    pub const COUNT: usize = 11;

    /// All reasons.
    pub const ALL: [Self; Self::COUNT] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::RateLimited,
        Self::ServerError,
        Self::Timeout,
        Self::Transport,
        Self::Decode,
        Self::Incomplete,
        Self::Budget,
    ];

    /// The value of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Transport => "transport",
            Self::Decode => "decode",
            Self::Incomplete => "incomplete",
            Self::Budget => "budget",
        }
    }
}

/// A failed refresh as people read it: in the log, on the status page, from `check`.
///
/// Holds no key, no body and no personal data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The closed reason.
    pub reason: Reason,
    /// What happened, in one line.
    pub cause: String,
    /// What to do about it, in one line.
    pub cure: String,
    /// The answer's `X-Request-Id`, to quote to KnowBe4's support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}
