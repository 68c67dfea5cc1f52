//! Risk scores of the past: the one history that the API has.

use crate::api::error::ApiError;
use crate::api::{Client, Refresh};
use crate::model::RiskPoint;

/// The risk scores of the account or of one group, oldest first, one at each time.
///
/// # Errors
/// When the history can't be had whole.
pub async fn risk_history(
    client: &Client,
    refresh: &mut Refresh,
    group: Option<i64>,
) -> Result<Vec<RiskPoint>, ApiError> {
    let rows = client.history(refresh, group).await?;
    let points = rows.into_iter().filter_map(|row| {
        Some(RiskPoint {
            at: row.at? as i64,
            score: row.risk_score?,
        })
    });
    Ok(points.collect())
}
