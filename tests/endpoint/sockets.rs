//! Where it listens: several addresses, and sockets that systemd passes.

use std::io::Write as _;
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{BINARY, PATIENCE, Site, ask, has};

#[test]
fn ipv4_and_ipv6_are_one_site() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("skipped: this machine has no IPv6");
        return;
    }
    let site = Site::new();
    site.configure("http://127.0.0.1:9", "");
    let mut exporter = site.serve_with(&["--web.listen-address=[::1]:0"]);
    exporter.until_logged("address=\"[::1]:");
    let log = exporter.log();
    let addresses: Vec<SocketAddr> = log
        .lines()
        .filter(|line| line.contains(" listening "))
        .filter_map(|line| line.split("address=\"").nth(1)?.split('"').next()?.parse().ok())
        .collect();
    assert_eq!(addresses.len(), 2, "{log}");
    for address in addresses {
        assert_ne!(address.port(), 0, "the true port is announced");
        assert_eq!(ask(address, "GET", "/-/ready", &[]).unwrap().status, 200);
    }
}

#[test]
fn an_address_that_is_taken_ends_it_with_the_reason() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = Site::new();
    site.configure("http://127.0.0.1:9", "");
    let address = format!("--web.listen-address={}", taken.local_addr().unwrap());
    let output = site.run(&["serve", &address]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("can't listen on") && said.contains("in use"),
        "{said}"
    );
}

/// Plays systemd: two sockets as descriptors 3 and 4 (a file as 5 when asked for), their number and whom they are for.
const ACTIVATE: &str = "import os, socket, sys
own = [socket.create_server(('127.0.0.1', 0)) for _ in range(2)]
print(*[s.getsockname()[1] for s in own], flush=True)
fds = [os.dup(s.fileno()) for s in own] + [os.open('/dev/null', os.O_RDONLY)]
fds = [os.dup2(fd, 20 + i) for i, fd in enumerate(fds)][:int(sys.argv[1])]
for i, fd in enumerate(fds): os.dup2(fd, 3 + i)
os.environ['LISTEN_FDS'] = sys.argv[1]
os.environ['LISTEN_PID'] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
";

#[test]
fn sockets_of_systemd_are_served_instead_of_addresses() {
    if !has("python3", "apt-get install python3") {
        return;
    }
    let site = Site::new();
    site.configure("http://127.0.0.1:9", "");
    let mut started = Command::new("python3")
        .args(["-c", ACTIVATE, "2", BINARY, "--web.systemd-socket"])
        .args(site.arguments())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ports = String::new();
    let mut stdout = std::io::BufReader::new(started.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut ports).unwrap();
    for port in ports.split_whitespace() {
        let address: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
        // The kernel has the connection before the exporter is there: nothing is lost meanwhile.
        let mut early = TcpStream::connect(address).unwrap();
        early
            .write_all(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        early.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut beginning = [0; 15];
        std::io::Read::read_exact(&mut early, &mut beginning).unwrap();
        assert_eq!(&beginning, b"HTTP/1.1 200 OK");
    }
    Command::new("kill")
        .arg(started.id().to_string())
        .status()
        .unwrap();
    let begun = Instant::now();
    let output = started.wait_with_output().unwrap();
    assert!(output.status.success() && begun.elapsed() < Duration::from_secs(20));
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(log.matches(" listening ").count(), 2, "{log}");
}

#[test]
fn without_fitting_sockets_of_systemd_it_says_what_is_missing() {
    let site = Site::new();
    site.configure("http://127.0.0.1:9", "");
    let output = site.run(&["serve", "--web.systemd-socket"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("systemd passed no socket"), "{said}");
    if !has("python3", "apt-get install python3") {
        return;
    }
    let output = Command::new("python3")
        .args(["-c", ACTIVATE, "3", BINARY, "--web.systemd-socket"])
        .args(site.arguments())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("socket 3 from systemd"), "{said}");
}
