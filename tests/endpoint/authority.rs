//! A guarded exporter, and clients that are not ours.

use std::process::{Command, Output, Stdio};

use crate::support::certificates::{Says, Signer, self_signed};
use crate::support::{Program, Site, has};

/// Whether the clients are there.
pub(crate) fn clients() -> bool {
    has("openssl", "apt-get install openssl") && has("curl", "apt-get install curl")
}

/// What the server's certificate says.
pub(crate) const SERVER: Says<'static> = Says {
    name: "server",
    of: &["DNS:localhost", "IP:127.0.0.1"],
    authority: false,
    expired: false,
};

const CLIENT: Says<'static> = Says {
    name: "client",
    of: &[
        "DNS:prometheus.test",
        "email:a@b.test",
        "URI:spiffe://a/b",
        "IP:10.1.2.3",
    ],
    authority: false,
    expired: false,
};

/// An exporter's folder with a CA, a server's certificate, and several clients'; and the CA.
pub(crate) fn site_and_authority() -> (Site, Signer) {
    let site = Site::new();
    // Nobody answers there: this is about the endpoint.
    site.configure("http://127.0.0.1:9", "");
    let directory = site.dir.path();
    let says = Says {
        name: "ca",
        authority: true,
        ..Says::default()
    };
    let authority = self_signed(directory, &says);
    authority.signs(directory, &SERVER);
    authority.signs(directory, &CLIENT);
    let expired = Says {
        name: "expired",
        expired: true,
        ..CLIENT
    };
    authority.signs(directory, &expired);
    let stranger = Says {
        name: "stranger",
        ..CLIENT
    };
    self_signed(directory, &stranger);
    (site, authority)
}

/// The same, where nothing more is signed.
pub(crate) fn site() -> Site {
    site_and_authority().0
}

/// Serves with this web configuration.
pub(crate) fn serve(site: &Site, web: &str) -> Program {
    let file = site.write("web.yml", web);
    site.serve_with(&[&format!("--web.config.file={}", file.display())])
}

/// `tls_server_config` with the server's certificate and `more` below it.
pub(crate) fn tls(more: &str) -> String {
    format!("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n{more}")
}

/// What curl gets of `/-/ready` over HTTPS: the status, 0 when there was no answer.
pub(crate) fn curl(site: &Site, exporter: &Program, arguments: &[&str]) -> u16 {
    let output = Command::new("curl")
        .current_dir(site.dir.path())
        .args([
            "-sS",
            "--cacert",
            "ca.crt",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
        ])
        .args(arguments)
        .arg(format!("https://{}/-/ready", exporter.address))
        .output()
        .expect("curl");
    String::from_utf8_lossy(&output.stdout).parse().unwrap()
}

/// A handshake by `openssl s_client`.
pub(crate) fn handshake(exporter: &Program, arguments: &[&str]) -> Output {
    Command::new("openssl")
        .args(["s_client", "-connect", &exporter.address.to_string()])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("openssl")
}
