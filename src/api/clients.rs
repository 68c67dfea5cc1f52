//! What all accounts of a process share of the way to the API: proxy, certificate authorities, connections.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;

use super::broken::causes;
use super::proxy::{Proxy, ProxyError};
use super::trust::{Store, Trust, TrustError};
use crate::env::Env;
use crate::model::Endpoint;

/// Time limits of a request.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// To connect, TLS included.
    pub connect: Duration,
    /// All in all, for endpoints that answer from what they have.
    pub total: Duration,
    /// All in all, for endpoints that calculate: training campaigns with percentages, enrollments.
    pub slow_total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            total: Duration::from_secs(30),
            slow_total: Duration::from_secs(60),
        }
    }
}

impl Timeouts {
    pub(super) fn of(&self, endpoint: Endpoint) -> Duration {
        if endpoint.is_slow() {
            self.slow_total
        } else {
            self.total
        }
    }
}

/// No client can be made.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The environment names a proxy that can't be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// There is no certificate authority to trust.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Anything else.
    #[error("no HTTPS client can be made: {0}")]
    Client(String),
}

/// Connections to one host that are kept for the next request.
const IDLE_CONNECTIONS: usize = 16;

/// A client has a pool of connections of its own, which a thousand accounts needn't have a thousand times. Keys travel
/// with each request, so that nothing of one account is in another's.
#[derive(Debug)]
pub struct Clients {
    proxy: Result<Option<Arc<Proxy>>, ProxyError>,
    store: Store,
    https: Mutex<Option<Client>>,
    loopback: Mutex<Option<Client>>,
    timeouts: Timeouts,
}

/// Without a proxy, and with the system's certificate authorities.
impl Default for Clients {
    fn default() -> Self {
        Self::new(Timeouts::default())
    }
}

impl Clients {
    /// Clients with time limits of their own, without a proxy.
    pub fn new(timeouts: Timeouts) -> Self {
        Self {
            proxy: Ok(None),
            store: Store::system(),
            https: Mutex::default(),
            loopback: Mutex::default(),
            timeouts,
        }
    }

    /// Clients that go through the proxy and trust the authorities that the environment names. What can't be used is
    /// told by [`Clients::mistakes`], and by whoever needs an HTTPS client.
    pub fn of_env(env: &dyn Env) -> Self {
        Self {
            proxy: Proxy::of(env).map(|proxy| proxy.map(Arc::new)),
            store: Store::of(env),
            ..Self::default()
        }
    }

    /// Why no HTTPS request could be sent, whatever the server; empty when one could.
    pub fn mistakes(&self) -> Vec<TransportError> {
        let proxy = self.proxy.as_ref().err().cloned();
        // Read even when the proxy is wrong, so that both are told at once.
        let trust = match proxy {
            Some(_) => Trust::load(self.store.clone())
                .map(drop)
                .map_err(TransportError::from),
            None => self.https().map(drop),
        };
        proxy
            .map(TransportError::from)
            .into_iter()
            .chain(trust.err())
            .collect()
    }

    /// The proxy that HTTPS requests go through.
    pub fn proxy(&self) -> Option<&Arc<Proxy>> {
        self.proxy.as_ref().ok()?.as_ref()
    }

    pub(super) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// The client for servers elsewhere, made on first use.
    pub(super) fn https(&self) -> Result<Client, TransportError> {
        made_once(&self.https, || {
            let proxy = self.proxy.clone()?;
            let tls = Trust::load(self.store.clone())?
                .client_config()
                .map_err(|error| TransportError::Client(error.to_string()))?;
            // Without the environment's own proxy: what it says has been understood, and may be an exception.
            let mut client = self
                .builder()
                .https_only(true)
                .no_proxy()
                .tls_backend_preconfigured(tls);
            if let Some(proxy) = proxy {
                client = client.proxy(proxy.to_reqwest().map_err(unusable)?);
            }
            client.build().map_err(unusable)
        })
    }

    /// The client for this very machine, made on first use.
    pub(super) fn loopback(&self) -> Result<Client, TransportError> {
        made_once(&self.loopback, || {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            // Nothing is spoken there but plain HTTP; without a configuration the client would look for one.
            let tls = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| TransportError::Client(error.to_string()))?
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
            self.builder()
                .no_proxy()
                .tls_backend_preconfigured(tls)
                .build()
                .map_err(unusable)
        })
    }

    fn builder(&self) -> reqwest::ClientBuilder {
        Client::builder()
            .user_agent(concat!("knowbe4-exporter/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.timeouts.connect)
            // Both would be requests that no permit was taken for.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
    }
}

fn made_once(
    place: &Mutex<Option<Client>>,
    make: impl FnOnce() -> Result<Client, TransportError>,
) -> Result<Client, TransportError> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = &*place {
        return Ok(client.clone());
    }
    Ok(place.insert(make()?).clone())
}

fn unusable(error: reqwest::Error) -> TransportError {
    TransportError::Client(causes(&error))
}
