//! Which part of a connection failed: a server, its certificate, or the proxy in between.

use std::error::Error;
use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};

use super::error::{ApiError, TransportKind};
use super::proxy::Proxy;
use super::trust::CertificateProblem;

/// What an error of the client means. `limit` is how long the request had, `proxy` what it went through.
pub(super) fn classify(error: &reqwest::Error, limit: Duration, proxy: Option<&Proxy>) -> ApiError {
    let detail = causes(error);
    if let Some(proxy) = proxy.filter(|_| is_of_proxy(error, &detail)) {
        let detail = if error.is_timeout() {
            format!(
                "the proxy {proxy} ({}) makes no connection in time",
                proxy.variable()
            )
        } else {
            format!("the proxy {proxy} ({}): {detail}", proxy.variable())
        };
        return ApiError::Transport {
            kind: TransportKind::Proxy,
            detail,
        };
    }
    if error.is_timeout() {
        return ApiError::Timeout(limit);
    }
    if let Some(problem) = find(error, problem) {
        return ApiError::Certificate(problem);
    }
    let lower = detail.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let kind = if says(&[
        "dns error",
        "failed to lookup",
        "name or service not known",
        "error resolving",
    ]) {
        TransportKind::Dns
    } else if says(&[
        "certificate",
        "tls",
        "handshake",
        "corrupt message",
        "invalid peer",
        "fatal alert",
    ]) {
        TransportKind::Tls
    } else if says(&["proxy", "tunnel"]) {
        TransportKind::Proxy
    } else if error.is_connect() {
        TransportKind::Connect
    } else {
        TransportKind::Broken
    };
    ApiError::Transport { kind, detail }
}

/// Whether it failed on the way to the proxy or in it, and not behind it.
fn is_of_proxy(error: &reqwest::Error, detail: &str) -> bool {
    let lower = detail.to_ascii_lowercase();
    (error.is_timeout() && error.is_connect())
        || ["tunnel error", "connecting to socks proxy", "socks error"]
            .iter()
            .any(|words| lower.contains(words))
}

/// The chain of causes in one line, without the URL.
pub(super) fn causes(error: &reqwest::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = find(cause, words).unwrap_or_else(|| cause.to_string());
        if causes.last().is_none_or(|last| !last.contains(&text)) {
            causes.push(text);
        }
        source = cause.source();
    }
    if causes.is_empty() {
        "the request failed".to_owned()
    } else {
        causes.join(": ")
    }
}

/// What `of` finds in a TLS error among the causes. An [`io::Error`] isn't the cause of what it carries, so that it is
/// looked into.
fn find<T>(error: &(dyn Error + 'static), of: fn(&rustls::Error) -> Option<T>) -> Option<T> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<rustls::Error>().and_then(of) {
            return Some(found);
        }
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

fn problem(error: &rustls::Error) -> Option<CertificateProblem> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.0.downcast_ref::<CertificateProblem>().cloned()
        }
        _ => None,
    }
}

/// Words in place of what rustls only has for programmers.
fn words(error: &rustls::Error) -> Option<String> {
    match error {
        rustls::Error::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity,
        ) => Some("the TLS handshake failed, since the server has no version, cipher or kind of key in common with this exporter".to_owned()),
        other => problem(other).map(|problem| problem.to_string()),
    }
}
