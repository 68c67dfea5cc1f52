//! What a site learns of a request.

use std::borrow::Cow;

use hyper::Uri;
use hyper::header::{HOST, HeaderMap};
use percent_encoding::percent_decode_str;

use super::path::TelemetryPath;

/// A request that has passed the gate. Its body is never read.
#[derive(Debug)]
pub struct Request<'a> {
    path: Cow<'a, str>,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    secure: bool,
    telemetry_path: &'a TelemetryPath,
}

/// The query can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// `?account=a&account=b`: which one is meant?
    #[error("the parameter \"{0}\" stands twice: expected it once at most")]
    Repeated(&'static str),
}

impl<'a> Request<'a> {
    /// [`None`] when the path isn't text.
    pub(super) fn new(
        uri: &'a Uri,
        headers: &'a HeaderMap,
        secure: bool,
        telemetry_path: &'a TelemetryPath,
    ) -> Option<Self> {
        Some(Self {
            path: percent_decode_str(uri.path()).decode_utf8().ok()?,
            uri,
            headers,
            secure,
            telemetry_path,
        })
    }

    /// The path, its percent-encoding undone.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where the metrics are, for links.
    pub fn telemetry_path(&self) -> &str {
        self.telemetry_path.as_str()
    }

    /// The value of a parameter of the query; others are for others.
    ///
    /// # Errors
    /// When it stands there twice.
    pub fn parameter(&self, name: &'static str) -> Result<Option<String>, ParameterError> {
        let mut found = None;
        for (key, value) in form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes()) {
            if key == name && found.replace(value.into_owned()).is_some() {
                return Err(ParameterError::Repeated(name));
            }
        }
        Ok(found)
    }

    /// Name and port under which the client found this server; [`None`] without one, or when it can't be one.
    pub fn host(&self) -> Option<&str> {
        let host = match self.uri.authority() {
            Some(authority) => authority.as_str(),
            None => self.headers.get(HOST)?.to_str().ok()?,
        };
        is_host(host).then_some(host)
    }

    /// Whether it came over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }
}

/// Characters of host names, addresses and ports: all that a target may hold.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_once_or_not_at_all() {
        let telemetry_path = "/metrics".parse().expect("a path");
        let headers = HeaderMap::new();
        for (query, wanted) in [
            ("", Ok(None)),
            ("x=1&y", Ok(None)),
            ("account=acme", Ok(Some("acme"))),
            ("x=%3D&account=a%63me&y=2", Ok(Some("acme"))),
            ("%61ccount=a+b%2Bc", Ok(Some("a b+c"))),
            ("account=a=b", Ok(Some("a=b"))),
            ("account=%c3%BC", Ok(Some("\u{fc}"))),
            ("account=a&account=b", Err(ParameterError::Repeated("account"))),
            ("account=a&account=a", Err(ParameterError::Repeated("account"))),
            ("account=", Ok(Some(""))),
            ("account", Ok(Some(""))),
            ("account=%zz", Ok(Some("%zz"))),
            ("account=%ff", Ok(Some("\u{fffd}"))),
        ] {
            let uri: Uri = format!("/?{query}").parse().expect(query);
            let request = Request::new(&uri, &headers, false, &telemetry_path).expect("text");
            let value = request.parameter("account");
            assert_eq!(value, wanted.map(|value| value.map(str::to_owned)), "{query}");
        }
    }

    #[test]
    fn a_path_is_decoded_once() {
        let telemetry_path = "/metrics".parse().expect("a path");
        let headers = HeaderMap::new();
        for (path, wanted) in [
            ("/a+b", Some("/a+b")),
            ("/%6Detrics", Some("/metrics")),
            ("/%2fa%C3%BC%25", Some("//a\u{fc}%")),
            ("/%zz", Some("/%zz")),
            ("/%ff", None),
        ] {
            let uri: Uri = path.parse().expect(path);
            let request = Request::new(&uri, &headers, false, &telemetry_path);
            assert_eq!(request.as_ref().map(Request::path), wanted, "{path}");
        }
    }

    #[test]
    fn hosts_are_hosts() {
        for good in ["localhost:10524", "[::1]:80", "10.0.0.1", "a-b.example"] {
            assert!(is_host(good), "{good}");
        }
        for bad in ["", "a b", "a/b", "a\"b", "u@h", "<x>"] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
