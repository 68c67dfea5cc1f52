//! What no client can do: hold a connection, a slot or the shutdown.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use exporter_web::{CancellationToken, ListenAddress, Listener, Options, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::support::{Fake, PATIENCE, Reply, Server, options};

/// Larger than what the kernel buffers for a connection.
const LARGE: usize = 64 * 1024 * 1024;

fn short() -> Options {
    let mut options = options();
    options.limits.first_request = Duration::from_millis(300);
    options.limits.next_request = Duration::from_millis(300);
    options.limits.grace = Duration::from_millis(300);
    options
}

/// Waits until the server closes; the bytes that came before.
async fn closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .expect("closed in time");
    rest
}

#[tokio::test]
async fn who_sends_nothing_or_half_a_head_is_cut() {
    let mut options = short();
    options.limits.next_request = Duration::from_secs(60);
    let server = Server::start(Fake::default(), options).await;
    for beginning in ["", "GET /metrics HT", "GET /metrics HTTP/1.1\r\nHost: x\r\nA: "] {
        let mut stream = TcpStream::connect(server.addr).await.expect("connected");
        stream.write_all(beginning.as_bytes()).await.expect("written");
        let begun = Instant::now();
        closed(&mut stream).await;
        assert!(begun.elapsed() >= Duration::from_millis(250), "cut at once");
    }
    server.stop().await;
}

#[tokio::test]
async fn who_drips_a_head_byte_by_byte_is_cut() {
    let mut options = short();
    options.limits.next_request = Duration::from_secs(60);
    let server = Server::start(Fake::default(), options).await;
    let mut stream = TcpStream::connect(server.addr).await.expect("connected");
    let begun = Instant::now();
    let dripping = async {
        for _ in 0..1_000 {
            if stream.write_all(b"G").await.is_err() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("never cut");
    };
    timeout(PATIENCE, dripping).await.expect("cut in time");
    assert!(begun.elapsed() >= Duration::from_millis(250));
    server.stop().await;
}

#[tokio::test]
async fn a_kept_connection_serves_again_and_is_closed_when_idle() {
    let mut options = short();
    options.limits.first_request = Duration::from_secs(5);
    let server = Server::start(Fake::default(), options).await;
    let mut stream = TcpStream::connect(server.addr).await.expect("connected");
    for _ in 0..2 {
        stream
            .write_all(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .expect("written");
        let mut answer = [0; 4096];
        let length = timeout(PATIENCE, stream.read(&mut answer))
            .await
            .expect("in time")
            .expect("read");
        assert_eq!(Reply::parse(&answer[..length]).status, 200);
    }
    assert!(closed(&mut stream).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn an_old_connection_is_closed_between_requests() {
    let mut options = options();
    options.limits.first_request = Duration::from_millis(50);
    options.limits.lifetime = Duration::from_millis(300);
    let server = Server::start(Fake::default(), options).await;
    let mut stream = TcpStream::connect(server.addr).await.expect("connected");
    stream
        .write_all(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("written");
    let begun = Instant::now();
    assert_eq!(Reply::parse(&closed(&mut stream).await).status, 200);
    assert!(
        begun.elapsed() >= Duration::from_millis(200),
        "closed before its time"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = Server::plain().await;
    let mut stream = TcpStream::connect(server.addr).await.expect("connected");
    let head = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n",
        "a".repeat(64 * 1024)
    );
    // The server may close before it has read everything.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = [0; 64];
    let length = timeout(PATIENCE, stream.read(&mut answer))
        .await
        .expect("in time")
        .unwrap_or(0);
    assert!(answer[..length].starts_with(b"HTTP/1.1 431") || length == 0);
    assert_eq!(server.ask("GET / HTTP/1.1").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_body_is_not_waited_for() {
    let mut options = short();
    options.lifecycle = true;
    let server = Server::start(Fake::default(), options).await;
    let mut stream = TcpStream::connect(server.addr).await.expect("connected");
    stream
        .write_all(b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nfirst")
        .await
        .expect("written");
    assert_eq!(Reply::parse(&closed(&mut stream).await).status, 200);
    server.stop().await;
}

async fn never_reads(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.addr).await.expect("connected");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("written");
    // Until the answer has begun, so that it is on its way.
    stream.readable().await.expect("readable");
    stream
}

#[tokio::test]
async fn who_never_reads_does_not_hold_the_shutdown() {
    let site = Fake {
        body: Bytes::from(vec![b'#'; LARGE]),
        ..Fake::default()
    };
    let server = Server::start(site, short()).await;
    let stream = never_reads(&server).await;
    let begun = Instant::now();
    server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(stream);
}

#[tokio::test]
async fn who_never_reads_is_cut() {
    let mut options = options();
    options.limits.write_stall = Duration::from_millis(300);
    let site = Fake {
        body: Bytes::from(vec![b'#'; LARGE]),
        ..Fake::default()
    };
    let server = Server::start(site, options).await;
    let mut stream = never_reads(&server).await;
    let begun = Instant::now();
    sleep(Duration::from_secs(1)).await;
    assert!(closed(&mut stream).await.len() < LARGE, "the answer came whole");
    assert!(begun.elapsed() < Duration::from_secs(5));
    server.stop().await;
}

/// A crowd of clients that `begin` in some way and then hold their connections.
async fn crowd(server: &Server, clients: usize, begin: &[u8]) -> Vec<TcpStream> {
    let mut crowd = Vec::new();
    for _ in 0..clients {
        let mut stream = TcpStream::connect(server.addr).await.expect("connected");
        // Who has to leave at once can't be written to.
        let _ = stream.write_all(begin).await;
        crowd.push(stream);
    }
    crowd
}

#[tokio::test]
async fn whatever_a_crowd_holds_connections_with_who_asks_is_answered() {
    let begun = b"GET /-/ready HTTP/1.1\r\nHost: x\r\nA: ".as_slice();
    let asked = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20);
    for (what, begin) in [
        ("nothing", &b""[..]),
        ("half a head", begun),
        ("much, and reads none", &asked),
    ] {
        let mut options = options();
        options.limits.first_request = Duration::from_secs(60);
        options.limits.settle = Duration::from_millis(20);
        options.limits.connections = 8;
        options.limits.silent = 16;
        let site = Fake {
            body: Bytes::from(vec![b'#'; LARGE / 16]),
            ..Fake::default()
        };
        let server = Server::start(site, options).await;
        for _ in 0..3 {
            let held = crowd(&server, 100, begin).await;
            sleep(Duration::from_millis(50)).await;
            for _ in 0..20 {
                assert_eq!(server.ask("GET /-/ready HTTP/1.1").await.status, 200, "{what}");
            }
            let mut gone = 0;
            for mut stream in held {
                // Still open: nothing comes, or an answer that nobody read.
                let mut rest = vec![0; LARGE * 2];
                let reading = async { while !matches!(stream.read(&mut rest).await, Ok(0) | Err(_)) {} };
                gone += usize::from(timeout(Duration::from_millis(5), reading).await.is_ok());
            }
            assert!(gone >= 84, "{gone} of 100 had to leave: {what}");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn who_is_cut_for_another_had_its_answers() {
    let mut options = options();
    options.limits.connections = 1;
    let server = Server::start(Fake::default(), options).await;
    let mut kept = TcpStream::connect(server.addr).await.expect("connected");
    kept.write_all(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("written");
    kept.readable().await.expect("answered");
    assert_eq!(server.ask("GET /-/ready HTTP/1.1").await.status, 200);
    assert_eq!(Reply::parse(&closed(&mut kept).await).status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_running_request_is_finished_whoever_comes() {
    let mut options = options();
    options.lifecycle = true;
    options.limits.connections = 1;
    let site = Fake {
        reload_takes: Duration::from_millis(400),
        ..Fake::default()
    };
    let server = Server::start(site, options).await;
    let mut running = TcpStream::connect(server.addr).await.expect("connected");
    running
        .write_all(b"POST /-/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .expect("written");
    sleep(Duration::from_millis(100)).await;
    let mut flood = Vec::new();
    for _ in 0..5 {
        flood.push(TcpStream::connect(server.addr).await.expect("connected"));
    }
    assert_eq!(Reply::parse(&closed(&mut running).await).status, 200);
    server.stop().await;
}

#[tokio::test]
async fn shutdown_finishes_the_running_request_and_accepts_no_other() {
    let mut options = options();
    options.lifecycle = true;
    let site = Fake {
        reload_takes: Duration::from_millis(400),
        ..Fake::default()
    };
    let server = Server::start(site, options).await;
    let addr = server.addr;
    let mut stream = TcpStream::connect(addr).await.expect("connected");
    stream
        .write_all(b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        .await
        .expect("written");
    sleep(Duration::from_millis(100)).await;
    let idle = TcpStream::connect(addr).await.expect("connected");
    let (answer, ()) = tokio::join!(closed(&mut stream), server.stop());
    assert_eq!(Reply::parse(&answer).status, 200);
    assert!(TcpStream::connect(addr).await.is_err(), "still listening");
    drop(idle);
}

#[tokio::test]
async fn without_a_host_both_families_are_answered() {
    let all: ListenAddress = ":0".parse().expect("address");
    let listener = Listener::bind(&all).await.expect("bound");
    let port = listener.local_addr().expect("address").port();
    let shutdown = CancellationToken::new();
    let serving = serve(
        vec![listener],
        Arc::new(Fake::default()),
        options(),
        shutdown.clone(),
    );
    let asking = async {
        for host in ["127.0.0.1", "::1"] {
            // A machine without IPv6 has IPv4 alone.
            let Ok(stream) = TcpStream::connect((host, port)).await else {
                assert_eq!(host, "::1", "IPv4 is always there");
                continue;
            };
            let reply = super::support::ask_on(stream, "GET /-/ready HTTP/1.1").await;
            assert_eq!(reply.status, 200, "{host}");
        }
        shutdown.cancel();
    };
    let (served, ()) = tokio::join!(serving, asking);
    served.expect("served");
}

#[tokio::test]
async fn several_addresses_are_one_site() {
    let address: ListenAddress = "127.0.0.1:0".parse().expect("address");
    let listeners = vec![
        Listener::bind(&address).await.expect("bound"),
        Listener::bind(&address).await.expect("bound"),
    ];
    let addresses: Vec<_> = listeners
        .iter()
        .map(|l| l.local_addr().expect("address"))
        .collect();
    let shutdown = CancellationToken::new();
    let serving = serve(listeners, Arc::new(Fake::default()), options(), shutdown.clone());
    let asking = async {
        for addr in addresses {
            let stream = TcpStream::connect(addr).await.expect("connected");
            let reply = super::support::ask_on(stream, "GET /-/ready HTTP/1.1").await;
            assert_eq!(reply.status, 200);
        }
        shutdown.cancel();
    };
    let (served, ()) = tokio::join!(serving, asking);
    served.expect("served");
}
