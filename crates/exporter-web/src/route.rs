//! Which path answers what.

use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::answer::Answer;
use super::endpoint::Endpoint;
use super::format;
use super::place::Inside;
use super::request::Request;

/// Answers a request that has passed the gate. `secure`: it came over TLS. The body is never read.
pub(super) async fn route<B>(endpoint: &Endpoint, secure: bool, asked: &hyper::Request<B>) -> Answer {
    let place = &endpoint.place;
    let Ok(path) = percent_decode_str(asked.uri().path()).decode_utf8() else {
        return nothing();
    };
    let path = match place.inside(&path) {
        Inside::Path(path) => path,
        Inside::Start(start) => return Answer::elsewhere(&start),
        Inside::Nothing => return nothing(),
    };
    let request = Request::new(path, asked.uri(), asked.headers(), secure, place);
    let reads = asked.method() == Method::GET || asked.method() == Method::HEAD;
    // The telemetry path goes first: who configures `/status` for metrics gets metrics there.
    match request.path() {
        path if path == place.telemetry_path.as_str() => {
            if !reads {
                return Answer::not_allowed("GET, HEAD");
            }
            let format = format::format(asked.headers());
            let gzip = format::gzip(asked.headers());
            match endpoint.site.metrics(&request, format, gzip) {
                Ok(metrics) => Answer::metrics(metrics, format),
                Err(answer) => answer,
            }
        }
        "/-/healthy" | "/-/ready" if !reads => Answer::not_allowed("GET, HEAD"),
        "/-/healthy" => match endpoint.site.healthy() {
            Ok(how) => Answer::line(StatusCode::OK, how),
            Err(reason) => Answer::line(StatusCode::SERVICE_UNAVAILABLE, &reason),
        },
        // Nothing listens before there is something to serve.
        "/-/ready" => Answer::line(StatusCode::OK, "Ready: metrics are served."),
        "/-/reload" if asked.method() != Method::POST => Answer::not_allowed("POST"),
        "/-/reload" => reload(endpoint, asked).await,
        _ => match endpoint.site.page(&request) {
            None => nothing(),
            Some(_) if !reads => Answer::not_allowed("GET, HEAD"),
            Some(answer) => answer,
        },
    }
}

fn nothing() -> Answer {
    Answer::line(StatusCode::NOT_FOUND, "Nothing is here; / lists the pages.")
}

async fn reload<B>(endpoint: &Endpoint, asked: &hyper::Request<B>) -> Answer {
    if !endpoint.lifecycle {
        return Answer::line(
            StatusCode::FORBIDDEN,
            "Reloading over HTTP is switched off: start with --web.enable-lifecycle, or send SIGHUP.",
        );
    }
    // A page elsewhere must not be able to make a browser reload the exporter.
    let elsewhere = asked
        .headers()
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none");
    if elsewhere {
        return Answer::line(
            StatusCode::FORBIDDEN,
            "A page of another site may not reload the configuration.",
        );
    }
    // Its own task, so that a client that goes away does not cut it off halfway.
    match endpoint.reloads.spawn(endpoint.site.reload()).await {
        Ok(Ok(())) => Answer::line(
            StatusCode::OK,
            "The configuration was read again and is in force.",
        ),
        Ok(Err(mistakes)) => Answer::line(
            StatusCode::INTERNAL_SERVER_ERROR,
            &format!("The configuration was not changed. {mistakes}"),
        ),
        Err(_) => Answer::line(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The configuration was not changed: the reload broke off. The log says where.",
        ),
    }
}
