//! People choose names: whatever they choose, both encodings can be read, and say the same.

use std::collections::{BTreeMap, BTreeSet};

use knowbe4_exporter::{AccountSnapshot, Collection, Format, model::*};
use proptest::prelude::*;

use crate::fixture::{EPOCH, world};
use crate::parser::parse;

/// Any text, and more often such as means something to a parser.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "\n", "\r\n", "\"", "\\", "\\n", "{", "}", ",", "# ", "# EOF", "\0", "\u{2028}", "le=\"1\"",
            " 1\n", "é", "😀",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(pieces, 0..6).prop_map(|pieces| pieces.concat())
}

fn float() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(any::<f64>())
}

#[derive(Debug, Clone)]
struct Names {
    account: [String; 3],
    groups: BTreeMap<i64, String>,
    segments: BTreeSet<(String, String)>,
    failures: BTreeMap<String, u64>,
    purchases: BTreeSet<(String, String)>,
    number: Option<f64>,
}

fn names() -> impl Strategy<Value = Names> {
    let pair = || (text(), text());
    (
        [text(), text(), text()],
        prop::collection::btree_map(any::<i64>(), text(), 0..4),
        prop::collection::btree_set(pair(), 0..4),
        prop::collection::btree_map(text(), any::<u64>(), 0..4),
        prop::collection::btree_set(pair(), 0..4),
        float(),
    )
        .prop_map(|(account, groups, segments, failures, purchases, number)| Names {
            account,
            groups,
            segments,
            failures,
            purchases,
            number,
        })
}

fn snapshot(names: &Names) -> AccountSnapshot {
    let mut snapshot = AccountSnapshot::default();
    let [name, kind, subscription_level] = names.account.clone();
    let account = Account {
        name,
        kind,
        subscription_level,
        risk_score: names.number,
        ..Account::default()
    };
    let groups = names.groups.iter().map(|(id, name)| Group {
        id: *id,
        name: name.clone(),
        risk_score: names.number,
        members: names.number,
        ..Group::default()
    });
    let segments = names.segments.iter().map(|(attribute, value)| Segment {
        attribute: attribute.clone(),
        value: value.clone(),
        users: 5,
        risk_score: names.number,
        phish_prone: names.number,
    });
    let test = PhishingTest {
        failures: names.failures.clone(),
        ..PhishingTest::default()
    };
    for collection in [
        Collection::Account(account),
        Collection::Groups(Groups {
            groups: groups.collect(),
        }),
        Collection::Users(Users {
            active: Some(1),
            segments: segments.collect(),
            ..Users::default()
        }),
        Collection::PhishingTests(PhishingTests {
            tests: vec![test],
            ..PhishingTests::default()
        }),
        Collection::StorePurchases(StorePurchases {
            counts: names
                .purchases
                .iter()
                .map(|(a, b)| (a.clone(), b.clone(), 1))
                .collect(),
        }),
    ] {
        snapshot.set(collection, EPOCH);
    }
    snapshot
}

proptest! {
    #[test]
    fn any_name_survives_both_encodings(names in names()) {
        let world = world();
        world.publish("acme", snapshot(&names));
        let open_metrics = parse(&world.body_of("acme", Format::OpenMetrics).expect("known"));
        let text = parse(&world.body_of("acme", Format::Text).expect("known"));
        prop_assert_eq!(&open_metrics.samples, &text.samples);

        let written = |family: &str, label: &str| -> Vec<String> {
            let labels = text.of(family).into_iter().flat_map(|(labels, _)| labels);
            labels.filter(|(name, _)| name == label).map(|(_, value)| value.clone()).collect()
        };
        prop_assert_eq!(written("knowbe4_account_info", "name"), [names.account[0].clone()]);
        let mut groups: Vec<_> = names.groups.values().cloned().collect();
        let mut written_groups = written("knowbe4_group_info", "name");
        groups.sort();
        written_groups.sort();
        prop_assert_eq!(written_groups, groups);
        prop_assert_eq!(text.of("knowbe4_segment_users").len(), names.segments.len());
        let failures: Vec<_> = names.failures.keys().cloned().collect();
        prop_assert_eq!(written("knowbe4_phishing_test_failures", "failure"), failures);
        prop_assert_eq!(text.of("knowbe4_training_store_purchases").len(), names.purchases.len());

        // A number is written so that the same number is read, and not at all if it is none.
        let number = names.number.filter(|number| number.is_finite());
        prop_assert_eq!(text.value("knowbe4_account_risk_score", &[]), number);
        for (_, value) in text.of("knowbe4_group_members") {
            prop_assert_eq!(Some(value), number);
        }
    }
}
