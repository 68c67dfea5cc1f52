//! The proxy that requests are to go through, as the environment names it.
//!
//! A setting that can't be used is an error and never ignored: whoever asks for a proxy doesn't want requests to go past
//! it.

use std::fmt;

use reqwest::Url;

use crate::env::Env;

/// The variables in the order in which they count; the first that isn't empty holds. `HTTP_PROXY` is for plain HTTP,
/// which only loopback addresses are asked by, without a proxy.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Hosts that are reached without a proxy.
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Kinds of proxies, each with its usual port.
const SCHEMES: [(&str, u16); 4] = [("http", 80), ("https", 443), ("socks5", 1080), ("socks5h", 1080)];

/// A proxy. Neither `Display` nor `Debug` shows its user or password.
#[derive(Clone)]
pub struct Proxy {
    variable: &'static str,
    url: Url,
    exceptions: Option<String>,
}

/// The environment names a proxy that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {mistake} (its value is not shown, as it may hold a password)")]
pub struct ProxyError {
    variable: &'static str,
    mistake: ProxyMistake,
}

/// What is wrong with a proxy's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyMistake {
    /// A scheme of something else.
    #[error("expected a proxy that begins with http://, https://, socks5:// or socks5h://")]
    Scheme,
    /// Spaces, control characters, or anything beyond ASCII.
    #[error("expected the URL of a proxy without spaces, such as http://proxy:3128")]
    Characters,
    /// `#`, `?` or `/` in the user's name or password.
    #[error(
        "a special character in the user name or password ends the URL early: write # as %23, / as %2F, ? as %3F and @ as %40"
    )]
    Unescaped,
    /// No host, or none that can be.
    #[error("expected a host name or an address, such as http://proxy:3128")]
    Host,
    /// A port that isn't one.
    #[error("expected a port from 1 to 65535 after the host")]
    Port,
    /// A path or parameters.
    #[error("expected nothing after host and port")]
    Path,
}

impl Proxy {
    /// The proxy that the environment names.
    ///
    /// # Errors
    /// When it names one that can't be used.
    pub fn of(env: &dyn Env) -> Result<Option<Self>, ProxyError> {
        let set = VARIABLES
            .into_iter()
            .find_map(|variable| Some((variable, env.filled(variable)?)));
        let Some((variable, text)) = set else {
            return Ok(None);
        };
        let url = parse(&text).map_err(|mistake| ProxyError { variable, mistake })?;
        Ok(Some(Self {
            variable,
            url,
            exceptions: EXCEPTIONS.into_iter().find_map(|name| env.filled(name)),
        }))
    }

    /// As the client takes it.
    pub(super) fn to_reqwest(&self) -> reqwest::Result<reqwest::Proxy> {
        let exceptions = self.exceptions.as_deref();
        let exceptions = exceptions.and_then(reqwest::NoProxy::from_string);
        Ok(reqwest::Proxy::all(self.url.clone())?.no_proxy(exceptions))
    }

    /// The variable that names it.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

/// Scheme, host and port.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.url.scheme();
        let usual = SCHEMES.iter().find(|(name, _)| *name == scheme);
        let port = self
            .url
            .port()
            .or_else(|| usual.map(|(_, port)| *port))
            .unwrap_or_default();
        write!(f, "{scheme}://{}:{port}", self.url.host_str().unwrap_or_default())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self} from {})", self.variable)
    }
}

fn parse(text: &str) -> Result<Url, ProxyMistake> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let scheme = scheme.to_ascii_lowercase();
    if !SCHEMES.iter().any(|(name, _)| *name == scheme) {
        return Err(ProxyMistake::Scheme);
    }
    if !rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err(ProxyMistake::Characters);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    if after.contains('@') {
        return Err(ProxyMistake::Unescaped);
    }
    if !["", "/"].contains(&after) {
        return Err(ProxyMistake::Path);
    }
    let url = Url::parse(&format!("{scheme}://{authority}")).map_err(|error| {
        // The only mistake that has a name of its own.
        if error.to_string().contains("port") {
            ProxyMistake::Port
        } else {
            ProxyMistake::Host
        }
    })?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(ProxyMistake::Host);
    }
    if url.port() == Some(0) || authority.ends_with(':') {
        return Err(ProxyMistake::Port);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn proxy(pairs: &[(&str, &str)]) -> Result<Option<Proxy>, ProxyError> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let env: BTreeMap<String, String> = pairs.iter().map(owned).collect();
        Proxy::of(&env)
    }

    #[test]
    fn the_first_variable_that_is_not_empty_holds() {
        for (pairs, expected) in [
            (&[][..], None),
            (&[("HTTPS_PROXY", "")], None),
            (&[("HTTP_PROXY", "http://a:1")], None),
            (
                &[("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://b:2")],
                Some("http://a:1 HTTPS_PROXY"),
            ),
            (
                &[("HTTPS_PROXY", ""), ("https_proxy", "http://b:2")],
                Some("http://b:2 https_proxy"),
            ),
            (
                &[("ALL_PROXY", "socks5h://c"), ("NO_PROXY", "x")],
                Some("socks5h://c:1080 ALL_PROXY"),
            ),
            (&[("all_proxy", "d:3128")], Some("http://d:3128 all_proxy")),
            (
                &[("HTTPS_PROXY", "HTTPS://u:hunter2@[::1]/")],
                Some("https://[::1]:443 HTTPS_PROXY"),
            ),
        ] {
            let found = proxy(pairs).expect("usable");
            assert!(!format!("{found:?}").contains("hunter2"));
            let shown = found.map(|proxy| format!("{proxy} {}", proxy.variable()));
            assert_eq!(shown.as_deref(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn what_can_not_be_used_is_an_error_that_shows_nothing() {
        use ProxyMistake::{Characters, Host, Path, Port, Scheme, Unescaped};
        for (text, mistake) in [
            ("ftp://proxy:21", Scheme),
            ("socks4://proxy", Scheme),
            ("http://hunter2 corp:3128", Characters),
            ("http://prüfung:3128", Characters),
            ("http://u:hun#ter2@proxy:3128", Unescaped),
            ("u:hun/ter2@proxy:3128", Unescaped),
            ("http://u:hun?ter2@proxy:3128", Unescaped),
            ("http://", Host),
            ("socks5://", Host),
            ("http://[::1:3128", Host),
            ("http://proxy:99999", Port),
            ("http://proxy:", Port),
            ("http://proxy:0", Port),
            ("http://proxy:31x8", Port),
            ("http://proxy:3128/hunter2", Path),
            ("http://proxy?hunter2", Path),
        ] {
            let error = proxy(&[("https_proxy", text)]).expect_err(text);
            assert_eq!(error.mistake, mistake, "{text}");
            let shown = format!("{error} {error:?}");
            assert!(
                shown.starts_with("https_proxy: ") && !shown.contains("hunter2"),
                "{shown}"
            );
        }
    }
}
