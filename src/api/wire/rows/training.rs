//! From what is below `/v1/training`.

use serde::de::{IgnoredAny, MapAccess};

use super::{Any, Besides, Drift, ElementId, Row, Seed, row};

row! {
    /// A training campaign. Its nested content isn't read.
    TrainingRow, identified by "campaign_id";
    /// As people named it.
    pub name: text = "name", expected;
    /// `Created`, `Enrolling`, `In Progress`, `Completed`, `Closed`, `Cancelled`.
    pub status: text = "status", expected;
    /// 0 to 100, or -1: too large to calculate.
    pub completion_percent: number = "completion_percentage";
    /// When it starts.
    pub start: time = "start_date";
    /// Null for relative ends and none.
    pub end: time = "end_date";
}

impl Besides for TrainingRow {}

row! {
    /// An enrollment. Of the user only the id is read, for joining.
    EnrollmentRow, identified by "enrollment_id";
    /// Only with `include_campaign_id`, and only where the server knows that.
    pub campaign_id: integer = "campaign_id";
    /// The campaign's name, not unique.
    pub campaign_name: text = "campaign_name";
    /// `Not Started`, `In Progress`, `Completed`, `Passed`, `Past Due`.
    pub status: text = "status", expected;
    besides {
        /// For joining to segments in memory.
        pub user_id: Option<i64>,
    }
}

impl Besides for EnrollmentRow {
    fn other<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        _: &mut Drift,
    ) -> Result<bool, A::Error> {
        if key != "user" {
            return Ok(false);
        }
        self.user_id = map.next_value_seed(Seed(ElementId))?.flatten();
        Ok(true)
    }
}

row! {
    /// A purchase in the store.
    PurchaseRow, identified by "store_purchase_id";
    /// `Training Module`, ...
    pub kind: text = "type", expected;
    /// Whether the publisher has retired it.
    pub retired: boolean = "retired";
}

impl Besides for PurchaseRow {}

row! {
    /// A policy; only counted.
    PolicyRow, identified by "policy_id" | "id";
}

impl Besides for PolicyRow {}
