//! Training campaigns, and the content that trainings are made of.

use std::collections::BTreeMap;

use super::Yield;
use crate::api::error::ApiError;
use crate::api::wire::{PolicyRow, PurchaseRow, Row as _, TrainingRow};
use crate::api::{Client, Refresh};
use crate::model::{Collector, Endpoint, Policies, StorePurchases, TrainingCampaign, TrainingCampaigns};
use crate::snapshot::Collection;

pub(super) async fn campaigns(client: &Client, refresh: &mut Refresh) -> Result<Yield, ApiError> {
    let mut campaigns = Vec::new();
    let mut fold = |row: TrainingRow, _: &mut _| {
        campaigns.extend(row.id().map(|id| {
            TrainingCampaign {
                id,
                name: row.name.unwrap_or_default(),
                status: row.status.unwrap_or_default(),
                // -1: too large to calculate.
                completion: row
                    .completion_percent
                    .filter(|percent| *percent >= 0.0)
                    .map(|percent| percent / 100.0),
                start: row.start,
                end: row.end,
            }
        }));
        Ok(())
    };
    client
        .list(
            refresh,
            Endpoint::Of(Collector::TrainingCampaigns),
            &[],
            &mut fold,
        )
        .await?;
    campaigns.sort_unstable_by_key(|campaign: &TrainingCampaign| campaign.id);
    Ok(Collection::TrainingCampaigns(TrainingCampaigns { campaigns }).into())
}

pub(super) async fn store_purchases(client: &Client, refresh: &mut Refresh) -> Result<Yield, ApiError> {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut fold = |row: PurchaseRow, _: &mut _| {
        let retired = row.retired.map(|retired| retired.to_string()).unwrap_or_default();
        *counts.entry((row.kind.unwrap_or_default(), retired)).or_default() += 1;
        Ok(())
    };
    client
        .list(refresh, Endpoint::Of(Collector::StorePurchases), &[], &mut fold)
        .await?;
    let counts = counts
        .into_iter()
        .map(|((kind, retired), count)| (kind, retired, count))
        .collect();
    Ok(Collection::StorePurchases(StorePurchases { counts }).into())
}

pub(super) async fn policies(client: &Client, refresh: &mut Refresh) -> Result<Yield, ApiError> {
    let mut policies = 0;
    let mut fold = |_: PolicyRow, _: &mut _| {
        policies += 1;
        Ok(())
    };
    client
        .list(refresh, Endpoint::Of(Collector::Policies), &[], &mut fold)
        .await?;
    Ok(Collection::Policies(Policies { policies }).into())
}
