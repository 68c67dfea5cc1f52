//! One request: the gate (rate limit, authentication), the route, the configured headers; and a net under all of it.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use hyper::header::{HOST, WWW_AUTHENTICATE};
use hyper::{Request, StatusCode, Version};

use super::answer::{Answer, text, with};
use super::{Shared, route};

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) peer: IpAddr,
    /// It speaks TLS.
    pub(super) secure: bool,
}

/// Answers one request of `client`, whatever happens meanwhile.
pub(super) async fn handle<B>(
    shared: Arc<Shared>,
    client: Client,
    request: Request<B>,
) -> Result<Answer, Infallible> {
    let web = match &shared.web {
        Some(web) => Some((web, web.current().await)),
        None => None,
    };
    let work = async {
        if !has_host(&request) {
            return text(StatusCode::BAD_REQUEST, "Expected one Host header.");
        }
        if let Some((web, config)) = &web {
            if !web.admits(config) {
                return text(StatusCode::TOO_MANY_REQUESTS, "Too many requests.");
            }
            if !web.knows(config, request.headers(), client.peer).await {
                let refusal = text(StatusCode::UNAUTHORIZED, "Unauthorized.");
                return with(
                    refusal,
                    WWW_AUTHENTICATE,
                    "Basic realm=\"knowbe4-exporter\", charset=\"UTF-8\"",
                );
            }
        }
        route::route(&shared, client.secure, &request).await
    };
    let mut answer = caught(work).await.unwrap_or_else(|| {
        tracing::error!(path = request.uri().path(), "a request made its handler panic");
        text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal error. The log says where.",
        )
    });
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

/// Runs a future; [`None`] when it panicked. It is dropped then and never polled again, so that nothing sees what
/// the panic left halfway but locks, which all callers take over when poisoned.
async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    std::future::poll_fn(
        move |cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}
