//! A KnowBe4 organisation that evolves from a seed, behind a real HTTP server.
//!
//! One fake, two doors: over HTTP for `demo`, `simulate` and the end-to-end tests ([`serve`]), and as a plain function
//! ([`Simulator::answer`]) for tests under paused time. It speaks three dialects of the Reporting API ([`Dialect`]), and
//! goes wrong in every way that is known ([`Fault`]). Knows nothing of the rest of the program.
//!
//! The organisation is a function of the seed and the simulated time: any instant can be asked for, and a restart
//! finds the same people. All of them are made up.

mod callback;
mod content;
mod fault;
mod history;
mod http;
mod organisation;
mod paging;
mod people;
mod phishing;
mod random;
mod recipients;
mod training;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

pub use fault::{Fault, FaultError};
pub use http::serve;
use organisation::Organisation;
use paging::Page;
pub use people::names;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How the API answers.
    pub dialect: Dialect,
    /// Same seed, same organisation.
    pub seed: u64,
    /// Active users at the beginning.
    pub users: usize,
    /// Training enrollments.
    pub enrollments: usize,
    /// Groups, besides an archived one.
    pub groups: usize,
    /// Seconds that the organisation ages for each second that passes. Its times are told on the real clock all the same:
    /// a test that began a simulated day ago began a day ago, so that nothing lies in the future of whoever asks.
    pub accelerate: f64,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Simulated time at the beginning, in unix seconds.
    pub epoch: i64,
    /// Around which moment the organisation is built, in unix seconds: where its scenario begins, and between which
    /// campaigns it is. The beginning, if there is none.
    pub origin: Option<i64>,
    /// How the organisation evolves.
    pub scenario: Scenario,
    /// The only key that is accepted; any, if there is none.
    pub key: Option<String>,
    /// Requests in any second, any 60 seconds and any day, above which the answer is 429.
    pub limits: Option<[usize; 3]>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dialect: Dialect::Recorded,
            seed: 1,
            users: 250,
            enrollments: 3000,
            groups: 24,
            accelerate: 1.0,
            faults: Vec::new(),
            epoch: 1_780_000_000,
            origin: None,
            scenario: Scenario::Normal,
            key: None,
            limits: None,
        }
    }
}

/// How the API answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// As its first description says: `Total`, `Total-Pages`, `Link`; parameters that it doesn't know are ignored.
    Brief,
    /// As recorded live in 2021: pages by number, and no header that says so.
    Recorded,
    /// As announced for 2026: by cursor; `page` is ignored.
    Cursor,
}

/// How the organisation evolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// As organisations do.
    Normal,
    /// Nothing happens that anybody would want to know.
    Quiet,
    /// Risk scores rise by a point and a half a day.
    RisingRisk,
    /// Most recipients of the running test fail it.
    FailedCampaign,
}

/// The words don't name one of a closed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is unknown: expected {expected}")]
pub struct UnknownName {
    found: String,
    expected: &'static str,
}

impl std::str::FromStr for Dialect {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "brief" => Ok(Self::Brief),
            "recorded" => Ok(Self::Recorded),
            "cursor" => Ok(Self::Cursor),
            _ => Err(UnknownName {
                found: text.to_owned(),
                expected: "brief, recorded or cursor",
            }),
        }
    }
}

impl std::str::FromStr for Scenario {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "normal" => Ok(Self::Normal),
            "quiet" => Ok(Self::Quiet),
            "rising-risk" => Ok(Self::RisingRisk),
            "failed-campaign" => Ok(Self::FailedCampaign),
            _ => {
                let expected = "normal, quiet, rising-risk or failed-campaign";
                Err(UnknownName {
                    found: text.to_owned(),
                    expected,
                })
            }
        }
    }
}

/// A request, as the simulator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Without its question mark.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
}

/// An answer, and how it is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// How it comes.
    pub delivery: Delivery,
}

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Whole, at once.
    Whole,
    /// Whole, after a while.
    Delayed(Duration),
    /// Never.
    Hang,
    /// Half of it, and then the connection breaks.
    Reset,
    /// It begins, and never ends.
    Endless,
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// When, since the beginning.
    pub elapsed: Duration,
    /// What was asked.
    pub request: Request,
    /// The answer's status.
    pub status: u16,
}

/// A simulated API.
pub struct Simulator {
    settings: Settings,
    organisation: Organisation,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    log: Vec<Logged>,
    /// How often each fault was looked at and struck.
    faults: Vec<fault::Tally>,
}

impl Simulator {
    /// Founds an organisation.
    pub fn new(settings: Settings) -> Self {
        let state = State {
            log: Vec::new(),
            faults: vec![fault::Tally::default(); settings.faults.len()],
        };
        Self {
            organisation: Organisation::new(&settings),
            settings,
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All requests so far.
    pub fn log(&self) -> Vec<Logged> {
        self.lock().log.clone()
    }

    /// What the API answers, `elapsed` after the beginning.
    pub fn answer(&self, request: &Request, elapsed: Duration) -> Answer {
        if request.path == "/_simulator/requests" {
            return self.requests();
        }
        let answer = self.decide(request, elapsed);
        self.lock().log.push(Logged {
            elapsed,
            request: request.clone(),
            status: answer.status,
        });
        answer
    }

    fn decide(&self, request: &Request, elapsed: Duration) -> Answer {
        let path = request
            .path
            .strip_prefix("/v1")
            .filter(|path| path.starts_with('/'));
        let key = request
            .authorization
            .as_deref()
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        let accepted = self
            .settings
            .key
            .as_ref()
            .map_or(!key.is_empty(), |only| only == key);
        if self.is_over_the_limit(elapsed) {
            return refusal(429, &[("Retry-After", "60")]);
        }
        let (Some(path), true) = (path, accepted) else {
            return refusal(if accepted { 404 } else { 401 }, &[]);
        };
        if request.method != "GET" {
            return refusal(405, &[]);
        }
        let mut quirks = fault::Quirks::default();
        {
            let mut state = self.lock();
            for (fault, tally) in self.settings.faults.iter().zip(&mut state.faults) {
                if !fault.strikes(path, elapsed, tally) {
                    continue;
                }
                if let Some(quirk) = fault.quirk() {
                    quirks.add(quirk);
                } else {
                    drop(state);
                    return self.faulty(fault, path, &request.query, elapsed, &quirks);
                }
            }
        }
        self.content(path, &request.query, elapsed, &quirks)
    }

    fn faulty(
        &self,
        fault: &Fault,
        path: &str,
        query: &str,
        elapsed: Duration,
        quirks: &fault::Quirks,
    ) -> Answer {
        let now = self.settings.epoch + elapsed.as_secs() as i64;
        match fault.instead(now) {
            fault::Instead::Answer(answer) => answer,
            fault::Instead::Delivery(delivery) => Answer {
                delivery,
                ..self.content(path, query, elapsed, quirks)
            },
            fault::Instead::Truncated => {
                let mut answer = self.content(path, query, elapsed, quirks);
                answer.body.truncate(answer.body.len() / 2);
                answer
            }
        }
    }

    /// What is really so.
    fn content(&self, path: &str, query: &str, elapsed: Duration, quirks: &fault::Quirks) -> Answer {
        let now = self.settings.epoch as f64 + elapsed.as_secs_f64();
        let ahead = elapsed.as_secs_f64() * (self.settings.accelerate - 1.0);
        let aged = (ahead != 0.0).then(|| self.organisation.aged(ahead));
        let organisation = aged.as_ref().unwrap_or(&self.organisation);
        let page = Page::read(self.settings.dialect, query, quirks);
        let Some(content) = content::find(organisation, path, &page, now, quirks) else {
            return refusal(404, &[]);
        };
        match content {
            content::Content::One(object) => ok(object, Vec::new()),
            content::Content::List(list) => match page.cut(path, list, quirks) {
                Ok((rows, headers)) => ok(Value::Array(rows), headers),
                Err(status) => refusal(status, &[]),
            },
        }
    }

    fn is_over_the_limit(&self, elapsed: Duration) -> bool {
        let Some(limits) = self.settings.limits else {
            return false;
        };
        let state = self.lock();
        let windows = [1, 60, 86_400].map(Duration::from_secs);
        windows.into_iter().zip(limits).any(|(window, limit)| {
            let within = state
                .log
                .iter()
                .rev()
                .take_while(|logged| elapsed - logged.elapsed < window);
            within.filter(|logged| logged.status != 429).count() >= limit
        })
    }

    fn requests(&self) -> Answer {
        let state = self.lock();
        let requests: Vec<_> = state
            .log
            .iter()
            .map(|logged| {
                json!({
                    "elapsed_seconds": logged.elapsed.as_secs_f64(),
                    "path": logged.request.path,
                    "query": logged.request.query,
                    "status": logged.status,
                })
            })
            .collect();
        ok(json!({ "requests": requests }), Vec::new())
    }
}

fn ok(body: Value, mut headers: Vec<(String, String)>) -> Answer {
    let own = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Cache-Control", "no-cache, no-store"),
        ("X-Request-Id", "00000000-0000-4000-8000-000000000000"),
        ("X-Runtime", "0.173517"),
    ];
    headers.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Answer {
        status: 200,
        headers,
        body: body.to_string().into_bytes(),
        delivery: Delivery::Whole,
    }
}

/// An answer that refuses, with the body that the API's first description shows.
fn refusal(status: u16, headers: &[(&str, &str)]) -> Answer {
    let error = match status {
        400 => "Bad request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not found",
        429 => "Rate limit exceeded. Please try again later.",
        _ => "Internal server error",
    };
    let body = json!({ "error": error, "message": error })
        .to_string()
        .into_bytes();
    let own = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("X-Request-Id", "00000000-0000-4000-8000-0000000000ff"),
    ];
    let headers = own
        .iter()
        .chain(headers)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Answer {
        status,
        headers,
        body,
        delivery: Delivery::Whole,
    }
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests;
