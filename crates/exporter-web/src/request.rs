//! What a site learns of a request.

use hyper::Uri;
use hyper::header::{HOST, HeaderMap};

use super::place::Place;

/// A request that has passed the gate. Its body is never read.
#[derive(Debug)]
pub struct Request<'a> {
    path: &'a str,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    secure: bool,
    place: &'a Place,
}

/// The query can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// `?account=a&account=b`: which one is meant?
    #[error("the parameter \"{0}\" stands twice: expected it once at most")]
    Repeated(&'static str),
}

impl<'a> Request<'a> {
    /// Of the page at `path`, below the prefix.
    pub(super) fn new(
        path: &'a str,
        uri: &'a Uri,
        headers: &'a HeaderMap,
        secure: bool,
        place: &'a Place,
    ) -> Self {
        Self {
            path,
            uri,
            headers,
            secure,
            place,
        }
    }

    /// The path below the prefix, its percent-encoding undone.
    pub fn path(&self) -> &str {
        self.path
    }

    /// What stands before the path of another page in a link from this one: `./`, `../../`, `/kb4/`.
    pub fn root(&self) -> String {
        self.place.root(self.path)
    }

    /// Link from this page to the metrics.
    pub fn metrics_link(&self) -> String {
        let path = self.place.telemetry_path.as_str().trim_start_matches('/');
        format!("{}{path}", self.root())
    }

    /// Path of the metrics as a client has to ask for it.
    pub fn metrics_path(&self) -> String {
        self.place.metrics()
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

    /// Name and port under which clients find this server: of the external URL, or what this client called it. [`None`]
    /// without one, or when it can't be one.
    pub fn host(&self) -> Option<&str> {
        if let Some(url) = &self.place.external_url {
            return Some(url.host());
        }
        let host = match self.uri.authority() {
            Some(authority) => authority.as_str(),
            None => self.headers.get(HOST)?.to_str().ok()?,
        };
        is_host(host).then_some(host)
    }

    /// Whether clients come over TLS: as the external URL says, or as this one did.
    pub fn is_secure(&self) -> bool {
        match &self.place.external_url {
            Some(url) => url.is_secure(),
            None => self.secure,
        }
    }
}

/// Characters of host names, addresses and ports: all that a target may hold.
pub(super) fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::super::path::TelemetryPath;
    use super::*;

    #[test]
    fn a_parameter_stands_once_or_not_at_all() {
        let place = Place::new(TelemetryPath::default(), None, None);
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
            let request = Request::new("/", &uri, &headers, false, &place);
            let value = request.parameter("account");
            assert_eq!(value, wanted.map(|value| value.map(str::to_owned)), "{query}");
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
