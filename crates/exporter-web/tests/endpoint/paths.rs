//! Every path and method, formats and encodings, reload.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::support::{Fake, Server, options};

const PATHS: [&str; 5] = ["/metrics", "/", "/json", "/-/healthy", "/-/ready"];

#[tokio::test]
async fn every_path_answers_get_and_head_alike() {
    let server = Server::plain().await;
    for path in PATHS {
        for encoding in ["", "\r\nAccept-Encoding: gzip"] {
            let get = server.ask(&format!("GET {path} HTTP/1.1{encoding}")).await;
            assert_eq!(get.status, 200, "{path}");
            assert_eq!(get.header("content-length"), get.body.len().to_string(), "{path}");
            assert!(!get.header("content-type").is_empty(), "{path}");
            let head = server.ask(&format!("HEAD {path} HTTP/1.1{encoding}")).await;
            assert_eq!(head.status, 200, "{path}");
            assert_eq!(head.headers, get.headers, "{path}");
            assert!(head.body.is_empty(), "{path}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let server = Server::plain().await;
    for path in PATHS {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
            let reply = server.ask(&format!("{method} {path} HTTP/1.1")).await;
            assert_eq!(
                (reply.status, reply.header("allow")),
                (405, "GET, HEAD"),
                "{method} {path}"
            );
        }
    }
    for method in ["GET", "HEAD", "PUT"] {
        let reply = server.ask(&format!("{method} /-/reload HTTP/1.1")).await;
        assert_eq!((reply.status, reply.header("allow")), (405, "POST"), "{method}");
    }
    for path in [
        "/metrics/",
        "/nothing",
        "/-/",
        "//metrics",
        "/METRICS",
        "/%2Fmetrics",
        "/metrics%3Faccount=acme",
        "/%zz",
        "*",
    ] {
        assert_eq!(
            server.ask(&format!("GET {path} HTTP/1.1")).await.status,
            404,
            "{path}"
        );
    }
    for same in ["http://elsewhere/metrics", "/%6Detrics"] {
        assert_eq!(
            server.ask(&format!("GET {same} HTTP/1.1")).await.status,
            200,
            "{same}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn metrics_come_in_the_format_and_encoding_that_were_asked_for() {
    let server = Server::plain().await;
    for (accept, kind, first) in [
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "# OpenMetrics of None\n",
        ),
        (
            "*/*",
            "text/plain; version=0.0.4; charset=utf-8",
            "# Text of None\n",
        ),
    ] {
        let plain = server
            .ask(&format!("GET /metrics HTTP/1.1\r\nAccept: {accept}"))
            .await;
        assert_eq!(plain.header("content-type"), kind);
        assert_eq!(plain.header("vary"), "Accept, Accept-Encoding");
        assert_eq!(plain.header("content-encoding"), "");
        assert_eq!(plain.text(), first);
        let zipped = server
            .ask(&format!(
                "GET /metrics HTTP/1.1\r\nAccept: {accept}\r\nAccept-Encoding: gzip"
            ))
            .await;
        assert_eq!(zipped.header("content-encoding"), "gzip");
        assert_eq!(zipped.header("content-type"), kind);
        assert_ne!(zipped.body, plain.body);
        assert_eq!(zipped.text(), plain.text());
    }
    for path in ["/json", "/"] {
        let plain = server.ask(&format!("GET {path} HTTP/1.1")).await;
        let zipped = server
            .ask(&format!("GET {path} HTTP/1.1\r\nAccept-Encoding: gzip"))
            .await;
        assert_eq!(zipped.header("content-encoding"), "gzip", "{path}");
        assert_eq!(zipped.header("vary"), "Accept-Encoding", "{path}");
        assert_eq!(zipped.text(), plain.text(), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_telemetry_path_may_be_the_root() {
    let mut rooted = options();
    rooted.telemetry_path = "/".parse().expect("path");
    let server = Server::start(Fake::default(), rooted).await;
    assert_eq!(server.ask("GET / HTTP/1.1").await.text(), "# Text of None\n");
    assert_eq!(server.ask("GET /json HTTP/1.1").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn pages_forbid_themselves_scripts() {
    let server = Server::plain().await;
    let page = server.ask("GET / HTTP/1.1").await;
    assert_eq!(page.text(), "<a href=\"./metrics\">Metrics</a> at /metrics");
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    assert_eq!(page.header("cache-control"), "no-store");
    server.stop().await;
}

#[tokio::test]
async fn below_a_prefix_all_is_served_there_and_nothing_elsewhere() {
    let mut below = options();
    below.external_url = Some("https://m.example/kb4/".parse().expect("a URL"));
    let server = Server::start(Fake::default(), below).await;
    for (path, status) in [
        ("/kb4/", 200),
        ("/kb4/metrics", 200),
        ("/kb4/-/healthy", 200),
        ("/kb4", 302),
        ("/", 302),
        ("/metrics", 404),
        ("/-/healthy", 404),
        ("/kb4metrics", 404),
    ] {
        let reply = server.ask(&format!("GET {path} HTTP/1.1")).await;
        assert_eq!(reply.status, status, "{path}");
        let start = if status == 302 { "/kb4/" } else { "" };
        assert_eq!(reply.header("location"), start, "{path}");
    }
    let page = server.ask("GET /kb4/ HTTP/1.1").await.text();
    assert_eq!(page, "<a href=\"/kb4/metrics\">Metrics</a> at /kb4/metrics");
    let host = server.ask("GET /kb4/host HTTP/1.1").await.text();
    assert_eq!(host, "m.example\n");
    server.stop().await;
}

#[tokio::test]
async fn what_a_site_keeps_plain_is_compressed_on_the_way() {
    let server = Server::plain().await;
    let zipped = server
        .ask("GET /metrics?target=x HTTP/1.1\r\nAccept-Encoding: gzip")
        .await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert_eq!(zipped.header("vary"), "Accept, Accept-Encoding");
    assert_eq!(zipped.text(), "# Text of Some(\"x\")\n");
    server.stop().await;
}

#[tokio::test]
async fn health_says_what_the_site_says() {
    let sick = Fake {
        healthy: Err("The poller of acme is stuck.".to_owned()),
        ..Fake::default()
    };
    let server = Server::start(sick, options()).await;
    let health = server.ask("GET /-/healthy HTTP/1.1").await;
    assert_eq!(
        (health.status, health.text().as_str()),
        (503, "The poller of acme is stuck.\n")
    );
    // A scrape says what is wrong; without it there is only a hole.
    assert_eq!(server.ask("GET /-/ready HTTP/1.1").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn reload_is_for_who_switched_it_on() {
    let server = Server::plain().await;
    let refused = server.ask("POST /-/reload HTTP/1.1").await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("--web.enable-lifecycle"));
    server.stop().await;

    let mut allowed = options();
    allowed.lifecycle = true;
    let site = Fake {
        reload: Err("knowbe4.yml:3:5: unknown key.".to_owned()),
        ..Fake::default()
    };
    let reloads = Arc::clone(&site.reloads);
    let server = Server::start(site, allowed).await;
    let failed = server.ask("POST /-/reload HTTP/1.1").await;
    assert_eq!(failed.status, 500);
    assert!(failed.text().contains("knowbe4.yml:3:5: unknown key."));
    let page = server
        .ask("POST /-/reload HTTP/1.1\r\nSec-Fetch-Site: cross-site")
        .await;
    assert_eq!(page.status, 403);
    assert_eq!(reloads.load(Ordering::SeqCst), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_reload_runs_to_its_end_without_the_client_that_asked() {
    let mut allowed = options();
    allowed.lifecycle = true;
    let site = Fake {
        reload_takes: Duration::from_millis(200),
        ..Fake::default()
    };
    let reloads = Arc::clone(&site.reloads);
    let server = Server::start(site, allowed).await;
    assert_eq!(
        server
            .ask("POST /-/reload HTTP/1.1\r\nContent-Length: 0")
            .await
            .status,
        200
    );
    let mut stream = TcpStream::connect(server.addr).await.expect("connected");
    stream
        .write_all(b"POST /-/reload HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("written");
    // Long enough for the request to arrive, shorter than the reload.
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stream);
    server.stop().await;
    assert_eq!(reloads.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_panic_is_one_answer_and_no_more() {
    let server = Server::plain().await;
    for _ in 0..3 {
        assert_eq!(server.ask("GET /metrics?target=panic HTTP/1.1").await.status, 500);
    }
    assert_eq!(server.ask("GET /metrics HTTP/1.1").await.status, 200);
    server.stop().await;
}
