//! The simulator behind a real HTTP server, with answers that break off, hang or never end.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{Answer, Delivery, Request, Simulator};

/// Serves `simulator` until `shutdown`. The listener is given, so that tests can bind port 0.
///
/// # Errors
/// When the listener is lost.
pub async fn serve(
    simulator: Arc<Simulator>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let start = Instant::now();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        while connections.try_join_next().is_some() {}
        let stream = tokio::select! {
            () = &mut shutdown => return Ok(()),
            accepted = listener.accept() => accepted?.0,
        };
        let simulator = Arc::clone(&simulator);
        connections.spawn(async move {
            let service = service_fn(move |request| respond(Arc::clone(&simulator), start, request));
            // A client that goes away, or a fault that breaks the connection, is as it should be.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn respond(
    simulator: Arc<Simulator>,
    start: Instant,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Faulty>, Infallible> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let asked = Request {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        authorization: header("authorization"),
    };
    let answer = simulator.answer(&asked, start.elapsed());
    match answer.delivery {
        Delivery::Delayed(delay) => sleep(delay).await,
        Delivery::Hang => pending().await,
        _ => {}
    }
    Ok(response(answer))
}

fn response(answer: Answer) -> hyper::Response<Faulty> {
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    let body = Bytes::from(answer.body);
    let (body, end) = match answer.delivery {
        Delivery::Reset => (body.slice(..body.len() / 2), End::Broken),
        Delivery::Endless => (Bytes::from_static(b"["), End::Never),
        _ => (body, End::Whole),
    };
    response
        .body(Faulty {
            body: Some(body),
            end,
            pause: None,
        })
        .unwrap_or_default()
}

/// A body that ends as it should, breaks off, or never ends.
#[derive(Default)]
struct Faulty {
    body: Option<Bytes>,
    end: End,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
}

#[derive(Default, PartialEq)]
enum End {
    #[default]
    Whole,
    Broken,
    Never,
}

impl Body for Faulty {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(body) = self.body.take() {
            return Poll::Ready(Some(Ok(Frame::data(body))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Broken => {
                // Lets the first half leave before the connection goes.
                let pause = self
                    .pause
                    .get_or_insert_with(|| Box::pin(sleep(Duration::from_millis(20))));
                pause
                    .as_mut()
                    .poll(context)
                    .map(|()| Some(Err(io::ErrorKind::ConnectionReset.into())))
            }
            End::Never => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 64 * 1024]))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none() && self.end == End::Whole
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match (&self.body, &self.end) {
            (Some(body), End::Whole) => hyper::body::SizeHint::with_exact(body.len() as u64),
            (None, End::Whole) => hyper::body::SizeHint::with_exact(0),
            _ => hyper::body::SizeHint::default(),
        }
    }
}
