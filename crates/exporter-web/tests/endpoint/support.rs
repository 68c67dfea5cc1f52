//! A site that answers as it is told, a server around it, and a client that speaks plain text.

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use exporter_web::{
    Answer, BoxFuture, CancellationToken, Format, ListenAddress, Listener, Metrics, Options, Request, Site,
    StatusCode, serve,
};
use flate2::read::GzDecoder;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Beyond this a test has hung.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Fake {
    pub(super) healthy: Result<(), String>,
    pub(super) reload: Result<(), String>,
    pub(super) reload_takes: Duration,
    pub(super) reloads: Arc<AtomicUsize>,
    pub(super) body: Bytes,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            healthy: Ok(()),
            reload: Ok(()),
            reload_takes: Duration::ZERO,
            reloads: Arc::default(),
            body: Bytes::new(),
        }
    }
}

impl Site for Fake {
    fn metrics(&self, request: &Request<'_>, format: Format, gzip: bool) -> Result<Metrics, Answer> {
        let target = request.parameter("target");
        let target = target.map_err(|error| Answer::line(StatusCode::BAD_REQUEST, &error.to_string()))?;
        if target.as_deref() == Some("panic") {
            panic!("on purpose, for a test");
        }
        if target.as_deref() == Some("nothing") {
            return Err(Answer::line(StatusCode::NOT_FOUND, "no such target"));
        }
        if !self.body.is_empty() {
            return Ok(Metrics::plain(self.body.clone()));
        }
        let text = format!("# {format:?} of {target:?}\n");
        if gzip && target.is_none() {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            io::Write::write_all(&mut encoder, text.as_bytes()).expect("written");
            return Ok(Metrics::gzip(encoder.finish().expect("zipped")));
        }
        Ok(Metrics::plain(text))
    }

    fn page(&self, request: &Request<'_>) -> Option<Answer> {
        Some(match request.path() {
            "/" => Answer::html(format!(
                "<a href=\"{}\">Metrics</a> at {}",
                request.metrics_link(),
                request.metrics_path()
            )),
            "/json" => Answer::json(r#"{"a":1}"#),
            "/host" => Answer::line(StatusCode::OK, request.host().unwrap_or("none")),
            "/secure" if request.is_secure() => Answer::line(StatusCode::OK, "over TLS"),
            "/secure" => Answer::line(StatusCode::OK, "in the clear"),
            _ => return None,
        })
    }

    fn healthy(&self) -> Result<&str, String> {
        self.healthy.clone().map(|()| "Healthy.")
    }

    fn reload(&self) -> BoxFuture<Result<(), String>> {
        let (outcome, takes, reloads) = (self.reload.clone(), self.reload_takes, Arc::clone(&self.reloads));
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            reloads.fetch_add(1, Ordering::SeqCst);
            outcome
        })
    }
}

pub(super) fn options() -> Options {
    Options::new("test")
}

pub(super) struct Server {
    pub(super) addr: SocketAddr,
    pub(super) shutdown: CancellationToken,
    task: JoinSet<io::Result<()>>,
}

impl Server {
    pub(super) async fn start(site: Fake, options: Options) -> Self {
        let address: ListenAddress = "127.0.0.1:0".parse().expect("address");
        let listener = Listener::bind(&address).await.expect("bound");
        let addr = listener.local_addr().expect("address");
        let shutdown = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(serve(vec![listener], Arc::new(site), options, shutdown.clone()));
        Self { addr, shutdown, task }
    }

    pub(super) async fn plain() -> Self {
        Self::start(Fake::default(), options()).await
    }

    /// One request on a connection of its own. `head` is the request line and headers beyond the usual.
    pub(super) async fn ask(&self, head: &str) -> Reply {
        let stream = TcpStream::connect(self.addr).await.expect("connected");
        ask_on(stream, head).await
    }

    pub(super) async fn stop(mut self) {
        self.shutdown.cancel();
        let ended = timeout(PATIENCE, self.task.join_next())
            .await
            .expect("stopped in time");
        ended.expect("one task").expect("no panic").expect("served");
    }
}

pub(super) async fn ask_on(mut stream: impl AsyncRead + AsyncWrite + Unpin, head: &str) -> Reply {
    let request = format!("{head}\r\nHost: localhost:10524\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("answered in time")
        .expect("read");
    Reply::parse(&answer)
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn parse(answer: &[u8]) -> Self {
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(answer)));
        let head = std::str::from_utf8(&answer[..end]).expect("text");
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .expect("status");
        Self {
            status: status.parse().expect("number"),
            headers: lines
                .map(|line| line.split_once(": ").expect("header"))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .filter(|(name, _)| name != "date")
                .collect(),
            body: answer[end + 4..].to_vec(),
        }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let mut values = self
            .headers
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, v)| v.as_str());
        let first = values.next().unwrap_or_default();
        assert_eq!(values.next(), None, "{name} stands twice");
        first
    }

    pub(super) fn text(&self) -> String {
        if self.header("content-encoding") != "gzip" {
            return String::from_utf8(self.body.clone()).expect("text");
        }
        let mut text = String::new();
        GzDecoder::new(self.body.as_slice())
            .read_to_string(&mut text)
            .expect("gzip");
        text
    }
}
