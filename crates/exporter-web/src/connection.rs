//! Connections: accepted at once, driven through their phases, ended in time.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::crowd::{Doing, Seat};
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
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                failing = false;
                let peer = peer.ip().to_canonical();
                let seat = endpoint.crowd.seat(peer);
                let (endpoint, shutdown) = (Arc::clone(&endpoint), shutdown.clone());
                connections.spawn(async move {
                    tokio::select! {
                        biased;
                        () = seat.left() => {}
                        () = serve(stream, peer, endpoint, shutdown, Arc::clone(&seat)) => {}
                    }
                });
            }
            // The client was gone before it was its turn.
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                // Once, not twice a second.
                if !failing {
                    tracing::warn!(%error, "cannot accept connections; trying again");
                }
                failing = true;
                // With no file descriptor left, one that is held for nothing is worth more elsewhere.
                if endpoint.crowd.make_room() {
                    tokio::task::yield_now().await;
                    continue;
                }
                tokio::select! {
                    () = shutdown.cancelled() => break,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    drop(listener);
    finish(connections, endpoint.limits.grace).await;
}

/// Waits for the running requests, and no longer than `grace`.
async fn finish(mut connections: JoinSet<()>, grace: Duration) {
    let finished = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    if timeout(grace, finished).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "requests still running at shutdown were dropped"
        );
        connections.shutdown().await;
    }
}

/// An error of one connection, and not of the machine.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection ended by panic");
    }
}

/// One connection from its first byte to its last.
async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    endpoint: Arc<Endpoint>,
    shutdown: CancellationToken,
    seat: Arc<Seat>,
) {
    let started = Instant::now();
    // Answers are written whole: waiting for more to send only delays them. Without it they are late, not wrong.
    let _ = stream.set_nodelay(true);
    // Without it the system keeps megabytes for a client that reads nothing.
    let _ = SockRef::from(&stream).set_send_buffer_size(endpoint.limits.send_buffer);
    // Nothing is made ready for a client before its first byte: one that never speaks costs a socket.
    let mut first = [0];
    let spoken = tokio::select! {
        () = shutdown.cancelled() => return,
        spoken = timeout_at(started + endpoint.limits.first_request, stream.peek(&mut first)) => spoken,
    };
    if !matches!(spoken, Ok(Ok(1))) {
        return;
    }
    seat.speaks();
    let config = match &endpoint.web {
        Some(web) => web.current().await.tls(),
        None => None,
    };
    let Some(config) = config else {
        let stream = watched(stream, &endpoint, &seat);
        let client = Client { peer, secure: false };
        return drive(stream, client, endpoint, shutdown, seat, started).await;
    };
    let handshake = async {
        if first[0] != TLS_HANDSHAKE && first[0].is_ascii_uppercase() {
            let mut stream = stream;
            // What is unread at the end would make the system reset the connection, and the answer with it.
            let mut head = vec![0; endpoint.limits.head_bytes];
            let _ = stream.read(&mut head).await?;
            stream.write_all(PLAIN_HTTP_REFUSAL).await?;
            stream.shutdown().await?;
            return Ok(None);
        }
        let stream = watched(stream, &endpoint, &seat);
        TlsAcceptor::from(config).accept(stream).await.map(Some)
    };
    let handshake = tokio::select! {
        () = shutdown.cancelled() => return,
        done = timeout_at(started + endpoint.limits.first_request, handshake) => done,
    };
    match handshake {
        Ok(Ok(Some(stream))) => {
            let client = Client { peer, secure: true };
            drive(stream, client, endpoint, shutdown, seat, started).await;
        }
        Ok(Ok(None)) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
    }
}

fn watched(stream: TcpStream, endpoint: &Endpoint, seat: &Arc<Seat>) -> Stall<TcpStream> {
    let limits = &endpoint.limits;
    Stall::new(stream, Arc::clone(seat), limits.write_stall, limits.answer)
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

async fn drive(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    client: Client,
    endpoint: Arc<Endpoint>,
    shutdown: CancellationToken,
    seat: Arc<Seat>,
    started: Instant,
) {
    let limits = endpoint.limits;
    let asked = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&asked);
    let service = service_fn(move |request| {
        heard.store(true, Ordering::Relaxed);
        let (endpoint, seat) = (Arc::clone(&endpoint), Arc::clone(&seat));
        async move {
            // One answer a turn: whoever asks for twenty at once lets others go first.
            if seat.is_pipelined() {
                tokio::task::yield_now().await;
            }
            seat.now(Doing::Running);
            handle(endpoint, client, request).await
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.next_request)
        .max_buf_size(limits.head_bytes)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let mut phase = Phase::First;
    let deadline = sleep_until(started + limits.first_request);
    tokio::pin!(deadline);
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
            () = shutdown.cancelled(), if phase != Phase::Closing => {
                phase = Phase::Closing;
                connection.as_mut().graceful_shutdown();
                deadline.as_mut().reset(Instant::now() + limits.grace);
            }
        }
    }
}
