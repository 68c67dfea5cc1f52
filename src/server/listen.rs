//! Listening sockets.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};

use crate::cli::ListenAddress;

/// A bound socket.
#[derive(Debug)]
pub struct Listener(TcpListener);

/// No socket for an address.
#[derive(Debug, thiserror::Error)]
#[error(
    "can't listen on {address}: {source} (is another exporter running? --web.listen-address chooses another)"
)]
pub struct BindError {
    address: String,
    source: io::Error,
}

impl Listener {
    /// Binds the first candidate of an address that can be bound.
    ///
    /// # Errors
    /// With the reason of the last.
    pub async fn bind(address: &ListenAddress) -> Result<Self, BindError> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for candidate in address.bind_candidates() {
            match TcpListener::bind(&candidate).await {
                Ok(listener) => return Ok(Self(listener)),
                Err(error) => last = error,
            }
        }
        Err(BindError {
            address: address.to_string(),
            source: last,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.0.local_addr().ok()
    }

    pub(super) async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = self.0.accept().await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
