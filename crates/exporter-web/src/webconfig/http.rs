//! The sections about answers: headers and rate limit.

use std::time::Duration;

use hyper::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS, X_XSS_PROTECTION,
};
use strict_yaml::{Found, Item};

use super::super::go;
use super::super::rate::RateLimit;

const INTERVAL: &str = "a duration such as 1s, 500ms or 1m30s, or 0";

/// The headers that there may be, each with the words that it takes; without any it takes every line.
const HEADERS: [(&str, HeaderName, &[&str]); 5] = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY, &[]),
    ("X-Frame-Options", X_FRAME_OPTIONS, &["deny", "sameorigin"]),
    ("X-Content-Type-Options", X_CONTENT_TYPE_OPTIONS, &["nosniff"]),
    ("X-XSS-Protection", X_XSS_PROTECTION, &[]),
    ("Strict-Transport-Security", STRICT_TRANSPORT_SECURITY, &[]),
];

/// `http_server_config`: the headers that every answer gets. `http2` is taken, because files have it; HTTP/1.1 is all
/// there is.
pub(super) fn headers(item: Item<'_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut section = item.table("headers: { X-Frame-Options: deny }")?;
    let _ = section.take("http2").and_then(Item::boolean);
    let table = section
        .take("headers")
        .and_then(|item| item.table("X-Frame-Options: deny"));
    section.finish();
    let Some(mut table) = table else {
        return Some(Vec::new());
    };
    let mut headers = Vec::new();
    for (key, name, words) in HEADERS {
        let value = table.take(key).and_then(|item| header(item, words));
        // An empty one leaves the header out.
        if let Some(value) = value.filter(|value| !value.value.is_empty()) {
            headers.push((name, value.value));
        }
    }
    table.finish();
    Some(headers)
}

fn header(item: Item<'_>, words: &[&str]) -> Option<Found<HeaderValue>> {
    let value = |text: &str| HeaderValue::from_str(text).ok();
    if words.is_empty() {
        return item.text("one line of printable ASCII", value);
    }
    let known = |text: &str| text.is_empty() || words.contains(&text);
    item.text(&format!("{}, or \"\" for none", words.join(" or ")), |text| {
        value(text).filter(|_| known(text))
    })
}

/// `rate_limit`, if its interval is above zero.
pub(super) fn rate_limit(item: Item<'_>) -> Option<RateLimit> {
    let mut table = item.table("{ interval: 1s, burst: 10 }")?;
    let interval = match table.take("interval") {
        // Go takes a bare number for nanoseconds, which nobody means.
        Some(item) if item.as_integer() == Some(0) => Some(Duration::ZERO),
        Some(item) => item.text(INTERVAL, go::duration).map(|found| found.value),
        None => {
            table.missing(&format!("interval is missing, expected {INTERVAL}"));
            None
        }
    };
    let burst = table
        .take("burst")
        .map(|item| item.whole(0..=u64::from(u32::MAX)));
    let at = table.key("burst").clone();
    let findings = table.findings();
    table.finish();
    let interval = interval.filter(|interval| !interval.is_zero())?;
    let burst = match burst {
        // Reported already.
        Some(None) => return None,
        Some(Some(found)) => u32::try_from(found.value).unwrap_or(u32::MAX),
        None => 0,
    };
    if burst == 0 {
        findings.wrong(
            &at,
            "burst: expected at least 1: with 0 no request at all is answered",
        );
        return None;
    }
    Some(RateLimit { interval, burst })
}
