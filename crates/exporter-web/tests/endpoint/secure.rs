//! TLS and client certificates, with certificates made here.

use std::sync::Arc;

use exporter_web::WebConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::authority::{Authority, Use};
use super::support::{Fake, PATIENCE, Reply, Server, options};

struct Stage {
    directory: TempDir,
    authority: Authority,
}

impl Stage {
    /// A CA, a server's certificate, a client's, and one of a CA that nobody knows.
    fn new() -> Self {
        let mut stage = Self {
            directory: tempfile::tempdir().expect("directory"),
            authority: Authority::new(),
        };
        stage.issue("ca", Use::Authority, None);
        stage.issue("server", Use::Server, Some("ca"));
        stage.issue("client", Use::Client, Some("ca"));
        stage.issue("stranger", Use::Client, None);
        stage
    }

    fn issue(&mut self, name: &'static str, what: Use, by: Option<&str>) {
        self.authority.issue(self.directory.path(), name, what, by);
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    async fn server(&self, tls: &str) -> Server {
        let path = self.path("web.yml");
        let text = format!("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n{tls}");
        std::fs::write(&path, text).expect("written");
        let mut options = options();
        options.web = Some(WebConfig::load(&path).expect("good"));
        options.limits.web_config_check = std::time::Duration::ZERO;
        Server::start(Fake::default(), options).await
    }

    /// The status of one request, or [`None`] when there was no answer: in TLS 1.3 a client hears of its refusal late.
    async fn ask(
        &self,
        server: &Server,
        client: Option<&str>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Option<u16> {
        let pem = |name: &str| self.path(name);
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(pem("ca.crt")).expect("certificate"))
            .expect("CA");
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots);
        let config = match client {
            None => builder.with_no_client_auth(),
            Some(name) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_file(pem(&format!("{name}.crt"))).expect("certificate")],
                    PrivateKeyDer::from_pem_file(pem(&format!("{name}.key"))).expect("key"),
                )
                .expect("pair"),
        };
        let stream = TcpStream::connect(server.addr).await.expect("connected");
        let name = ServerName::try_from("localhost").expect("name");
        let talk = async {
            let mut stream = TlsConnector::from(Arc::new(config))
                .connect(name, stream)
                .await
                .ok()?;
            stream
                .write_all(b"GET /secure HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n")
                .await
                .ok()?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.ok()?;
            let reply = Reply::parse(&answer);
            assert_eq!(reply.text(), "over TLS\n");
            Some(reply.status)
        };
        timeout(PATIENCE, talk).await.expect("in time")
    }
}

#[tokio::test]
async fn tls_in_both_versions_and_only_the_configured_ones() {
    let stage = Stage::new();
    for (tls, old, new) in [
        ("", true, true),
        ("  min_version: TLS13\n", false, true),
        (
            "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n  curve_preferences: [CurveP256]\n",
            true,
            false,
        ),
        (
            "  cipher_suites: [TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305]\n",
            false,
            true,
        ),
    ] {
        let server = stage.server(tls).await;
        assert_eq!(stage.ask(&server, None, &[&TLS12]).await.is_some(), old, "{tls}");
        assert_eq!(stage.ask(&server, None, &[&TLS13]).await.is_some(), new, "{tls}");
        server.stop().await;
    }
}

#[tokio::test]
async fn plain_http_on_a_port_with_tls_is_told_so() {
    let stage = Stage::new();
    let server = stage.server("").await;
    let plain = server.ask("GET /metrics HTTP/1.1").await;
    assert_eq!(plain.status, 400);
    assert!(plain.text().contains("HTTPS"));
    server.stop().await;
}

#[tokio::test]
async fn client_certificates_are_asked_for_and_verified_as_configured() {
    let stage = Stage::new();
    for (auth, none, own, stranger) in [
        ("NoClientCert", true, true, true),
        ("RequestClientCert", true, true, true),
        ("RequireAnyClientCert", false, true, true),
        (
            "VerifyClientCertIfGiven\n  client_ca_file: ca.crt",
            true,
            true,
            false,
        ),
        (
            "RequireAndVerifyClientCert\n  client_ca_file: ca.crt",
            false,
            true,
            false,
        ),
    ] {
        let server = stage.server(&format!("  client_auth_type: {auth}\n")).await;
        for version in [&TLS12, &TLS13] {
            for (client, let_in) in [(None, none), (Some("client"), own), (Some("stranger"), stranger)] {
                let status = stage.ask(&server, client, &[version]).await;
                assert_eq!(status, let_in.then_some(200), "{auth} {client:?} {version:?}");
            }
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn only_certificates_with_an_allowed_name_are_let_in() {
    let stage = Stage::new();
    for (allowed, let_in) in [
        ("prometheus.test", true),
        ("a@b.test", true),
        ("spiffe://a/b", true),
        ("10.1.2.3", true),
        ("\"fd00:0::1\"", true),
        ("other.test, prometheus.test", true),
        ("prometheus", false),
        ("Prometheus.test.", false),
        ("10.1.2.30", false),
        ("client", false),
    ] {
        let server = stage
            .server(&format!(
                "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  client_allowed_sans: [{allowed}]\n"
            ))
            .await;
        let status = stage.ask(&server, Some("client"), &[&TLS13]).await;
        assert_eq!(status, let_in.then_some(200), "{allowed}");
        server.stop().await;
    }
}

#[tokio::test]
async fn certificates_are_read_again_when_they_change_and_kept_when_they_are_broken() {
    let mut stage = Stage::new();
    let server = stage.server("").await;
    assert_eq!(stage.ask(&server, None, &[&TLS13]).await, Some(200));
    // A certificate of another CA: the client must refuse it now.
    stage.issue("server", Use::Server, Some("stranger"));
    assert_eq!(
        stage.ask(&server, None, &[&TLS13]).await,
        None,
        "the old certificate is still there"
    );
    stage.issue("server", Use::Server, Some("ca"));
    assert_eq!(stage.ask(&server, None, &[&TLS13]).await, Some(200));
    std::fs::write(stage.path("server.crt"), "half a certif").expect("written");
    assert_eq!(
        stage.ask(&server, None, &[&TLS13]).await,
        Some(200),
        "the last good one is gone"
    );
    // Back to a good state by a file that no configuration has named so far.
    let renamed = "tls_server_config: {cert_file: new.crt, key_file: new.key}\n";
    std::fs::write(stage.path("web.yml"), renamed).expect("written");
    assert_eq!(
        stage.ask(&server, None, &[&TLS13]).await,
        Some(200),
        "the last good one is gone"
    );
    stage.issue("new", Use::Server, Some("stranger"));
    assert_eq!(
        stage.ask(&server, None, &[&TLS13]).await,
        None,
        "the new files were not seen"
    );
    stage.issue("new", Use::Server, Some("ca"));
    assert_eq!(stage.ask(&server, None, &[&TLS13]).await, Some(200));
    std::fs::write(stage.path("web.yml"), "").expect("written");
    assert_eq!(
        stage.ask(&server, None, &[&TLS13]).await,
        Some(200),
        "an empty file opened the door"
    );
    server.stop().await;
}

#[tokio::test]
async fn who_never_shakes_hands_is_cut() {
    let stage = Stage::new();
    let path = stage.path("web.yml");
    std::fs::write(
        &path,
        "tls_server_config: {cert_file: server.crt, key_file: server.key}\n",
    )
    .expect("written");
    let mut options = options();
    options.web = Some(WebConfig::load(&path).expect("good"));
    options.limits.first_request = std::time::Duration::from_millis(200);
    let server = Server::start(Fake::default(), options).await;
    let mut stream = TcpStream::connect(server.addr).await.expect("connected");
    stream.write_all(&[0x16, 0x03]).await.expect("written");
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .expect("cut in time");
    server.stop().await;
}
