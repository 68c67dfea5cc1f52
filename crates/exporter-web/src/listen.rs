//! Sockets that listen.

use std::io;
use std::net::SocketAddr;

use listenfd::ListenFd;
use tokio::net::TcpListener;

use super::address::ListenAddress;

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

/// The sockets that systemd passed can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InheritError {
    /// There is none: not started by a socket unit.
    #[error(
        "systemd passed no socket: start the exporter through its .socket unit, or without --web.systemd-socket"
    )]
    None,
    /// One of them is something else than a TCP socket.
    #[error("socket {number} from systemd: {source}: expected TCP, such as ListenStream=10524")]
    Unfit {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        source: io::Error,
    },
}

impl Listener {
    /// The sockets that systemd passed to this process, in its order. They can be taken once.
    ///
    /// # Errors
    /// When there is none, or one is no TCP socket.
    pub fn inherited() -> Result<Vec<Self>, InheritError> {
        let mut passed = ListenFd::from_env();
        let listeners: Vec<Self> = (0..passed.len())
            .filter_map(|index| {
                let taken = passed.take_tcp_listener(index).and_then(|socket| {
                    let Some(socket) = socket else { return Ok(None) };
                    socket.set_nonblocking(true)?;
                    TcpListener::from_std(socket).map(|listener| Some(Self(listener)))
                });
                let number = index + 1;
                taken
                    .map_err(|source| InheritError::Unfit { number, source })
                    .transpose()
            })
            .collect::<Result<_, _>>()?;
        if listeners.is_empty() {
            return Err(InheritError::None);
        }
        Ok(listeners)
    }

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
