//! From `/v1/groups`.

use serde::de::{IgnoredAny, MapAccess};

use super::{Any, Besides, Drift, Row, is_active, known_status, row};

row! {
    /// A group.
    GroupRow, identified by "id";
    /// As people named it.
    pub name: text = "name", expected;
    /// `console_group`, ...
    pub kind: text = "group_type", expected;
    /// Members as the API counts them.
    pub members: number = "member_count", expected;
    /// 0 to 100; 0.0 for an empty group.
    pub risk_score: number = "current_risk_score";
    /// `active` or `archived`.
    pub status: text = "status";
}

impl Besides for GroupRow {
    fn complete(&mut self, drift: &mut Drift) {
        known_status(self.status.as_ref(), drift);
    }
}

impl GroupRow {
    /// Whether it is an active group.
    pub fn is_active(&self) -> bool {
        is_active(self.status.as_ref())
    }
}
