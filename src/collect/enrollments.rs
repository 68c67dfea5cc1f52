//! Training enrollments: the largest listing, read whole or by running campaign, and only ever counted.

use std::collections::BTreeMap;

use super::{Inputs, Yield};
use crate::api::error::ApiError;
use crate::api::wire::{Drift, EnrollmentRow};
use crate::api::{Client, Refresh};
use crate::model::{
    Collector, Endpoint, EnrollmentScope, EnrollmentStatus, Enrollments, SegmentEnrollments, StatusCounts,
    TrainingCampaigns,
};
use crate::recipients::Directory;
use crate::snapshot::Collection;

pub(super) async fn enrollments(
    client: &Client,
    refresh: &mut Refresh,
    inputs: Inputs<'_>,
) -> Result<Yield, ApiError> {
    let mut tally = Tally::new(inputs.directory);
    match inputs.enrollments {
        EnrollmentScope::All => {
            let mut fold = |row: EnrollmentRow, drift: &mut Drift| {
                tally.add(&row, drift);
                Ok(())
            };
            client
                .list(refresh, Endpoint::Of(Collector::Enrollments), &[], &mut fold)
                .await?;
            let drift = Drift {
                ambiguous_name: tally.resolve_names(inputs.campaigns),
                ..Drift::default()
            };
            client.count(Endpoint::Of(Collector::Enrollments), &drift);
        }
        EnrollmentScope::RunningCampaigns => {
            let campaigns = inputs.campaigns.ok_or(ApiError::Incomplete(
                "which campaigns are running isn't known yet",
            ))?;
            for id in campaigns
                .campaigns
                .iter()
                .filter(|campaign| campaign.is_running())
                .map(|campaign| campaign.id)
            {
                // A server that doesn't honour the filter lists the others' rows too: only rows can prove that it does.
                let mut fold = |row: EnrollmentRow, drift: &mut Drift| {
                    if row.campaign_id != Some(id) {
                        return Err(ApiError::Incomplete(
                            "the server doesn't honour the campaign_id filter",
                        ));
                    }
                    tally.add(&row, drift);
                    Ok(())
                };
                client
                    .list(
                        refresh,
                        Endpoint::Of(Collector::Enrollments),
                        &[("campaign_id", id.to_string())],
                        &mut fold,
                    )
                    .await?;
                tally.campaigns.entry(id).or_default();
            }
        }
    }
    Ok(tally.finish())
}

struct Tally<'a> {
    campaigns: BTreeMap<i64, StatusCounts>,
    /// Counts of rows without a campaign id, by the campaign's name.
    names: BTreeMap<String, StatusCounts>,
    nameless: u64,
    directory: Option<&'a Directory>,
    segments: Vec<StatusCounts>,
}

impl<'a> Tally<'a> {
    fn new(directory: Option<&'a Directory>) -> Self {
        Self {
            campaigns: BTreeMap::new(),
            names: BTreeMap::new(),
            nameless: 0,
            directory,
            segments: vec![
                StatusCounts::default();
                directory.map_or(0, |directory| directory.segments().len())
            ],
        }
    }

    fn add(&mut self, row: &EnrollmentRow, drift: &mut Drift) {
        let status = row.status.as_deref().and_then(EnrollmentStatus::from_api);
        drift.unknown_value += u64::from(status.is_none() && row.status.is_some());
        let status = status.unwrap_or(EnrollmentStatus::Other);
        match (row.campaign_id, &row.campaign_name) {
            (Some(id), _) => self.campaigns.entry(id).or_default().add(status),
            (None, Some(name)) => match self.names.get_mut(name) {
                Some(counts) => counts.add(status),
                None => self.names.entry(name.clone()).or_default().add(status),
            },
            (None, None) => self.nameless += 1,
        }
        if let (Some(directory), Some(user)) = (self.directory, row.user_id) {
            let position = directory.position(user);
            for segment in position
                .into_iter()
                .flat_map(|position| directory.segments_of(position))
            {
                self.segments[segment].add(status);
            }
        }
    }

    /// Gives rows without an id to the one campaign of their name. Says how many belong to none or to several.
    ///
    /// A campaign without any row has no enrollments, unless it may have some of those.
    fn resolve_names(&mut self, known: Option<&TrainingCampaigns>) -> u64 {
        let known = known.map_or(&[][..], |known| &known.campaigns);
        let mut bearers = BTreeMap::<_, Vec<_>>::new();
        for campaign in known {
            bearers
                .entry(campaign.name.as_str())
                .or_default()
                .push(campaign.id);
        }
        let mut unresolved = self.nameless;
        for (name, counts) in std::mem::take(&mut self.names) {
            match bearers.get(name.as_str()).map(Vec::as_slice) {
                Some([only]) => self.campaigns.entry(*only).or_default().merge(&counts),
                _ => {
                    unresolved += counts.total();
                    bearers.remove(name.as_str());
                }
            }
        }
        if self.nameless == 0 {
            for id in bearers.into_values().flatten() {
                self.campaigns.entry(id).or_default();
            }
        }
        unresolved
    }

    fn finish(self) -> Yield {
        let segments = self.directory.map(|directory| {
            let names = directory.segments().iter().zip(self.segments);
            names
                .map(|((attribute, value), counts)| SegmentEnrollments {
                    attribute: attribute.clone(),
                    value: value.clone(),
                    counts,
                })
                .collect()
        });
        Collection::Enrollments(Enrollments {
            campaigns: self.campaigns,
            segments,
        })
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::wire;
    use crate::model::TrainingCampaign;

    fn campaigns(named: &[(i64, &str, &str)]) -> TrainingCampaigns {
        let campaign = |(id, name, status): &(i64, &str, &str)| TrainingCampaign {
            id: *id,
            name: (*name).to_owned(),
            status: (*status).to_owned(),
            ..TrainingCampaign::default()
        };
        TrainingCampaigns {
            campaigns: named.iter().map(campaign).collect(),
        }
    }

    #[test]
    fn rows_without_an_id_are_joined_by_a_name_that_is_unique() {
        let body = br#"[{"enrollment_id":1,"campaign_id":5,"campaign_name":"x","status":"Passed"},
            {"enrollment_id":2,"campaign_name":"only","status":"Past Due"},
            {"enrollment_id":3,"campaign_name":"twice","status":"Passed"},
            {"enrollment_id":4,"campaign_name":"gone","status":"Passed"},
            {"enrollment_id":5,"campaign_name":null,"status":"Exempted"}]"#;
        let mut page = wire::list::<EnrollmentRow>(body).expect("rows");
        let mut tally = Tally::new(None);
        for row in &page.rows {
            tally.add(row, &mut page.drift);
        }
        let known = campaigns(&[
            (5, "x", ""),
            (6, "only", ""),
            (7, "twice", ""),
            (8, "twice", ""),
            (9, "none", ""),
        ]);
        assert_eq!(tally.resolve_names(Some(&known)), 3);
        assert_eq!(tally.campaigns.keys().copied().collect::<Vec<_>>(), [5, 6]);
        assert_eq!(tally.campaigns[&6].get(EnrollmentStatus::PastDue), 1);
        assert_eq!(page.drift.unknown_value, 1);
    }

    #[test]
    fn a_campaign_has_no_enrollments_only_where_none_can_be_its_own() {
        let body = br#"[{"enrollment_id":1,"campaign_id":5,"campaign_name":"x","status":"Passed"},
            {"enrollment_id":2,"campaign_name":"twice","status":"Passed"}]"#;
        let mut page = wire::list::<EnrollmentRow>(body).expect("rows");
        let mut tally = Tally::new(None);
        for row in &page.rows {
            tally.add(row, &mut page.drift);
        }
        let known = campaigns(&[(5, "x", ""), (7, "twice", ""), (8, "twice", ""), (9, "none", "")]);
        assert_eq!(tally.resolve_names(Some(&known)), 1);
        assert_eq!(tally.campaigns.keys().copied().collect::<Vec<_>>(), [5, 9]);
        assert_eq!(tally.campaigns[&9].total(), 0);
    }
}
