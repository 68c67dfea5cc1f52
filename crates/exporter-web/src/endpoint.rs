//! What all connections share.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use super::crowd::Crowd;
use super::files;
use super::limits::Limits;
use super::place::Place;
use super::site::Site;
use super::web::Web;

/// The endpoint while it serves.
pub(super) struct Endpoint {
    pub(super) site: Arc<dyn Site>,
    /// Challenge of basic authentication.
    pub(super) challenge: String,
    pub(super) place: Place,
    pub(super) lifecycle: bool,
    pub(super) limits: Limits,
    pub(super) crowd: Arc<Crowd>,
    pub(super) web: Option<Arc<Web>>,
    pub(super) reloads: TaskTracker,
}

impl Endpoint {
    pub(super) fn new(
        site: Arc<dyn Site>,
        name: &str,
        place: Place,
        lifecycle: bool,
        limits: Limits,
        web: Option<Arc<Web>>,
    ) -> Self {
        Self {
            site,
            challenge: format!("Basic realm=\"{name}\", charset=\"UTF-8\""),
            place,
            lifecycle,
            limits,
            crowd: Arc::new(Crowd::new(
                limits.connections,
                files::most_silent(&limits),
                limits.settle,
            )),
            web,
            reloads: TaskTracker::new(),
        }
    }
}
