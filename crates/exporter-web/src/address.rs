//! Where to listen: `:10524`, `host:port`, `[::1]:port`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address to listen on. Nothing is resolved here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    host: Option<String>,
    port: u16,
}

/// The text is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected :PORT for all interfaces, HOST:PORT or [IPv6]:PORT, with a port from 0 (any free one) to 65535"
)]
pub struct ListenAddressError;

impl ListenAddress {
    /// The port; 0 lets the system choose.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What to bind, as `host:port` for a resolver: the first that can be bound serves.
    ///
    /// All interfaces are `[::]`, which on a dual-stack system takes IPv4 as well, and `0.0.0.0` where there is
    /// no IPv6.
    pub fn bind_candidates(&self) -> Vec<String> {
        match &self.host {
            None => vec![format!("[::]:{}", self.port), format!("0.0.0.0:{}", self.port)],
            Some(_) => vec![self.to_string()],
        }
    }

    /// Where a process on this machine reaches it, as `host:port`, the likeliest first.
    pub fn local_candidates(&self) -> Vec<String> {
        let v4 = format!("127.0.0.1:{}", self.port);
        let v6 = format!("[::1]:{}", self.port);
        match self.host.as_deref().map(|host| host.parse::<IpAddr>()) {
            None => vec![v4, v6],
            Some(Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED))) => vec![v4],
            Some(Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED))) => vec![v6, v4],
            Some(_) => vec![self.to_string()],
        }
    }
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.rsplit_once(':').ok_or(ListenAddressError)?;
        if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ListenAddressError);
        }
        let port = port.parse().map_err(|_| ListenAddressError)?;
        if host.is_empty() {
            return Ok(Self { host: None, port });
        }
        let host = if let Some(inner) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            inner.parse::<Ipv6Addr>().map_err(|_| ListenAddressError)?;
            inner
        } else if host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        {
            host
        } else {
            return Err(ListenAddressError);
        };
        Ok(Self {
            host: Some(host.to_owned()),
            port,
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.as_deref() {
            None => write!(f, ":{}", self.port),
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Some(host) => write!(f, "{host}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_prometheus_reads_them() {
        for (text, bind, local) in [
            (":10524", "[::]:10524", "127.0.0.1:10524"),
            ("0.0.0.0:1", "0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:1", "[::]:1", "[::1]:1"),
            ("[::1]:0", "[::1]:0", "[::1]:0"),
            (
                "metrics.example.org:80",
                "metrics.example.org:80",
                "metrics.example.org:80",
            ),
        ] {
            let address: ListenAddress = text.parse().expect(text);
            assert_eq!(address.to_string(), text);
            assert_eq!(address.bind_candidates()[0], bind);
            assert_eq!(address.local_candidates()[0], local);
        }
        let all: ListenAddress = ":7".parse().expect("all interfaces");
        assert_eq!(all.bind_candidates(), ["[::]:7", "0.0.0.0:7"]);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "10524",
            "host",
            "host:",
            ":-1",
            ":+1",
            ":65536",
            "::1:80",
            "[::1]",
            "[x]:1",
            "a b:1",
            "http://x:1",
        ] {
            assert!(bad.parse::<ListenAddress>().is_err(), "{bad:?} was taken");
        }
    }
}
