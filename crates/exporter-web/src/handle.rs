//! One request: the gate (rate limit, authentication), the route, the configured headers; and a net under all of it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body_util::Full;
use hyper::header::{HOST, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode, Version};

use super::answer::Answer;
use super::endpoint::Endpoint;
use super::{format, route};

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) peer: IpAddr,
    /// It speaks TLS.
    pub(super) secure: bool,
}

/// Answers one request of `client`, whatever happens meanwhile.
pub(super) async fn handle<B>(
    endpoint: Arc<Endpoint>,
    client: Client,
    request: Request<B>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let web = match &endpoint.web {
        Some(web) => Some((web, web.current().await)),
        None => None,
    };
    let work = async {
        if !has_host(&request) {
            return Answer::line(StatusCode::BAD_REQUEST, "Expected one Host header.");
        }
        if let Some((web, config)) = &web {
            if !web.admits(config) {
                return Answer::line(StatusCode::TOO_MANY_REQUESTS, "Too many requests.");
            }
            if !web.knows(config, request.headers(), client.peer).await {
                return Answer::line(StatusCode::UNAUTHORIZED, "Unauthorized.");
            }
        }
        route::route(&endpoint, client.secure, &request).await
    };
    // A future that has panicked is dropped and never polled again, so that nothing sees what it left halfway.
    let answer = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(path = request.uri().path(), "a request made its handler panic");
        Answer::line(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal error. The log says where.",
        )
    });
    let mut answer = answer.into_response(format::gzip(request.headers()));
    if answer.status() == StatusCode::UNAUTHORIZED
        && let Ok(challenge) = HeaderValue::from_str(&endpoint.challenge)
    {
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    if let Some((_, config)) = &web {
        for (name, value) in config.headers() {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    tracing::debug!(
        method = %request.method(),
        path = request.uri().path(),
        status = answer.status().as_u16(),
        "answered"
    );
    Ok(answer)
}

/// HTTP/1.1 demands one, and no version allows two (RFC 9112, 3.2).
fn has_host<B>(request: &Request<B>) -> bool {
    match request.headers().get_all(HOST).iter().count() {
        0 => request.version() < Version::HTTP_11,
        number => number == 1,
    }
}
