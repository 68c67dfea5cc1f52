//! Paths as they come in, and as they have to look from outside.

use super::path::TelemetryPath;
use super::prefix::{ExternalUrl, RoutePrefix};

/// Where the endpoint is.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) telemetry_path: TelemetryPath,
    pub(super) external_url: Option<ExternalUrl>,
    prefix: RoutePrefix,
}

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inside<'a> {
    /// This path below the prefix.
    Path(&'a str),
    /// The start is elsewhere: there.
    Start(String),
    /// Nothing of the endpoint's.
    Nothing,
}

impl Place {
    pub(super) fn new(
        telemetry_path: TelemetryPath,
        external_url: Option<ExternalUrl>,
        prefix: Option<RoutePrefix>,
    ) -> Self {
        let prefix = prefix
            .or_else(|| external_url.as_ref().map(|url| url.path().clone()))
            .unwrap_or_default();
        Self {
            telemetry_path,
            external_url,
            prefix,
        }
    }

    /// What a path means that came in.
    pub(super) fn inside<'a>(&self, path: &'a str) -> Inside<'a> {
        let prefix = self.prefix.as_str();
        match path.strip_prefix(prefix) {
            Some(inside) if inside.starts_with('/') => Inside::Path(inside),
            _ if path == prefix || path == "/" => Inside::Start(format!("{prefix}/")),
            _ => Inside::Nothing,
        }
    }

    /// What leads from the page at `path` to the start: relative, so that it holds behind every proxy, or what the
    /// external URL says.
    pub(super) fn root(&self, path: &str) -> String {
        match &self.external_url {
            Some(url) => format!("{}/", url.path().as_str()),
            None => match path.matches('/').count() {
                0 | 1 => "./".to_owned(),
                depth => "../".repeat(depth - 1),
            },
        }
    }

    /// Path of the metrics for who comes from outside.
    pub(super) fn metrics(&self) -> String {
        let before = match &self.external_url {
            Some(url) => url.path(),
            None => &self.prefix,
        };
        format!("{}{}", before.as_str(), self.telemetry_path.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: Option<&str>, prefix: Option<&str>) -> Place {
        Place::new(
            TelemetryPath::default(),
            url.map(|url| url.parse().expect("a URL")),
            prefix.map(|prefix| prefix.parse().expect("a prefix")),
        )
    }

    #[test]
    fn at_the_root_links_are_relative() {
        let place = place(None, None);
        assert_eq!(place.inside("/"), Inside::Path("/"));
        assert_eq!(place.inside("/api/v1/status"), Inside::Path("/api/v1/status"));
        assert_eq!(place.root("/"), "./");
        assert_eq!(place.root("/status"), "./");
        assert_eq!(place.root("/api/v1/status"), "../../");
        assert_eq!(place.metrics(), "/metrics");
    }

    #[test]
    fn an_external_path_is_the_prefix_unless_the_proxy_takes_it_off() {
        let kept = place(Some("https://m.example/kb4"), None);
        assert_eq!(kept.inside("/kb4/status"), Inside::Path("/status"));
        for start in ["/kb4", "/"] {
            assert_eq!(kept.inside(start), Inside::Start("/kb4/".to_owned()));
        }
        for nothing in ["/status", "/kb44/status", "/kb4x"] {
            assert_eq!(kept.inside(nothing), Inside::Nothing, "{nothing}");
        }
        let taken_off = place(Some("https://m.example/kb4"), Some("/"));
        assert_eq!(taken_off.inside("/status"), Inside::Path("/status"));
        for place in [kept, taken_off] {
            assert_eq!(place.root("/status"), "/kb4/");
            assert_eq!(place.metrics(), "/kb4/metrics");
        }
    }

    #[test]
    fn a_prefix_alone_keeps_links_relative() {
        let place = place(None, Some("/kb4"));
        assert_eq!(place.inside("/kb4/"), Inside::Path("/"));
        assert_eq!(place.root("/"), "./");
        assert_eq!(place.metrics(), "/kb4/metrics");
    }
}
