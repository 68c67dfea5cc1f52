//! What the web configuration takes and what it refuses, with the words it finds.

use super::*;

fn load(text: &str) -> Result<WebConfig, Vec<String>> {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("web.yml");
    std::fs::write(&path, text).expect("written");
    WebConfig::load(&path)
}

/// The only mistake, without the directory before the file's name.
fn mistake(text: &str) -> String {
    let mistakes = load(text).expect_err(text);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    let (_, from_name) = mistakes[0].split_once("web.yml").expect("the file is named");
    format!("web.yml{from_name}")
}

#[test]
fn empty_files_and_sections_switch_everything_off() {
    for text in [
        "",
        "# nothing\n",
        "\u{feff}# a mark of Windows' editors\n",
        "{}",
        "tls_server_config: {}\nbasic_auth_users:\nrate_limit:\n",
        "tls_server_config:\n  prefer_server_cipher_suites: false\n",
        "http_server_config: {http2: true, headers: {X-Frame-Options: \"\"}}\nrate_limit: {interval: 0, burst: 0}\n",
    ] {
        let config = load(text).expect(text);
        assert!(!config.has_tls() && !config.has_users(), "{text}");
        assert!(
            config.headers().is_empty() && config.rate_limit().is_none(),
            "{text}"
        );
    }
}

#[test]
fn all_mistakes_are_named_at_once() {
    let text = "tls_server_config:\n  min_version: SSL3\n  client_auth_type: Maybe\n  bogus: 1\n\
                basic_auth_users:\n  alice: plain\n  bob: alsoplain\nrate_limit: {interval: 5}\n";
    let mistakes = load(text).expect_err("mistakes");
    let lines: Vec<_> = mistakes
        .iter()
        .map(|mistake| {
            let behind = mistake.split("web.yml:").nth(1).expect("the file is named");
            behind.split(':').next().expect("a line").to_owned()
        })
        .collect();
    assert_eq!(lines, ["2", "3", "4", "6", "7", "8"], "{mistakes:?}");
    assert!(!format!("{mistakes:?}").contains("plain"));
}

#[test]
fn mistakes_are_named_with_line_and_column() {
    for (text, place, what) in [
        (
            "tls_server_confg: {}\n",
            ":1:1:",
            "tls_server_confg: unknown key, did you mean \"tls_server_config\"?",
        ),
        (
            "http_server_config:\n  http3: true\n",
            ":2:3:",
            "http_server_config.http3: unknown key, did you mean \"http2\"?",
        ),
        (
            "tls_server_config:\n  min_version: TLS10\n",
            ":2:16:",
            "TLS10 is broken",
        ),
        (
            "tls_server_config:\n  max_version: SSL3\n",
            ":2:16:",
            "found the text \"SSL3\", expected TLS12 or TLS13",
        ),
        (
            "tls_server_config:\n  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n",
            ":2:",
            "TLS_AES_128_GCM_SHA256",
        ),
        (
            "tls_server_config:\n  curve_preferences: [CurveP521]\n",
            ":2:",
            "X25519, CurveP256 or CurveP384",
        ),
        (
            "tls_server_config:\n  client_auth_type: Maybe\n",
            ":2:21:",
            "RequireAndVerifyClientCert",
        ),
        (
            "http_server_config:\n  headers:\n    X-Powered-By: me\n",
            ":3:5:",
            "unknown key",
        ),
        (
            "http_server_config:\n  headers:\n    X-Frame-Options: allow\n",
            ":3:",
            "expected deny or sameorigin",
        ),
        (
            "http_server_config:\n  headers:\n    X-XSS-Protection: \"1\\n2\"\n",
            ":3:23:",
            "one line",
        ),
        (
            "rate_limit: {interval: 5, burst: 1}\n",
            ":1:",
            "a duration such as 1s",
        ),
        (
            "rate_limit: {interval: 1d, burst: 1}\n",
            ":1:",
            "a duration such as 1s",
        ),
        ("rate_limit:\n  interval: 1s\n", ":2:3:", "at least 1"),
        (
            "rate_limit:\n  interval: 1s\n  burst: -1\n",
            ":3:10:",
            "whole number",
        ),
        ("basic_auth_users: [alice]\n", ":1:", "user names"),
        ("basic_auth_users:\n  \"a:b\": x\n", ":2:", "colon"),
        ("tls_server_config: [\n", ":2:1:", "isn't closed"),
    ] {
        let mistake = mistake(text);
        assert!(mistake.starts_with(&format!("web.yml{place}")), "{mistake}");
        assert!(mistake.contains(what), "{mistake}");
    }
}

#[test]
fn all_mistakes_of_tls_are_found_at_once() {
    let mistakes = load(
        "tls_server_config:\n  cert_file: missing.crt\n  client_ca_file: missing.ca\n  client_allowed_sans: [a]\n  \
         min_version: TLS13\n  max_version: TLS12\n",
    )
    .expect_err("bad");
    let all = mistakes.join("\n");
    for what in [
        "web.yml:2:14: tls_server_config.cert_file: ",
        "missing.crt can't be read",
        "web.yml:2:3: tls_server_config: key_file or key is missing",
        "web.yml:3:19: tls_server_config.client_ca_file: ",
        "tls_server_config.client_ca_file: is of no use without client_auth_type",
        "web.yml:4:24: tls_server_config.client_allowed_sans: needs client_auth_type",
        "web.yml:5:16: tls_server_config.min_version: is above max_version",
    ] {
        assert!(all.contains(what), "missing {what:?} in\n{all}");
    }
    let both = load("tls_server_config: {cert: a, cert_file: b, key: c}\n").expect_err("bad");
    assert!(both[0].contains("not both"), "{both:?}");
    let lonely = load("tls_server_config: {min_version: TLS13}\n").expect_err("no certificate");
    assert_eq!(lonely.len(), 2, "{lonely:?}");
    let rubbish = load("tls_server_config: {cert: rubbish, key: rubbish}\n").expect_err("bad");
    assert!(rubbish[0].contains("certificates in PEM"), "{rubbish:?}");
}

#[test]
fn no_mistake_repeats_a_secret() {
    let costly = "$2y$31$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
    for secret in ["hunter2", "123456", "12.5", "0x1f", "-77", costly] {
        let mistake = mistake(&format!("basic_auth_users:\n  alice: {secret}\n"));
        assert!(!mistake.contains(secret), "{mistake}");
        assert!(mistake.starts_with("web.yml:2:"), "{mistake}");
    }
    let key = load("tls_server_config:\n  cert: x\n  key: 987654\n").expect_err("no PEM");
    let key = format!("{key:?}");
    assert!(!key.contains("987654"), "{key}");
    let text = "basic_auth_users:\n  alice: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n";
    let config = load(text).expect("good");
    assert!(config.has_users());
    assert!(!format!("{config:?}").contains("QOau"), "{config:?}");
}

#[test]
fn a_user_that_stands_twice_is_a_mistake() {
    let hash = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
    let mistake = mistake(&format!("basic_auth_users:\n  alice: {hash}\n  alice: {hash}\n"));
    assert!(mistake.contains("twice"), "{mistake}");
}

#[test]
fn files_that_cannot_be_one_are_refused() {
    let missing = WebConfig::load(Path::new("/nonexistent/web.yml")).expect_err("missing");
    assert!(
        missing[0].starts_with("/nonexistent/web.yml: the file can't be read"),
        "{missing:?}"
    );
    assert!(mistake(&format!("# {}\n", "x".repeat(70_000))).contains("holds more than"));
}

#[test]
fn a_pipe_is_given_up_and_what_is_no_file_is_named() {
    let directory = tempfile::tempdir().expect("directory");
    let pipe = directory.path().join("server.key");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    let path = directory.path().join("web.yml");
    std::fs::write(&path, "tls_server_config: {cert: x, key_file: server.key}\n").expect("written");
    let mistakes = WebConfig::load(&path).expect_err("nobody writes");
    assert!(
        mistakes[0].contains("server.key can't be read: didn't answer within 5 s"),
        "{mistakes:?}"
    );
    let device = WebConfig::load(Path::new("/dev/null")).expect("empty");
    assert!(
        device.warnings()[0].contains("is a device and no regular file"),
        "{:?}",
        device.warnings()
    );
}
