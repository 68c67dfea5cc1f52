//! A crowd at an endpoint: how long does one honest scrape take meanwhile?
//!
//! `cargo run --release -p exporter-web --example crowd -- HOST:PORT [SECONDS]`. Each line is one crowd; whoever is cut
//! comes again at once.
use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n";
const SCRAPE: &[u8] =
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n";

/// How a client of the crowd holds its connection.
#[derive(Debug, Clone, Copy)]
enum Habit {
    ReadsSlowly,
    Drips,
    Idles,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address: SocketAddr = arguments.next().ok_or("expected HOST:PORT")?.parse()?;
    let seconds = arguments.next().map_or(Ok(10), |text| text.parse())?;
    for (clients, habit) in [
        (0, Habit::Idles),
        (300, Habit::ReadsSlowly),
        (400, Habit::Drips),
        (2_000, Habit::Idles),
    ] {
        let mut crowd = JoinSet::new();
        for _ in 0..clients {
            crowd.spawn(hold(address, habit));
        }
        let time = Duration::from_secs(seconds);
        tokio::task::spawn_blocking(move || measure(address, clients, habit, time)).await?;
        crowd.shutdown().await;
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

async fn hold(address: SocketAddr, habit: Habit) {
    loop {
        let _ = hold_once(address, habit).await;
        tokio::task::yield_now().await;
    }
}

async fn hold_once(address: SocketAddr, habit: Habit) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    match habit {
        Habit::ReadsSlowly => {
            stream.write_all(&REQUEST.repeat(20)).await?;
            let mut piece = [0; 1024];
            while stream.read(&mut piece).await? > 0 {
                sleep(Duration::from_millis(100)).await;
            }
        }
        Habit::Drips => {
            stream.write_all(b"GET /metrics HTTP/1.1\r\n").await?;
            loop {
                sleep(Duration::from_secs(1)).await;
                stream.write_all(b"A: b\r\n").await?;
            }
        }
        Habit::Idles => while stream.read(&mut [0; 64]).await? > 0 {},
    }
    Ok(())
}

/// Scrapes twenty times a second, each over a connection of its own, and prints what it took. On a thread of its own, so
/// that it waits for the endpoint and not for the crowd's turn.
fn measure(address: SocketAddr, clients: usize, habit: Habit, time: Duration) {
    // From the first moment on: that is when a crowd comes.
    let begun = Instant::now();
    let mut taken = Vec::new();
    let mut failed = 0;
    while begun.elapsed() < time {
        let scrape_begun = Instant::now();
        match scrape(address) {
            Ok(true) => taken.push(scrape_begun.elapsed()),
            Ok(false) | Err(_) => failed += 1,
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    taken.sort_unstable();
    let at = |part: usize| taken.get(taken.len() * part / 100).copied().unwrap_or_default();
    let line = format!(
        "{clients:>5} {habit:<12?} {:>4} scrapes, {failed} failed, median {:.2?}, 99th percentile {:.2?}, longest {:.2?}\n",
        taken.len() + failed,
        at(50),
        at(99),
        taken.last().copied().unwrap_or_default(),
    );
    // Nobody is left to tell if the stream is closed.
    let _ = std::io::stdout().write_all(line.as_bytes());
}

/// Whether the answer came whole and was 200.
fn scrape(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(SCRAPE)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(end) = head else { return Ok(false) };
    let text = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = text
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next());
    let whole = length.and_then(|length| length.parse().ok()) == Some(answer.len() - end - 4);
    Ok(whole && text.starts_with("http/1.1 200"))
}
