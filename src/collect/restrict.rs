//! What a restored snapshot may still show: the configuration may have become stricter since it was made.

use std::sync::Arc;

use crate::config::AccountConfig;
use crate::model::{Groups, privacy};
use crate::snapshot::AccountSnapshot;

/// Takes out what the configuration leaves out: groups and segments that it excludes, scores of those that are too
/// small. What it newly includes comes with the next refresh.
pub fn restrict(snapshot: &mut AccountSnapshot, config: &AccountConfig) {
    if let Some(groups) = &mut snapshot.groups {
        let shown = groups
            .data
            .groups
            .iter()
            .filter(|group| config.groups.matches(&group.name));
        let groups_left = shown
            .map(|group| group.clone().restricted(config.groups.min_size))
            .collect();
        groups.data = Arc::new(Groups { groups: groups_left });
    }
    let configured = |attribute: &str| {
        config
            .segments
            .iter()
            .any(|segment| segment.as_str() == attribute)
    };
    let mut shown = Vec::new();
    if let Some(users) = &mut snapshot.users {
        let data = Arc::make_mut(&mut users.data);
        data.segments.retain(|segment| {
            let users = Some(segment.users as f64);
            configured(&segment.attribute) && privacy::is_large_enough(users, config.segment_min_size)
        });
        data.group_phish_prone
            .retain(|_, mean| mean.about_several(config.groups.min_size).is_some());
        shown.extend(
            data.segments
                .iter()
                .map(|segment| (segment.attribute.clone(), segment.value.clone())),
        );
    }
    if let Some(recipients) = &mut snapshot.recipients {
        let windows = &mut Arc::make_mut(&mut recipients.data).windows;
        windows.retain(|window| {
            config
                .phishing
                .windows
                .iter()
                .any(|(label, _)| *label == window.window)
        });
        for people in windows.iter_mut().filter_map(|window| window.people.as_mut()) {
            people
                .groups
                .retain(|_, mails| mails.about_several(config.groups.min_size));
            people.segments.retain(|segment| {
                segment.mails.about_several(config.segment_min_size)
                    && shown.contains(&(segment.attribute.clone(), segment.value.clone()))
            });
        }
    }
    if let Some(enrollments) = &mut snapshot.enrollments {
        let segments = &mut Arc::make_mut(&mut enrollments.data).segments;
        if let Some(segments) = segments {
            segments.retain(|segment| shown.contains(&(segment.attribute.clone(), segment.value.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KeySource, SegmentAttribute};
    use crate::model::{Group, Segment, SegmentEnrollments, Users};
    use crate::secret::ApiKey;
    use crate::snapshot::Collection;

    #[test]
    fn a_stricter_configuration_holds_for_what_was_read_before() {
        let url = "https://example.com".parse().expect("a URL");
        let key = KeySource::Fixed(ApiKey::new("key").expect("a key"));
        let mut config = AccountConfig::new("acme".parse().expect("a name"), url, key);
        config.groups.min_size = 5;
        config.segments = vec![SegmentAttribute::Department];
        let group = |id, members| Group {
            id,
            members: Some(members),
            ..Group::default()
        };
        let segment = |attribute: &str, users| Segment {
            attribute: attribute.to_owned(),
            users,
            ..Segment::default()
        };
        let counted = |attribute: &str| SegmentEnrollments {
            attribute: attribute.to_owned(),
            ..SegmentEnrollments::default()
        };
        let mut snapshot = AccountSnapshot::default();
        snapshot.set(
            Collection::Groups(Groups {
                groups: vec![group(1, 4.0), group(2, 5.0)],
            }),
            1.0,
        );
        let segments = vec![segment("department", 5), segment("location", 50)];
        snapshot.set(
            Collection::Users(Users {
                segments,
                ..Users::default()
            }),
            1.0,
        );
        let segments = Some(vec![counted("department"), counted("location")]);
        snapshot.set(
            Collection::Enrollments(crate::model::Enrollments {
                segments,
                ..Default::default()
            }),
            1.0,
        );
        restrict(&mut snapshot, &config);
        let hidden: Vec<_> = snapshot
            .groups
            .iter()
            .flat_map(|g| &g.data.groups)
            .map(|group| group.hidden)
            .collect();
        assert_eq!(hidden, [true, false]);
        assert_eq!(
            snapshot.users.as_ref().map(|users| users.data.segments.len()),
            Some(1)
        );
        let enrollments = snapshot
            .enrollments
            .as_ref()
            .and_then(|e| e.data.segments.as_ref());
        assert_eq!(enrollments.map(Vec::len), Some(1));
        config.segment_min_size = 6;
        restrict(&mut snapshot, &config);
        assert_eq!(
            snapshot.users.as_ref().map(|users| users.data.segments.len()),
            Some(0)
        );
    }
}
