//! Sockets that listen.

use std::io;
use std::net::SocketAddr;

use listenfd::ListenFd;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, lookup_host};

use super::address::ListenAddress;

/// Connections that wait for being accepted; the system cuts it to its own limit, 4,096 on Linux. A thousand that come
/// at once must not make the next one knock again a second later.
const BACKLOG: u32 = 4096;

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
            match open(&candidate).await {
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

/// The first address of this name and port that can be listened on.
async fn open(candidate: &str) -> io::Result<TcpListener> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in lookup_host(candidate).await? {
        match open_one(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn open_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if address.is_ipv6() && address.ip().is_unspecified() {
        // Whatever net.ipv6.bindv6only says. Where a system refuses, IPv6 alone is what there is.
        let _ = SockRef::from(&socket).set_only_v6(false);
    }
    // The port of a predecessor that has just ended can be taken over.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self(listener)
    }
}
