//! One request: its permit, its answer, and the pause before the next attempt.

use std::sync::atomic::Ordering;
use std::time::Duration;

use quota::Claim;
use tokio::time::{Instant, sleep};
use tracing::{debug, trace};

use super::error::ApiError;
use super::headers::Headers;
use super::refresh::Refresh;
use super::retry::{ATTEMPTS, Delays};
use super::transport::{Answer, Call};
use super::{Client, wire};
use crate::model::Endpoint;

/// How long a refresh that has begun waits for a permit before it gives up. Longer than any pause that a busy
/// minute or an ordinary 429 causes; a listing read over hours would be of no one time.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// An answer with status 200 that claims to be JSON.
pub(super) struct Accepted {
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

impl Client {
    /// Sends one request: takes a permit, counts, and tells the budget what came of it.
    pub(super) async fn attempt(
        &self,
        refresh: &mut Refresh,
        call: &Call,
        attempt: u32,
    ) -> Result<Accepted, ApiError> {
        if let Some(most) = refresh.most.filter(|most| refresh.requests() >= *most) {
            return Err(ApiError::TooExpensive {
                requests: most + 1,
                announced: false,
            });
        }
        let claim = Claim {
            priority: refresh.priority,
            give_up_after: Some(PATIENCE),
        };
        // Who goes on after a refusal doesn't wait for itself.
        refresh.hold = None;
        let permit = self.budget.permit(claim).await?;
        refresh.requests.fetch_add(1, Ordering::Relaxed);
        if attempt > 1 {
            refresh.retries += 1;
            self.instruments.retry(call.endpoint);
        }
        let started = Instant::now();
        let (result, permit) = match self.transport.send(call, permit).await {
            Ok(Answer {
                status,
                headers,
                body,
                permit,
            }) => (self.accept(status, headers, body), Some(permit)),
            Err(error) => (Err(error), None),
        };
        let code = result.as_ref().map_or_else(ApiError::code, |_| "200".to_owned());
        let seconds = started.elapsed().as_secs_f64();
        self.instruments
            .request(call.endpoint, &code, result.is_ok(), seconds);
        trace!(
            endpoint = call.endpoint.path(),
            code, attempt, seconds, "answered"
        );
        if result.is_ok() {
            refresh.attempts = ATTEMPTS;
        }
        match &result {
            Err(ApiError::Status {
                status: 429,
                retry_after,
                ..
            }) => self.budget.throttled(*retry_after).await,
            Err(ApiError::Status { status: 401, .. }) => refresh.hold = Some(self.budget.hold()),
            Err(ApiError::Status { .. } | ApiError::Timeout(_) | ApiError::Transport { .. }) => {}
            _ => self.budget.succeeded(),
        }
        // Not before the pause or the hold: nobody goes in between.
        drop(permit);
        result
    }

    fn accept(&self, status: u16, headers: Headers, body: Vec<u8>) -> Result<Accepted, ApiError> {
        if status != 200 {
            return Err(ApiError::Status {
                status,
                request_id: headers.request_id(),
                retry_after: headers.retry_after(self.clock.now()),
                own: headers.is_json() && wire::is_refusal(&body),
            });
        }
        // What a login page or a proxy says isn't data, even where it happens to be JSON.
        if !headers.is_json() {
            let detail = format!("{} bytes that don't claim to be JSON", body.len());
            return Err(ApiError::Decode {
                detail,
                request_id: headers.request_id(),
            });
        }
        Ok(Accepted { headers, body })
    }

    /// Waits until the next attempt, or gives the error back when there is to be none.
    pub(super) async fn pause_or_fail(
        &self,
        refresh: &Refresh,
        error: ApiError,
        endpoint: Endpoint,
        attempt: u32,
        delays: &mut Delays,
    ) -> Result<(), ApiError> {
        let throttled = matches!(error, ApiError::Status { status: 429, .. });
        if attempt >= refresh.attempts || !(throttled || error.is_transient()) {
            return Err(error);
        }
        let failure = self.explain(&error, endpoint);
        let request_id = failure.request_id.unwrap_or_default();
        debug!(attempt, request_id, "to be tried again: {}", failure.cause);
        if throttled {
            // The budget holds back all of the account's permits; a pause beyond patience ends this refresh.
            return match self.budget.wait() {
                wait if wait > PATIENCE => Err(error),
                _ => Ok(()),
            };
        }
        let Some(pause) = delays.pause_at_least(error.retry_after().unwrap_or_default()) else {
            return Err(error);
        };
        sleep(pause).await;
        Ok(())
    }

    /// An answer that isn't what was asked for is no success, whatever its status says.
    pub(super) fn undecodable(&self, error: &serde_json::Error, answer: &Accepted) -> ApiError {
        self.instruments.update(|state| state.up = Some(false));
        undecodable(error, answer)
    }
}

/// Where decoding failed, without anything of what was there.
fn undecodable(error: &serde_json::Error, answer: &Accepted) -> ApiError {
    let what = if answer.body.is_empty() {
        "an empty body".to_owned()
    } else if !answer.headers.is_json() {
        format!(
            "{} bytes that are no JSON, and don't claim to be",
            answer.body.len()
        )
    } else if error.is_eof() {
        format!("JSON that ends after {} bytes", answer.body.len())
    } else if error.is_syntax() {
        format!(
            "no JSON, at line {} column {} of {} bytes",
            error.line(),
            error.column(),
            answer.body.len()
        )
    } else {
        "JSON of another shape".to_owned()
    };
    ApiError::Decode {
        detail: what,
        request_id: answer.headers.request_id(),
    }
}
