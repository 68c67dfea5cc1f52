//! What a request carries beside its path: its host, and the parameters of its query.

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
async fn a_parameter_reaches_the_site_and_stands_once() {
    let server = Server::plain().await;
    for (query, status, text) in [
        ("target=%61cme", 200, "# Text of Some(\"acme\")\n"),
        ("target=", 200, "# Text of Some(\"\")\n"),
        ("other=1", 200, "# Text of None\n"),
        ("target=nothing", 404, "no such target\n"),
        (
            "target=a&target=b",
            400,
            "the parameter \"target\" stands twice: expected it once at most\n",
        ),
    ] {
        let reply = server.ask(&format!("GET /metrics?{query} HTTP/1.1")).await;
        assert_eq!((reply.status, reply.text().as_str()), (status, text), "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_host_is_what_the_client_calls_the_server() {
    let server = Server::plain().await;
    for (head, host) in [
        ("GET /host HTTP/1.1\r\nHost: a.example:1", "a.example:1"),
        (
            "GET http://b.example/host HTTP/1.1\r\nHost: a.example",
            "b.example",
        ),
        ("GET /host HTTP/1.0", "none"),
        ("GET /host HTTP/1.1\r\nHost: a/b", "none"),
    ] {
        let mut stream = TcpStream::connect(server.addr).await.expect("connected");
        stream
            .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
            .await
            .expect("written");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("read");
        assert_eq!(Reply::parse(&answer).text(), format!("{host}\n"), "{head}");
    }
    server.stop().await;
}
