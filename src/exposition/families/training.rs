//! Training campaigns, enrollments, purchases and policies.

use crate::model::{EnrollmentStatus, Enrollments, TrainingCampaign};

use super::{Data, Writer, writer};

pub(super) const WRITERS: &[Writer<Data>] = &[
    writer("knowbe4_training_campaign_info", |data, samples| {
        for campaign in campaigns(data) {
            samples.info(&[
                campaign.id.into(),
                (&campaign.name).into(),
                (&campaign.status).into(),
            ]);
        }
    }),
    writer("knowbe4_training_campaign_completion_ratio", |data, samples| {
        for campaign in campaigns(data) {
            let counted = || enrollments(data)?.campaigns.get(&campaign.id)?.completion_ratio();
            samples.put(&[campaign.id.into()], campaign.completion.or_else(counted));
        }
    }),
    writer(
        "knowbe4_training_campaign_start_timestamp_seconds",
        |data, samples| {
            for campaign in campaigns(data) {
                samples.put(&[campaign.id.into()], campaign.start);
            }
        },
    ),
    writer(
        "knowbe4_training_campaign_end_timestamp_seconds",
        |data, samples| {
            for campaign in campaigns(data) {
                samples.put(&[campaign.id.into()], campaign.end);
            }
        },
    ),
    writer("knowbe4_training_campaign_enrollments", |data, samples| {
        for (campaign, counts) in enrollments(data).into_iter().flat_map(|read| &read.campaigns) {
            for status in EnrollmentStatus::ALL {
                samples.put(&[(*campaign).into(), status.as_str().into()], counts.get(status));
            }
        }
    }),
    writer("knowbe4_training_store_purchases", |data, samples| {
        let purchases = data.snapshot.store_purchases.as_ref();
        for (kind, retired, count) in purchases.into_iter().flat_map(|p| &p.data.counts) {
            samples.put(&[kind.into(), retired.into()], *count);
        }
    }),
    writer("knowbe4_training_policies", |data, samples| {
        samples.put(&[], data.snapshot.policies.as_ref().map(|p| p.data.policies));
    }),
];

fn campaigns(data: &Data) -> impl Iterator<Item = &TrainingCampaign> {
    let collected = data.snapshot.training_campaigns.as_ref();
    collected
        .into_iter()
        .flat_map(|collected| &collected.data.campaigns)
}

fn enrollments(data: &Data) -> Option<&Enrollments> {
    data.snapshot
        .enrollments
        .as_ref()
        .map(|collected| &*collected.data)
}
