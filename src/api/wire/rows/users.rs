//! From `/v1/users`. Who it is stays unread: no name, no e-mail address.

use std::collections::BTreeMap;

use serde::de::{IgnoredAny, MapAccess};

use super::{Any, Besides, Drift, Elements, Row, Seed, is_active, known_status, row};
use crate::config::SegmentAttribute;

row! {
    /// A user.
    UserRow, identified by "id";
    /// Personal phish-prone percentage: a percent, may exceed 100.
    pub phish_prone_percent: number = "phish_prone_percentage";
    /// 0 to 100.
    pub risk_score: number = "current_risk_score";
    /// `active` or `archived`.
    pub status: text = "status";
    besides {
        /// Ids of the user's groups.
        pub groups: Vec<i64>,
        attributes: BTreeMap<SegmentAttribute, String>,
    }
}

impl Besides for UserRow {
    fn other<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<bool, A::Error> {
        if key == "groups" {
            map.next_value_seed(Seed(Elements(drift, |id| self.groups.push(id))))?;
            return Ok(true);
        }
        let attribute = SegmentAttribute::ALL
            .into_iter()
            .find(|attribute| attribute.as_str() == key);
        if let Some(attribute) = attribute {
            let text = Any::next(map)?.text(drift);
            let text = text
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty());
            self.attributes.extend(text.map(|text| (attribute, text)));
        }
        Ok(attribute.is_some())
    }

    fn complete(&mut self, drift: &mut Drift) {
        known_status(self.status.as_ref(), drift);
    }
}

impl UserRow {
    /// Whether it is an active user.
    pub fn is_active(&self) -> bool {
        is_active(self.status.as_ref())
    }

    /// The value of an attribute, trimmed; [`None`] where the user has none.
    pub fn attribute(&self, attribute: SegmentAttribute) -> Option<&str> {
        self.attributes.get(&attribute).map(String::as_str)
    }
}
