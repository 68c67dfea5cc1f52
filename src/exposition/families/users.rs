//! Active users and the segments that they share. Nothing here is about one person.

use crate::model::{EnrollmentStatus, Enrollments, PHISH_PRONE_BOUNDS, RISK_SCORE_BOUNDS, Segment, Users};

use super::{Data, Samples, Writer, writer};

pub(super) const WRITERS: &[Writer<Data>] = &[
    writer("knowbe4_users", |data, samples| {
        samples.put(&[], users(data).and_then(|users| users.active));
    }),
    writer("knowbe4_users_phish_prone_ratio", |data, samples| {
        let mean = listed(data).and_then(|users| users.phish_prone.about_several(2));
        samples.put(&[], mean);
    }),
    writer("knowbe4_users_by_risk_score", |data, samples| {
        if let Some(users) = listed(data) {
            buckets(samples, &RISK_SCORE_BOUNDS, &users.by_risk_score);
        }
    }),
    writer("knowbe4_users_by_phish_prone_ratio", |data, samples| {
        if let Some(users) = listed(data) {
            buckets(samples, &PHISH_PRONE_BOUNDS, &users.by_phish_prone_ratio);
        }
    }),
    writer("knowbe4_segment_users", |data, samples| {
        for segment in segments(data) {
            samples.put(
                &[(&segment.attribute).into(), (&segment.value).into()],
                segment.users,
            );
        }
    }),
    writer("knowbe4_segment_risk_score", |data, samples| {
        for segment in segments(data) {
            let labels = [(&segment.attribute).into(), (&segment.value).into()];
            samples.put(&labels, segment.risk_score);
        }
    }),
    writer("knowbe4_segment_phish_prone_ratio", |data, samples| {
        for segment in segments(data) {
            let labels = [(&segment.attribute).into(), (&segment.value).into()];
            samples.put(&labels, segment.phish_prone);
        }
    }),
    writer("knowbe4_segment_enrollments", |data, samples| {
        for segment in enrollments(data)
            .and_then(|e| e.segments.as_ref())
            .into_iter()
            .flatten()
        {
            for status in EnrollmentStatus::ALL {
                let labels = [
                    (&segment.attribute).into(),
                    (&segment.value).into(),
                    status.as_str().into(),
                ];
                samples.put(&labels, segment.counts.get(status));
            }
        }
    }),
];

pub(super) fn users(data: &Data) -> Option<&Users> {
    data.snapshot.users.as_ref().map(|collected| &*collected.data)
}

/// The users of a listing that was not empty: an anonymised account's empty one says nothing of anybody's score.
fn listed(data: &Data) -> Option<&Users> {
    users(data).filter(|users| users.active.is_some())
}

fn segments(data: &Data) -> impl Iterator<Item = &Segment> {
    users(data).into_iter().flat_map(|users| &users.segments)
}

fn enrollments(data: &Data) -> Option<&Enrollments> {
    data.snapshot
        .enrollments
        .as_ref()
        .map(|collected| &*collected.data)
}

fn buckets(samples: &mut Samples<'_>, bounds: &[&str], counts: &[u64]) {
    for (bound, count) in bounds.iter().zip(counts) {
        samples.put(&[(*bound).into()], *count);
    }
}
