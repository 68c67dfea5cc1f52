//! The values of a level that are more than one word: patterns, windows, attributes.

use std::time::Duration;

use regex::Regex;
use strict_yaml::{Findings, Found, Item};

use super::super::{SegmentAttribute, duration, groups, keys};

pub(super) fn pattern(item: Item<'_>) -> Option<Found<Regex>> {
    const EXPECTED: &str = "a regular expression (RE2 syntax) for whole names";
    let Some(text) = item.as_str() else {
        return item.unexpected(EXPECTED);
    };
    match groups::anchored(text) {
        Ok(pattern) => item.found(pattern),
        Err(error) => {
            // The first lines show the pattern, the last one says what is wrong with it.
            let error = error.to_string();
            let cause = error.lines().last().unwrap_or_default();
            item.unexpected(&format!("{EXPECTED} ({})", cause.trim_start_matches("error: ")))
        }
    }
}

pub(super) fn windows(item: Item<'_>, findings: &Findings) -> Option<Found<Vec<(String, Duration)>>> {
    let list = item.list("durations such as [30d, 90d]")?;
    let mut windows: Vec<(String, Duration)> = Vec::new();
    for item in list.value {
        let label = item.as_str().unwrap_or_default().to_owned();
        if label == "all" {
            findings.wrong(
                &item.at,
                "found \"all\", which is always there, expected durations only",
            );
            continue;
        }
        let Some(length) = duration::take(item, keys::SHORTEST_WINDOW) else {
            continue;
        };
        if windows.iter().any(|(other, _)| *other == label) {
            findings.wrong(
                &length.at,
                format!("found {label:?} twice, expected each window once"),
            );
            continue;
        }
        windows.push((label, length.value));
    }
    Some(Found {
        value: windows,
        at: list.at,
    })
}

pub(super) fn segments(item: Item<'_>, findings: &Findings) -> Option<Found<Vec<SegmentAttribute>>> {
    let all = SegmentAttribute::ALL.map(SegmentAttribute::as_str).join(", ");
    let list = item.list("user attributes such as [department, location]")?;
    let mut attributes = Vec::new();
    for item in list.value {
        if item.as_str().is_some_and(SegmentAttribute::is_personal) {
            let personal = format!("an attribute that many share, since this one is about one person: {all}");
            item.unexpected::<()>(&personal);
            continue;
        }
        let Some(found) = item.text(&format!("one of {all}"), SegmentAttribute::of) else {
            continue;
        };
        if attributes.contains(&found.value) {
            findings.wrong(
                &found.at,
                format!("found \"{}\" twice, expected each attribute once", found.value),
            );
            continue;
        }
        attributes.push(found.value);
    }
    Some(Found {
        value: attributes,
        at: list.at,
    })
}
