//! From `/v1/phishing/campaigns` and `/v1/phishing/security_tests`.

use std::collections::BTreeMap;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::{Any, Besides, Drift, Elements, Lenient, Row, Seed, next_key, row};

row! {
    /// A phishing campaign.
    CampaignRow, identified by "campaign_id";
    /// As people named it.
    pub name: text = "name", expected;
    /// `Closed`, `Error`, ...
    pub status: text = "status", expected;
    /// `One Time`, ...
    pub frequency: text = "frequency";
    /// A fraction, despite the field's name.
    pub last_phish_prone: number = "last_phish_prone_percentage";
    /// Null when it never ran.
    pub last_run: time = "last_run";
    /// How many tests it has had.
    pub tests: count = "psts_count";
    besides {
        listed_tests: Option<u64>,
    }
}

impl Besides for CampaignRow {
    fn other<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<bool, A::Error> {
        if key != "psts" {
            return Ok(false);
        }
        self.listed_tests = map.next_value_seed(Seed(Elements(drift, |_| {})))?;
        Ok(true)
    }

    fn complete(&mut self, _: &mut Drift) {
        self.tests = self.tests.or(self.listed_tests);
    }
}

row! {
    /// A phishing test.
    TestRow, identified by "pst_id";
    /// The campaign that it is a run of.
    pub campaign_id: integer = "campaign_id", expected;
    /// The campaign's name.
    pub name: text = "name", expected;
    /// `Active`, `Closed`, `Error`, ...
    pub status: text = "status", expected;
    /// A fraction, despite the field's name.
    pub phish_prone: number = "phish_prone_percentage";
    /// Null when it never started.
    pub started_at: time = "started_at";
    /// Days that it runs; null possible.
    pub days: number = "duration";
    besides {
        /// Null for random templates.
        pub template: Template,
        /// All keys that end in `_count`, without that ending.
        pub counts: BTreeMap<String, u64>,
    }
}

impl Besides for TestRow {
    fn other<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<bool, A::Error> {
        if let Some(kind) = key.strip_suffix("_count") {
            let count = Any::next(map)?.count(drift);
            self.counts.extend(count.map(|count| (kind.to_owned(), count)));
        } else if key == "template" {
            self.template = map.next_value_seed(Seed(TemplateReader))?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn complete(&mut self, drift: &mut Drift) {
        drift.missing_field += u64::from(!self.counts.contains_key("delivered"));
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
