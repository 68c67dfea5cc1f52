//! Sockets that listen.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::cli::ListenAddress;

/// A socket that listens.
#[derive(Debug)]
pub struct Listener(TcpListener);

/// No socket could be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "can't listen on {address}: {source} (is another exporter running? --web.listen-address names another address)"
)]
pub struct BindError {
    address: String,
    source: io::Error,
}

impl Listener {
    /// Opens a socket. Without a host it takes IPv6 and IPv4 at once, and IPv4 alone where there is no IPv6.
    ///
    /// # Errors
    /// In use, not permitted, no such address or host.
    pub async fn bind(address: &ListenAddress) -> Result<Self, BindError> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for candidate in address.bind_candidates() {
            match TcpListener::bind(&candidate).await {
                Ok(listener) => return Ok(Self(listener)),
                // The port is the trouble, not IPv6: on IPv4 alone the exporter would hide behind another program.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
                    ) =>
                {
                    last = error;
                    break;
                }
                Err(error) => last = error,
            }
        }
        Err(BindError {
            address: address.to_string(),
            source: last,
        })
    }

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
