//! Where an account's API answers.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use crate::model::Region;

/// Scheme, host, port and path prefix of the API, without a trailing slash: `/v1/account` is to be appended.
///
/// `https`, or `http` to this very machine, since a key travels with every request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl(Url);

/// The text is no base URL. No variant shows it: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Neither `https://` nor `http://`.
    #[error("expected a URL that begins with https://")]
    Scheme,
    /// A user name or a password.
    #[error(
        "expected a URL without user name and password (not shown): KnowBe4 takes a key, which api_key_file or api_key_env names"
    )]
    UserInfo,
    /// No host, or none that can be.
    #[error("expected a host name or an address after the scheme")]
    Host,
    /// A port that isn't one.
    #[error("expected a port from 1 to 65535 after the host")]
    Port,
    /// `?...` or `#...`.
    #[error("expected a URL without ? and # (what follows them isn't shown)")]
    Query,
    /// Spaces, control characters, backslashes or anything beyond ASCII.
    #[error("expected a URL of printable ASCII without spaces and backslashes")]
    Characters,
    /// `http` to another machine.
    #[error(
        "expected https: a key would travel in the clear (plain http is for 127.0.0.0/8, ::1 and localhost only)"
    )]
    PlainHttp,
    /// `/v1` at the end.
    #[error("expected the URL without /v1 at its end, which every request appends")]
    Version,
    /// The console in place of the API.
    #[error(
        "expected the API's host, not the console's: region: US (or EU, CA, UK, DE) is enough, or https://REGION.api.knowbe4.com"
    )]
    Console,
}

impl BaseUrl {
    /// The URL, without a trailing slash.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The host's name or address.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether it is asked by `https`.
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The URL of a path below it, such as `/v1/account`.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url
    }
}

impl From<Region> for BaseUrl {
    fn from(region: Region) -> Self {
        Self(Url::parse(region.base_url()).unwrap_or_else(|_| unreachable!("a region's URL is one")))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(BaseUrlError::Scheme)?;
        let secure = scheme.eq_ignore_ascii_case("https");
        if !secure && !scheme.eq_ignore_ascii_case("http") {
            return Err(BaseUrlError::Scheme);
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(BaseUrlError::UserInfo);
        }
        if !rest.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
            return Err(BaseUrlError::Characters);
        }
        if path.contains(['?', '#']) {
            return Err(BaseUrlError::Query);
        }
        // The URL standard would take the path for the host, or leave an empty port out.
        if authority.is_empty() {
            return Err(BaseUrlError::Host);
        }
        if authority.ends_with(':') {
            return Err(BaseUrlError::Port);
        }
        let mut url = Url::parse(text).map_err(|error| match error {
            url::ParseError::InvalidPort => BaseUrlError::Port,
            _ => BaseUrlError::Host,
        })?;
        if url.port() == Some(0) {
            return Err(BaseUrlError::Port);
        }
        // Names that no resolver takes, though they may stand in a URL.
        if url.domain().is_some_and(|name| !is_name(name)) {
            return Err(BaseUrlError::Host);
        }
        if !secure && !is_this_machine(&url)? {
            return Err(BaseUrlError::PlainHttp);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        if path.ends_with("/v1") {
            return Err(BaseUrlError::Version);
        }
        let host = url.host_str().unwrap_or_default();
        if (host == "knowbe4.com" || host.ends_with(".knowbe4.com")) && !host.ends_with(".api.knowbe4.com") {
            return Err(BaseUrlError::Console);
        }
        url.set_path(&path);
        Ok(Self(url))
    }
}

fn is_name(name: &str) -> bool {
    !name.starts_with(['.', '-'])
        && !name.contains("..")
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// Whether the host is this machine.
fn is_this_machine(url: &Url) -> Result<bool, BaseUrlError> {
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(address.is_loopback()),
        Some(Host::Ipv6(address)) => Ok(address.is_loopback()),
        Some(Host::Domain(name)) => Ok(name == "localhost"),
        None => Err(BaseUrlError::Host),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_prefix_is_kept_and_a_trailing_slash_is_not() {
        for (text, url) in [
            ("https://us.api.knowbe4.com", "https://us.api.knowbe4.com"),
            ("https://us.api.knowbe4.com/", "https://us.api.knowbe4.com"),
            (
                "HTTPS://Proxy.Example:8443/Kb4//",
                "https://proxy.example:8443/Kb4",
            ),
            ("http://127.0.0.1:10525", "http://127.0.0.1:10525"),
            ("http://127.9.9.9/x", "http://127.9.9.9/x"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://localhost:1", "http://localhost:1"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]"),
            ("https://x:443/a/../b/", "https://x/b"),
        ] {
            assert_eq!(text.parse::<BaseUrl>().expect(text).as_str(), url);
        }
        assert_eq!(BaseUrl::from(Region::Eu).as_str(), "https://eu.api.knowbe4.com");
        let prefixed: BaseUrl = "https://proxy.example/kb4/".parse().expect("a URL");
        assert_eq!(
            prefixed.join("/v1/users").as_str(),
            "https://proxy.example/kb4/v1/users"
        );
        assert_eq!(
            BaseUrl::from(Region::Us).join("/v1/users").as_str(),
            "https://us.api.knowbe4.com/v1/users"
        );
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        use BaseUrlError::{Characters, Console, Host, PlainHttp, Port, Query, Scheme, UserInfo, Version};
        for (text, error) in [
            ("", Scheme),
            ("us.api.knowbe4.com", Scheme),
            ("ftp://x", Scheme),
            ("https://", Host),
            ("https:///v1", Host),
            ("https://a..b", Host),
            ("https://[::1", Host),
            ("https://[::1]x", Host),
            ("https://user:hunter2@x", UserInfo),
            ("https://hunter2@x/y", UserInfo),
            ("https://x:0", Port),
            ("https://x:", Port),
            ("https://x:+1", Port),
            ("https://x:65536", Port),
            ("https://x?token=hunter2", Query),
            ("https://x/y#z", Query),
            ("https://x/a b", Characters),
            ("https://x\\@y", Characters),
            ("https://ümlaut", Characters),
            ("http://us.api.knowbe4.com", PlainHttp),
            ("http://127.0.0.1.evil.example", PlainHttp),
            ("http://localhost.evil.example", PlainHttp),
            ("https://eu.api.knowbe4.com/v1", Version),
            ("https://proxy.example/kb4/v1//", Version),
            ("https://training.knowbe4.com", Console),
            ("https://EU.knowbe4.com/ui/", Console),
            ("http://[::2]", PlainHttp),
            ("http://0.0.0.0", PlainHttp),
        ] {
            assert_eq!(text.parse::<BaseUrl>(), Err(error), "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_a_url_is_read_back(text in "(https?://)?[a-z0-9@:/?#\\[\\].\\\\ü]{0,20}") {
            if let Ok(url) = text.parse::<BaseUrl>() {
                prop_assert_eq!(url.as_str().parse::<BaseUrl>(), Ok(url.clone()));
            }
        }
    }
}
