//! The account itself: one object, one request.

use super::Yield;
use crate::api::error::ApiError;
use crate::api::wire::AccountRow;
use crate::api::{Client, Refresh};
use crate::model::{Account, Collector, DAY, Endpoint};
use crate::snapshot::Collection;

pub(super) async fn account(client: &Client, refresh: &mut Refresh) -> Result<Yield, ApiError> {
    let row = client
        .one::<AccountRow>(refresh, Endpoint::Of(Collector::Account))
        .await?;
    if !row.is_account() {
        let detail = "an object that says nothing of an account".to_owned();
        return Err(ApiError::Decode {
            detail,
            request_id: None,
        });
    }
    Ok(Collection::Account(Account {
        name: row.name.unwrap_or_default(),
        kind: row.kind.unwrap_or_default(),
        subscription_level: row.subscription_level.unwrap_or_default(),
        risk_score: row.risk_score,
        seats: row.seats,
        admins: row.admins,
        domains: row.domains,
        // On a day, not at an hour.
        subscription_end: row.subscription_end.map(|end| (end / DAY).floor() * DAY),
    })
    .into())
}
