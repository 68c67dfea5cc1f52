//! The active groups that the configuration includes.

use super::{Inputs, Yield};
use crate::api::error::ApiError;
use crate::api::wire::{GroupRow, Row as _};
use crate::api::{Client, Refresh};
use crate::config::GroupFilter;
use crate::model::{Endpoint, Group, Groups};
use crate::snapshot::Collection;

pub(super) async fn groups(
    client: &Client,
    refresh: &mut Refresh,
    inputs: Inputs<'_>,
) -> Result<Yield, ApiError> {
    let mut groups = Vec::new();
    let filter = &inputs.config.groups;
    let mut fold = |row: GroupRow, _: &mut _| {
        groups.extend(group(row, filter));
        Ok(())
    };
    client.list(refresh, Endpoint::Groups, &[], &mut fold).await?;
    groups.sort_unstable_by_key(|group: &Group| group.id);
    Ok(Collection::Groups(Groups { groups }).into())
}

fn group(row: GroupRow, filter: &GroupFilter) -> Option<Group> {
    // 0 is what campaigns call all users: no group.
    let id = row.id().filter(|id| *id != 0)?;
    let active = row.is_active();
    let name = row.name.unwrap_or_default();
    (active && filter.matches(&name)).then(|| Group {
        id,
        name,
        kind: row.kind.unwrap_or_default(),
        status: row.status.unwrap_or_default(),
        members: row.members,
        risk_score: row.risk_score,
        // Of a group of unknown size nobody can say that it is large enough.
        hidden: row
            .members
            .map_or(filter.min_size > 1, |members| members < filter.min_size as f64),
    })
}
