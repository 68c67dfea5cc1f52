//! Which encoding a client wants.

use super::Format;

/// OpenMetrics only for those who ask for it; text for all others, browsers and `*/*` among them.
pub(super) fn format(accept: &str) -> Format {
    let mut best = (0.0, Format::Text);
    for offer in offers(accept) {
        let format = match offer.kind.as_str() {
            "application/openmetrics-text"
                if ["", "1.0.0", "0.0.1"].contains(&offer.parameter("version")) =>
            {
                Format::OpenMetrics
            }
            "text/plain" if ["", "0.0.4"].contains(&offer.parameter("version")) => Format::Text,
            _ => continue,
        };
        if offer.quality > best.0 {
            best = (offer.quality, format);
        }
    }
    best.1
}

/// Whether the answer may be compressed.
pub(super) fn gzip(accept_encoding: &str) -> bool {
    let named = offers(accept_encoding).find(|offer| offer.kind == "gzip" || offer.kind == "x-gzip");
    let any = || offers(accept_encoding).find(|offer| offer.kind == "*");
    named.or_else(any).is_some_and(|offer| offer.quality > 0.0)
}

struct Offer {
    kind: String,
    parameters: Vec<(String, String)>,
    quality: f64,
}

impl Offer {
    fn parameter(&self, name: &str) -> &str {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value.as_str())
    }
}

fn offers(header: &str) -> impl Iterator<Item = Offer> {
    header.split(',').map(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let parameters: Vec<_> = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| {
                (
                    name.trim().to_ascii_lowercase(),
                    value.trim().trim_matches('"').to_owned(),
                )
            })
            .collect();
        let quality = parameters
            .iter()
            .find(|(name, _)| name == "q")
            .map_or(1.0, |(_, q)| q.parse().unwrap_or(0.0));
        Offer {
            kind,
            parameters,
            quality,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_those_who_ask() {
        for (accept, wanted) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Text),
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("application/openmetrics-text;q=0", Format::Text),
            (
                "application/openmetrics-text;q=0.2,text/plain;version=0.0.4;q=0.9",
                Format::Text,
            ),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            ("application/vnd.google.protobuf", Format::Text),
        ] {
            assert_eq!(format(accept), wanted, "{accept}");
        }
    }

    #[test]
    fn gzip_is_for_those_who_take_it() {
        for (header, wanted) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0, *", false),
            ("", false),
            ("identity", false),
        ] {
            assert_eq!(gzip(header), wanted, "{header}");
        }
    }
}
