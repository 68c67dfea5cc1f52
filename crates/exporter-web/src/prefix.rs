//! Where the endpoint is for those who come through a proxy: `--web.external-url` and `--web.route-prefix`.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;

/// Path below which everything is served: empty, or `/kb4`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutePrefix(String);

/// The text is no prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a path such as /kb4, of letters, digits and - _ . ~ /")]
pub struct RoutePrefixError;

impl RoutePrefix {
    /// The prefix without a slash at its end; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoutePrefix {
    type Err = RoutePrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = text.trim_matches('/');
        let plain = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
        };
        if inner.is_empty() {
            return Ok(Self::default());
        }
        if !inner.split('/').all(plain) {
            return Err(RoutePrefixError);
        }
        Ok(Self(format!("/{inner}")))
    }
}

/// The URL under which people and Prometheus reach the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUrl {
    secure: bool,
    host: String,
    path: RoutePrefix,
}

/// The text is no URL of the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a URL such as https://monitoring.example.org/kb4/, without a query")]
pub struct ExternalUrlError;

impl ExternalUrl {
    /// Whether it begins with https.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host and port, as they stand there.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its path, the default of `--web.route-prefix`.
    pub fn path(&self) -> &RoutePrefix {
        &self.path
    }
}

impl FromStr for ExternalUrl {
    type Err = ExternalUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| ExternalUrlError)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(ExternalUrlError),
        };
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        if uri.query().is_some() || text.contains('#') || !super::request::is_host(&host) {
            return Err(ExternalUrlError);
        }
        Ok(Self {
            secure,
            host,
            path: uri.path().parse().map_err(|_| ExternalUrlError)?,
        })
    }
}

impl fmt::Display for ExternalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}/", self.host, self.path.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_have_a_slash_before_them_and_none_behind() {
        for (text, prefix) in [
            ("", ""),
            ("/", ""),
            ("/kb4", "/kb4"),
            ("kb4/", "/kb4"),
            ("/a/b.c/", "/a/b.c"),
        ] {
            assert_eq!(text.parse::<RoutePrefix>().expect(text).as_str(), prefix);
        }
        for bad in ["/a b", "/a//b", "/..", "/a/../b", "/a?b", "/%61", "/<x>"] {
            assert!(bad.parse::<RoutePrefix>().is_err(), "{bad}");
        }
    }

    #[test]
    fn urls_name_a_host() {
        for (text, shown) in [
            ("http://localhost:10524", "http://localhost:10524/"),
            ("https://m.example/kb4", "https://m.example/kb4/"),
            ("https://m.example:8443/a/b/", "https://m.example:8443/a/b/"),
        ] {
            assert_eq!(text.parse::<ExternalUrl>().expect(text).to_string(), shown);
        }
        for bad in [
            "",
            "/kb4",
            "m.example",
            "ftp://m.example",
            "https://",
            "https://u:p@m.example/",
            "https://m.example/?q",
            "https://m.example/#a",
            "https://m.example/a b",
        ] {
            assert!(bad.parse::<ExternalUrl>().is_err(), "{bad}");
        }
    }
}
