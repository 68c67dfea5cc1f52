//! The people who are active now: their groups and segments by id. Lives in memory only.

/// Active users by ascending id, each with its groups and segments.
#[derive(Default, PartialEq, Eq)]
pub struct Directory {
    ids: Vec<i64>,
    /// Ids of all groups; what a user is in are positions here.
    groups: Vec<i64>,
    /// Where each user's groups end in `memberships`.
    ends: Vec<u32>,
    memberships: Vec<u32>,
    /// Attribute and value of each segment that is large enough to show.
    segments: Vec<(String, String)>,
    attributes: usize,
    /// For each user the segment of each attribute in turn; [`NO_SEGMENT`] where there is none.
    placed: Vec<u32>,
}

const NO_SEGMENT: u32 = u32::MAX;

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Directory({} users)", self.ids.len())
    }
}

impl Directory {
    /// Whether there are none: nobody is active, or nobody may be listed.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Their ids, ascending.
    pub fn ids(&self) -> &[i64] {
        &self.ids
    }

    /// The position of a user among [`Directory::ids`].
    pub fn position(&self, user: i64) -> Option<usize> {
        self.ids.binary_search(&user).ok()
    }

    /// Ids of all groups that anybody is in.
    pub fn groups(&self) -> &[i64] {
        &self.groups
    }

    /// Attribute and value of each segment that is large enough to show.
    pub fn segments(&self) -> &[(String, String)] {
        &self.segments
    }

    /// Positions among [`Directory::groups`] of the groups that the user at `position` is in, each once.
    pub fn groups_of(&self, position: usize) -> impl Iterator<Item = usize> {
        let start = position
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize);
        let groups = &self.memberships[start..self.ends[position] as usize];
        groups.iter().map(|group| *group as usize)
    }

    /// Positions among [`Directory::segments`] of the segments that the user at `position` is in.
    pub fn segments_of(&self, position: usize) -> impl Iterator<Item = usize> {
        let start = position * self.attributes;
        let segments = &self.placed[start..start + self.attributes];
        segments
            .iter()
            .filter(|segment| **segment != NO_SEGMENT)
            .map(|segment| *segment as usize)
    }
}

/// Gathers [`Directory`] in the order of the listing.
#[derive(Debug, Default)]
pub struct DirectoryBuilder {
    /// Id, and position in the order of the listing.
    users: Vec<(i64, u32)>,
    groups: std::collections::HashMap<i64, u32>,
    ends: Vec<u32>,
    memberships: Vec<u32>,
    attributes: usize,
    placed: Vec<u32>,
}

impl DirectoryBuilder {
    /// For segments of so many attributes.
    pub fn new(attributes: usize) -> Self {
        Self {
            attributes,
            ..Self::default()
        }
    }

    /// Adds a user who is in `groups` (each once) and, for each attribute in turn, in the segment of that number.
    pub fn add(&mut self, id: i64, groups: &[i64], segments: impl IntoIterator<Item = Option<u32>>) {
        self.users.push((id, self.users.len() as u32));
        for group in groups {
            let next = self.groups.len() as u32;
            let position = *self.groups.entry(*group).or_insert(next);
            self.memberships.push(position);
        }
        self.ends.push(self.memberships.len() as u32);
        self.placed
            .extend(segments.into_iter().map(|segment| segment.unwrap_or(NO_SEGMENT)));
        debug_assert_eq!(self.placed.len(), self.users.len() * self.attributes);
    }

    /// Sorts them by id. `shown` gives for each segment's number its position among `segments`, those that are shown.
    pub fn finish(self, segments: Vec<(String, String)>, shown: &[Option<u32>]) -> Directory {
        let mut users = self.users;
        users.sort_unstable();
        users.dedup_by_key(|(id, _)| *id);
        let mut groups = vec![0; self.groups.len()];
        for (id, position) in self.groups {
            groups[position as usize] = id;
        }
        let mut people = Directory {
            groups,
            segments,
            attributes: self.attributes,
            ..Directory::default()
        };
        people.memberships.reserve_exact(self.memberships.len());
        for (id, listed) in users {
            let listed = listed as usize;
            let start = listed.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
            let memberships = &self.memberships[start..self.ends[listed] as usize];
            people.ids.push(id);
            people.memberships.extend(memberships);
            people.ends.push(people.memberships.len() as u32);
            let placed = &self.placed[listed * self.attributes..(listed + 1) * self.attributes];
            people.placed.extend(placed.iter().map(|number| {
                let position = shown.get(*number as usize).copied().flatten();
                position.unwrap_or(NO_SEGMENT)
            }));
        }
        people
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_found_by_id_with_their_groups_and_segments() {
        let mut builder = DirectoryBuilder::new(2);
        builder.add(30, &[7, 8], [Some(0), None]);
        builder.add(10, &[], [Some(1), Some(2)]);
        builder.add(20, &[8], [None, Some(2)]);
        let segments = vec![
            ("department".to_owned(), "Sales".to_owned()),
            ("location".to_owned(), "Oslo".to_owned()),
        ];
        // The segment of number 1 is too small to show.
        let people = builder.finish(segments, &[Some(0), None, Some(1)]);
        assert_eq!(people.ids(), [10, 20, 30]);
        assert_eq!((people.position(20), people.position(25)), (Some(1), None));
        let groups = |position| {
            let groups = people.groups_of(position);
            groups.map(|group| people.groups()[group]).collect::<Vec<_>>()
        };
        assert_eq!((groups(0), groups(1), groups(2)), (vec![], vec![8], vec![7, 8]));
        let segments = |position| people.segments_of(position).collect::<Vec<_>>();
        assert_eq!(
            (segments(0), segments(1), segments(2)),
            (vec![1], vec![1], vec![0])
        );
    }
}
