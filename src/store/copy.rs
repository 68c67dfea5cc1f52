//! Takes an account from one storage to another, with all that it has spent.

use super::{Lease, Saved, Storage, StoreError};
use crate::model::AccountName;

/// What became of an account that was to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// It is there now.
    Now,
    /// It was there already, the same.
    Before,
    /// There was nothing to copy.
    Nothing,
}

/// Copies `account`, which was polled at `base_url`. The snapshot comes last: an account of which a copy was cut off is
/// copied anew. `wall` is unix milliseconds now. The account stays where it was.
///
/// # Errors
/// When either storage can't be used, another process uses the account in one of them, or `to` holds it already.
pub async fn copy(
    account: &AccountName,
    base_url: &str,
    from: &dyn Storage,
    to: &dyn Storage,
    wall: u64,
) -> Result<Copied, StoreError> {
    let there = to.peek(account).await?;
    let source = taken(from, account).await?;
    let copied = async {
        let saved = source.load().await?;
        if there.is_some() {
            let known = same(&there, &saved).then_some(Copied::Before);
            return known.ok_or_else(|| StoreError::There(to.place()));
        }
        let target = taken(to, account).await?;
        let copied = copy_leased(base_url, &*source, &*target, saved, wall).await;
        target.release().await;
        copied
    };
    let copied = copied.await;
    source.release().await;
    copied
}

async fn taken(
    storage: &dyn Storage,
    account: &AccountName,
) -> Result<std::sync::Arc<dyn Lease>, StoreError> {
    let lease = storage.try_lease(account).await?;
    lease.ok_or_else(|| StoreError::Held(storage.place()))
}

async fn copy_leased(
    base_url: &str,
    from: &dyn Lease,
    to: &dyn Lease,
    saved: Option<Saved>,
    wall: u64,
) -> Result<Copied, StoreError> {
    let (_, spent) = from.ledger(wall).await?;
    let nothing = spent.requests.is_empty() && spent.spent_until <= spent.now;
    if saved.is_none() && nothing {
        return Ok(Copied::Nothing);
    }
    to.adopt(spent, wall).await?;
    for id in from.parts().await? {
        to.keep_part(id, from.part(id).await?).await?;
    }
    let (read, known) = from.progress(base_url.to_owned()).await?;
    if known.is_empty() {
        read.finish().await?;
    } else {
        let (mut progress, _) = to.progress(base_url.to_owned()).await?;
        for history in &known {
            progress.add(history).await?;
        }
    }
    to.save(saved.unwrap_or_default()).await?;
    Ok(Copied::Now)
}

/// Equal as they are written: what isn't known is no number, and equals nothing.
fn same(one: &Option<Saved>, other: &Option<Saved>) -> bool {
    let written = |saved: &Option<Saved>| saved.as_ref().map(super::saved::encode);
    written(one) == written(other)
}
