//! What an exporter gives to its endpoint.

use std::future::Future;
use std::pin::Pin;

use super::answer::{Answer, Metrics};
use super::format::Format;
use super::request::Request;

/// A future on the heap, for [`Site::reload`].
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What is handed out. Every method but [`Site::reload`] is called on the threads that serve, and must return without
/// waiting: neither for a lock that is held for long, nor for a disk, nor for another service. A panic in one is
/// answered with 500 and ends nothing else.
pub trait Site: Send + Sync + 'static {
    /// The exposition in this format. `gzip`: who asks takes it compressed; a site that keeps compressed bodies
    /// gives one.
    ///
    /// # Errors
    /// With the answer instead of it: a parameter that can't be taken, a target that isn't known.
    fn metrics(&self, request: &Request<'_>, format: Format, gzip: bool) -> Result<Metrics, Answer>;

    /// What else there is: `/`, a status page. [`None`] for a path where nothing is. Asked for GET and HEAD, and for
    /// other methods to tell "not here" from "not like this".
    fn page(&self, request: &Request<'_>) -> Option<Answer> {
        let _ = request;
        None
    }

    /// Whether the exporter does its work, for `/-/healthy`: how it fares in a sentence.
    ///
    /// # Errors
    /// In one sentence what is stuck or dead; it is shown to whoever asks.
    fn healthy(&self) -> Result<&str, String> {
        Ok("Healthy.")
    }

    /// Reads the configuration again, for `/-/reload`. It runs to its end even if the client that asked is gone; two
    /// may be asked for at a time, and it is for the site to let one wait for the other.
    ///
    /// # Errors
    /// In words why nothing was changed; they are shown to whoever asks.
    fn reload(&self) -> BoxFuture<Result<(), String>> {
        Box::pin(async { Err("This exporter has no configuration to read again.".to_owned()) })
    }
}
