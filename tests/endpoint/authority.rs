//! Certificates made by openssl, a guarded exporter, and clients that are not ours.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{Program, Site, has};

const SECTIONS: &str = "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\n\
    [server]\nbasicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n\
    [client]\nbasicConstraints=CA:FALSE\nsubjectAltName=DNS:prometheus.test,email:a@b.test,URI:spiffe://a/b,IP:10.1.2.3\n";

/// Whether the clients are there.
pub(crate) fn clients() -> bool {
    has("openssl", "apt-get install openssl") && has("curl", "apt-get install curl")
}

fn openssl(directory: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .current_dir(directory)
        .args(arguments.split(' '))
        .output()
        .expect("ran");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Writes NAME.crt and NAME.key into `directory`, signed by `ca`, for so many days from now.
pub(crate) fn certificate(directory: &Path, name: &str, section: &str, ca: Option<&str>, days: i32) {
    std::fs::write(directory.join("sections"), SECTIONS).unwrap();
    openssl(
        directory,
        &format!(
            "req -new -config sections -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} \
             -keyout {name}.key -out {name}.csr"
        ),
    );
    let signer = match ca {
        Some(ca) => format!("-CA {ca}.crt -CAkey {ca}.key -CAcreateserial"),
        None => format!("-signkey {name}.key"),
    };
    openssl(
        directory,
        &format!(
            "x509 -req -in {name}.csr -extfile sections -extensions {section} -days {days} {signer} -out {name}.crt"
        ),
    );
}

/// An exporter's folder with a CA, a server's certificate, and several clients'.
pub(crate) fn site() -> Site {
    let site = Site::new();
    // Nobody answers there: this is about the endpoint.
    site.configure("http://127.0.0.1:9", "");
    let directory = site.dir.path();
    certificate(directory, "ca", "ca", None, 2);
    certificate(directory, "server", "server", Some("ca"), 2);
    certificate(directory, "client", "client", Some("ca"), 2);
    certificate(directory, "expired", "client", Some("ca"), -1);
    certificate(directory, "stranger", "client", None, 2);
    site
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
