//! What one client may take: time, memory, connections.

use std::time::Duration;

/// Limits that hold for every client. The default suits production; tests shorten the times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the accepted connection to the end of its first request's headers, the TLS handshake included.
    pub first_request: Duration,
    /// From the end of one request to the end of the next one's headers on a kept connection.
    pub next_request: Duration,
    /// How long a client may read nothing of an answer that is on its way.
    pub write_stall: Duration,
    /// How long a client may take for a whole answer, however steadily it reads.
    pub answer: Duration,
    /// After this long a connection is closed as soon as it is idle.
    pub lifetime: Duration,
    /// How long a running request may still take once its connection or the server is to end.
    pub grace: Duration,
    /// Connections at a time that have sent something. Where there would be one more, somebody has to leave: first who holds one without using
    /// it, never who asks and reads.
    pub connections: usize,
    /// Connections at a time that have not sent a byte, besides those; fewer where the system doesn't allow as many
    /// files.
    pub silent: usize,
    /// How long a client may take to ask, or to take its answer, before it counts as one that only holds a connection.
    pub settle: Duration,
    /// Bytes of answers that the system keeps for one connection at most; it may double them.
    pub send_buffer: usize,
    /// Largest head of a request in bytes, and of the write buffer.
    pub head_bytes: usize,
    /// How often the web configuration's files are looked at, at most.
    pub web_config_check: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Seconds are plenty on any network; longer only helps who wants to occupy connections.
            first_request: Duration::from_secs(10),
            // Above Prometheus' default scrape interval of a minute, so that its connection is kept.
            next_request: Duration::from_secs(75),
            // Prometheus' own timeout for a scrape is 10 s.
            write_stall: Duration::from_secs(30),
            // The longest scrape timeout that anybody sets. Bounds how long bodies of an earlier moment are kept.
            answer: Duration::from_secs(60),
            // Bounds what no other limit sees; a new connection every five minutes costs nothing.
            lifetime: Duration::from_secs(300),
            // Below the 10 s that container runtimes wait before they kill.
            grace: Duration::from_secs(5),
            // A pair of Prometheus servers, probes and people need ten. More, so that a few hundred clients that hold
            // theirs needn't be cut. At about 60 KiB a TLS connection this many cost 30 MiB.
            connections: 512,
            // A socket, and 2 KiB: 8 MiB in all.
            silent: 4096,
            // A request is sent right after the handshake; nobody who wants an answer thinks for so long.
            settle: Duration::from_millis(250),
            // 512 that read nothing keep 64 MiB of the system's memory. Enough for 6 MB/s over 20 ms of distance.
            send_buffer: 64 * 1024,
            // A Prometheus' head has 400 bytes; a browser brings along the cookies of everything else on its host.
            head_bytes: 16 * 1024,
            // Three calls to stat each time.
            web_config_check: Duration::from_secs(2),
        }
    }
}
