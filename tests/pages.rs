//! The exporter's own pages over HTTP: which account is picked, service discovery, links.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

mod support;

use serde_json::{Value, json};
use support::{Program, Site, ask};

/// An exporter of two accounts that can't be reached: this is about the pages.
fn serve(more: &[&str]) -> (Site, Program) {
    let site = Site::new();
    site.configure("http://127.0.0.1:9", "");
    let acme = std::fs::read_to_string(site.path("config.yml")).unwrap();
    let beta = acme
        .lines()
        .skip(1)
        .map(|line| line.replace("name: acme", "name: beta"))
        .map(|line| format!("{}\n", line.replace("api_key_file: key", "api_key_file: other")));
    let both = acme.clone() + &beta.collect::<String>();
    site.write("config.yml", &both);
    site.write("other", "another-key-Zq");
    let exporter = site.serve_with(more);
    (site, exporter)
}

#[test]
fn one_account_is_picked_by_its_name() {
    let (_site, exporter) = serve(&[]);
    for (query, page, json, metrics) in [
        ("?account=acme", 200, 200, 200),
        ("?account=%61cme", 200, 200, 200),
        ("?account=nobody", 404, 404, 404),
        // The page's own field, sent empty.
        ("?account=", 200, 400, 400),
        ("?account", 200, 400, 400),
        ("?account=acme&account=beta", 400, 400, 400),
        ("?account=%zz", 404, 404, 404),
    ] {
        for (path, status) in [("/status", page), ("/api/v1/status", json), ("/metrics", metrics)] {
            let answer = exporter.get(&format!("{path}{query}"));
            assert_eq!(answer.status, status, "{path}{query}");
        }
    }
    let one = exporter.get("/api/v1/status?account=beta").json();
    assert_eq!(one["accounts"].as_array().map(Vec::len), Some(1));
    let unknown = exporter.get("/metrics?account=nobody").text();
    assert!(
        unknown.contains("\"nobody\"") && unknown.contains("parameter \"account\""),
        "{unknown}"
    );
}

#[test]
fn discovery_lists_a_target_per_account_under_the_clients_own_name_for_the_exporter() {
    let (_site, exporter) = serve(&[]);
    let answer = ask(exporter.address, "GET", "/sd", &[("Host", "kb4.example:80")]).unwrap();
    assert_eq!(answer.headers["content-type"], "application/json");
    let target = |name| {
        let labels = json!({
            "__param_account": name,
            "__meta_knowbe4_account": name,
            "instance": format!("kb4.example:80/{name}"),
        });
        json!({ "targets": ["kb4.example:80"], "labels": labels })
    };
    assert_eq!(answer.json(), Value::from(vec![target("acme"), target("beta")]));
    let nowhere = ask(exporter.address, "GET", "/sd", &[("Host", "a/b")]).unwrap();
    assert_eq!(nowhere.status, 400);
}

#[test]
fn discovery_names_a_path_of_the_metrics_that_is_not_the_usual_one() {
    let (_site, exporter) = serve(&["--web.telemetry-path=/kb4"]);
    let groups = exporter.get("/sd").json();
    assert_eq!(groups[0]["labels"]["__metrics_path__"], "/kb4");
    assert_eq!(exporter.get("/kb4").status, 200);
    assert_eq!(exporter.get("/metrics").status, 404);
}

#[test]
fn pages_name_the_version_and_link_to_the_metrics() {
    let (_site, exporter) = serve(&[]);
    for path in ["/", "/status"] {
        let page = exporter.get(path);
        let version = format!("knowbe4-exporter {}", env!("CARGO_PKG_VERSION"));
        assert!(page.text().contains(&version), "{path}");
        assert!(page.text().contains("href=\"./metrics\""), "{path}");
        assert!(page.headers["content-security-policy"].starts_with("default-src 'none'"));
    }
}

/// Every link of a page.
fn links(page: &str) -> Vec<&str> {
    page.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| !link.starts_with(['#', '?']) && !link.starts_with("data:"))
        .collect()
}

#[test]
fn links_hold_behind_a_proxy_that_takes_its_path_off() {
    let (_site, exporter) = serve(&[]);
    for path in ["/", "/status", "/status?account=acme"] {
        let page = exporter.get(path).text();
        let links = links(&page);
        assert!(links.len() > 2, "{path}: {links:?}");
        for link in links {
            assert!(link.starts_with("./"), "{path}: {link}");
        }
    }
}

#[test]
fn below_an_external_path_everything_moves_and_every_link_leads_somewhere() {
    let (_site, exporter) = serve(&["--web.external-url=https://m.example/kb4"]);
    for path in ["/kb4/", "/kb4/status", "/kb4/status?account=acme"] {
        let answer = exporter.get(path);
        assert_eq!(answer.status, 200, "{path}");
        let page = answer.text();
        for link in links(&page) {
            let plain = link.replace("&amp;", "&");
            assert_eq!(exporter.get(&plain).status, 200, "{path}: {link}");
        }
    }
    let sd = exporter.get("/kb4/sd").json();
    assert_eq!(sd[0]["targets"][0], "m.example");
    assert_eq!(sd[0]["labels"]["__metrics_path__"], "/kb4/metrics");
    assert_eq!(sd[0]["labels"]["__scheme__"], "https");
    assert_eq!(exporter.get("/metrics").status, 404);
    let address = format!("--web.listen-address={}", exporter.address);
    let health = |more: &str| support::run(&["health", &address, more], &[]).status.code();
    assert_eq!(health("--web.route-prefix=/kb4"), Some(0));
    assert_eq!(health("--web.route-prefix=/"), Some(1));
}
