//! Which format and encoding a client wants, from `Accept` and `Accept-Encoding`.
//!
//! OpenMetrics only for who names it. Text 0.0.4 for all others, even for those who accept neither: a scrape with
//! a type that was not asked for is worth more than a 406.

use hyper::HeaderMap;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

/// The two formats of the exposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4.
    Text,
}

impl Format {
    /// Value of `Content-Type`. Prometheus 3 fails a scrape whose type it does not know.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// One element of a header like `Accept`: a name, its parameters, its weight.
struct Element<'a> {
    name: &'a str,
    version: Option<&'a str>,
    quality: f32,
}

/// The elements of all headers of this name; what is malformed is left out.
fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Element<'_>> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(element)
}

fn element(text: &str) -> Option<Element<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let mut element = Element {
        name: parts.next().filter(|name| !name.is_empty())?,
        version: None,
        quality: 1.0,
    };
    for part in parts {
        let Some((key, value)) = part.split_once('=') else {
            continue;
        };
        let value = value.trim().trim_matches('"');
        match key.trim() {
            key if key.eq_ignore_ascii_case("q") => {
                element.quality = value.parse().ok().filter(|q| (0.0..=1.0).contains(q))?;
            }
            key if key.eq_ignore_ascii_case("version") => element.version = Some(value),
            _ => {}
        }
    }
    Some(element)
}

/// The format of the exposition that these headers ask for.
pub(super) fn format(headers: &HeaderMap) -> Format {
    // The most precise mention of a type decides on it, whatever its place.
    let mut open_metrics = Preference::default();
    let mut text = Preference::default();
    for element in elements(headers, ACCEPT) {
        let named = |name: &str| element.name.eq_ignore_ascii_case(name);
        if named("application/openmetrics-text") {
            match element.version {
                Some("1.0.0") => open_metrics.mention(3, element.quality),
                None => open_metrics.mention(2, element.quality),
                // Clients that know 0.0.1 alone read 1.0.0 as well: 1.0.0 is 0.0.1 without changes.
                Some("0.0.1") => open_metrics.mention(1, element.quality),
                Some(_) => {}
            }
        } else if named("text/plain") {
            match element.version {
                Some("0.0.4") => text.mention(4, element.quality),
                None => text.mention(3, element.quality),
                Some(_) => {}
            }
        } else if named("text/*") {
            text.mention(2, element.quality);
        } else if named("*/*") {
            text.mention(1, element.quality);
        }
    }
    if open_metrics.quality > 0.0 && open_metrics.quality >= text.quality {
        Format::OpenMetrics
    } else {
        Format::Text
    }
}

/// Whether these headers ask for gzip.
pub(super) fn gzip(headers: &HeaderMap) -> bool {
    let mut gzip = Preference::default();
    let mut identity = Preference::default();
    for element in elements(headers, ACCEPT_ENCODING) {
        let named = |name: &str| element.name.eq_ignore_ascii_case(name);
        if named("gzip") || named("x-gzip") {
            gzip.mention(2, element.quality);
        } else if named("identity") {
            identity.mention(1, element.quality);
        } else if named("*") {
            gzip.mention(1, element.quality);
        }
    }
    gzip.quality > 0.0 && gzip.quality >= identity.quality
}

/// The weight that the most precise mention gave.
#[derive(Default)]
struct Preference {
    precision: u8,
    quality: f32,
}

impl Preference {
    fn mention(&mut self, precision: u8, quality: f32) {
        if precision > self.precision {
            *self = Self { precision, quality };
        } else if precision == self.precision {
            self.quality = self.quality.max(quality);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_str(value).expect("value"));
        }
        headers
    }

    #[test]
    fn openmetrics_is_for_who_names_it() {
        for (accept, wanted) in [
            // Prometheus 2.42 and 3.5, as they are on the wire.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("application/openmetrics-text; version=0.0.1", Format::OpenMetrics),
            (
                "APPLICATION/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text, text/plain", Format::OpenMetrics),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            (
                "application/openmetrics-text;version=2.0.0, application/openmetrics-text;version=1.0.0;q=0.5",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text;q=0", Format::Text),
            (
                "application/openmetrics-text;version=1.0.0;q=0, application/openmetrics-text;version=0.0.1",
                Format::Text,
            ),
            (
                "application/openmetrics-text;q=0.3, text/plain;q=0.9",
                Format::Text,
            ),
            ("application/openmetrics-text;q=0.3, */*", Format::Text),
            (
                "application/openmetrics-text, text/plain;version=0.0.4;q=0, */*",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text;q=rubbish", Format::Text),
            ("application/openmetrics-text;q=2", Format::Text),
            ("application/*", Format::Text),
            ("*/*", Format::Text),
            ("", Format::Text),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
                Format::Text,
            ),
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Format::Text),
            ("application/json", Format::Text),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.4",
                Format::OpenMetrics,
            ),
        ] {
            assert_eq!(format(&headers(ACCEPT, &[accept])), wanted, "{accept}");
        }
        assert_eq!(format(&HeaderMap::new()), Format::Text);
        let two = headers(ACCEPT, &["text/plain;q=0.5", "application/openmetrics-text"]);
        assert_eq!(format(&two), Format::OpenMetrics, "headers may be repeated");
    }

    #[test]
    fn gzip_is_for_who_accepts_it() {
        for (accept, wanted) in [
            ("gzip", true),
            ("x-gzip", true),
            ("deflate, gzip;q=0.5, br", true),
            ("*", true),
            ("GZIP;Q=1.0", true),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("identity, *;q=0", false),
            ("identity;q=1, gzip;q=0.5", false),
            ("identity;q=0.5, gzip", true),
            ("identity", false),
            ("zstd, br", false),
            ("", false),
            ("gzipped", false),
        ] {
            assert_eq!(gzip(&headers(ACCEPT_ENCODING, &[accept])), wanted, "{accept}");
        }
        assert!(!gzip(&HeaderMap::new()));
    }
}
