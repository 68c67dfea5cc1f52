//! What all connections share.

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

use super::limits::Limits;
use super::path::TelemetryPath;
use super::site::Site;
use super::web::Web;

/// The endpoint while it serves.
pub(super) struct Endpoint {
    pub(super) site: Arc<dyn Site>,
    /// Challenge of basic authentication.
    pub(super) challenge: String,
    pub(super) telemetry_path: TelemetryPath,
    pub(super) lifecycle: bool,
    pub(super) limits: Limits,
    pub(super) slots: Arc<Semaphore>,
    /// Told when a connection waits for a slot: the one that has listened longest gives way.
    pub(super) crowded: Notify,
    pub(super) web: Option<Web>,
    pub(super) reloads: TaskTracker,
}

impl Endpoint {
    pub(super) fn new(
        site: Arc<dyn Site>,
        name: &str,
        telemetry_path: TelemetryPath,
        lifecycle: bool,
        limits: Limits,
        web: Option<Web>,
        slots: usize,
    ) -> Self {
        Self {
            site,
            challenge: format!("Basic realm=\"{name}\", charset=\"UTF-8\""),
            telemetry_path,
            lifecycle,
            limits,
            slots: Arc::new(Semaphore::new(slots)),
            crowded: Notify::new(),
            web,
            reloads: TaskTracker::new(),
        }
    }
}
