//! From `/v1/account`.

use serde::de::{IgnoredAny, MapAccess};

use super::{Any, Besides, Drift, Elements, Row, Seed, row};

row! {
    /// The account.
    AccountRow;
    /// Name of the organisation.
    pub name: text = "name", expected;
    /// `paid`, `trial`, `free`.
    pub kind: text = "type", expected;
    /// Missing on trial accounts.
    pub subscription_level: text = "subscription_level";
    /// Missing on trial accounts, null possible.
    pub subscription_end: time = "subscription_end_date";
    /// Missing on trial accounts, null possible.
    pub seats: number = "number_of_seats";
    /// 0 to 100.
    pub risk_score: number = "current_risk_score";
    besides {
        /// Number of administrators; who they are is not read.
        pub admins: Option<u64>,
        /// Number of domains.
        pub domains: Option<u64>,
    }
}

impl Besides for AccountRow {
    fn other<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<bool, A::Error> {
        match key {
            "admins" => self.admins = map.next_value_seed(Seed(Elements(drift, |_| {})))?,
            "domains" => self.domains = map.next_value_seed(Seed(Elements(drift, |_| {})))?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl AccountRow {
    /// Whether it says anything of an account at all: an error in place of one doesn't.
    pub fn is_account(&self) -> bool {
        self.name.is_some() || self.kind.is_some() || self.risk_score.is_some() || self.domains.is_some()
    }
}
