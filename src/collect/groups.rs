//! The active groups that the configuration includes.

use super::{Inputs, Yield};
use crate::api::error::ApiError;
use crate::api::wire::{GroupRow, Row as _};
use crate::api::{Client, Refresh};
use crate::config::AccountConfig;
use crate::model::{Collector, Endpoint, Group, Groups};
use crate::snapshot::Collection;

pub(super) async fn groups(
    client: &Client,
    refresh: &mut Refresh,
    inputs: Inputs<'_>,
) -> Result<Yield, ApiError> {
    let mut groups = Vec::new();
    let config = inputs.config;
    let mut fold = |row: GroupRow, _: &mut _| {
        groups.extend(group(row, config));
        Ok(())
    };
    client
        .list(refresh, Endpoint::Of(Collector::Groups), &[], &mut fold)
        .await?;
    groups.sort_unstable_by_key(|group: &Group| group.id);
    Ok(Collection::Groups(Groups { groups }).into())
}

fn group(row: GroupRow, config: &AccountConfig) -> Option<Group> {
    // 0 is what campaigns call all users: no group.
    let id = row.id().filter(|id| *id != 0)?;
    let active = row.is_active();
    let name = row.name.unwrap_or_default();
    (active && config.groups.matches(&name)).then(|| {
        let group = Group {
            id,
            name,
            kind: row.kind.unwrap_or_default(),
            status: row.status.unwrap_or_default(),
            members: row.members,
            risk_score: row.risk_score,
            hidden: false,
        };
        group.restricted(config.groups.min_size)
    })
}
