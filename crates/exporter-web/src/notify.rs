//! What a service manager hears: ready, reloading, stopping, alive (sd_notify(3)).

use std::fmt;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The socket of a service manager; silent where there is none.
#[derive(Default)]
pub struct Notifier {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier")
            .field("is_heard", &self.socket.is_some())
            .field("watchdog", &self.watchdog)
            .finish()
    }
}

impl Notifier {
    /// Speaks to the socket that `NOTIFY_SOCKET` names. `watchdog` is the value of `WATCHDOG_USEC`, `pid` that of
    /// `WATCHDOG_PID`: whom the watchdog is for.
    ///
    /// # Errors
    /// When it is neither a path nor the name of an abstract socket, or the system has no socket to send from.
    pub fn new(socket: &str, watchdog: Option<&str>, pid: Option<&str>) -> io::Result<Self> {
        let address = match socket.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None if socket.starts_with('/') => SocketAddr::from_pathname(socket)?,
            None => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "expected a path or @NAME",
                ));
            }
        };
        let sender = UnixDatagram::unbound()?;
        // A manager that doesn't read must not hold the exporter up.
        sender.set_nonblocking(true)?;
        let ours = pid.is_none_or(|pid| pid == std::process::id().to_string());
        let watchdog = watchdog
            .filter(|_| ours)
            .and_then(|micros| micros.parse().ok())
            .filter(|micros| *micros > 0)
            .map(Duration::from_micros);
        Ok(Self {
            socket: Some((sender, address)),
            watchdog,
        })
    }

    /// How often [`Notifier::alive`] is to be said: twice in the time after which the manager takes the exporter for dead.
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog.map(|after| after / 2)
    }

    /// It serves; also after a reload, whether or not that changed anything.
    pub fn ready(&self, status: &str) {
        self.say(&format!("READY=1\nSTATUS={}", one_line(status)));
    }

    /// A reload begins. [`Notifier::ready`] has to follow.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.say(&format!(
            "RELOADING=1\nMONOTONIC_USEC={micros}\nSTATUS=Reading the configuration again."
        ));
    }

    /// The end begins.
    pub fn stopping(&self) {
        self.say("STOPPING=1\nSTATUS=Stopping.");
    }

    /// All is well.
    pub fn alive(&self) {
        self.say("WATCHDOG=1");
    }

    fn say(&self, state: &str) {
        let Some((socket, address)) = &self.socket else {
            return;
        };
        if let Err(error) = socket.send_to_addr(state.as_bytes(), address) {
            tracing::debug!(%error, "the service manager can't be told");
        }
    }
}

/// A line break would begin another field.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager() -> (tempfile::TempDir, UnixDatagram, String) {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("bound");
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("timeout");
        (folder, socket, path.display().to_string())
    }

    fn heard(socket: &UnixDatagram) -> String {
        let mut message = [0; 512];
        let length = socket.recv(&mut message).expect("heard");
        String::from_utf8_lossy(&message[..length]).into_owned()
    }

    #[test]
    fn each_state_is_said_as_sd_notify_says_it() {
        let (_folder, socket, path) = manager();
        let notifier = Notifier::new(&path, None, None).expect("a path");
        notifier.ready("Fine.\nMAINPID=1");
        assert_eq!(heard(&socket), "READY=1\nSTATUS=Fine. MAINPID=1");
        notifier.reloading();
        let said = heard(&socket);
        let micros = said
            .lines()
            .nth(1)
            .and_then(|line| line.strip_prefix("MONOTONIC_USEC="));
        assert!(said.starts_with("RELOADING=1\n"), "{said}");
        assert!(
            micros.is_some_and(|micros| micros.parse::<u64>().is_ok()),
            "{said}"
        );
        notifier.alive();
        assert_eq!(heard(&socket), "WATCHDOG=1");
        notifier.stopping();
        assert!(heard(&socket).starts_with("STOPPING=1\n"));
    }

    #[test]
    fn the_watchdog_is_for_this_process_alone() {
        let (_folder, _socket, path) = manager();
        let own = std::process::id().to_string();
        for (watchdog, pid, interval) in [
            (Some("60000000"), None, Some(30)),
            (Some("60000000"), Some(own.as_str()), Some(30)),
            (Some("60000000"), Some("1"), None),
            (Some("0"), None, None),
            (Some("often"), None, None),
            (None, None, None),
        ] {
            let notifier = Notifier::new(&path, watchdog, pid).expect("a path");
            assert_eq!(notifier.watchdog_interval(), interval.map(Duration::from_secs));
        }
    }

    #[test]
    fn without_a_manager_nothing_is_said_and_odd_sockets_are_refused() {
        Notifier::default().ready("Fine.");
        assert!(Notifier::new("vsock:2:1", None, None).is_err());
        let abstract_one = Notifier::new("@nobody-listens-here", None, None).expect("a name");
        abstract_one.alive();
    }
}
