//! `once` and `backfill` write where they are told, and what is there is respected.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt};

use support::{Site, simulate};

/// An exporter's folder with one account.
fn site(name: &str, url: &str) -> Site {
    let site = Site::new();
    site.configure(url, "");
    let file = fs::read_to_string(site.path("config.yml")).unwrap();
    site.write(
        "config.yml",
        &file.replace("name: acme", &format!("name: {name}")),
    );
    site
}

fn series(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.rsplit_once(' ')?.0))
        .collect()
}

#[test]
fn two_accounts_files_side_by_side_share_no_series() {
    let simulator = simulate(&["--users", "20", "--enrollments", "50"]);
    let folder = tempfile::tempdir().unwrap();
    let mut texts = Vec::new();
    for name in ["acme", "umbrella"] {
        let site = site(name, &simulator.url());
        let file = folder.path().join(format!("{name}.prom"));
        let output = site.run(&["once", &format!("--output={}", file.display())]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.stdout.is_empty());
        texts.push(fs::read_to_string(&file).unwrap());
    }
    let [acme, umbrella] = [series(&texts[0]), series(&texts[1])];
    assert!(
        acme.len() > 50 && umbrella.len() > 50,
        "{} {}",
        acme.len(),
        umbrella.len()
    );
    let shared: Vec<_> = acme.intersection(&umbrella).collect();
    assert!(shared.is_empty(), "{shared:?}");
    assert!(acme.iter().all(|series| series.contains("account=\"acme\"")));
    // node_exporter wants one HELP for a family, whichever file it stands in.
    let helps = |text: &str| -> BTreeSet<String> {
        text.lines()
            .filter(|line| line.starts_with("# "))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(helps(&texts[0]), helps(&texts[1]));
}

#[test]
fn output_goes_to_standard_output_devices_and_files_as_they_are() {
    let simulator = simulate(&["--users", "20", "--enrollments", "50"]);
    let site = site("acme", &simulator.url());
    let output = site.run(&["once", "--output=-"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("knowbe4_account_info{account=\"acme\""),
        "{text}"
    );
    assert!(!std::path::Path::new("-").exists());

    let output = site.run(&["once", "--output=/dev/null"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());

    let file = site.write("kept.prom", "old\n");
    fs::set_permissions(&file, PermissionsExt::from_mode(0o604)).unwrap();
    let output = site.run(&["once", &format!("--output={}", file.display())]);
    assert!(output.status.success());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o604);
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .contains("knowbe4_account_info")
    );

    // The samples alone on standard output, what to do with them on standard error.
    let output = site.run(&["backfill", "--output=-", "--since=30d"]);
    let (text, said) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success() && text.ends_with("# EOF\n"), "{said}");
    assert!(
        text.lines()
            .all(|line| line.starts_with("# ") || line.starts_with("knowbe4_")),
        "{text}"
    );
    assert!(
        said.contains("promtool tsdb create-blocks-from openmetrics"),
        "{said}"
    );
}
