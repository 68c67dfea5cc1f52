//! The web configuration as `promtool check web-config` and `check` see it.

use std::process::Command;

use crate::authority::{clients, site, tls};
use crate::support::{Site, has};

fn ours(site: &Site) -> (bool, String) {
    let file = format!("--web.config.file={}", site.path("web.yml").display());
    let output = site.run(&["check", &file]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let good = output.status.code() == Some(0);
    assert!(
        good || output.status.code() == Some(64),
        "{:?}: {said}",
        output.status
    );
    (good, said)
}

fn theirs(site: &Site) -> bool {
    let output = Command::new("promtool")
        .args(["check", "web-config"])
        .arg(site.path("web.yml"))
        .output()
        .unwrap();
    output.status.success()
}

const HASH: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

#[test]
fn promtool_says_the_same() {
    if !clients() || !has("promtool", "apt-get install prometheus") {
        return;
    }
    let site = site();
    for (good, web) in [
        (true, String::new()),
        (true, tls("")),
        (true, tls("  min_version: TLS12\n  max_version: TLS13\n  prefer_server_cipher_suites: false\n")),
        (true, tls("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n")),
        (true, tls("  client_auth_type: RequireAnyClientCert\n")),
        (true, tls("  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]\n")),
        (true, tls("  curve_preferences: [X25519, CurveP256, CurveP384]\n")),
        (true, format!("basic_auth_users: {{ alice: {HASH} }}\n")),
        (
            true,
            "http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n    X-Content-Type-Options: nosniff\n    \
             Strict-Transport-Security: max-age=1\n    X-XSS-Protection: \"0\"\n    Content-Security-Policy: \"default-src 'self'\"\n"
                .to_owned(),
        ),
        (false, "tls_server_confg: {}\n".to_owned()),
        (false, "tls_server_config: {cert_file: server.crt}\n".to_owned()),
        (false, "tls_server_config: {cert_file: server.crt, key_file: client.key}\n".to_owned()),
        (false, "tls_server_config: {cert_file: nothing.crt, key_file: server.key}\n".to_owned()),
        (false, tls("  client_auth_type: Maybe\n")),
        (false, tls("  client_ca_file: ca.crt\n")),
        (false, tls("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: nothing.crt\n")),
        (false, tls("  min_version: TLS99\n")),
        (false, tls("  cipher_suites: [TLS_INVENTED]\n")),
        (false, tls("  curve_preferences: [CurveP999]\n")),
        (false, "basic_auth_users: {alice: secret}\n".to_owned()),
        (false, "http_server_config: {headers: {X-Frame-Options: never}}\n".to_owned()),
        (false, "http_server_config: {headers: {Server: me}}\n".to_owned()),
    ] {
        site.write("web.yml", &web);
        let (taken, said) = ours(&site);
        assert_eq!(taken, good, "{web}\n{said}");
        assert_eq!(theirs(&site), good, "promtool on\n{web}");
    }
}

#[test]
fn check_lists_the_mistakes_of_both_files_at_once() {
    let site = Site::new();
    site.write("config.yml", "accounts:\n  - nme: acme\n");
    site.write("web.yml", "tls_server_confg: {}\n");
    for command in ["check", "serve"] {
        let file = format!("--web.config.file={}", site.path("web.yml").display());
        let output = site.run(&[command, &file]);
        assert_eq!(output.status.code(), Some(64), "{command}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("nme") && said.contains("web.yml:1:1: tls_server_confg: unknown key"),
            "{command}: {said}"
        );
    }
}
