//! One request over the wire. The seam at which a simulated year plugs in: [`Transport`] has one real
//! implementation, [`Https`], and one that asks the simulator without a socket.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Client, Url};

use super::broken::classify;
use super::clients::{Clients, Timeouts, TransportError};
use super::error::{ApiError, TransportKind};
use super::headers::Headers;
use super::proxy::Proxy;
use crate::config::BaseUrl;
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

/// The Reporting API over HTTPS (plain HTTP to a loopback address only, as the configuration has checked).
pub struct Https {
    client: Client,
    proxy: Option<Arc<Proxy>>,
    base: BaseUrl,
    key: Mutex<ApiKey>,
    timeouts: Timeouts,
}

impl Https {
    /// One account's way to its API. A path prefix in `base` is kept.
    ///
    /// # Errors
    /// Without a single CA certificate, say, or with a proxy that can't be used.
    pub fn new(base: &BaseUrl, key: ApiKey, clients: &Clients) -> Result<Self, TransportError> {
        let (client, proxy) = if base.is_secure() {
            (clients.https()?, clients.proxy().cloned())
        } else {
            (clients.loopback()?, None)
        };
        Ok(Self {
            client,
            proxy,
            base: base.clone(),
            key: Mutex::new(key),
            timeouts: clients.timeouts(),
        })
    }

    fn url(&self, call: &Call) -> Url {
        let mut url = self.base.join(&call.path());
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        url
    }

    fn authorization(&self) -> Result<HeaderValue, ApiError> {
        let bearer = self.key.lock().unwrap_or_else(PoisonError::into_inner).bearer();
        let mut value = HeaderValue::from_str(&bearer).map_err(|_| ApiError::Transport {
            kind: TransportKind::Broken,
            detail: "the key can't stand in a header".to_owned(),
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn ask(&self, call: &Call, permit: Permit) -> Result<Answer, ApiError> {
        let limit = self.timeouts.of(call.endpoint);
        let request = self
            .client
            .get(self.url(call))
            .header(AUTHORIZATION, self.authorization()?)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .timeout(limit);
        let failed = |error| classify(&error, limit, self.proxy.as_deref());
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
        self.base.host()
    }

    fn set_key(&self, key: ApiKey) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }
}
