//! Versions of TLS and client certificates, by openssl and curl.

use crate::authority::{clients, curl, handshake, serve, site, tls};

#[test]
fn old_versions_of_tls_are_refused_and_new_ones_spoken() {
    if !clients() {
        return;
    }
    let site = site();
    let exporter = serve(&site, &tls(""));
    for (version, spoken) in [
        ("-tls1", false),
        ("-tls1_1", false),
        ("-tls1_2", true),
        ("-tls1_3", true),
    ] {
        // Without this openssl itself refuses to speak the old ones.
        let done = handshake(&exporter, &[version, "-cipher", "DEFAULT@SECLEVEL=0"]);
        assert_eq!(done.status.success(), spoken, "{version}");
        if !spoken {
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(said.contains("alert"), "not the server's doing: {said}");
        }
    }
}

#[test]
fn configured_versions_suites_and_curves_hold() {
    if !clients() {
        return;
    }
    let site = site();
    let exporter = serve(
        &site,
        &tls(
            "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, \
             TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n  curve_preferences: [CurveP384]\n",
        ),
    );
    assert!(!handshake(&exporter, &["-tls1_3"]).status.success());
    assert!(!handshake(&exporter, &["-curves", "X25519"]).status.success());
    let suites = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
    // The client needs the certificate's own curve as well.
    let done = handshake(&exporter, &["-cipher", suites, "-curves", "P-256:P-384"]);
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(said.contains("384 bits"), "the configured curve counts: {said}");
    assert!(
        said.contains("ECDHE-ECDSA-AES256-GCM-SHA384"),
        "the server's order counts: {said}"
    );
    drop(exporter);
    let exporter = serve(
        &site,
        &tls(
            "  max_version: TLS12\n  prefer_server_cipher_suites: false\n  cipher_suites: \
             [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n",
        ),
    );
    let done = handshake(&exporter, &["-cipher", suites]);
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        said.contains("ECDHE-ECDSA-AES128-GCM-SHA256"),
        "the client's order counts: {said}"
    );
}

#[test]
fn every_kind_of_client_authentication_lets_in_whom_it_says() {
    if !clients() {
        return;
    }
    let site = site();
    // Without a certificate, with one of the CA, of another CA, with an expired one.
    for (auth, ca, let_in) in [
        ("NoClientCert", false, [true, true, true, true]),
        ("RequestClientCert", false, [true, true, true, true]),
        ("RequireAnyClientCert", false, [false, true, true, true]),
        ("RequireClientCert", false, [false, true, true, true]),
        ("VerifyClientCertIfGiven", true, [true, true, false, false]),
        ("RequireAndVerifyClientCert", true, [false, true, false, false]),
    ] {
        let ca = if ca { "  client_ca_file: ca.crt\n" } else { "" };
        let exporter = serve(&site, &tls(&format!("  client_auth_type: {auth}\n{ca}")));
        let clients = [None, Some("client"), Some("stranger"), Some("expired")];
        for (client, let_in) in clients.into_iter().zip(let_in) {
            for version in ["1.2", "1.3"] {
                let files = client.map(|name| (format!("{name}.crt"), format!("{name}.key")));
                let mut arguments = vec!["--tls-max", version];
                if let Some((certificate, key)) = &files {
                    arguments.extend(["--cert", certificate, "--key", key]);
                }
                let status = curl(&site, &exporter, &arguments);
                let wanted = if let_in { 200 } else { 0 };
                assert_eq!(status, wanted, "{auth}, {client:?}, TLS {version}");
            }
        }
    }
}

#[test]
fn only_the_names_on_the_list_are_let_in() {
    if !clients() {
        return;
    }
    let site = site();
    for (names, status) in [
        ("prometheus.test", 200),
        ("other.test, a@b.test", 200),
        ("spiffe://a/b", 200),
        ("10.1.2.3", 200),
        ("client", 0),
        ("other.test", 0),
    ] {
        let exporter = serve(
            &site,
            &tls(&format!(
                "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  client_allowed_sans: [{names}]\n"
            )),
        );
        let client = ["--cert", "client.crt", "--key", "client.key"];
        assert_eq!(curl(&site, &exporter, &client), status, "{names}");
        assert_eq!(curl(&site, &exporter, &[]), 0, "{names}: no certificate");
    }
}

#[test]
fn certificate_and_key_may_stand_in_the_file_itself() {
    if !clients() {
        return;
    }
    let site = site();
    let inline = |key: &str, file: &str| {
        let pem = std::fs::read_to_string(site.path(file)).unwrap();
        let lines: String = pem.lines().map(|line| format!("    {line}\n")).collect();
        format!("  {key}: |\n{lines}")
    };
    let web = [
        "tls_server_config:\n".to_owned(),
        inline("cert", "server.crt"),
        inline("key", "server.key"),
        inline("client_ca", "ca.crt"),
        "  client_auth_type: RequireAndVerifyClientCert\n".to_owned(),
    ];
    let exporter = serve(&site, &web.concat());
    assert_eq!(
        curl(&site, &exporter, &["--cert", "client.crt", "--key", "client.key"]),
        200
    );
    assert_eq!(curl(&site, &exporter, &[]), 0);
}
