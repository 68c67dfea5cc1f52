//! Which path answers what.

use hyper::header::{ALLOW, CONTENT_ENCODING, HOST, HeaderMap, VARY};
use hyper::{Method, Request, StatusCode, Uri};
use serde_json::json;

use super::answer::{Answer, answer, json as json_answer, page, text, with};
use super::query::QueryError;
use super::{MetricsAnswer, Shared, negotiate, pages, percent, query};
use crate::cli::TelemetryPath;

/// The longest piece of a client's own text that an error repeats, in characters.
const QUOTED: usize = 64;

/// What a path is for.
#[derive(Clone, Copy)]
enum Route {
    Metrics,
    Landing,
    Status,
    StatusJson,
    Discovery,
    Healthy,
    Ready,
    Reload,
}

impl Route {
    /// The telemetry path goes first: who configures `/status` for metrics gets metrics there.
    fn of(path: &str, telemetry_path: &TelemetryPath) -> Option<Self> {
        Some(match path {
            path if path == telemetry_path.as_str() => Self::Metrics,
            "/" => Self::Landing,
            "/status" => Self::Status,
            "/api/v1/status" => Self::StatusJson,
            "/sd" => Self::Discovery,
            "/-/healthy" => Self::Healthy,
            "/-/ready" => Self::Ready,
            "/-/reload" => Self::Reload,
            _ => return None,
        })
    }

    fn allows(self, method: &Method) -> Result<(), &'static str> {
        match self {
            Self::Reload if method == Method::POST => Ok(()),
            Self::Reload => Err("POST"),
            _ if method == Method::GET || method == Method::HEAD => Ok(()),
            _ => Err("GET, HEAD"),
        }
    }
}

/// Answers a request that has passed the gate. `secure`: it came over TLS. The body is never read.
pub(super) async fn route<B>(shared: &Shared, secure: bool, request: &Request<B>) -> Answer {
    let route =
        percent::decode(request.uri().path()).and_then(|path| Route::of(&path, &shared.telemetry_path));
    let Some(route) = route else {
        return text(StatusCode::NOT_FOUND, "Nothing is here; / lists the pages.");
    };
    if let Err(allowed) = route.allows(request.method()) {
        let refusal = text(
            StatusCode::METHOD_NOT_ALLOWED,
            &format!("This path answers {allowed}."),
        );
        return with(refusal, ALLOW, allowed);
    }
    let headers = request.headers();
    let site = &shared.site;
    match route {
        Route::Metrics => metrics(shared, request.uri(), headers),
        Route::Landing => page(
            pages::landing(
                &shared.version,
                shared.telemetry_path.as_str(),
                &site.status().summary(),
            ),
            negotiate::gzip(headers),
        ),
        Route::Status => status_page(shared, request.uri(), headers),
        Route::StatusJson => status_json(shared, request.uri(), headers),
        Route::Discovery => discovery(shared, secure, request.uri(), headers),
        Route::Healthy => match site.healthy() {
            Ok(()) => text(StatusCode::OK, "Healthy: all pollers are alive."),
            Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, &reason),
        },
        Route::Ready if site.ready() => text(StatusCode::OK, "Ready: metrics are served."),
        Route::Ready => not_ready(),
        Route::Reload => reload(shared, headers).await,
    }
}

fn not_ready() -> Answer {
    text(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not ready: there are no metrics to serve yet.",
    )
}

fn malformed(error: QueryError) -> Answer {
    text(StatusCode::BAD_REQUEST, &format!("{error}."))
}

fn unknown_account(name: &str) -> Answer {
    let name: String = name.chars().take(QUOTED).collect();
    text(
        StatusCode::NOT_FOUND,
        &format!(
            "No account {name:?} is configured: the parameter \"{}\" is the name of an account in the \
             configuration; /sd lists them.",
            query::ACCOUNT
        ),
    )
}

fn status_page(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Answer {
    let account = match query::account(uri.query()) {
        Ok(account) => account,
        // What the page's own field sends when nothing was typed.
        Err(QueryError::Empty) => None,
        Err(error) => return malformed(error),
    };
    let account = account.as_deref();
    let view = shared.site.status();
    let found = account.is_none_or(|name| view.has(name));
    let html = view.html(shared.telemetry_path.as_str(), account);
    let mut page = page(html, negotiate::gzip(headers));
    if !found {
        *page.status_mut() = StatusCode::NOT_FOUND;
    }
    page
}

fn status_json(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Answer {
    let view = shared.site.status();
    let view = match query::account(uri.query()) {
        Ok(None) => view,
        Ok(Some(name)) => match view.of_account(&name) {
            Some(view) => view,
            None => return unknown_account(&name),
        },
        Err(error) => return malformed(error),
    };
    json_answer(view.json(), negotiate::gzip(headers))
}

fn metrics(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Answer {
    let account = match query::account(uri.query()) {
        Ok(account) => account,
        Err(error) => return malformed(error),
    };
    let format = negotiate::format(headers);
    let gzip = negotiate::gzip(headers);
    match shared.site.metrics(account.as_deref(), format, gzip) {
        MetricsAnswer::Ready(body) => {
            let metrics = answer(StatusCode::OK, format.content_type(), body);
            let metrics = with(metrics, VARY, "Accept, Accept-Encoding");
            if gzip {
                with(metrics, CONTENT_ENCODING, "gzip")
            } else {
                metrics
            }
        }
        MetricsAnswer::UnknownAccount => unknown_account(&account.unwrap_or_default()),
        MetricsAnswer::NotReady => not_ready(),
    }
}

/// One target per account, at the address under which the client found this server.
fn discovery(shared: &Shared, secure: bool, uri: &Uri, headers: &HeaderMap) -> Answer {
    let host = match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(HOST).and_then(|host| host.to_str().ok()),
    };
    let Some(host) = host.filter(|host| is_host(host)) else {
        return text(
            StatusCode::BAD_REQUEST,
            "The targets' address is the request's Host header: expected HOST:PORT there.",
        );
    };
    let groups: Vec<_> = shared
        .site
        .accounts()
        .iter()
        .map(|account| {
            let mut labels = json!({
                "__param_account": account.as_str(),
                "__meta_knowbe4_account": account.as_str(),
                // All have one address: what Prometheus says of a target must say of which.
                "instance": format!("{host}/{account}"),
            });
            // Only what the scrape configuration can't know better: behind a proxy path and scheme are others.
            if shared.telemetry_path.as_str() != "/metrics" {
                labels["__metrics_path__"] = json!(shared.telemetry_path.as_str());
            }
            if secure {
                labels["__scheme__"] = json!("https");
            }
            json!({ "targets": [host], "labels": labels })
        })
        .collect();
    let body = serde_json::Value::from(groups).to_string();
    json_answer(body.into_bytes(), negotiate::gzip(headers))
}

/// Characters of host names, addresses and ports: all that a target may hold.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}

async fn reload(shared: &Shared, headers: &HeaderMap) -> Answer {
    if !shared.lifecycle {
        return text(
            StatusCode::FORBIDDEN,
            "Reloading over HTTP is switched off: start with --web.enable-lifecycle, or send SIGHUP.",
        );
    }
    // A page elsewhere must not be able to make a browser reload the exporter.
    let elsewhere = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none");
    if elsewhere {
        return text(
            StatusCode::FORBIDDEN,
            "A page of another site may not reload the configuration.",
        );
    }
    // Its own task, so that a client that goes away does not cut it off halfway.
    match shared.reloads.spawn(shared.site.reload()).await {
        Ok(Ok(())) => text(
            StatusCode::OK,
            "The configuration was read again and is in force.",
        ),
        Ok(Err(mistakes)) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            &format!("The configuration was not changed. {mistakes}"),
        ),
        Err(_) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The configuration was not changed: the reload broke off. The log says where.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
