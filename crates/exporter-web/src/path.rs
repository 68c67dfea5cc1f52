//! Where the metrics are served.

use std::str::FromStr;

/// The path of the metrics, `/metrics` by convention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryPath(String);

/// The text is no path for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryPathError {
    /// Anything but an absolute path.
    #[error("expected a path that begins with / and has neither spaces nor ? nor #")]
    NotAPath,
    /// The lifecycle paths live there.
    #[error("the exporter serves something else there: expected a path that doesn't begin with /-/")]
    Taken,
}

impl TelemetryPath {
    /// The path, with its leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `root` or lies below it; a slash at the end makes no difference.
    pub fn is_within(&self, root: &str) -> bool {
        let trimmed = self.0.trim_end_matches('/');
        trimmed
            .strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl Default for TelemetryPath {
    fn default() -> Self {
        Self("/metrics".to_owned())
    }
}

impl FromStr for TelemetryPath {
    type Err = TelemetryPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let printable = text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'%' | b'\\'));
        if !text.starts_with('/') || text.starts_with("//") || !printable {
            return Err(TelemetryPathError::NotAPath);
        }
        let path = Self(text.to_owned());
        if path.is_within("/-") {
            return Err(TelemetryPathError::Taken);
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_and_leave_the_lifecycle_alone() {
        for good in ["/", "/metrics", "/a/b", "/-metrics", "/m/"] {
            assert_eq!(good.parse::<TelemetryPath>().expect(good).as_str(), good);
        }
        for (bad, why) in [
            ("metrics", TelemetryPathError::NotAPath),
            ("", TelemetryPathError::NotAPath),
            ("//m", TelemetryPathError::NotAPath),
            ("/a b", TelemetryPathError::NotAPath),
            ("/m?x", TelemetryPathError::NotAPath),
            ("/%6d", TelemetryPathError::NotAPath),
            ("/-/ready", TelemetryPathError::Taken),
            ("/-", TelemetryPathError::Taken),
        ] {
            assert_eq!(bad.parse::<TelemetryPath>(), Err(why), "{bad}");
        }
    }
}
