//! The web configuration in force: read again when its files change, the last good one kept when that fails.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::HeaderMap;
use parking_lot::RwLock;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;

use super::auth::Authenticator;
use super::fingerprint::Fingerprint;
use super::rate::Bucket;
use super::tls;
use super::webconfig::WebConfig;

/// How long a request waits for a look at the files. On a disk that answers it takes microseconds, and milliseconds when
/// they have changed.
const PATIENCE: Duration = Duration::from_millis(500);

/// The configuration in force, and what it needs at run time.
pub(super) struct Web {
    current: RwLock<Arc<WebConfig>>,
    watch: Arc<Mutex<Watch>>,
    looks: TaskTracker,
    check_every: Duration,
    bucket: Bucket,
    authenticator: Option<Authenticator>,
}

/// What was looked at last.
struct Watch {
    seen: Fingerprint,
    checked: Instant,
    /// Why it could not be taken; empty when it was.
    refused: Vec<String>,
}

impl Web {
    /// Starts from a configuration that was just read.
    pub(super) fn new(config: WebConfig, check_every: Duration) -> Self {
        Self {
            watch: Arc::new(Mutex::new(Watch {
                seen: config.fingerprint().clone(),
                checked: Instant::now(),
                refused: Vec::new(),
            })),
            looks: TaskTracker::new(),
            current: RwLock::new(Arc::new(config)),
            check_every,
            bucket: Bucket::default(),
            authenticator: Authenticator::new(&tls::provider()).ok(),
        }
    }

    /// The configuration in force. Looks at the files first when they weren't looked at for a while; whoever comes
    /// while that goes on gets the last one, and so does everyone when they don't answer.
    pub(super) async fn current(self: &Arc<Self>) -> Arc<WebConfig> {
        if let Ok(mut watch) = Arc::clone(&self.watch).try_lock_owned()
            && watch.checked.elapsed() >= self.check_every
        {
            let web = Arc::clone(self);
            // A task of its own: it goes on after the request that began it.
            let look = self.looks.spawn(async move {
                web.look(&mut watch).await;
                watch.checked = Instant::now();
            });
            if timeout(PATIENCE, look).await.is_err() {
                // Once: until they answer nobody looks again.
                tracing::warn!(
                    file = %self.held().path().display(),
                    "the web configuration's files don't answer: the last good one stays"
                );
            }
        }
        self.held()
    }

    fn held(&self) -> Arc<WebConfig> {
        Arc::clone(&self.current.read())
    }

    async fn look(&self, watch: &mut Watch) {
        let held = self.held();
        let seen = watch.seen.clone();
        // What was refused is tried each time: a file that it names may have come since.
        let again = !watch.refused.is_empty();
        // Off the server's threads: the files may be on a disk that hangs.
        let looked = tokio::task::spawn_blocking(move || {
            let now = seen.now();
            (again || now != seen).then(|| {
                let loaded = WebConfig::load(held.path()).and_then(|config| {
                    if held.protects_more_than(&config) {
                        // More likely a file that is just being written than somebody who wants to open the door.
                        Err(vec![format!(
                            "{}: TLS or authentication is gone: only a restart switches it off",
                            held.path().display()
                        )])
                    } else {
                        Ok(config)
                    }
                });
                (now, loaded)
            })
        });
        let Ok(Some((now, loaded))) = looked.await else {
            return;
        };
        match loaded {
            Ok(config) => {
                tracing::info!(file = %config.path().display(), "the web configuration was read again");
                watch.seen = config.fingerprint().clone();
                watch.refused.clear();
                *self.current.write() = Arc::new(config);
            }
            Err(mistakes) => {
                watch.seen = now;
                // Once each, not every few seconds.
                if mistakes != watch.refused {
                    for mistake in &mistakes {
                        tracing::warn!("the last good web configuration stays: {mistake}");
                    }
                }
                watch.refused = mistakes;
            }
        }
    }

    /// Whether the rate limit has room for one more request.
    pub(super) fn admits(&self, config: &WebConfig) -> bool {
        config.rate_limit().is_none_or(|limit| self.bucket.admits(limit))
    }

    /// Whether these headers authenticate one of the configured users, or nobody need to.
    pub(super) async fn knows(&self, config: &WebConfig, headers: &HeaderMap, peer: IpAddr) -> bool {
        match (config.users(), &self.authenticator) {
            (None, _) => true,
            (Some(users), Some(authenticator)) => authenticator.knows(users, headers, peer).await,
            (Some(_), None) => false,
        }
    }
}
