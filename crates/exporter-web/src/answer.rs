//! Answers: a status, a type, a whole body whose length is known.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};

use super::format::Format;

/// What pages may load: their own style sheet, and an empty icon instead of a request for one.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                           form-action 'self'; frame-ancestors 'none'";

/// An exposition as a site hands it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    body: Bytes,
    compressed: bool,
}

impl Metrics {
    /// As it is: compressed on the way, each time, for who accepts that.
    pub fn plain(body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            compressed: false,
        }
    }

    /// Compressed already: for who accepts gzip only.
    pub fn gzip(body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            compressed: true,
        }
    }
}

/// What a request is answered with.
#[derive(Debug, Clone)]
pub struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    /// Whether the body is compressed for who accepts it.
    compressible: bool,
}

impl Answer {
    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let answer = Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            compressible: false,
        };
        answer
            .with(CONTENT_TYPE, content_type)
            .with(X_CONTENT_TYPE_OPTIONS, "nosniff")
    }

    /// A line of text that a person reads: errors, health.
    pub fn line(status: StatusCode, line: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", format!("{line}\n")).with(CACHE_CONTROL, "no-store")
    }

    /// JSON for programs, of this moment.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::document("application/json", body)
    }

    /// A page for people, of this moment: without scripts, and without anything from elsewhere.
    pub fn html(page: String) -> Self {
        Self::document("text/html; charset=utf-8", page)
            .with(CONTENT_SECURITY_POLICY, PAGE_POLICY)
            .with(REFERRER_POLICY, "no-referrer")
    }

    fn document(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut answer = Self::new(StatusCode::OK, content_type, body)
            .with(CACHE_CONTROL, "no-store")
            .with(VARY, "Accept-Encoding");
        answer.compressible = true;
        answer
    }

    /// An exposition of this format.
    pub(super) fn metrics(metrics: Metrics, format: Format) -> Self {
        let mut answer = Self::new(StatusCode::OK, format.content_type(), metrics.body)
            .with(VARY, "Accept, Accept-Encoding");
        if metrics.compressed {
            return answer.with(CONTENT_ENCODING, "gzip");
        }
        answer.compressible = true;
        answer
    }

    /// 405, with what the path answers instead.
    pub(super) fn not_allowed(allowed: &'static str) -> Self {
        Self::line(
            StatusCode::METHOD_NOT_ALLOWED,
            &format!("This path answers {allowed}."),
        )
        .with(ALLOW, allowed)
    }

    /// 302: the start is at `path`, which is made of characters that a header may hold.
    pub(super) fn elsewhere(path: &str) -> Self {
        let mut answer = Self::line(StatusCode::FOUND, &format!("The start is at {path}."));
        answer
            .headers
            .extend(HeaderValue::from_str(path).ok().map(|path| (LOCATION, path)));
        answer
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// The response: hyper sets Content-Length from its body, and leaves the body out for HEAD. `gzip`: who asked
    /// takes it compressed.
    pub(super) fn into_response(self, gzip: bool) -> Response<Full<Bytes>> {
        let mut answer = self;
        if answer.compressible
            && gzip
            && let Some(zipped) = zip(&answer.body)
        {
            answer.body = zipped.into();
            answer = answer.with(CONTENT_ENCODING, "gzip");
        }
        let mut response = Response::new(Full::new(answer.body));
        *response.status_mut() = answer.status;
        response.headers_mut().extend(answer.headers);
        response
    }
}

/// Level 1: a page of half a megabyte shrinks twentyfold in a few milliseconds, and no level makes it much smaller.
fn zip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}
