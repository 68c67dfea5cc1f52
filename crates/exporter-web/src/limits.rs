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
    /// After this long a connection is closed as soon as it is idle.
    pub lifetime: Duration,
    /// How long a running request may still take once its connection or the server is to end.
    pub grace: Duration,
    /// Connections at a time. One more makes the one that was opened first give way: at once when it is idle, within
    /// the grace when it is not.
    pub connections: usize,
    /// How long a new connection is safe from having to give way.
    pub settle: Duration,
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
            // Bounds what no other limit sees; a new connection every five minutes costs nothing.
            lifetime: Duration::from_secs(300),
            // Below the 10 s that container runtimes wait before they kill.
            grace: Duration::from_secs(5),
            // A pair of Prometheus servers, probes and people need ten; at about 60 KiB a TLS connection
            // this many cost 8 MiB.
            connections: 128,
            // Enough to shake hands and ask; at 512 connections a second whoever waits in the kernel's queue of 1024
            // is served within 2 s.
            settle: Duration::from_millis(250),
            // A Prometheus' head has 400 bytes; a browser brings along the cookies of everything else on its host.
            head_bytes: 16 * 1024,
            // Three calls to stat each time.
            web_config_check: Duration::from_secs(2),
        }
    }
}
