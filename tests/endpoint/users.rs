//! Users and passwords: from `hash-password` to a client that is let in.

use std::io::{Read as _, Write as _};
use std::process::{Command, Output, Stdio};

use crate::authority::serve;
use crate::support::{BINARY, Program, Site, ask, command, has};

fn hash(password: &[u8]) -> Output {
    let mut child = command(&["hash-password"], &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(password).unwrap();
    child.wait_with_output().unwrap()
}

fn hashed(password: &str) -> String {
    let output = hash(password.as_bytes());
    assert!(output.status.success());
    let hash = String::from_utf8(output.stdout).unwrap();
    assert!(hash.ends_with('\n') && hash.len() == 61, "{hash:?}");
    hash.trim().to_owned()
}

fn curl(exporter: &Program, pair: &str) -> u16 {
    let output = Command::new("curl")
        .args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-u", pair])
        .arg(format!("{}/metrics", exporter.url()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).parse().unwrap()
}

#[test]
fn who_has_the_password_of_a_hash_is_let_in() {
    if !has("curl", "apt-get install curl") {
        return;
    }
    let site = Site::new();
    site.configure("http://127.0.0.1:9", "");
    let hash = hashed("sécret with space\n");
    assert!(hash.starts_with("$2b$10$"), "{hash}");
    // As htpasswd, PHP and old programs write the same.
    let [y, a] = ["$2y$", "$2a$"].map(|prefix| hash.replacen("$2b$", prefix, 1));
    let exporter = serve(
        &site,
        &format!("basic_auth_users:\n  carol: {hash}\n  dave: {y}\n  erin: {a}\n"),
    );
    for user in ["carol", "dave", "erin"] {
        for _twice_so_that_the_second_is_remembered in 0..2 {
            assert_eq!(
                curl(&exporter, &format!("{user}:sécret with space")),
                200,
                "{user}"
            );
            assert_eq!(
                curl(&exporter, &format!("{user}:secret with space")),
                401,
                "{user}"
            );
        }
    }
    assert_eq!(curl(&exporter, "mallory:sécret with space"), 401);
}

#[test]
fn every_hash_is_another_one_that_others_understand() {
    let (one, other) = (hashed("secret"), hashed("secret"));
    assert_ne!(one, other, "no salt");
    if !has("htpasswd", "apt-get install apache2-utils") {
        return;
    }
    let site = Site::new();
    let file = site.write("passwd", &format!("alice:{one}\n"));
    for (password, right) in [("secret", true), ("Secret", false)] {
        let verified = Command::new("htpasswd")
            .arg("-vb")
            .arg(&file)
            .args(["alice", password])
            .output()
            .unwrap();
        assert_eq!(verified.status.success(), right, "{password}");
    }
}

#[test]
fn passwords_that_protect_nothing_are_refused() {
    for (password, why) in [
        (&b""[..], "empty"),
        (b"\n", "empty"),
        (&[b'x'; 73], "72 bytes"),
        (b"a\0b\n", "NUL"),
    ] {
        let output = hash(password);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(why), "{said}");
    }
    assert!(hash(&[b'x'; 72]).status.success());
}

#[test]
fn a_terminal_does_not_show_what_is_typed() {
    if !has("script", "apt-get install bsdutils") {
        return;
    }
    for (again, good) in [("hunter2\n", true), ("hunter3\n", false)] {
        let mut terminal = Command::new("script")
            .args(["-qefc", &format!("{BINARY} hash-password"), "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = terminal.stdin.take().unwrap();
        let mut stdout = terminal.stdout.take().unwrap();
        let mut seen = Vec::new();
        let mut until = |words: &str| {
            while !String::from_utf8_lossy(&seen).contains(words) {
                let mut byte = [0];
                if stdout.read(&mut byte).unwrap() == 0 {
                    break;
                }
                seen.push(byte[0]);
            }
        };
        until("Password: ");
        stdin.write_all(b"hunter2\n").unwrap();
        until("Again: ");
        stdin.write_all(again.as_bytes()).unwrap();
        until("never said, so that everything is read");
        let seen = String::from_utf8_lossy(&seen).into_owned();
        assert_eq!(terminal.wait().unwrap().success(), good, "{seen}");
        assert!(!seen.contains("hunter"), "{seen}");
        assert_eq!(seen.contains("$2b$10$"), good, "{seen}");
        assert_eq!(seen.contains("differ"), !good, "{seen}");
    }
}

#[test]
fn guesses_do_not_hold_up_who_is_known() {
    let site = Site::new();
    site.configure("http://127.0.0.1:9", "");
    let exporter = serve(
        &site,
        &format!("basic_auth_users:\n  alice: {}\n", hashed("secret")),
    );
    // alice:secret
    let known = [("Authorization", "Basic YWxpY2U6c2VjcmV0")];
    assert_eq!(
        ask(exporter.address, "GET", "/-/ready", &known).unwrap().status,
        200
    );
    std::thread::scope(|scope| {
        for guess in 0..20 {
            let address = exporter.address;
            // Passwords that nobody has tried before, of a user who isn't there.
            let pair = format!("Basic Ym9iOmE{}", char::from(b'A' + guess));
            scope.spawn(move || ask(address, "GET", "/-/ready", &[("Authorization", pair.as_str())]));
        }
        let begun = std::time::Instant::now();
        assert_eq!(
            ask(exporter.address, "GET", "/-/ready", &known).unwrap().status,
            200
        );
        let took = begun.elapsed();
        assert!(took < std::time::Duration::from_millis(500), "{took:?}");
    });
}
