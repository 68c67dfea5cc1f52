//! What a request carries beside its path: its host, and the account it is about.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::{Reply, Server};

#[tokio::test]
async fn one_host_is_named_but_in_old_versions() {
    let server = Server::plain().await;
    for (head, status) in [
        ("GET /-/ready HTTP/1.0", 200),
        ("GET /-/ready HTTP/1.0\r\nHost: a", 200),
        ("GET /-/ready HTTP/1.1\r\nHost: a", 200),
        ("GET /-/ready HTTP/1.1", 400),
        ("GET /-/ready HTTP/1.1\r\nHost: a\r\nHost: b", 400),
    ] {
        let mut stream = TcpStream::connect(server.addr).await.expect("connected");
        stream
            .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
            .await
            .expect("written");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("read");
        assert_eq!(Reply::parse(&answer).status, status, "{head}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_status_of_one_account_is_picked_like_its_metrics() {
    let server = Server::plain().await;
    for (query, page, json) in [
        ("?account=acme", 200, 200),
        ("?account=nobody", 404, 404),
        // The page's own field, sent empty.
        ("?account=", 200, 400),
        ("?account=acme&account=beta", 400, 400),
        ("?account=%zz", 400, 400),
    ] {
        for (path, status) in [("/status", page), ("/api/v1/status", json)] {
            let reply = server.ask(&format!("GET {path}{query} HTTP/1.1")).await;
            assert_eq!(reply.status, status, "{path}{query}");
        }
    }
    let one = server.ask("GET /api/v1/status?account=beta HTTP/1.1").await;
    let one: serde_json::Value = serde_json::from_str(&one.text()).expect("JSON");
    assert_eq!(one["accounts"].as_array().map(Vec::len), Some(1));
    server.stop().await;
}

#[tokio::test]
async fn one_account_is_picked_by_its_name() {
    let server = Server::plain().await;
    let ask = |query: &'static str| server.ask(query);
    assert_eq!(
        ask("GET /metrics?account=%61cme HTTP/1.1").await.text(),
        "# Text of Some(\"acme\")\n"
    );
    let unknown = ask("GET /metrics?account=nobody HTTP/1.1").await;
    assert_eq!(unknown.status, 404);
    let text = unknown.text();
    assert!(
        text.contains("\"nobody\"") && text.contains("parameter \"account\""),
        "{text}"
    );
    for query in ["account=", "account", "account=acme&account=beta", "account=%zz"] {
        let reply = server.ask(&format!("GET /metrics?{query} HTTP/1.1")).await;
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    }
    server.stop().await;
}
