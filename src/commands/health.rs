//! `health`: asks the running exporter whether it is healthy, for a container's HEALTHCHECK.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Ending, Stop};
use crate::cli::Options;

/// Longer than a healthy exporter ever takes, shorter than a container's patience.
const PATIENCE: Duration = Duration::from_secs(3);

/// Most of the answer that is read: the status line and a sentence.
const MOST: u64 = 4096;

pub(super) async fn health(options: Options) -> Ending {
    let prefix = options.route_prefix.or_else(|| {
        let url = options.external_url.as_ref();
        url.map(|url| url.path().clone())
    });
    let path = format!("{}/-/healthy", prefix.unwrap_or_default().as_str());
    let mut last = "no address to ask".to_owned();
    for address in options
        .listen
        .first()
        .into_iter()
        .flat_map(|address| address.local_candidates())
    {
        match timeout(PATIENCE, ask(&address, &path)).await {
            Ok(Ok(answer)) => return verdict(&answer),
            Ok(Err(error)) => last = format!("{address}: {error}"),
            Err(_) => last = format!("{address}: no answer within {} s", PATIENCE.as_secs()),
        }
    }
    Err(Stop::said(format!(
        "{last} (is the exporter running, and on this --web.listen-address?)"
    )))
}

async fn ask(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// 200 is healthy. An endpoint that is guarded by a web configuration answers 401, 400 where it expects TLS, or 429 beyond
/// its rate limit: then it lives, and this command, which holds neither password nor certificate, can't be told more.
fn verdict(answer: &str) -> Ending {
    let status = answer.split(' ').nth(1).unwrap_or_default();
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default().trim();
    match status {
        "200" | "400" | "401" | "429" => Ok(()),
        _ => Err(Stop::said(format!("not healthy: {status} {body}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guarded_endpoint_lives_and_a_stuck_one_does_not() {
        for (status, healthy) in [
            ("200 OK", true),
            ("401 Unauthorized", true),
            ("400 Bad Request", true),
            ("429 Too Many Requests", true),
            ("503 Service Unavailable", false),
            ("404 Not Found", false),
        ] {
            assert_eq!(
                verdict(&format!("HTTP/1.1 {status}\r\n\r\nwhy")).is_ok(),
                healthy,
                "{status}"
            );
        }
        assert!(verdict("").is_err());
    }
}
