//! Connections: accepted within a bound, driven through their phases, ended in time.
//!
//! Where there is no room for one more, the one that has been there longest gives way: who opens connections to leave
//! them idle locks nobody out.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::endpoint::Endpoint;
use super::handle::{Client, handle};
use super::stall::Stall;

/// Pause after an error that is the machine's rather than a connection's, such as no file descriptors left: trying
/// at once would only take the processor from who could free some.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// What a TLS port answers to plain HTTP, so that the mistake explains itself.
const PLAIN_HTTP_REFUSAL: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Connection: close\r\n\r\nThis port speaks HTTPS; the request came over plain HTTP.\n";

/// The first byte of a TLS connection: a handshake record (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Accepts until `shutdown`, then waits for the running requests.
pub(super) async fn accept(listener: TcpListener, endpoint: Arc<Endpoint>, shutdown: CancellationToken) {
    let mut connections = JoinSet::new();
    let mut failing = false;
    loop {
        while let Some(ended) = connections.try_join_next() {
            report(ended);
        }
        let next = async {
            // A slot first: who finds none waits in the kernel's queue until somebody has given way.
            if endpoint.slots.available_permits() == 0 {
                endpoint.crowded.notify_one();
            }
            let slot = Arc::clone(&endpoint.slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => {
                failing = false;
                let peer = peer.ip().to_canonical();
                connections.spawn(serve(stream, peer, Arc::clone(&endpoint), shutdown.clone(), slot));
            }
            // The client was gone before it was its turn.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => {
                // Once, not twice a second.
                if !failing {
                    tracing::warn!(%error, "cannot accept connections; trying again");
                }
                failing = true;
                tokio::select! {
                    () = shutdown.cancelled() => break,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    drop(listener);
    let finished = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    if timeout(endpoint.limits.grace, finished).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "requests still running at shutdown were dropped"
        );
        connections.shutdown().await;
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection ended by panic");
    }
}

/// One connection from its first byte to its last. The slot is free when this returns.
async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    endpoint: Arc<Endpoint>,
    shutdown: CancellationToken,
    _slot: Option<OwnedSemaphorePermit>,
) {
    let started = Instant::now();
    // Answers are written whole: waiting for more to send only delays them. Without it they are late, not wrong.
    let _ = stream.set_nodelay(true);
    let config = match &endpoint.web {
        Some(web) => web.current().await.tls(),
        None => None,
    };
    let Some(config) = config else {
        let stream = Stall::new(stream, endpoint.limits.write_stall);
        let client = Client { peer, secure: false };
        return drive(stream, client, endpoint, shutdown, started).await;
    };
    let handshake = async {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first[0] != TLS_HANDSHAKE && first[0].is_ascii_uppercase() {
            let mut stream = stream;
            // What is unread at the end would make the system reset the connection, and the answer with it.
            let mut head = vec![0; endpoint.limits.head_bytes];
            let _ = stream.read(&mut head).await?;
            stream.write_all(PLAIN_HTTP_REFUSAL).await?;
            stream.shutdown().await?;
            return Ok(None);
        }
        let stream = Stall::new(stream, endpoint.limits.write_stall);
        TlsAcceptor::from(config).accept(stream).await.map(Some)
    };
    let handshake = tokio::select! {
        () = shutdown.cancelled() => return,
        () = crowded(&endpoint, started) => return,
        done = timeout_at(started + endpoint.limits.first_request, handshake) => done,
    };
    match handshake {
        Ok(Ok(Some(stream))) => {
            let client = Client { peer, secure: true };
            drive(stream, client, endpoint, shutdown, started).await;
        }
        Ok(Ok(None)) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
    }
}

/// Resolves when this connection is to give way to another: the oldest one first.
async fn crowded(endpoint: &Endpoint, started: Instant) {
    sleep_until(started + endpoint.limits.settle).await;
    endpoint.crowded.notified().await;
}

/// Where a connection is in its life.
#[derive(PartialEq)]
enum Phase {
    /// No request has come yet.
    First,
    /// Requests come and go.
    Serving,
    /// The running request is the last one.
    Closing,
}

async fn drive<S>(
    stream: S,
    client: Client,
    endpoint: Arc<Endpoint>,
    shutdown: CancellationToken,
    started: Instant,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = endpoint.limits;
    let asked = Arc::new(AtomicBool::new(false));
    let service = {
        let (asked, endpoint) = (Arc::clone(&asked), Arc::clone(&endpoint));
        service_fn(move |request| {
            asked.store(true, Ordering::Relaxed);
            handle(Arc::clone(&endpoint), client, request)
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.next_request)
        .max_buf_size(limits.head_bytes)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let mut phase = Phase::First;
    let deadline = sleep_until(started + limits.first_request);
    tokio::pin!(deadline);
    let crowded = crowded(&endpoint, started);
    tokio::pin!(crowded);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            () = deadline.as_mut() => match phase {
                Phase::First if asked.load(Ordering::Relaxed) => {
                    phase = Phase::Serving;
                    deadline.as_mut().reset(started + limits.lifetime);
                }
                Phase::Serving => {
                    phase = Phase::Closing;
                    connection.as_mut().graceful_shutdown();
                    deadline.as_mut().reset(Instant::now() + limits.grace);
                }
                Phase::First | Phase::Closing => return,
            },
            () = crowded.as_mut(), if phase != Phase::Closing => {
                if phase == Phase::First && !asked.load(Ordering::Relaxed) {
                    return;
                }
                phase = Phase::Closing;
                connection.as_mut().graceful_shutdown();
                deadline.as_mut().reset(Instant::now() + limits.grace);
                // One that is idle ends at once; for one that is not, the next has to give way as well.
                if timeout(Duration::ZERO, connection.as_mut()).await.is_ok() {
                    return;
                }
                endpoint.crowded.notify_one();
            }
            () = shutdown.cancelled(), if phase != Phase::Closing => {
                phase = Phase::Closing;
                connection.as_mut().graceful_shutdown();
                deadline.as_mut().reset(Instant::now() + limits.grace);
            }
        }
    }
}
