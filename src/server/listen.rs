//! Addresses as `--web.listen-address` has them, and the sockets they become.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::net::TcpListener;

/// `HOST:PORT`, `[::1]:PORT`, or `:PORT` for every address of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// [`None`]: every address.
    host: Option<String>,
    port: u16,
}

/// The text is not an address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address to listen on: expected HOST:PORT, [IPV6]:PORT or :PORT")]
pub struct ListenAddressError(String);

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ListenAddressError(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        // u16's own parser takes "+80".
        if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let port = port.parse().map_err(|_| wrong())?;
        let host = match host.strip_prefix('[') {
            Some(rest) => {
                let inner = rest.strip_suffix(']').ok_or_else(wrong)?;
                inner.parse::<Ipv6Addr>().map_err(|_| wrong())?;
                inner
            }
            // An IPv6 address without brackets: its last group is not a port.
            None if host.contains([':', ']', '/', '@']) || host.contains(char::is_whitespace) => {
                return Err(wrong());
            }
            None => host,
        };
        Ok(Self {
            host: (!host.is_empty()).then(|| host.to_owned()),
            port,
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Some(host) => write!(f, "{host}:{}", self.port),
            None => write!(f, ":{}", self.port),
        }
    }
}

impl ListenAddress {
    /// Opens the socket. Without a host it takes IPv6 and IPv4 on one socket, and IPv4 alone where there is no IPv6.
    ///
    /// # Errors
    /// What the system says: in use, not permitted, no such address or host.
    pub async fn bind(&self) -> io::Result<Listener> {
        let Some(host) = &self.host else {
            let any = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), self.port);
            return match TcpListener::bind(any).await {
                Ok(listener) => Ok(Listener(listener)),
                // The port is the trouble, not IPv6: on IPv4 alone the exporter would hide behind another program.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
                    ) =>
                {
                    Err(error)
                }
                Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, self.port))
                    .await
                    .map(Listener),
            };
        };
        TcpListener::bind((host.as_str(), self.port)).await.map(Listener)
    }
}

/// A socket that listens.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// Where it listens: the true port when port 0 was asked for.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    pub(super) fn into_inner(self) -> TcpListener {
        self.0
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self(listener)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpStream;

    #[test]
    fn addresses_are_read_as_prometheus_writes_them() {
        for good in [
            ":10524",
            "127.0.0.1:0",
            "localhost:9",
            "[::1]:65535",
            "0.0.0.0:1",
            "[::]:80",
        ] {
            let address: ListenAddress = good.parse().expect(good);
            assert_eq!(address.to_string(), good);
        }
        for bad in [
            "",
            "10524",
            "localhost",
            ":",
            "host:",
            ":65536",
            ":-1",
            ":+80",
            "::1:80",
            "[::1]",
            "[::1:80",
            "[host]:80",
            "http://host:80",
            "a b:80",
        ] {
            assert!(bad.parse::<ListenAddress>().is_err(), "{bad:?} was taken");
        }
    }

    #[tokio::test]
    async fn a_port_alone_listens_on_ipv4_too() {
        let address: ListenAddress = ":0".parse().expect("address");
        let listener = address.bind().await.expect("bound");
        let port = listener.local_addr().expect("address").port();
        assert_ne!(port, 0);
        TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .expect("connected over IPv4");
    }

    #[tokio::test]
    async fn a_port_in_use_is_an_error_and_no_reason_to_fall_back() {
        let bind = |text: String| async move { text.parse::<ListenAddress>().expect("address").bind().await };
        // Taken for IPv6 alone where there is IPv6: IPv4 would still be free.
        let first = match bind("[::1]:0".to_owned()).await {
            Ok(listener) => listener,
            Err(_) => bind(":0".to_owned()).await.expect("bound"),
        };
        let port = first.local_addr().expect("address").port();
        let second = bind(format!(":{port}")).await;
        assert_eq!(second.expect_err("in use").kind(), io::ErrorKind::AddrInUse);
    }
}
