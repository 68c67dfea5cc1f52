//! Groups. What is hidden for its smallness shows its members and its name, but no score.

use crate::model::Group;

use super::users::users;
use super::{Data, Writer, writer};

pub(super) const WRITERS: &[Writer<Data>] = &[
    writer("knowbe4_group_info", |data, samples| {
        for group in groups(data).into_iter().flatten() {
            samples.info(&[
                group.id.into(),
                (&group.name).into(),
                (&group.kind).into(),
                (&group.status).into(),
            ]);
        }
    }),
    writer("knowbe4_group_risk_score", |data, samples| {
        for group in groups(data).into_iter().flatten() {
            samples.put(&[group.id.into()], group.risk_score);
        }
    }),
    writer("knowbe4_group_members", |data, samples| {
        for group in groups(data).into_iter().flatten() {
            samples.put(&[group.id.into()], group.members);
        }
    }),
    writer("knowbe4_group_phish_prone_ratio", |data, samples| {
        // Without the groups nothing is known of their size, so nothing may be shown of their members.
        if let Some(users) = users(data) {
            for group in shown(data) {
                let mean = users.group_phish_prone.get(&group.id);
                samples.put(&[group.id.into()], mean.and_then(|mean| mean.value()));
            }
        }
    }),
    writer("knowbe4_groups_hidden", |data, samples| {
        let hidden = groups(data).map(|groups| groups.iter().filter(|group| group.hidden).count());
        samples.put(&[], hidden.map(|hidden| hidden as u64));
    }),
];

fn groups(data: &Data) -> Option<&[Group]> {
    let groups = data.snapshot.groups.as_ref()?;
    Some(&groups.data.groups)
}

pub(super) fn shown(data: &Data) -> impl Iterator<Item = &Group> {
    groups(data).into_iter().flatten().filter(|group| !group.hidden)
}
