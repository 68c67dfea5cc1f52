//! One request over the wire. The seam at which a simulated year plugs in: [`Transport`] has one real
//! implementation, [`Https`], and one that asks the simulator without a socket.

use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Client, Url};

use super::error::{ApiError, TransportKind};
use super::headers::Headers;
use crate::causes::causes;
use crate::model::Endpoint;
use crate::secret::ApiKey;
use quota::Permit;

/// What to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// Of which object, where the path has an id.
    pub id: Option<i64>,
    /// Its parameters.
    pub query: Vec<(&'static str, String)>,
}

impl Call {
    /// Path below the base URL.
    pub fn path(&self) -> String {
        let id = self.id.map(|id| id.to_string()).unwrap_or_default();
        self.endpoint.path().replace("{id}", &id)
    }
}

/// What came back: any status, and the whole body.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: Headers,
    /// Its body, decompressed; of a refusal no more than shows whose it is.
    pub body: Vec<u8>,
    /// Given back once it is known what the answer means for the account: a 429 pauses it before anybody else goes.
    pub permit: Permit,
}

/// An answer on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send + 'a>>;

/// Sends requests.
pub trait Transport: Send + Sync {
    /// Sends one request, which takes one permit. It comes back with the answer, and is given back on failure.
    fn send<'a>(&'a self, call: &'a Call, permit: Permit) -> Sending<'a>;

    /// Where requests go, for people.
    fn host(&self) -> &str;

    /// The key was read again.
    fn set_key(&self, key: ApiKey);
}

/// Most bytes of one body, decompressed: a page of 500 users is half a megabyte, of 500 campaigns with all their
/// content some ten.
const MOST_BODY: usize = 32 << 20;

/// Most bytes of a refusal that are looked at: the API's own have some hundred.
const MOST_REFUSAL: usize = 16 << 10;

/// Time limits of a request.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// To connect, TLS included.
    pub connect: Duration,
    /// Between two reads.
    pub read: Duration,
    /// All in all, for endpoints that answer from what they have.
    pub total: Duration,
    /// All in all, for endpoints that calculate: training campaigns with percentages, enrollments.
    pub slow_total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            total: Duration::from_secs(30),
            slow_total: Duration::from_secs(60),
        }
    }
}

impl Timeouts {
    fn of(&self, endpoint: Endpoint) -> Duration {
        if endpoint.is_slow() {
            self.slow_total
        } else {
            self.total
        }
    }
}

/// What all accounts of a process share of the way to the API: a client has a certificate store and a pool of
/// connections of its own, which a thousand accounts needn't have a thousand times. Keys travel with each request, so
/// that nothing of one account is in another's.
#[derive(Debug, Default)]
pub struct Clients {
    https: Mutex<Option<Client>>,
    loopback: Mutex<Option<Client>>,
    timeouts: Timeouts,
}

/// Connections to one host that are kept for the next request.
const IDLE_CONNECTIONS: usize = 16;

impl Clients {
    /// Clients with time limits of their own.
    pub fn new(timeouts: Timeouts) -> Self {
        Self {
            timeouts,
            ..Self::default()
        }
    }

    /// The client for a scheme, made on first use.
    fn of(&self, scheme: &str) -> Result<Client, TransportError> {
        let secure = scheme == "https";
        let place = if secure { &self.https } else { &self.loopback };
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*place {
            return Ok(client.clone());
        }
        // A second installation fails, and is none.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .user_agent(concat!("knowbe4-exporter/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.timeouts.connect)
            .read_timeout(self.timeouts.read.max(self.timeouts.slow_total))
            // Both would be requests that no permit was taken for.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .https_only(secure)
            .pool_max_idle_per_host(IDLE_CONNECTIONS);
        if !secure {
            client = client.no_proxy();
        }
        let client = client
            .build()
            .map_err(|error| TransportError::Client(below(&error)))?;
        Ok(place.insert(client).clone())
    }
}

/// The Reporting API over HTTPS (plain HTTP to a loopback address only, as the configuration has checked).
pub struct Https {
    client: Client,
    base: String,
    host: String,
    key: Mutex<ApiKey>,
    timeouts: Timeouts,
}

/// No client could be made.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The base URL is none. The configuration checks it before.
    #[error("{0:?} is not a base URL")]
    BaseUrl(String),
    /// Usually: no CA certificates on this system.
    #[error("no HTTPS client can be made: {0} (are CA certificates installed? SSL_CERT_FILE names others)")]
    Client(String),
}

impl Https {
    /// One account's way to its API. `base` has no trailing slash; a path prefix in it is kept.
    ///
    /// # Errors
    /// Without a single CA certificate, say.
    pub fn new(base: &str, key: ApiKey, clients: &Clients) -> Result<Self, TransportError> {
        let url = Url::parse(base).map_err(|_| TransportError::BaseUrl(base.to_owned()))?;
        let host = url
            .host_str()
            .ok_or_else(|| TransportError::BaseUrl(base.to_owned()))?
            .to_owned();
        Ok(Self {
            client: clients.of(url.scheme())?,
            base: base.to_owned(),
            host,
            key: Mutex::new(key),
            timeouts: clients.timeouts,
        })
    }

    fn url(&self, call: &Call) -> Result<Url, ApiError> {
        let text = format!("{}{}", self.base, call.path());
        let mut url = Url::parse(&text).map_err(|error| broken(TransportKind::Broken, error.to_string()))?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        Ok(url)
    }

    fn authorization(&self) -> Result<HeaderValue, ApiError> {
        let bearer = self.key.lock().unwrap_or_else(PoisonError::into_inner).bearer();
        let mut value = HeaderValue::from_str(&bearer)
            .map_err(|_| broken(TransportKind::Broken, "the key is no header value".to_owned()))?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn ask(&self, call: &Call, permit: Permit) -> Result<Answer, ApiError> {
        let limit = self.timeouts.of(call.endpoint);
        let request = self
            .client
            .get(self.url(call)?)
            .header(AUTHORIZATION, self.authorization()?)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .timeout(limit);
        let failed = |error| classify(&error, limit);
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let headers = Headers::new(response.headers().iter().map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        }));
        let mut body = Vec::new();
        // A refusal may say anything: only its form is looked at.
        let most = if status == 200 { MOST_BODY } else { MOST_REFUSAL };
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) if status == 200 => return Err(failed(error)),
                Err(_) => break,
            };
            if body.len() + chunk.len() <= most {
                body.extend_from_slice(&chunk);
            } else if status == 200 {
                let detail = format!("more than {} MiB", MOST_BODY >> 20);
                return Err(ApiError::Decode {
                    detail,
                    request_id: headers.request_id(),
                });
            } else {
                break;
            }
        }
        Ok(Answer {
            status,
            headers,
            body,
            permit,
        })
    }
}

impl Transport for Https {
    fn send<'a>(&'a self, call: &'a Call, permit: Permit) -> Sending<'a> {
        Box::pin(self.ask(call, permit))
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn set_key(&self, key: ApiKey) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }
}

fn broken(kind: TransportKind, detail: String) -> ApiError {
    ApiError::Transport { kind, detail }
}

fn classify(error: &reqwest::Error, limit: Duration) -> ApiError {
    if error.is_timeout() {
        return ApiError::Timeout(limit);
    }
    let detail = below(error);
    let lower = detail.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let kind = if says(&["dns error", "failed to lookup", "name or service not known"]) {
        TransportKind::Dns
    } else if says(&["certificate", "tls", "handshake", "corrupt message"]) {
        TransportKind::Tls
    } else if says(&["proxy", "tunnel"]) {
        TransportKind::Proxy
    } else if error.is_connect() {
        TransportKind::Connect
    } else {
        TransportKind::Broken
    };
    broken(kind, detail)
}

/// The causes in one line, without the error's own words, which hold the URL.
fn below(error: &reqwest::Error) -> String {
    error
        .source()
        .map_or_else(|| "the request failed".to_owned(), causes)
}
