//! The life of one account in this process: served from what another process saves until its turn comes, polled for as
//! long as its lease lasts, and served again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::open::{Held, Opened, Shared};
use crate::instrument::ReportMark;
use crate::poll::{self, Poller};
use crate::store::{LeaseEnd, Saved, StoreError};

/// Pause before an account that could not be taken up is tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// How often a waiting account shows that its task lives.
const BEAT: Duration = Duration::from_secs(10);

/// How often it is looked for something to report.
const REPORT: Duration = Duration::from_millis(250);

/// What an account's task holds, for whoever takes its place.
pub(super) type Holding = Arc<Mutex<Option<Held>>>;

/// An account's task.
pub(super) struct Life {
    pub(super) shared: Arc<Shared>,
    pub(super) opened: Opened,
    pub(super) holding: Holding,
    pub(super) stop: CancellationToken,
}

impl Life {
    /// Serves what is known of the account. Its poller, if this process polls it.
    pub(super) async fn begin(&self) -> Option<Poller> {
        if self.shared.storage.is_shared() {
            self.opened.kept.instruments.await_reports();
        }
        let held = self
            .holding
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(held) = held {
            return Some(Poller::restore(self.shared.tools(&self.opened, held)).await);
        }
        match self.shared.storage.peek(&self.opened.config.name).await {
            Ok(saved) => self.show(&saved.unwrap_or_default()),
            Err(error) => {
                warn!(account = %self.opened.config.name, "what was kept can't be read: {}", error.explain());
                self.show(&Saved::default());
            }
        }
        None
    }

    /// Goes on until it is stopped.
    pub(super) async fn run(self, poller: Option<Poller>) {
        tokio::select! {
            () = self.live(poller) => {}
            () = self.hear() => {}
        }
    }

    async fn live(&self, mut poller: Option<Poller>) {
        loop {
            let polling = match poller.take() {
                Some(poller) => poller,
                None => {
                    let stop = self.stop.clone();
                    let Some(held) = stop.run_until_cancelled(self.turn()).await else {
                        return;
                    };
                    info!(account = %self.opened.config.name, "its turn has come: it is polled from here on");
                    self.hold(Some(held.clone()));
                    Poller::restore(self.shared.tools(&self.opened, held)).await
                }
            };
            let ended = tokio::select! {
                ended = polling.run(self.stop.clone()) => ended,
                () = self.report() => None,
            };
            let Some(end) = ended else {
                return;
            };
            info!(account = %self.opened.config.name, lost = end == LeaseEnd::Lost, "another process polls it from here on");
            if let Some(held) = self.hold(None) {
                self.opened.kept.instruments.spends_from(None);
                held.lease.release().await;
            }
        }
    }

    /// Shows what the account's holder reports, whoever that is. Doesn't end.
    async fn hear(&self) {
        let mut reports = self.shared.storage.hear(&self.opened.config.name);
        while reports.changed().await.is_ok() {
            let report = reports.borrow_and_update().clone();
            if let Some(report) = report {
                self.opened.kept.instruments.show_report(&report);
                self.shared.instruments.note_shown();
            }
        }
        // Nobody reports.
        std::future::pending().await
    }

    /// Reports what is known here, while this process polls the account. Doesn't end.
    async fn report(&self) {
        let held = self
            .holding
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut last = ReportMark::default();
        while let (true, Some(held)) = (self.shared.storage.is_shared(), &held) {
            if let Some(report) = self.opened.kept.instruments.report(&mut last) {
                held.lease.report(report);
            }
            sleep(REPORT).await;
        }
        std::future::pending().await
    }

    fn hold(&self, held: Option<Held>) -> Option<Held> {
        let mut holding = self.holding.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut holding, held)
    }

    /// Waits until this process may poll the account, and serves what its holder saves meanwhile.
    async fn turn(&self) -> Held {
        let mut saved = self.shared.storage.follow(&self.opened.config.name);
        let taken = self.take();
        tokio::pin!(taken);
        loop {
            self.opened.heartbeat.beat();
            tokio::select! {
                held = &mut taken => return held,
                changed = timeout(BEAT, saved.changed()) => match changed {
                    Ok(Ok(())) => {
                        let saved = saved.borrow_and_update().clone();
                        if let Some(saved) = saved {
                            self.show(&saved);
                        }
                    }
                    // Nobody tells any more.
                    Ok(Err(_)) => sleep(BEAT).await,
                    Err(_) => {}
                }
            }
        }
    }

    /// Waits for the lease, and takes up what the account has spent; tries again where that fails.
    async fn take(&self) -> Held {
        let Opened { config, kept, .. } = &self.opened;
        loop {
            let held = async {
                let lease = self.shared.storage.lease(&config.name).await?;
                self.shared.hold(lease, config, &kept.instruments).await
            };
            match held.await {
                Ok(held) => return held,
                Err(error) => self.complain(&error),
            }
            sleep(AGAIN).await;
        }
    }

    fn complain(&self, error: &StoreError) {
        warn!(account = %self.opened.config.name, "it can't be polled, tried again in {} s: {}", AGAIN.as_secs(), error.explain());
    }

    /// Serves what another process has saved.
    fn show(&self, saved: &Saved) {
        let config = &self.opened.config;
        let snapshot = poll::shown(saved.snapshot.clone(), config);
        self.shared.published.publish(&config.name, Arc::new(snapshot));
        self.opened.kept.instruments.update(|state| {
            state.up = saved.up;
            state.collectors = saved.collectors.clone();
            for (collector, settings) in config.collectors.iter() {
                state.collectors[collector].disabled = !settings.enabled;
            }
        });
    }
}
