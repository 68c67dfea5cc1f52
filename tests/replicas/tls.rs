//! A database that is spoken to by TLS alone.

use crate::postgres::Postgres;
use crate::site;
use crate::support::certificates::{Says, self_signed};
use crate::support::*;

#[test]
fn a_certificate_is_believed_as_far_as_sslmode_says() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    let simulator = simulate(&["--users", "50", "--enrollments", "100", "--groups", "2"]);
    let site = site(
        &simulator,
        1,
        "    collectors: { recipients: { enabled: false } }\n",
    );
    let folder = site.dir.path();
    let authority = |name| {
        let says = Says {
            name,
            authority: true,
            ..Says::default()
        };
        self_signed(folder, &says)
    };
    let (ours, _stranger) = (authority("ours"), authority("stranger"));
    let server = Says {
        name: "server",
        of: &["DNS:localhost"],
        ..Says::default()
    };
    ours.signs(folder, &server);
    postgres.speak_tls(&site.path("server.crt"), &site.path("server.key"));
    let port = postgres.port;
    let asked = |host: &str, mode: &str, root: Option<&str>| {
        let config = format!("--config.file={}", site.path("config.yml").display());
        let mut url = format!("--storage.url=postgresql://kb4@{host}:{port}/kb4?sslmode={mode}");
        if let Some(root) = root {
            url += &format!("&sslrootcert={}", site.path(&format!("{root}.crt")).display());
        }
        let output = run(&["plan", &config, &url], &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code() == Some(0), said)
    };
    for (host, mode, root) in [
        ("localhost", "verify-full", Some("ours")),
        ("127.0.0.1", "verify-ca", Some("ours")),
        ("127.0.0.1", "require", None),
        ("127.0.0.1", "prefer", None),
    ] {
        let (answered, said) = asked(host, mode, root);
        assert!(answered, "{host} {mode} {root:?}: {said}");
    }
    for (host, mode, root, why) in [
        ("127.0.0.1", "verify-full", Some("ours"), "certificate"),
        ("localhost", "verify-full", Some("stranger"), "certificate"),
        ("localhost", "verify-ca", Some("stranger"), "certificate"),
        ("localhost", "disable", None, "no encryption"),
    ] {
        let (answered, said) = asked(host, mode, root);
        assert!(!answered && said.contains(why), "{host} {mode} {root:?}: {said}");
    }
}
