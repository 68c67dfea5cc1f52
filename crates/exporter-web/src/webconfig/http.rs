//! The sections about answers: headers and rate limit.

use hyper::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS, X_XSS_PROTECTION,
};

use super::super::rate::RateLimit;
use super::file::{ContentTypeOptions, FrameOptions, HttpSection, RateSection};
use super::read::Mistakes;

/// The headers that every answer gets.
pub(super) fn headers(section: HttpSection, mistakes: &mut Mistakes<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let section = section.headers.unwrap_or_default();
    let frame = section.x_frame_options.map(|option| match option {
        FrameOptions::Deny => "deny".to_owned(),
        FrameOptions::Sameorigin => "sameorigin".to_owned(),
        FrameOptions::Blank => String::new(),
    });
    let sniff = section.x_content_type_options.map(|option| match option {
        ContentTypeOptions::Nosniff => "nosniff".to_owned(),
        ContentTypeOptions::Blank => String::new(),
    });
    let mut headers = Vec::new();
    for (key, name, value) in [
        (
            "Content-Security-Policy",
            CONTENT_SECURITY_POLICY,
            section.content_security_policy,
        ),
        ("X-Frame-Options", X_FRAME_OPTIONS, frame),
        ("X-Content-Type-Options", X_CONTENT_TYPE_OPTIONS, sniff),
        ("X-XSS-Protection", X_XSS_PROTECTION, section.x_xss_protection),
        (
            "Strict-Transport-Security",
            STRICT_TRANSPORT_SECURITY,
            section.strict_transport_security,
        ),
    ] {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            continue;
        };
        match HeaderValue::from_str(&value) {
            Ok(value) => headers.push((name, value)),
            Err(_) => mistakes.add(
                "http_server_config.headers",
                key,
                "expected one line of printable ASCII",
            ),
        }
    }
    headers
}

/// The rate limit, if the interval is above zero.
pub(super) fn rate_limit(section: &RateSection, mistakes: &mut Mistakes<'_>) -> Option<RateLimit> {
    let interval = section.interval.0;
    if interval.is_zero() {
        return None;
    }
    if section.burst == 0 {
        mistakes.add(
            "rate_limit",
            "burst",
            "expected at least 1: with 0 no request at all is answered",
        );
        return None;
    }
    Some(RateLimit {
        interval,
        burst: section.burst,
    })
}
