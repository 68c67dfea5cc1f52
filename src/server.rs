//! The HTTP endpoint: the only user of hyper's server side. Hands out bodies that it is given, and never makes one wait.
//!
//! Knows nothing of KnowBe4, of polling or of encoding: [`Site`] is what it serves.

mod listen;
mod negotiate;
mod respond;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub use self::listen::{BindError, Listener};
use crate::status::StatusView;

/// Connections at a time; more wait in the backlog. Two Prometheus servers and a few people need a dozen.
const CONNECTIONS: usize = 512;

/// To send the head of a request, and to stay idle between two: beyond the usual scrape interval.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// Of a connection, however busy: a client that never reads its answer holds it no longer than that.
const LIFETIME: Duration = Duration::from_secs(600);

/// For scrapes that run when the exporter is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Bytes of a request's head; Prometheus sends some 500.
const MOST_HEAD: usize = 16 * 1024;

/// An encoding of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus text 0.0.4.
    Text,
}

/// An answer that takes a while.
pub type Later<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is served.
pub trait Site: Send + Sync + 'static {
    /// The finished body of the metrics, of all accounts or of one; [`None`] for an account that isn't configured.
    fn metrics(&self, account: Option<&str>, format: Format, gzip: bool) -> Option<Bytes>;
    /// Why each number is as old as it is.
    fn status(&self) -> StatusView;
    /// Names of the accounts.
    fn accounts(&self) -> Vec<String>;
    /// Whether all that should live lives.
    ///
    /// # Errors
    /// Says what doesn't.
    fn healthy(&self) -> Result<(), String>;
    /// Reads the configuration again.
    fn reload(&self) -> Later<'_, Result<(), String>>;
}

/// How to serve it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Path of the metrics.
    pub telemetry_path: String,
    /// Whether `POST /-/reload` is allowed.
    pub lifecycle: bool,
}

/// Serves until `stop`, and then finishes what runs.
///
/// # Errors
/// When a listener is lost.
pub async fn serve(
    listeners: Vec<Listener>,
    site: Arc<dyn Site>,
    options: Options,
    stop: CancellationToken,
) -> io::Result<()> {
    let options = Arc::new(options);
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        let (site, options) = (Arc::clone(&site), Arc::clone(&options));
        accepting.spawn(accept(
            listener,
            site,
            options,
            Arc::clone(&connections),
            stop.clone(),
        ));
    }
    while let Some(ended) = accepting.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            stop.cancel();
            std::panic::resume_unwind(error.into_panic());
        }
    }
    Ok(())
}

async fn accept(
    listener: Listener,
    site: Arc<dyn Site>,
    options: Arc<Options>,
    connections: Arc<Semaphore>,
    stop: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let mut running = JoinSet::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MOST_HEAD)
        .keep_alive(true);
    loop {
        while running.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else {
            break;
        };
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(stream) => stream,
                Err(error) => {
                    // Out of descriptors, usually: it passes when a connection ends.
                    warn!("a connection can't be accepted: {error}");
                    sleep(Duration::from_millis(200)).await;
                    continue;
                }
            },
        };
        let (site, options) = (Arc::clone(&site), Arc::clone(&options));
        let service = service_fn(move |request| {
            let (site, options) = (Arc::clone(&site), Arc::clone(&options));
            async move { Ok::<_, std::convert::Infallible>(respond::respond(request, &*site, &options).await) }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        running.spawn(async move {
            // A client that goes away, or is cut off, is nobody's error.
            let _ = timeout(LIFETIME, pin!(connection)).await;
            drop(permit);
        });
    }
    drop(listener);
    // What still runs after that is cut off with the set.
    let _ = timeout(GRACE, graceful.shutdown()).await;
}
