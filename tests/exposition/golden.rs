//! Golden files: what a reader of `/metrics` sees. Renew them with `UPDATE_GOLDEN=1 cargo test --test exposition`,
//! and read the difference.

use std::collections::BTreeSet;
use std::path::Path;

use knowbe4_exporter::{
    FAMILIES, Format, Kind,
    model::{Collector, Reason},
};

use crate::fixture::rich;
use crate::parser::parse;

/// Puts constants in place of what differs between builds and runs: the build's revision, the process's resources.
fn settled(body: &str) -> String {
    let mut process = false;
    let mut out = String::new();
    for line in body.lines() {
        if let Some(meta) = line.strip_prefix("# HELP ") {
            process = meta.starts_with("process_");
        }
        match line.split_once(' ') {
            Some((series, _)) if series.starts_with("knowbe4_exporter_build_info") => {
                out.push_str("knowbe4_exporter_build_info{version=\"0\",revision=\"0\",rustversion=\"0\"} 1");
            }
            Some((name, _)) if process && name != "#" => out.push_str(&format!("{name} 0")),
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[expect(clippy::disallowed_methods, reason = "one switch to renew what is committed")]
fn compare(file: &str, body: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, body).expect("written");
    }
    let golden = std::fs::read_to_string(&path).expect("golden file");
    for (number, (new, old)) in body.lines().zip(golden.lines()).enumerate() {
        assert_eq!(
            new,
            old,
            "line {} of {file}; UPDATE_GOLDEN=1 renews it",
            number + 1
        );
    }
    assert_eq!(body.len(), golden.len(), "{file} has other lines at its end");
}

#[cfg(target_os = "linux")]
#[test]
fn both_encodings_are_as_committed() {
    let world = rich();
    compare("exposition.om.txt", &settled(&world.body(Format::OpenMetrics)));
    compare("exposition.txt", &settled(&world.body(Format::Text)));
}

#[cfg(target_os = "linux")]
#[test]
fn every_family_is_there_in_order_with_the_labels_of_the_catalogue() {
    let world = rich();
    let (open_metrics, text) = (
        parse(&world.body(Format::OpenMetrics)),
        parse(&world.body(Format::Text)),
    );
    let names = |kind: fn(Kind) -> &'static str, name: fn(&knowbe4_exporter::Family) -> &'static str| {
        FAMILIES
            .iter()
            .map(|family| (name(family).to_owned(), kind(family.kind).to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        open_metrics.families,
        names(Kind::as_str, |family| family.open_metrics_name())
    );
    let gauge_for_info = |kind| {
        if kind == Kind::Info {
            "gauge"
        } else {
            Kind::as_str(kind)
        }
    };
    assert_eq!(text.families, names(gauge_for_info, |family| family.name));
    assert_eq!(open_metrics.samples, text.samples);

    for (name, labels) in text.samples.keys() {
        let family = FAMILIES.iter().find(|f| match f.kind {
            Kind::Histogram => name
                .strip_prefix(f.name)
                .is_some_and(|s| ["_bucket", "_sum", "_count"].contains(&s)),
            _ => f.name == name,
        });
        let family = family.expect("a family of the catalogue");
        let mut expected: BTreeSet<_> = family.labels.iter().copied().collect();
        if name.ends_with("_bucket") {
            expected.insert("le");
        }
        let written: Vec<_> = labels.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(
            written.iter().copied().collect::<BTreeSet<_>>(),
            expected,
            "{name}"
        );
        if family.kind != Kind::Histogram {
            assert_eq!(written, family.labels, "order of labels of {name}");
        }
    }
}

#[test]
fn what_is_not_known_is_absent_and_what_is_private_stays_so() {
    let text = parse(&rich().body(Format::Text));
    let acme =
        |name: &str, labels: &[(&str, &str)]| text.value(name, &[&[("account", "acme")], labels].concat());
    let zeta = |name: &str| {
        let all = text.of(name).into_iter();
        all.filter(|(labels, _)| labels[0].1 == "zeta").count()
    };
    // Hidden groups show their members but no score; groups outside of the listing show nothing.
    assert_eq!(acme("knowbe4_group_members", &[("group_id", "2")]), Some(3.0));
    assert_eq!(acme("knowbe4_group_risk_score", &[("group_id", "2")]), None);
    assert_eq!(acme("knowbe4_group_phish_prone_ratio", &[]), Some(0.25));
    assert_eq!(acme("knowbe4_groups_hidden", &[]), Some(1.0));
    // The API's completion, else the enrollments', else nothing.
    let completion = |id| {
        acme(
            "knowbe4_training_campaign_completion_ratio",
            &[("campaign_id", id)],
        )
    };
    assert_eq!(
        [completion("21"), completion("22"), completion("23")],
        [Some(0.97), Some(0.75), None]
    );
    // A campaign that is known to have no enrollments.
    let enrolled = [("campaign_id", "23"), ("status", "passed")];
    assert_eq!(
        acme("knowbe4_training_campaign_enrollments", &enrolled),
        Some(0.0)
    );
    assert_eq!(zeta("knowbe4_training_campaign_enrollments"), 6);
    // A window in which nothing was delivered.
    assert_eq!(
        acme("knowbe4_account_phish_prone_ratio", &[("window", "90d")]),
        None
    );
    // Nonsense, empty lists, stale collections.
    for family in [
        "knowbe4_account_risk_score",
        "knowbe4_account_seats",
        "knowbe4_users",
        "knowbe4_users_by_risk_score",
        "knowbe4_training_policies",
        "knowbe4_exporter_budget_limit",
        "knowbe4_up",
    ] {
        assert_eq!(zeta(family), 0, "{family}");
    }
    // The exporter's counters are there before anything happened, but not of what is switched off.
    assert_eq!(
        zeta("knowbe4_exporter_collector_failures_total"),
        Collector::ALL.len() * Reason::ALL.len()
    );
    let off = [("collector", "store_purchases"), ("reason", "timeout")];
    assert_eq!(acme("knowbe4_exporter_collector_failures_total", &off), None);
    assert_eq!(acme("knowbe4_exporter_collector_success", &off[..1]), None);
}
