//! The only user of the Reporting API: pages, retries, decoding.
//!
//! Each attempt consumes one [`Permit`](quota::Permit), so that nothing can be sent that the budget does
//! not know of. Answers become rows ([`wire`]) that go no further than `collect`. Nothing here knows what a
//! collector makes of them, and no body is ever logged.

mod broken;
pub mod clients;
pub mod error;
pub mod headers;
pub mod page;
pub mod proxy;
pub mod retry;
pub mod shape;
pub mod transport;
pub mod trust;
pub mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use roaring::RoaringTreemap;
use tokio::time::{Instant, sleep};
use tracing::{debug, trace};

use self::error::ApiError;
use self::headers::Headers;
use self::page::{Ask, FIRST_CURSOR, Pager, Step};
use self::retry::{ATTEMPTS, Delays};
use self::transport::{Answer, Call, Transport};
use self::wire::{Drift, HistoryRow, RecipientRow, Row};
use crate::clock::Clock;
use crate::instrument::AccountInstruments;
use crate::model::{Collector, Endpoint, Failure, Reason};
use quota::{Budget, Claim, Hold};

/// How long a refresh that has begun waits for a permit before it gives up. Longer than any pause that a busy
/// minute or an ordinary 429 causes; a listing read over hours would be of no one time.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Rows of a probe: enough to see optional fields, few enough to be quick.
pub const PROBE_PAGE: u32 = 25;

/// What an endpoint answers to a [`Client::probe`], without a value of it.
#[derive(Debug)]
pub struct Probe {
    /// Elements of the list; [`None`] for an object.
    pub elements: Option<usize>,
    /// Id of the first element, where it is a phishing test.
    pub first: Option<i64>,
    /// What its headers say about paging.
    pub paging: page::Seen,
    /// Seconds by which this machine's clock is ahead of the server's.
    pub skew: Option<f64>,
    /// Names of its headers.
    pub headers: Vec<String>,
    /// Types by path.
    pub shape: Vec<String>,
}

/// One account's way to its API.
pub struct Client {
    transport: Arc<dyn Transport>,
    budget: Arc<Budget>,
    instruments: Arc<AccountInstruments>,
    clock: Clock,
}

/// One refresh under way: what it has spent and may spend.
#[derive(Debug)]
pub struct Refresh {
    priority: f64,
    most: Option<u64>,
    /// Attempts at a request, the first included.
    attempts: u32,
    requests: Arc<AtomicU64>,
    retries: u64,
    /// While the API's refusal of the key isn't dealt with.
    hold: Option<Hold>,
}

impl Refresh {
    /// A refresh that gets its permits before those of larger `priority`, and at most `most` of them.
    pub fn new(priority: f64, most: Option<u64>) -> Self {
        Self {
            priority,
            most,
            attempts: ATTEMPTS,
            requests: Arc::default(),
            retries: 0,
            hold: None,
        }
    }

    /// The same after one that failed: a single attempt until the first answer, so that an API that is down for long
    /// costs no more than one that works.
    #[must_use]
    pub fn after_failure(self) -> Self {
        Self { attempts: 1, ..self }
    }

    /// Requests sent so far, retries included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Those of them that repeated a failed one.
    pub fn retries(&self) -> u64 {
        self.retries
    }

    /// What holds up the account since its key was refused: dropped with the refresh, unless it is taken.
    pub fn take_hold(&mut self) -> Option<Hold> {
        self.hold.take()
    }

    /// For whoever wants to know what it has sent while it is under way.
    pub fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.requests)
    }
}

/// An answer with status 200 that claims to be JSON.
struct Accepted {
    headers: Headers,
    body: Vec<u8>,
}

/// What is listed.
struct Listing<'a> {
    endpoint: Endpoint,
    /// Of which object, where the path has an id.
    id: Option<i64>,
    parameters: &'a [(&'static str, String)],
}

/// What a row does to the collection that is being made of a listing.
///
/// An error fails the refresh.
pub type Fold<'a, R> = dyn FnMut(R, &mut Drift) -> Result<(), ApiError> + Send + 'a;

/// Codes that are counted from 0 on, so that the first one shows in a rate: what a good day has, and what alerts ask for.
/// Six series for each endpoint.
const EXPECTED_CODES: [&str; 6] = ["200", "429", "500", "503", "timeout", "transport"];

impl Client {
    /// A client that spends from `budget` and counts in `instruments`.
    pub fn new(
        transport: Arc<dyn Transport>,
        budget: Arc<Budget>,
        instruments: Arc<AccountInstruments>,
        clock: Clock,
    ) -> Self {
        for endpoint in Endpoint::polled() {
            let kinds = Drift::default().counts().map(|(kind, _)| kind);
            instruments.expect(endpoint, &EXPECTED_CODES, &kinds);
        }
        Self {
            transport,
            budget,
            instruments,
            clock,
        }
    }

    /// What went wrong, for people.
    pub fn explain(&self, error: &ApiError, endpoint: Endpoint) -> Failure {
        error.failure(endpoint, self.transport.host())
    }

    /// Reads the object of an endpoint that has one.
    ///
    /// # Errors
    /// When it can't be had, or isn't what was asked for.
    pub async fn one<R: Row>(&self, refresh: &mut Refresh, endpoint: Endpoint) -> Result<R, ApiError> {
        let call = Call {
            endpoint,
            id: None,
            query: Vec::new(),
        };
        let mut delays = Delays::between_attempts();
        let mut attempt = 1;
        let answer = loop {
            match self.attempt(refresh, &call, attempt).await {
                Ok(answer) => break answer,
                Err(error) => {
                    self.pause_or_fail(refresh, error, endpoint, attempt, &mut delays)
                        .await?;
                }
            }
            attempt += 1;
        };
        let (row, drift) = wire::one::<R>(&answer.body).map_err(|error| self.undecodable(&error, &answer))?;
        self.count(endpoint, &drift);
        Ok(row)
    }

    /// Reads a whole listing, one page in memory at a time; each row once, by id.
    ///
    /// # Errors
    /// When a page can't be had after [`ATTEMPTS`], or the listing's end can't be established. What was folded until
    /// then is a part, and must not be published.
    pub async fn list<R: Row>(
        &self,
        refresh: &mut Refresh,
        endpoint: Endpoint,
        parameters: &[(&'static str, String)],
        fold: &mut Fold<'_, R>,
    ) -> Result<(), ApiError> {
        let listing = Listing {
            endpoint,
            id: None,
            parameters,
        };
        self.read(refresh, &listing, fold).await
    }

    /// The same of the recipients of one test; `parameters` as its kind needs them.
    ///
    /// # Errors
    /// As for [`Self::list`].
    pub async fn recipients(
        &self,
        refresh: &mut Refresh,
        test: i64,
        parameters: &[(&'static str, String)],
        fold: &mut Fold<'_, RecipientRow>,
    ) -> Result<(), ApiError> {
        let listing = Listing {
            endpoint: Endpoint::Of(Collector::Recipients),
            id: Some(test),
            parameters,
        };
        self.read(refresh, &listing, fold).await
    }

    /// What time it is, in unix seconds.
    pub fn now(&self) -> f64 {
        self.clock.now()
    }

    /// Counts a failure of a part of a refresh that goes on without it.
    pub fn failed(&self, collector: Collector, reason: Reason) {
        self.instruments.failure(collector, reason);
    }

    /// For how long the day has no room for `requests`; [`None`] when it has.
    pub fn no_room(&self, requests: u64) -> Option<Duration> {
        (self.budget.room() < requests).then(|| self.budget.next_room(requests))
    }

    /// Reads the risk scores of the past, of the account or of one group, oldest first.
    ///
    /// # Errors
    /// As for [`Self::list`].
    pub async fn history(
        &self,
        refresh: &mut Refresh,
        group: Option<i64>,
    ) -> Result<Vec<HistoryRow>, ApiError> {
        let listing = Listing {
            endpoint: group.map_or(Endpoint::AccountHistory, |_| Endpoint::GroupHistory),
            id: group,
            parameters: &[],
        };
        let mut rows = Vec::new();
        let mut fold = |row: HistoryRow, _: &mut _| {
            rows.push(row);
            Ok(())
        };
        self.read(refresh, &listing, &mut fold).await?;
        rows.sort_by_key(HistoryRow::id);
        Ok(rows)
    }

    async fn read<R: Row>(
        &self,
        refresh: &mut Refresh,
        listing: &Listing<'_>,
        fold: &mut Fold<'_, R>,
    ) -> Result<(), ApiError> {
        let endpoint = listing.endpoint;
        let mut pager = Pager::default();
        let mut known = RoaringTreemap::new();
        let mut last_body = None;
        loop {
            let Some(answer) = self.page(refresh, listing, &mut pager).await? else {
                continue;
            };
            let mut page =
                wire::list::<R>(&answer.body).map_err(|error| self.undecodable(&error, &answer))?;
            let body = Some(crc32fast::hash(&answer.body));
            let all_known = page
                .rows
                .iter()
                .all(|row| row.id().is_some_and(|id| known.contains(id as u64)));
            let mut seen = answer.headers.paging();
            seen.rows = page.elements;
            seen.repeats = page.elements > 0 && ((all_known && !page.rows.is_empty()) || body == last_body);
            last_body = body;
            // Announced pages that can't be afforded needn't be begun.
            let announced = seen.total_pages.unwrap_or(1);
            if refresh.most.is_some_and(|most| announced > most) {
                return Err(ApiError::TooExpensive {
                    requests: announced,
                    announced: true,
                });
            }
            let step = pager.seen(&seen);
            if let Step::Broken(why) = step {
                self.count(endpoint, &page.drift);
                return Err(ApiError::Incomplete(why));
            }
            if matches!(step, Step::Next(_) | Step::Last) {
                for row in page.rows {
                    if row.id().is_none_or(|id| known.insert(id as u64)) {
                        fold(row, &mut page.drift)?;
                    } else {
                        page.drift.duplicate_row += 1;
                    }
                }
                self.count(endpoint, &page.drift);
            }
            if matches!(step, Step::Last | Step::Complete) {
                return Ok(());
            }
        }
    }

    /// Asks once for a few rows, of the object `id` where the path has one, without another attempt: shows whether the key may read an endpoint, and what its
    /// answers look like.
    ///
    /// # Errors
    /// When the answer isn't JSON with status 200.
    pub async fn probe(&self, endpoint: Endpoint, id: Option<i64>) -> Result<Probe, ApiError> {
        let ask = Ask {
            cursor: Some(FIRST_CURSOR.to_owned()),
            page: None,
            per_page: PROBE_PAGE,
        };
        let query = if endpoint == Endpoint::Of(Collector::Account) {
            Vec::new()
        } else {
            query(endpoint, &[], &ask)
        };
        let mut refresh = Refresh::new(0.0, Some(1));
        let call = Call { endpoint, id, query };
        let answer = self.attempt(&mut refresh, &call, 1).await?;
        let value = wire::any(&answer.body).map_err(|error| self.undecodable(&error, &answer))?;
        Ok(Probe {
            elements: value.as_array().map(Vec::len),
            first: value.get(0).and_then(|row| row.get("pst_id")).and_then(id_of),
            shape: shape::shape(&value),
            paging: answer.headers.paging(),
            skew: answer.headers.date().map(|date| self.clock.now() - date),
            headers: answer.headers.names().map(str::to_owned).collect(),
        })
    }

    /// One page, after as many attempts as it may take. [`None`] when the pager wants to ask for another instead.
    async fn page(
        &self,
        refresh: &mut Refresh,
        listing: &Listing<'_>,
        pager: &mut Pager,
    ) -> Result<Option<Accepted>, ApiError> {
        let mut delays = Delays::between_attempts();
        let mut attempt = 1;
        loop {
            let call = Call {
                endpoint: listing.endpoint,
                id: listing.id,
                query: query(listing.endpoint, listing.parameters, pager.ask()),
            };
            let error = match self.attempt(refresh, &call, attempt).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => error,
            };
            if matches!(error.reason(), Reason::BadRequest | Reason::NotFound)
                && let Some(step) = pager.refused()
            {
                return match step {
                    Step::Broken(why) => Err(ApiError::Incomplete(why)),
                    _ => Ok(None),
                };
            }
            if error.is_timeout() {
                pager.smaller();
            }
            self.pause_or_fail(refresh, error, listing.endpoint, attempt, &mut delays)
                .await?;
            attempt += 1;
        }
    }

    /// Sends one request: takes a permit, counts, and tells the budget what came of it.
    async fn attempt(&self, refresh: &mut Refresh, call: &Call, attempt: u32) -> Result<Accepted, ApiError> {
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
    async fn pause_or_fail(
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
    fn undecodable(&self, error: &serde_json::Error, answer: &Accepted) -> ApiError {
        self.instruments.update(|state| state.up = Some(false));
        undecodable(error, answer)
    }

    /// Counts surprises that show only once a listing is whole.
    pub fn count(&self, endpoint: Endpoint, drift: &Drift) {
        for (kind, times) in drift.counts() {
            if times > 0 {
                self.instruments.drift(endpoint, kind, times);
            }
        }
    }
}

fn query(
    endpoint: Endpoint,
    parameters: &[(&'static str, String)],
    ask: &Ask,
) -> Vec<(&'static str, String)> {
    let fixed = endpoint
        .parameters()
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    let mut query: Vec<_> = fixed.chain(parameters.iter().cloned()).collect();
    query.push(("per_page", ask.per_page.to_string()));
    query.extend(ask.cursor.iter().map(|cursor| ("cursor", cursor.clone())));
    query.extend(ask.page.iter().map(|page| ("page", page.to_string())));
    query
}

/// An id as a number or in quotes.
fn id_of(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
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
