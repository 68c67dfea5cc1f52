//! Certificates that change while the exporter runs.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::authority::{SERVER, clients, curl, handshake, serve, site, site_and_authority};
use crate::support::certificates::Says;
use crate::support::{PATIENCE, Program, Site};

/// Subject of the certificate that is served.
fn subject(exporter: &Program) -> String {
    let said = String::from_utf8_lossy(&handshake(exporter, &[]).stdout).into_owned();
    let line = said.lines().find(|line| line.starts_with("subject="));
    line.unwrap_or_default().to_owned()
}

fn until_served(exporter: &Program, name: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !subject(exporter).contains(name) {
        assert!(
            Instant::now() < deadline,
            "{name} is not served: {}",
            subject(exporter)
        );
        sleep(Duration::from_millis(200));
    }
}

/// As Kubernetes replaces a secret: the files are links into a folder that is a link, and that one is exchanged.
fn exchange(site: &Site, version: &str) {
    let folder = site.path(version);
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(site.path(&format!("{version}.crt")), folder.join("tls.crt")).unwrap();
    std::fs::copy(site.path(&format!("{version}.key")), folder.join("tls.key")).unwrap();
    symlink(version, site.path("..data_tmp")).unwrap();
    std::fs::rename(site.path("..data_tmp"), site.path("..data")).unwrap();
}

#[test]
fn a_secret_that_is_exchanged_is_served_and_open_connections_go_on() {
    if !clients() {
        return;
    }
    let (site, authority) = site_and_authority();
    for version in ["first", "second"] {
        let says = Says {
            name: version,
            ..SERVER
        };
        authority.signs(site.dir.path(), &says);
    }
    exchange(&site, "first");
    for file in ["tls.crt", "tls.key"] {
        symlink(format!("..data/{file}"), site.path(file)).unwrap();
    }
    let mut exporter = serve(
        &site,
        "tls_server_config: {cert_file: tls.crt, key_file: tls.key}\n",
    );
    assert!(subject(&exporter).contains("first"));
    let mut open = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &exporter.address.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = open.stdin.take().unwrap();
    let mut ask = |last: &str| {
        let request = format!("GET /-/ready HTTP/1.1\r\nHost: localhost\r\n{last}\r\n");
        stdin.write_all(request.as_bytes()).unwrap();
    };
    ask("");
    exchange(&site, "second");
    until_served(&exporter, "second");
    ask("Connection: close\r\n");
    let mut answers = String::new();
    open.stdout.take().unwrap().read_to_string(&mut answers).unwrap();
    open.wait().unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    exporter.until_logged("the web configuration was read again");
}

#[test]
fn a_broken_certificate_keeps_the_last_good_one_and_says_so_once() {
    if !clients() {
        return;
    }
    let site = site();
    let mut exporter = serve(
        &site,
        "tls_server_config: {cert_file: server.crt, key_file: server.key}\n",
    );
    assert_eq!(curl(&site, &exporter, &[]), 200);
    // The other half of the pair is not there yet.
    std::fs::copy(site.path("client.crt"), site.path("server.crt")).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !exporter.log().contains("the last good web configuration stays") {
        assert_eq!(curl(&site, &exporter, &[]), 200);
        assert!(Instant::now() < deadline, "{}", exporter.log());
        sleep(Duration::from_millis(300));
    }
    for _ in 0..10 {
        assert_eq!(curl(&site, &exporter, &[]), 200);
        sleep(Duration::from_millis(500));
    }
    let log = exporter.log();
    assert_eq!(
        log.matches("the last good web configuration stays").count(),
        1,
        "{log}"
    );
    std::fs::copy(site.path("client.key"), site.path("server.key")).unwrap();
    until_served(&exporter, "client");
}
