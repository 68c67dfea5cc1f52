//! Authentication, headers and rate limit of the web configuration.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exporter_web::WebConfig;

use super::support::{Fake, Server, options};

async fn server(path: &Path, text: &str) -> Server {
    std::fs::write(path, text).expect("written");
    let mut options = options();
    options.web = Some(WebConfig::load(path).expect("good"));
    options.limits.web_config_check = Duration::ZERO;
    Server::start(Fake::default(), options).await
}

fn head(path: &str, pair: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nAuthorization: Basic {}",
        STANDARD.encode(pair)
    )
}

fn users(password: &str) -> String {
    // Cost 4 keeps the test quick.
    let hash = bcrypt::hash(password, 4).expect("hash");
    format!("basic_auth_users:\n  alice: {hash}\n")
}

#[tokio::test]
async fn all_paths_are_for_known_users_alone() {
    let directory = tempfile::tempdir().expect("directory");
    let server = server(&directory.path().join("web.yml"), &users("right")).await;
    for path in ["/metrics", "/", "/json", "/-/healthy", "/-/ready", "/nothing"] {
        let refused = server.ask(&format!("GET {path} HTTP/1.1")).await;
        assert_eq!(refused.status, 401, "{path}");
        assert!(refused.header("www-authenticate").starts_with("Basic realm="));
        let let_in = if path == "/nothing" { 404 } else { 200 };
        assert_eq!(
            server.ask(&head(path, "alice:right")).await.status,
            let_in,
            "{path}"
        );
    }
    for pair in ["alice:wrong", "bob:right", "alice", ""] {
        assert_eq!(server.ask(&head("/metrics", pair)).await.status, 401, "{pair}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_changed_file_changes_who_gets_in() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("web.yml");
    let server = server(&path, &users("right")).await;
    assert_eq!(server.ask(&head("/", "alice:right")).await.status, 200);
    std::fs::write(&path, users("changed")).expect("written");
    assert_eq!(server.ask(&head("/", "alice:right")).await.status, 401);
    assert_eq!(server.ask(&head("/", "alice:changed")).await.status, 200);
    for broken in ["basic_auth_users:\n  alice: nonsense\n", ""] {
        std::fs::write(&path, broken).expect("written");
        assert_eq!(
            server.ask(&head("/", "alice:changed")).await.status,
            200,
            "{broken:?}"
        );
        assert_eq!(server.ask("GET / HTTP/1.1").await.status, 401, "{broken:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn configured_headers_are_on_every_answer() {
    let directory = tempfile::tempdir().expect("directory");
    let text = "http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n    \
                Strict-Transport-Security: max-age=60\n    Content-Security-Policy: \"frame-ancestors 'self'\"\n";
    let server = server(&directory.path().join("web.yml"), text).await;
    for path in ["/metrics", "/json", "/nothing"] {
        let reply = server.ask(&format!("GET {path} HTTP/1.1")).await;
        assert_eq!(reply.header("x-frame-options"), "deny", "{path}");
        assert_eq!(reply.header("strict-transport-security"), "max-age=60", "{path}");
        assert_eq!(
            reply.header("content-security-policy"),
            "frame-ancestors 'self'",
            "{path}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn more_requests_than_the_rate_limit_get_429() {
    let directory = tempfile::tempdir().expect("directory");
    let text = "rate_limit: {interval: 1h, burst: 2}\n";
    let server = server(&directory.path().join("web.yml"), text).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(server.ask("GET /-/ready HTTP/1.1").await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
    server.stop().await;
}
