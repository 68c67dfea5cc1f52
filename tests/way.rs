//! The way to the API: proxies and certificate authorities, right and wrong, over real sockets.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use knowbe4_exporter::{
    AccountInstruments, ApiError, ApiKey, CertificateProblem, Client, Clients, Clock, FileStorage, Https,
    Storage as _,
    model::{AccountName, Collector, Endpoint},
};
use quota::Limits;
use support::certificates::{Says, self_signed};
use support::{Program, Site, command, has, simulate};

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// What a command says about an account at `url`, and its exit code.
fn run(words: &[&str], url: &str, env: &[(&str, &str)]) -> (String, Option<i32>) {
    let site = Site::new();
    site.configure(url, "");
    let arguments = site.arguments();
    let mut all: Vec<&str> = words.to_vec();
    all.extend(arguments.iter().map(String::as_str));
    let output = command(&all, env).output().unwrap();
    (said(&output), output.status.code())
}

fn connect(url: &str, env: &[(&str, &str)]) -> String {
    let (text, code) = run(&["check", "--connect"], url, env);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        !text.contains("hunter2") && !text.contains("test-key-Zq"),
        "{text}"
    );
    text
}

#[test]
fn a_proxy_that_can_not_be_used_ends_every_command_before_a_request() {
    for (variable, value, expected) in [
        (
            "HTTPS_PROXY",
            "http://hunter2 corp:3128",
            "HTTPS_PROXY: expected the URL of a proxy without spaces",
        ),
        (
            "https_proxy",
            "ftp://u:hunter2@proxy:21",
            "https_proxy: expected a proxy that begins with http://",
        ),
        (
            "ALL_PROXY",
            "socks4://proxy",
            "ALL_PROXY: expected a proxy that begins with http://",
        ),
        (
            "HTTPS_PROXY",
            "http://u:hunter2#x@proxy:3128",
            "HTTPS_PROXY: a special character in the user name or password",
        ),
    ] {
        for words in [&["check"][..], &["check", "--connect"], &["serve"], &["once"]] {
            let (text, code) = run(words, "https://kb4.invalid", &[(variable, value)]);
            assert_eq!(code, Some(64), "{words:?}: {text}");
            assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
        }
    }
    // Whoever is on this very machine is asked without a proxy.
    let simulator = simulate(&["--users", "20"]);
    let (text, code) = run(
        &["check", "--connect"],
        &simulator.url(),
        &[("HTTPS_PROXY", "ftp://proxy")],
    );
    assert_eq!(code, Some(0), "{text}");
}

/// A proxy that notes where it is asked to connect to, and connects to `target` instead.
fn proxy(target: Option<u16>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let noted = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let noted = Arc::clone(&noted);
            thread::spawn(move || tunnel(stream, target, &noted));
        }
    });
    (port, asked)
}

fn tunnel(mut client: TcpStream, target: Option<u16>, noted: &Mutex<Vec<String>>) -> Option<()> {
    let mut first = [0; 1];
    client.read_exact(&mut first).ok()?;
    if first[0] == 0x16 {
        // A TLS handshake, to which a proxy without TLS says what any HTTP server says.
        client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok()?;
        return None;
    }
    if first[0] == 5 {
        // SOCKS 5: no authentication, then CONNECT to a name or an address.
        let mut methods = [0; 1];
        client.read_exact(&mut methods).ok()?;
        client.read_exact(&mut vec![0; usize::from(methods[0])]).ok()?;
        client.write_all(&[5, 0]).ok()?;
        let mut request = [0; 4];
        client.read_exact(&mut request).ok()?;
        let host = match request[3] {
            3 => {
                let mut length = [0; 1];
                client.read_exact(&mut length).ok()?;
                let mut name = vec![0; usize::from(length[0])];
                client.read_exact(&mut name).ok()?;
                String::from_utf8(name).ok()?
            }
            1 => {
                let mut address = [0; 4];
                client.read_exact(&mut address).ok()?;
                std::net::Ipv4Addr::from(address).to_string()
            }
            _ => {
                let mut address = [0; 16];
                client.read_exact(&mut address).ok()?;
                std::net::Ipv6Addr::from(address).to_string()
            }
        };
        client.read_exact(&mut [0; 2]).ok()?;
        noted.lock().unwrap().push(format!("socks {host}"));
        let code = if target.is_some() { 0 } else { 2 };
        client.write_all(&[5, code, 0, 1, 127, 0, 0, 1, 0, 0]).ok()?;
    } else {
        let mut head = first.to_vec();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0; 1];
            client.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        noted.lock().unwrap().push(head);
        let answer = if target.is_some() {
            "200 OK"
        } else {
            "403 Forbidden"
        };
        client
            .write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes())
            .ok()?;
    }
    let mut server = TcpStream::connect(("127.0.0.1", target?)).ok()?;
    let (mut back, mut forth) = (server.try_clone().ok()?, client.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut back, &mut forth));
    std::io::copy(&mut client, &mut server).ok()?;
    Some(())
}

#[test]
fn what_fails_at_the_proxy_is_blamed_on_the_proxy() {
    let api = "https://kb4.invalid";
    let text = connect(api, &[("HTTPS_PROXY", "http://u:hunter2@proxy.invalid:3128")]);
    assert!(
        text.contains("the proxy http://proxy.invalid:3128 (HTTPS_PROXY): ")
            && text.contains("does the proxy's name resolve here?"),
        "{text}"
    );
    let nobody = format!("http://127.0.0.1:{}", support::free_port());
    let text = connect(api, &[("all_proxy", &nobody)]);
    assert!(
        text.contains(&format!("the proxy {nobody} (all_proxy): "))
            && text.contains("is the proxy reachable from here"),
        "{text}"
    );
    let (port, asked) = proxy(None);
    let text = connect(api, &[("HTTPS_PROXY", &format!("https://127.0.0.1:{port}"))]);
    assert!(
        text.contains("the proxy answers without TLS: name it by http://"),
        "{text}"
    );
    let text = connect(api, &[("HTTPS_PROXY", &format!("127.0.0.1:{port}"))]);
    assert!(
        text.contains("the proxy refuses to connect to kb4.invalid"),
        "{text}"
    );
    let text = connect(api, &[("ALL_PROXY", &format!("socks5h://127.0.0.1:{port}"))]);
    assert!(
        text.contains(&format!("the proxy socks5h://127.0.0.1:{port} (ALL_PROXY): ")),
        "{text}"
    );
    let asked = asked.lock().unwrap();
    assert!(
        asked.iter().any(|asked| asked == "socks kb4.invalid"),
        "{asked:?}"
    );
    assert!(
        asked.iter().all(|asked| !asked.contains("Zq")),
        "no key reaches a proxy: {asked:?}"
    );
}

/// A server with a certificate, which answers 404 to what the API is asked for.
struct Server {
    site: Site,
    program: Program,
}

impl Server {
    /// With a certificate that says whether it is an authority's.
    fn signed_by_itself(authority: bool) -> Self {
        let site = Site::new();
        let says = Says {
            name: "server",
            of: &["DNS:localhost"],
            authority,
            ..Says::default()
        };
        self_signed(site.dir.path(), &says);
        Self::start(site)
    }

    /// With what ring doesn't make. `steps` are arguments of openssl; they leave `server.crt` and `server.key`.
    fn made_by_openssl(steps: &[&str]) -> Self {
        let site = Site::new();
        site.write(
            "leaf",
            "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost\n",
        );
        for step in steps {
            let done = Command::new("openssl")
                .current_dir(site.dir.path())
                .args(step.split(' '))
                .output()
                .unwrap();
            assert!(done.status.success(), "{step}: {}", said(&done));
        }
        Self::start(site)
    }

    fn start(site: Site) -> Self {
        site.write(
            "web.yml",
            "tls_server_config: { cert_file: server.crt, key_file: server.key }\n",
        );
        let web = format!("--web.config.file={}", site.path("web.yml").display());
        let program = Program::start(&["demo", "--web.listen-address=127.0.0.1:0", &web], &[]);
        Self { site, program }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.program.address.port())
    }

    fn path(&self, name: &str) -> String {
        self.site.path(name).display().to_string()
    }
}

#[test]
fn requests_go_through_every_kind_of_proxy() {
    let server = Server::signed_by_itself(false);
    let (port, asked) = proxy(Some(server.program.address.port()));
    let trusted = ("SSL_CERT_FILE", &*server.path("server.crt"));
    for (variable, proxy, expected) in [
        (
            "HTTPS_PROXY",
            format!("http://u:hunter2@127.0.0.1:{port}"),
            "Proxy-Authorization: Basic dTpodW50ZXIy",
        ),
        ("https_proxy", format!("127.0.0.1:{port}"), "CONNECT localhost:"),
        (
            "ALL_PROXY",
            format!("socks5h://127.0.0.1:{port}"),
            "socks localhost",
        ),
        ("all_proxy", format!("socks5://127.0.0.1:{port}"), "socks "),
    ] {
        asked.lock().unwrap().clear();
        let text = connect(&server.url(), &[("HTTPS_PROXY", ""), (variable, &proxy), trusted]);
        assert!(text.contains("nothing is found"), "{variable}: {text}");
        let asked = asked.lock().unwrap();
        let right = |head: &String| head.to_ascii_lowercase().contains(&expected.to_ascii_lowercase());
        assert!(
            !asked.is_empty() && asked.iter().all(right),
            "{variable}: {asked:?}"
        );
    }
    asked.lock().unwrap().clear();
    let proxy = format!("http://127.0.0.1:{port}");
    let text = connect(
        &server.url(),
        &[("HTTPS_PROXY", &proxy), ("NO_PROXY", "localhost"), trusted],
    );
    assert!(
        text.contains("nothing is found") && asked.lock().unwrap().is_empty(),
        "{text}"
    );
}

#[test]
fn authorities_that_can_not_be_read_end_every_command() {
    let site = Site::new();
    let empty = site.write("empty", "").display().to_string();
    let missing = site.path("missing").display().to_string();
    for (variable, path, expected) in [
        (
            "SSL_CERT_FILE",
            &missing,
            format!("SSL_CERT_FILE: cannot read {missing}: No such file or directory"),
        ),
        (
            "SSL_CERT_FILE",
            &empty,
            format!("SSL_CERT_FILE: no certificate in {empty}, expected certificates in PEM"),
        ),
        (
            "SSL_CERT_DIR",
            &missing,
            format!("SSL_CERT_DIR: cannot read {missing}: No such file or directory"),
        ),
    ] {
        for words in [&["check"][..], &["check", "--connect"], &["serve"]] {
            let (text, code) = run(words, "https://kb4.invalid", &[(variable, path)]);
            assert_eq!(code, Some(64), "{words:?}: {text}");
            assert!(text.contains(&expected), "{text}");
        }
    }
}

#[test]
fn a_certificate_that_is_refused_has_a_short_cause_and_the_right_cure() {
    if !has("openssl", "apt-get install openssl") {
        return;
    }
    let short = |text: &str| {
        let cause = text
            .lines()
            .find(|line| line.trim_start().starts_with("cause: "))
            .unwrap_or_default();
        assert!(cause.len() < 300, "{cause}");
    };
    // As `openssl req -x509` makes it.
    let authority = Server::signed_by_itself(true);
    for trusted in [None, Some(authority.path("server.crt"))] {
        let env: Vec<(&str, &str)> = trusted.iter().map(|path| ("SSL_CERT_FILE", &**path)).collect();
        let text = connect(&authority.url(), &env);
        short(&text);
        assert!(
            text.contains("says that it is an authority's (CA:TRUE)") && text.contains("CA:FALSE"),
            "{text}"
        );
    }
    for (curve, digest, expected) in [
        (
            "P-521",
            "sha256",
            "the certificate chain uses the curve P-521, which can't be verified here",
        ),
        (
            "P-521",
            "sha512",
            "the certificate chain uses ECDSA with SHA-512, which can't be verified here",
        ),
    ] {
        let chain = Server::made_by_openssl(&[
            &format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:{curve} -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt -{digest}"
            ),
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
            &format!(
                "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile leaf -out server.crt -{digest}"
            ),
        ]);
        let text = connect(&chain.url(), &[("SSL_CERT_FILE", &chain.path("ca.crt"))]);
        short(&text);
        assert!(
            text.contains(expected) && text.contains("have the chain made with these"),
            "{text}"
        );
        let text = connect(&chain.url(), &[]);
        short(&text);
        assert!(
            text.contains("signed by an authority that is not among the trusted ones of"),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchanged_bundle_holds_from_the_next_connection_on() {
    let server = Server::signed_by_itself(false);
    let other = Server::signed_by_itself(false);
    let bundle = server.site.path("bundle");
    std::fs::copy(other.site.path("server.crt"), &bundle).unwrap();
    let env = std::collections::BTreeMap::from([("SSL_CERT_FILE".to_owned(), bundle.display().to_string())]);
    let clients = Clients::of_env(&env);
    assert!(clients.mistakes().is_empty());
    let way = Https::new(
        &server.url().parse().unwrap(),
        ApiKey::new("key").unwrap(),
        &clients,
    )
    .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let account: AccountName = "acme".parse().unwrap();
    let lease = FileStorage::at(dir.path()).lease(&account).await.unwrap();
    let limits = Limits {
        per_second: 100,
        per_minute: 100,
        per_day: 100,
    };
    let budget = Arc::new(lease.budget(limits, Clock::system()).await.unwrap());
    let instruments = Arc::<AccountInstruments>::default();
    let client = Client::new(Arc::new(way), Arc::clone(&budget), instruments, Clock::system());
    let asked = || async {
        client
            .probe(Endpoint::Of(Collector::Groups), None)
            .await
            .unwrap_err()
    };
    let error = asked().await;
    assert!(
        matches!(
            error,
            ApiError::Certificate(CertificateProblem::SelfSigned { .. })
        ),
        "{error}"
    );
    // Exchanged as an orchestrator does it.
    std::fs::copy(server.site.path("server.crt"), server.site.path("next")).unwrap();
    std::fs::rename(server.site.path("next"), &bundle).unwrap();
    let error = asked().await;
    assert!(matches!(error, ApiError::Status { status: 404, .. }), "{error}");
    // One that can't be used leaves the former in place.
    std::fs::write(&bundle, "").unwrap();
    let error = asked().await;
    assert!(matches!(error, ApiError::Status { status: 404, .. }), "{error}");
}
