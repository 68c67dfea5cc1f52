//! What the holders of accounts save, for the replicas that only serve them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_postgres::types::Type;

use super::trouble::Trouble;
use super::{Shared, packed};
use crate::model::AccountName;

/// How often snapshots of others are looked at, where nobody tells of news.
const LOOK: Duration = Duration::from_secs(1);

/// After a look at the others' snapshots that is older than this, all is looked at again, and not only what is new.
const LATELY: Duration = Duration::from_secs(5);

/// What is new, and what this replica has not seen yet.
const VERSIONS: &str = "
SELECT account, version FROM knowbe4_exporter.saved
WHERE account = ANY($1) AND (at > clock_timestamp() - interval '10 seconds' OR account = ANY($2))";

const SAVED: &str = "SELECT bytes FROM knowbe4_exporter.saved WHERE account = $1";

impl Shared {
    /// Looks at what others save and report, for as long as it is polled.
    pub(super) async fn follow_others(&self) {
        loop {
            // What goes wrong is told where the heart beats.
            let _ = tokio::join!(self.look_at_saved(), self.look_at_reports());
            // Told, or a second later.
            let _ = timeout(LOOK, self.news.notified()).await;
        }
    }

    async fn look_at_saved(&self) -> Result<(), Trouble> {
        let looked = Instant::now();
        let (names, unseen): (Vec<String>, Vec<String>) = {
            let mut state = self.lock();
            let lately = state.looked.is_some_and(|looked| looked.elapsed() < LATELY);
            state
                .followed
                .retain(|_, followed| followed.to.receiver_count() > 0);
            let others = state.followed.iter();
            let others = others.filter(|(name, _)| !state.held.contains_key(*name));
            let others: Vec<_> = others.collect();
            let unseen = others
                .iter()
                .filter(|(_, followed)| !lately || followed.version == 0);
            let unseen = unseen.map(|(name, _)| name.to_string()).collect();
            (others.iter().map(|(name, _)| name.to_string()).collect(), unseen)
        };
        if names.is_empty() {
            return Ok(());
        }
        let accounts = [(&names as _, Type::TEXT_ARRAY), (&unseen as _, Type::TEXT_ARRAY)];
        let rows = self.bulk.rows(VERSIONS, &accounts).await?;
        for row in rows {
            let (name, version): (&str, i64) = (row.get(0), row.get(1));
            let Ok(name) = name.parse::<AccountName>() else {
                continue;
            };
            let known = self.lock().followed.get(&name).map(|followed| followed.version);
            if known.is_none_or(|known| known == version) {
                continue;
            }
            let row = self.bulk.row(SAVED, &[(&name.as_str(), Type::TEXT)]).await?;
            let saved = row.and_then(|row| packed::unpack(row.get(0)));
            if let (Some(saved), Some(followed)) = (saved, self.lock().followed.get_mut(&name)) {
                followed.version = version;
                followed.to.send_replace(Some(Arc::new(saved)));
            }
        }
        self.lock().looked = Some(looked);
        Ok(())
    }
}
