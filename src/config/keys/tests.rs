//! Defaults lie within their ranges, and every key has one home.

use super::key::weights;
use super::*;
use crate::config::duration;

#[test]
fn the_table_agrees_with_itself() {
    let written: Vec<&str> = PHISHING_WINDOWS.iter().map(|(label, _)| *label).collect();
    assert_eq!(WINDOWS.default.0, written.join(", "));
    for (label, length) in PHISHING_WINDOWS {
        assert_eq!(duration::parse(label), Ok(length), "{label}");
    }
    const {
        assert!(REQUESTS_PER_MINUTE.default <= VENDOR_PER_MINUTE);
        assert!(REQUESTS_PER_SECOND.default <= VENDOR_PER_SECOND);
    }
    for key in [&REQUESTS_PER_DAY, &MAX_TESTS, &GROUPS_MIN_SIZE, &SEGMENT_MIN_SIZE] {
        assert!(key.allowed.contains(&key.default), "{}", key.path);
    }
    assert!(RECIPIENTS_SHARE.allowed.contains(&RECIPIENTS_SHARE.default));
    assert!(MIN_INTERVAL.default < MAX_INTERVAL.default && MAX_INTERVAL.default < STALE_AFTER.default);
    let segments = crate::config::SegmentAttribute::ALL;
    assert!(
        segments[..6]
            .iter()
            .all(|attribute| SEGMENTS.allowed.0.contains(attribute.as_str()))
    );
}

#[test]
fn a_key_out_of_place_has_a_home() {
    for (name, section) in [
        ("share", Some("budget")),
        ("min_size", Some("groups")),
        ("recipients_share", Some("phishing")),
        ("weight", Some("collectors and the collector's name")),
        ("url_file", Some("storage")),
        ("segments", None),
        ("stranger", None),
    ] {
        assert_eq!(home(name), section, "{name}");
    }
}

#[test]
fn the_weights_are_the_collectors() {
    assert!(weights().starts_with("4: phishing_tests"), "{}", weights());
}
