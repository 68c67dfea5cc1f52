//! One struct for each listing, with the fields that are read and their units as the API has them.

use std::collections::BTreeMap;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::{Any, Drift, Lenient, Row, Seed, next_key};
use crate::config::SegmentAttribute;

fn expect<T>(drift: &mut Drift, field: &Option<T>) {
    drift.missing_field += u64::from(field.is_none());
}

/// Reads the fields named, ignores the rest.
macro_rules! fields {
    ($row:ident, $key:ident, $map:ident, $drift:ident; $($($name:literal)|+ => $field:ident.$kind:ident),+ $(,)?) => {
        match $key {
            $($($name)|+ => $row.$field = Any::next($map)?.$kind($drift),)+
            _ => {
                $map.next_value::<IgnoredAny>()?;
            }
        }
    };
}

/// From `/v1/account`.
#[derive(Debug, Default)]
pub struct AccountRow {
    /// Name of the organisation.
    pub name: Option<String>,
    /// `paid`, `trial`, `free`.
    pub kind: Option<String>,
    /// Missing on trial accounts.
    pub subscription_level: Option<String>,
    /// Missing on trial accounts, null possible.
    pub subscription_end: Option<f64>,
    /// Missing on trial accounts, null possible.
    pub seats: Option<f64>,
    /// 0 to 100.
    pub risk_score: Option<f64>,
    /// Number of administrators; who they are is not read.
    pub admins: Option<u64>,
    /// Number of domains.
    pub domains: Option<u64>,
}

impl Row for AccountRow {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<(), A::Error> {
        match key {
            "admins" => self.admins = map.next_value_seed(Seed(Elements(drift, |_| {})))?,
            "domains" => self.domains = map.next_value_seed(Seed(Elements(drift, |_| {})))?,
            _ => fields!(self, key, map, drift;
                "name" => name.text,
                "type" => kind.text,
                "subscription_level" => subscription_level.text,
                "subscription_end_date" => subscription_end.time,
                "number_of_seats" => seats.number,
                "current_risk_score" => risk_score.number,
            ),
        }
        Ok(())
    }

    fn finish(&mut self, drift: &mut Drift) {
        expect(drift, &self.name);
        expect(drift, &self.kind);
    }

    fn id(&self) -> Option<i64> {
        None
    }
}

impl AccountRow {
    /// Whether it says anything of an account at all: an error in place of one doesn't.
    pub fn is_account(&self) -> bool {
        self.name.is_some() || self.kind.is_some() || self.risk_score.is_some() || self.domains.is_some()
    }
}

/// From `/v1/groups`.
#[derive(Debug, Default)]
pub struct GroupRow {
    id: Option<i64>,
    /// As people named it.
    pub name: Option<String>,
    /// `console_group`, ...
    pub kind: Option<String>,
    /// Members as the API counts them.
    pub members: Option<f64>,
    /// 0 to 100; 0.0 for an empty group.
    pub risk_score: Option<f64>,
    /// `active` or `archived`.
    pub status: Option<String>,
}

impl Row for GroupRow {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<(), A::Error> {
        fields!(self, key, map, drift;
            "id" => id.integer,
            "name" => name.text,
            "group_type" => kind.text,
            "member_count" => members.number,
            "current_risk_score" => risk_score.number,
            "status" => status.text,
        );
        Ok(())
    }

    fn finish(&mut self, drift: &mut Drift) {
        drift.missing_id += u64::from(self.id.is_none());
        expect(drift, &self.name);
        expect(drift, &self.kind);
        expect(drift, &self.members);
        known_status(&self.status, drift);
    }

    fn id(&self) -> Option<i64> {
        self.id
    }
}

/// Counts a status of users or groups outside the documented pair.
fn known_status(status: &Option<String>, drift: &mut Drift) {
    match status {
        None => drift.missing_field += 1,
        Some(status)
            if ["active", "archived"]
                .iter()
                .any(|known| status.eq_ignore_ascii_case(known)) => {}
        Some(_) => drift.unknown_value += 1,
    }
}

/// Whether a user or group counts: all but the archived, also where the API doesn't say.
fn is_active(status: &Option<String>) -> bool {
    status
        .as_ref()
        .is_none_or(|status| status.eq_ignore_ascii_case("active"))
}

impl GroupRow {
    /// Whether it is an active group.
    pub fn is_active(&self) -> bool {
        is_active(&self.status)
    }
}

/// From `/v1/users`. Who it is stays unread: no name, no e-mail address.
#[derive(Debug, Default)]
pub struct UserRow {
    id: Option<i64>,
    /// Personal phish-prone percentage: a percent, may exceed 100.
    pub phish_prone_percent: Option<f64>,
    /// 0 to 100.
    pub risk_score: Option<f64>,
    /// Ids of the user's groups.
    pub groups: Vec<i64>,
    status: Option<String>,
    attributes: BTreeMap<SegmentAttribute, String>,
}

impl Row for UserRow {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<(), A::Error> {
        if key == "groups" {
            map.next_value_seed(Seed(Elements(drift, |id| self.groups.push(id))))?;
        } else if let Some(attribute) = SegmentAttribute::ALL
            .into_iter()
            .find(|attribute| attribute.as_str() == key)
        {
            let text = Any::next(map)?.text(drift);
            let text = text
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty());
            self.attributes.extend(text.map(|text| (attribute, text)));
        } else {
            fields!(self, key, map, drift;
                "id" => id.integer,
                "phish_prone_percentage" => phish_prone_percent.number,
                "current_risk_score" => risk_score.number,
                "status" => status.text,
            );
        }
        Ok(())
    }

    fn finish(&mut self, drift: &mut Drift) {
        drift.missing_id += u64::from(self.id.is_none());
        known_status(&self.status, drift);
    }

    fn id(&self) -> Option<i64> {
        self.id
    }
}

impl UserRow {
    /// Whether it is an active user.
    pub fn is_active(&self) -> bool {
        is_active(&self.status)
    }

    /// The value of an attribute, trimmed; [`None`] where the user has none.
    pub fn attribute(&self, attribute: SegmentAttribute) -> Option<&str> {
        self.attributes.get(&attribute).map(String::as_str)
    }
}

/// From `/v1/phishing/campaigns`.
#[derive(Debug, Default)]
pub struct CampaignRow {
    id: Option<i64>,
    /// As people named it.
    pub name: Option<String>,
    /// `Closed`, `Error`, ...
    pub status: Option<String>,
    /// `One Time`, ...
    pub frequency: Option<String>,
    /// A fraction, despite the field's name.
    pub last_phish_prone: Option<f64>,
    /// Null when it never ran.
    pub last_run: Option<f64>,
    /// How many tests it has had.
    pub tests: Option<u64>,
    listed_tests: Option<u64>,
}

impl Row for CampaignRow {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<(), A::Error> {
        if key == "psts" {
            self.listed_tests = map.next_value_seed(Seed(Elements(drift, |_| {})))?;
        } else {
            fields!(self, key, map, drift;
                "campaign_id" => id.integer,
                "name" => name.text,
                "status" => status.text,
                "frequency" => frequency.text,
                "last_phish_prone_percentage" => last_phish_prone.number,
                "last_run" => last_run.time,
                "psts_count" => tests.count,
            );
        }
        Ok(())
    }

    fn finish(&mut self, drift: &mut Drift) {
        drift.missing_id += u64::from(self.id.is_none());
        expect(drift, &self.name);
        expect(drift, &self.status);
        self.tests = self.tests.or(self.listed_tests);
    }

    fn id(&self) -> Option<i64> {
        self.id
    }
}

/// From `/v1/phishing/security_tests`.
#[derive(Debug, Default)]
pub struct TestRow {
    id: Option<i64>,
    /// The campaign that it is a run of.
    pub campaign_id: Option<i64>,
    /// The campaign's name.
    pub name: Option<String>,
    /// `Active`, `Closed`, `Error`, ...
    pub status: Option<String>,
    /// A fraction, despite the field's name.
    pub phish_prone: Option<f64>,
    /// Null when it never started.
    pub started_at: Option<f64>,
    /// Days that it runs; null possible.
    pub days: Option<f64>,
    /// Null for random templates.
    pub template: Template,
    /// All keys that end in `_count`, without that ending.
    pub counts: BTreeMap<String, u64>,
}

impl Row for TestRow {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<(), A::Error> {
        if let Some(kind) = key.strip_suffix("_count") {
            let count = Any::next(map)?.count(drift);
            self.counts.extend(count.map(|count| (kind.to_owned(), count)));
        } else if key == "template" {
            self.template = map.next_value_seed(Seed(TemplateReader))?;
        } else {
            fields!(self, key, map, drift;
                "pst_id" => id.integer,
                "campaign_id" => campaign_id.integer,
                "name" => name.text,
                "status" => status.text,
                "phish_prone_percentage" => phish_prone.number,
                "started_at" => started_at.time,
                "duration" => days.number,
            );
        }
        Ok(())
    }

    fn finish(&mut self, drift: &mut Drift) {
        drift.missing_id += u64::from(self.id.is_none());
        expect(drift, &self.campaign_id);
        expect(drift, &self.name);
        expect(drift, &self.status);
        drift.missing_field += u64::from(!self.counts.contains_key("delivered"));
    }

    fn id(&self) -> Option<i64> {
        self.id
    }
}

/// The template of a phishing test.
#[derive(Debug, Default)]
pub struct Template {
    /// Null for random templates.
    pub name: Option<String>,
    /// 1 to 5; often missing.
    pub difficulty: Option<String>,
}

struct TemplateReader;

impl<'de> Lenient<'de> for TemplateReader {
    type Out = Template;

    fn scalar(self, value: Any) -> Template {
        let name = if let Any::Text(name) = value {
            Some(name)
        } else {
            None
        };
        Template {
            name,
            difficulty: None,
        }
    }

    fn seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Template, A::Error> {
        let first = seq.next_element_seed(Seed(Self))?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.unwrap_or_default())
    }

    fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Template, A::Error> {
        let mut template = Template::default();
        let mut drift = Drift::default();
        while let Some(key) = next_key(&mut map)? {
            match key.as_ref() {
                "name" => template.name = Any::next(&mut map)?.text(&mut drift),
                "difficulty" => template.difficulty = Any::next(&mut map)?.text(&mut drift),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(template)
    }
}

/// From `/v1/training/campaigns`. Its nested content isn't read.
#[derive(Debug, Default)]
pub struct TrainingRow {
    id: Option<i64>,
    /// As people named it.
    pub name: Option<String>,
    /// `Created`, `Enrolling`, `In Progress`, `Completed`, `Closed`, `Cancelled`.
    pub status: Option<String>,
    /// 0 to 100, or -1: too large to calculate.
    pub completion_percent: Option<f64>,
    /// When it starts.
    pub start: Option<f64>,
    /// Null for relative ends and none.
    pub end: Option<f64>,
}

impl Row for TrainingRow {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<(), A::Error> {
        fields!(self, key, map, drift;
            "campaign_id" => id.integer,
            "name" => name.text,
            "status" => status.text,
            "completion_percentage" => completion_percent.number,
            "start_date" => start.time,
            "end_date" => end.time,
        );
        Ok(())
    }

    fn finish(&mut self, drift: &mut Drift) {
        drift.missing_id += u64::from(self.id.is_none());
        expect(drift, &self.name);
        expect(drift, &self.status);
    }

    fn id(&self) -> Option<i64> {
        self.id
    }
}

/// From `/v1/training/enrollments`. Of the user only the id is read, for joining.
#[derive(Debug, Default)]
pub struct EnrollmentRow {
    id: Option<i64>,
    /// Only with `include_campaign_id`, and only where the server knows that.
    pub campaign_id: Option<i64>,
    /// The campaign's name, not unique.
    pub campaign_name: Option<String>,
    /// `Not Started`, `In Progress`, `Completed`, `Passed`, `Past Due`.
    pub status: Option<String>,
    /// For joining to segments in memory.
    pub user_id: Option<i64>,
}

impl Row for EnrollmentRow {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<(), A::Error> {
        if key == "user" {
            self.user_id = map.next_value_seed(Seed(ElementId))?.flatten();
        } else {
            fields!(self, key, map, drift;
                "enrollment_id" => id.integer,
                "campaign_id" => campaign_id.integer,
                "campaign_name" => campaign_name.text,
                "status" => status.text,
            );
        }
        Ok(())
    }

    fn finish(&mut self, drift: &mut Drift) {
        drift.missing_id += u64::from(self.id.is_none());
        expect(drift, &self.status);
    }

    fn id(&self) -> Option<i64> {
        self.id
    }
}

/// From `/v1/training/store_purchases`.
#[derive(Debug, Default)]
pub struct PurchaseRow {
    id: Option<i64>,
    /// `Training Module`, ...
    pub kind: Option<String>,
    /// Whether the publisher has retired it.
    pub retired: Option<bool>,
}

impl Row for PurchaseRow {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<(), A::Error> {
        fields!(self, key, map, drift;
            "store_purchase_id" => id.integer,
            "type" => kind.text,
            "retired" => retired.boolean,
        );
        Ok(())
    }

    fn finish(&mut self, drift: &mut Drift) {
        drift.missing_id += u64::from(self.id.is_none());
        expect(drift, &self.kind);
    }

    fn id(&self) -> Option<i64> {
        self.id
    }
}

/// From `/v1/training/policies`; only counted.
#[derive(Debug, Default)]
pub struct PolicyRow {
    id: Option<i64>,
}

impl Row for PolicyRow {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<(), A::Error> {
        fields!(self, key, map, drift; "policy_id" | "id" => id.integer);
        Ok(())
    }

    fn finish(&mut self, drift: &mut Drift) {
        drift.missing_id += u64::from(self.id.is_none());
    }

    fn id(&self) -> Option<i64> {
        self.id
    }
}

/// Walks an array and hands out each element's id; null elements are none of its length.
struct Elements<'a, F>(&'a mut Drift, F);

impl<'de, F: FnMut(i64)> Lenient<'de> for Elements<'_, F> {
    /// The array's length; [`None`] for null and for what is no array.
    type Out = Option<u64>;

    fn scalar(self, value: Any) -> Option<u64> {
        self.0.wrong_type += u64::from(value != Any::Null);
        None
    }

    fn seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Option<u64>, A::Error> {
        let mut length = 0;
        while let Some(element) = seq.next_element_seed(Seed(ElementId))? {
            let Some(id) = element else { continue };
            length += 1;
            id.into_iter().for_each(&mut self.1);
        }
        Ok(Some(length))
    }
}

/// What an element is called by: a bare number, or an object's `id` or `group_id`.
pub(super) struct ElementId;

impl<'de> Lenient<'de> for ElementId {
    /// [`None`] for null, `Some(None)` for an element without an id.
    type Out = Option<Option<i64>>;

    fn scalar(self, value: Any) -> Option<Option<i64>> {
        (value != Any::Null).then(|| value.integer(&mut Drift::default()))
    }

    fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Option<i64>>, A::Error> {
        let mut id = None;
        while let Some(key) = next_key(&mut map)? {
            if key == "id" || key == "group_id" {
                id = id.or(Any::next(&mut map)?.integer(&mut Drift::default()));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Some(id))
    }
}

/// From `/v1/account/risk_score_history` and `/v1/groups/{id}/risk_score_history`.
#[derive(Debug, Default)]
pub struct HistoryRow {
    /// Unix seconds; of a date alone its midnight UTC.
    pub at: Option<f64>,
    /// 0 to 100.
    pub risk_score: Option<f64>,
}

impl Row for HistoryRow {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<(), A::Error> {
        fields!(self, key, map, drift;
            "date" => at.time,
            "risk_score" => risk_score.number,
        );
        Ok(())
    }

    fn finish(&mut self, drift: &mut Drift) {
        expect(drift, &self.at);
        expect(drift, &self.risk_score);
    }

    /// Its time: there is one score for each.
    fn id(&self) -> Option<i64> {
        self.at.map(|at| at as i64)
    }
}

#[cfg(test)]
mod tests;
