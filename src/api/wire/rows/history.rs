//! From `/v1/account/risk_score_history` and `/v1/groups/{id}/risk_score_history`.

use serde::de::{IgnoredAny, MapAccess};

use super::{Any, Besides, Drift, Row, row};

row! {
    /// A risk score of the past.
    HistoryRow;
    /// Unix seconds; of a date alone its midnight UTC.
    pub at: time = "date", expected;
    /// 0 to 100.
    pub risk_score: number = "risk_score", expected;
}

impl Besides for HistoryRow {
    /// Its time: there is one score for each.
    fn other_id(&self) -> Option<i64> {
        self.at.map(|at| at as i64)
    }
}
