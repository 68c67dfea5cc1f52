//! Paths, methods and headers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderValue, VARY};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};

use super::{Format, Options, Site, negotiate};

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// Pages load nothing, from nowhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type Answer = Response<Full<Bytes>>;

pub(super) async fn respond(request: Request<Incoming>, site: &dyn Site, options: &Options) -> Answer {
    let path = request.uri().path();
    let reload = path == "/-/reload";
    let allowed: &[Method] = if reload {
        &[Method::POST]
    } else {
        &[Method::GET, Method::HEAD]
    };
    let known = reload
        || path == options.telemetry_path
        || ["/", "/status", "/api/v1/status", "/sd", "/-/healthy", "/-/ready"].contains(&path);
    if !known {
        return answer(
            StatusCode::NOT_FOUND,
            TEXT,
            format!(
                "nothing is served at this path; metrics are at {}\n",
                options.telemetry_path
            ),
        );
    }
    if !allowed.contains(request.method()) {
        let mut refused = answer(
            StatusCode::METHOD_NOT_ALLOWED,
            TEXT,
            "this method isn't for this path\n",
        );
        refused.headers_mut().insert(
            ALLOW,
            HeaderValue::from_static(if reload { "POST" } else { "GET, HEAD" }),
        );
        return refused;
    }
    let mut answer = match path {
        "/" => answer(StatusCode::OK, HTML, landing(options)),
        "/status" => answer(StatusCode::OK, HTML, site.status().html()),
        "/api/v1/status" => answer(StatusCode::OK, JSON, site.status().json()),
        "/sd" => answer(StatusCode::OK, JSON, targets(site, request.headers(), options)),
        "/-/ready" => answer(StatusCode::OK, TEXT, "ready\n"),
        "/-/healthy" => match site.healthy() {
            Ok(()) => answer(StatusCode::OK, TEXT, "healthy\n"),
            Err(why) => answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{why}\n")),
        },
        "/-/reload" if !options.lifecycle => answer(
            StatusCode::FORBIDDEN,
            TEXT,
            "reloading over HTTP is off: start with --web.enable-lifecycle, or send SIGHUP\n",
        ),
        "/-/reload" => match site.reload().await {
            Ok(()) => answer(StatusCode::OK, TEXT, "reloaded\n"),
            Err(why) => answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                TEXT,
                format!("the configuration in use stays: {why}\n"),
            ),
        },
        _ => metrics(site, request.headers(), request.uri().query()),
    };
    if request.method() == Method::HEAD {
        let length = hyper::body::Body::size_hint(answer.body()).exact().unwrap_or(0);
        *answer.body_mut() = Full::default();
        answer
            .headers_mut()
            .insert(hyper::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    answer
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if kind == HTML {
        headers.insert("content-security-policy", HeaderValue::from_static(POLICY));
    }
    response
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// All values of a header that may be repeated, as one list.
fn list(headers: &HeaderMap, name: &str) -> String {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect::<Vec<_>>()
        .join(",")
}

fn metrics(site: &dyn Site, headers: &HeaderMap, query: Option<&str>) -> Answer {
    let accounts: Vec<_> = query
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.strip_prefix("account="))
        .collect();
    let account = match accounts[..] {
        [] => None,
        // Account names need no escaping, so that an escaped one is none.
        [account] if !account.is_empty() => Some(account),
        _ => {
            return answer(
                StatusCode::BAD_REQUEST,
                TEXT,
                "account= names one account, once\n",
            );
        }
    };
    let format = negotiate::format(&list(headers, "accept"));
    let gzip = negotiate::gzip(&list(headers, "accept-encoding"));
    let Some(body) = site.metrics(account, format, gzip) else {
        return answer(
            StatusCode::NOT_FOUND,
            TEXT,
            "account= names an account that isn't configured; /sd lists those that are\n",
        );
    };
    let kind = match format {
        Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        Format::Text => "text/plain; version=0.0.4; charset=utf-8",
    };
    let mut answer = answer(StatusCode::OK, kind, body);
    let headers = answer.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer
}

/// Prometheus HTTP service discovery: one target an account, at the address by which the client came here.
fn targets(site: &dyn Site, headers: &HeaderMap, options: &Options) -> String {
    let host = header(headers, HOST.as_str());
    let targets = site.accounts().into_iter().map(|account| {
        serde_json::json!({
            "targets": [host],
            "labels": {
                "__param_account": account,
                "__metrics_path__": options.telemetry_path,
                "__meta_knowbe4_account": account,
            },
        })
    });
    serde_json::Value::Array(targets.collect()).to_string()
}

fn landing(options: &Options) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>knowbe4-exporter</title><style>:root{{color-scheme:light dark;font-family:system-ui,sans-serif}}\
         body{{max-width:40rem;margin:3rem auto;padding:0 1rem;line-height:1.5}}</style></head><body><main>\
         <h1>knowbe4-exporter</h1><p>A Prometheus exporter for KnowBe4, version {}.</p><ul>\
         <li><a href=\"{}\">Metrics</a></li><li><a href=\"/status\">Status</a>: why is this number old?</li>\
         <li><a href=\"/api/v1/status\">Status as JSON</a></li><li><a href=\"/sd\">Service discovery</a></li>\
         <li><a href=\"/-/healthy\">Health</a></li></ul></main></body></html>\n",
        env!("CARGO_PKG_VERSION"),
        options.telemetry_path
    )
}
