//! Responses: a status, a type, a whole body whose length is known.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;
use hyper::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};

/// What every handler returns.
pub(super) type Answer = Response<Full<Bytes>>;

/// What the pages may load: their own style sheet, and an empty icon instead of a request for one.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                           form-action 'self'; frame-ancestors 'none'";

/// An answer with this body. hyper sets Content-Length from it, and leaves the body out for HEAD.
pub(super) fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// A line of text that a person reads: errors, health.
pub(super) fn text(status: StatusCode, line: &str) -> Answer {
    let answer = answer(status, "text/plain; charset=utf-8", format!("{line}\n"));
    with(answer, CACHE_CONTROL, "no-store")
}

/// JSON for programs, of this moment.
pub(super) fn json(body: Vec<u8>, gzip: bool) -> Answer {
    with(
        compressed("application/json", body, gzip),
        CACHE_CONTROL,
        "no-store",
    )
}

/// A page for people, of this moment.
pub(super) fn page(html: String, gzip: bool) -> Answer {
    let page = compressed("text/html; charset=utf-8", html.into_bytes(), gzip);
    let page = with(page, CONTENT_SECURITY_POLICY, PAGE_POLICY);
    let page = with(page, REFERRER_POLICY, "no-referrer");
    with(page, CACHE_CONTROL, "no-store")
}

/// Adds a header.
pub(super) fn with(mut answer: Answer, name: HeaderName, value: &'static str) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}

fn compressed(content_type: &'static str, body: Vec<u8>, gzip: bool) -> Answer {
    let zipped = if gzip { zip(&body) } else { None };
    let answer = match zipped {
        Some(zipped) => with(
            answer(StatusCode::OK, content_type, zipped),
            CONTENT_ENCODING,
            "gzip",
        ),
        None => answer(StatusCode::OK, content_type, body),
    };
    with(answer, VARY, "Accept-Encoding")
}

/// Level 1: a page of 200 accounts shrinks twentyfold in a few milliseconds, and no level makes it much smaller.
fn zip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}
