//! Why a request or a listing failed, and what a person can do about it.

use std::time::Duration;

use super::trust::CertificateProblem;
use crate::model::{Endpoint, Failure, Reason};
use quota::Refused;

/// A request that brought no usable answer, or a listing that brought no whole one.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// An answer other than 200.
    #[error("answered with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The answer's `X-Request-Id`.
        request_id: Option<String>,
        /// The answer's `Retry-After`.
        retry_after: Option<Duration>,
        /// Whether it is in the API's own form. What isn't may be a gateway's word, or a proxy's.
        own: bool,
    },
    /// No whole answer in time.
    #[error("no whole answer within {0:?}")]
    Timeout(Duration),
    /// No connection, or one that broke.
    #[error("{detail}")]
    Transport {
        /// Where it went wrong.
        kind: TransportKind,
        /// The causes, outermost first, without URL.
        detail: String,
    },
    /// The server's certificate isn't accepted.
    #[error("{0}")]
    Certificate(CertificateProblem),
    /// Status 200, but not the JSON that was asked for.
    #[error("{detail}")]
    Decode {
        /// What was wrong; holds nothing of the body.
        detail: String,
        /// The answer's `X-Request-Id`.
        request_id: Option<String>,
    },
    /// The end of a listing could not be established, or its filter isn't honoured.
    #[error("{0}")]
    Incomplete(&'static str),
    /// The budget gave no permit.
    #[error(transparent)]
    Budget(#[from] Refused),
    /// The refresh would cost more requests than it may.
    #[error("at least {requests} requests")]
    TooExpensive {
        /// At least so many.
        requests: u64,
        /// The API has said so itself: it is what a refresh costs, and not just one more than it may.
        announced: bool,
    },
}

/// Which part of a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// The host's name has no address.
    Dns,
    /// The certificate or the handshake.
    Tls,
    /// The proxy.
    Proxy,
    /// No connection.
    Connect,
    /// A connection that broke, or an answer that isn't HTTP.
    Broken,
}

impl ApiError {
    /// The closed reason.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Status { status, .. } => match status {
                401 => Reason::Unauthorized,
                403 => Reason::Forbidden,
                404 => Reason::NotFound,
                429 => Reason::RateLimited,
                408 => Reason::Timeout,
                200..=299 => Reason::Decode,
                500.. => Reason::ServerError,
                _ => Reason::BadRequest,
            },
            Self::Timeout(_) => Reason::Timeout,
            Self::Transport { .. } | Self::Certificate(_) => Reason::Transport,
            Self::Decode { .. } => Reason::Decode,
            Self::Incomplete(_) => Reason::Incomplete,
            Self::Budget(Refused::Paused(_)) => Reason::RateLimited,
            Self::Budget(_) | Self::TooExpensive { .. } => Reason::Budget,
        }
    }

    /// The `code` label: the status, or why there is none.
    pub fn code(&self) -> String {
        match self {
            Self::Status { status, .. } => status.to_string(),
            Self::Decode { .. } => "200".to_owned(),
            other => other.reason().as_str().to_owned(),
        }
    }

    /// Whether asking again soon may help.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.reason(),
            Reason::ServerError | Reason::Timeout | Reason::Transport
        )
    }

    /// Whether it took too long, here or behind the server's own gateway: fewer rows may be quicker.
    pub fn is_timeout(&self) -> bool {
        self.reason() == Reason::Timeout || matches!(self, Self::Status { status: 504, .. })
    }

    /// Whether it is the API itself that says so, as far as one can tell.
    pub fn is_the_apis_own(&self) -> bool {
        !matches!(self, Self::Status { own: false, .. })
    }

    /// How long the server asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// As people read it. `host` is where the request went.
    pub fn failure(&self, endpoint: Endpoint, host: &str) -> Failure {
        let path = endpoint.path();
        let (cause, cure) = match self {
            Self::Status { status: status @ (400 | 402..=407 | 409..=428 | 430..=499), own: false, .. } => (
                format!("{path} answered with status {status}{}, but not in the API's form", name(*status)),
                format!("a gateway, a firewall or a proxy seems to answer in place of {host}: look there, and at base_url; {}", self.status_cure(*status)),
            ),
            Self::Status { status, .. } => (format!("{path} answered with status {status}{}", name(*status)), self.status_cure(*status)),
            Self::Timeout(limit) => (
                format!("{path} gave no whole answer within {} s", limit.as_secs()),
                "it is tried again with smaller pages; if it lasts, look at the network path and KnowBe4's status page".to_owned(),
            ),
            Self::Transport { kind, detail } => (format!("{path}: {detail}"), kind.cure(host, detail)),
            Self::Certificate(problem) => (format!("{path}: {problem}"), problem.cure(host)),
            Self::Decode { detail, .. } => (
                format!("{path} answered with something that isn't what was asked for: {detail}"),
                "a proxy or login page in between? `check --connect --shapes` shows what arrives, without values".to_owned(),
            ),
            Self::Incomplete(detail) => (
                format!("the listing of {path} can't be read whole: {detail}"),
                "nothing of it is published, since a part would look like the whole; please report it with the output of `check --connect --shapes`".to_owned(),
            ),
            Self::Budget(refused) => (format!("{path} was not asked: {refused}"), budget_cure(refused).to_owned()),
            Self::TooExpensive { requests, announced: true } => (
                format!("one refresh of {path} needs {requests} requests, more than was planned for it"),
                "nothing if the budget has room for that: it is planned anew, and `plan` shows how; else raise budget.requests_per_day if the account's quota is larger, or switch the collector off".to_owned(),
            ),
            Self::TooExpensive { requests, announced: false } => (
                format!("one refresh of {path} needs at least {requests} requests, more than the budget can give it"),
                "raise budget.requests_per_day if the account's quota is larger, give the collector a longer max_interval, or switch it off".to_owned(),
            ),
        };
        let request_id = match self {
            Self::Status { request_id, .. } | Self::Decode { request_id, .. } => request_id.clone(),
            _ => None,
        };
        Failure {
            reason: self.reason(),
            cause,
            cure,
            request_id,
        }
    }

    fn status_cure(&self, status: u16) -> String {
        match status {
            401 => "the key is wrong, disabled, of another region or of another KnowBe4 API: make a Reporting API key (Account Settings > Account Integrations > API) and check region or base_url",
            402 | 403 => "the key may not read this: the Reporting API comes with Platinum and Diamond subscriptions; if the rest works, the endpoint isn't part of yours, and the collector can be switched off",
            404 => "if nothing else works either, region or base_url is wrong; if the rest works, the server lacks this endpoint, and the collector can be switched off",
            408 => "it is tried again with smaller pages; if it lasts, look at the network path and KnowBe4's status page",
            429 => "other users of the quota? The account pauses as the API asks; lower budget.requests_per_day or budget.share to leave them more",
            200..=299 => "a proxy or another server in between? Only status 200 brings data; check base_url",
            300..=399 => "redirects aren't followed, since each would be one more request: set base_url to where it leads",
            400 | 422 => "a parameter that the server doesn't take: please report it with the output of `check --connect --shapes`",
            500.. => "KnowBe4's side; it is tried again with growing pauses",
            _ => "a proxy in between, or a server that isn't the Reporting API? Check base_url; if it is right, please report it with the output of `check --connect --shapes`",
        }
        .to_owned()
    }
}

impl TransportKind {
    fn cure(self, host: &str, detail: &str) -> String {
        let says = |words: &str| detail.to_ascii_lowercase().contains(words);
        match self {
            Self::Dns => format!(
                "does {host} resolve here? Check the resolver, the region or base_url, and whether a proxy is needed (HTTPS_PROXY)"
            ),
            Self::Tls if says("expired") || says("not valid yet") => format!(
                "the certificate of {host} holds at another time than this machine's: check the clock here first, then the certificate there"
            ),
            Self::Tls if says("not valid for name") => format!(
                "the certificate is another host's: does base_url name the right one, or does something else answer for {host}?"
            ),
            Self::Tls if says("corrupt message") => {
                format!("{host} answers there without TLS: does base_url name the right port?")
            }
            Self::Tls => format!(
                "does {host} speak TLS 1.2 or 1.3, with a certificate of RSA, P-256, P-384 or Ed25519? Look at what an inspecting proxy in between does to it"
            ),
            Self::Proxy if says("dns error") || says("failed to lookup") => {
                "does the proxy's name resolve here? Check the variable that names it".to_owned()
            }
            Self::Proxy if says("authorization required") => {
                "give the proxy a user name and password in the variable that names it (http://user:password@host:port, special characters as %23 and so on)".to_owned()
            }
            Self::Proxy if says("corrupt message") => {
                "the proxy answers without TLS: name it by http:// in place of https://".to_owned()
            }
            Self::Proxy if says("unsuccessful") => {
                format!("the proxy refuses to connect to {host}: its rules must permit port 443 there, or {host} belongs into NO_PROXY")
            }
            Self::Proxy => "is the proxy reachable from here, and of that kind? Check the variable that names it, and NO_PROXY".to_owned(),
            Self::Connect => format!("is {host} reachable from here? Check firewall and proxy (HTTPS_PROXY)"),
            Self::Broken => "the connection broke; it is tried again with growing pauses".to_owned(),
        }
    }
}

fn name(status: u16) -> &'static str {
    match status {
        400 => " (bad request)",
        401 => " (the key was refused)",
        403 => " (not permitted)",
        404 => " (not found)",
        429 => " (too many requests)",
        500 => " (internal server error)",
        502 => " (bad gateway)",
        503 => " (service unavailable)",
        504 => " (gateway timeout)",
        _ => "",
    }
}

/// What to do about a request that the budget refused.
pub fn budget_cure(refused: &Refused) -> &'static str {
    match refused {
        Refused::Later(_) => {
            "nothing: it goes on by itself; `plan` shows what the budget gives, and budget.requests_per_day and budget.share set it"
        }
        Refused::Paused(_) => {
            "nothing: it goes on by itself; other users of the quota? Lower budget.requests_per_day or budget.share to leave them more"
        }
        Refused::Unrecorded(_) => {
            "make the storage path writable, with room on its disk: nothing is sent that can't be recorded"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Collector;

    #[test]
    fn every_status_has_its_reason_and_a_cure() {
        for (status, reason, transient) in [
            (204, Reason::Decode, false),
            (301, Reason::BadRequest, false),
            (400, Reason::BadRequest, false),
            (401, Reason::Unauthorized, false),
            (403, Reason::Forbidden, false),
            (404, Reason::NotFound, false),
            (408, Reason::Timeout, true),
            (410, Reason::BadRequest, false),
            (422, Reason::BadRequest, false),
            (429, Reason::RateLimited, false),
            (500, Reason::ServerError, true),
            (503, Reason::ServerError, true),
        ] {
            let error = ApiError::Status {
                status,
                request_id: Some("id".into()),
                retry_after: None,
                own: true,
            };
            assert_eq!(
                (error.reason(), error.is_transient()),
                (reason, transient),
                "{status}"
            );
            let failure = error.failure(Endpoint::Of(Collector::Users), "eu.api.knowbe4.com");
            assert!(
                failure.cause.contains("/v1/users") && !failure.cure.is_empty(),
                "{failure:?}"
            );
            assert_eq!(failure.request_id.as_deref(), Some("id"));
        }
    }
}
