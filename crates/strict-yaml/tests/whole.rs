//! Whole files: what is taken, and every mistake at once.
#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]

use strict_yaml::{Hints, Item, Mistakes};

/// A file of servers, each with a secret of its own.
fn servers(item: Item<'_>) -> Option<Vec<(String, u64)>> {
    let mut root = item.table("{ servers: [] }")?;
    let share = root.take("share").and_then(|item| item.positive(1.0));
    let part = root.take("part").and_then(|item| item.number(0.0..=1.0));
    let list = root.take("servers").and_then(|item| item.list("servers"))?;
    let mut servers = Vec::new();
    for item in list.value {
        let Some(mut table) = item.table("{ name: a, port: 80 }") else {
            continue;
        };
        let name = table
            .take("name")
            .and_then(|item| item.text("a word", |text| (!text.is_empty()).then(|| text.to_owned())));
        let port = table.take("port").and_then(|item| item.whole(1..=65535));
        let hash = table.take("hash").and_then(|item| {
            item.private_text("a hash", |text| {
                text.parse::<u64>().map_err(|_| "found no hash".to_owned())
            })
        });
        if port.is_none() && hash.is_some() {
            table.findings().odd(table.key("hash"), "a hash without a port");
        }
        table.finish();
        servers.extend(name.zip(port).map(|(name, port)| (name.value, port.value)));
    }
    let mut users = root
        .take("users")
        .and_then(|item| item.table("{ alice: HASH }"))?;
    for (name, item) in users.take_rest() {
        if name.contains(':') {
            item.wrong::<()>("found a colon");
        }
        item.private_text("a hash", |text| {
            (text.len() > 3)
                .then_some(())
                .ok_or_else(|| "found a short one".to_owned())
        });
    }
    users.finish();
    root.finish();
    (share.is_some() && part.is_some()).then_some(servers)
}

fn mistakes(text: &str) -> Mistakes {
    strict_yaml::read("s.yaml", text, &HINTS, servers).unwrap_err()
}

const HINTS: Hints = Hints {
    secret_keys: &["password"],
    secret: "passwords don't belong here",
    home: |key| (key == "port").then_some("servers"),
    merge: "no merging",
};

#[test]
fn what_is_right_is_taken() {
    let text = "share: 1\npart: 0\nservers:\n- { name: a, port: 80 }\n- name: b\n  port: 443\nusers: { alice: long }\n";
    let (servers, warnings) = strict_yaml::read("s.yaml", text, &HINTS, servers).unwrap();
    assert_eq!(servers, [("a".to_owned(), 80), ("b".to_owned(), 443)]);
    assert!(warnings.is_empty());
}

#[test]
fn every_mistake_is_told_at_once_and_no_secret_with_it() {
    let text = "port: 1\nshare: 0\npart: 1.5\nservers:\n  - nmae: a\n    port: '80'\n    hash: hunter2\n  - name: 5\n    \
                password: hunter2\n    name: b\n    <<: x\n  - just text\nusers:\n  \"a:b\": 123456\n  bob: ab\n  ? [x]\n  : y\n";
    let mistakes = mistakes(text);
    let lines: Vec<String> = mistakes.mistakes().iter().map(ToString::to_string).collect();
    let expected = [
        "s.yaml:1:1: port: unknown key here, expected it under servers",
        "s.yaml:2:8: share: found the number 0, expected a number above 0 and at most 1",
        "s.yaml:3:7: part: found the number 1.5, expected a number from 0 to 1",
        "s.yaml:5:5: servers[0].nmae: unknown key, did you mean \"name\"?",
        "s.yaml:6:11: servers[0].port: found the text \"80\", expected a whole number from 1 to 65535, without quotes",
        "s.yaml:7:11: servers[0].hash: found no hash",
        "s.yaml:8:11: servers[1].name: found the number 5, expected a word, as text: put it in quotes",
        "s.yaml:9:5: servers[1].password: passwords don't belong here",
        "s.yaml:10:5: servers[1].name: found this key twice, expected it once",
        "s.yaml:11:5: servers[1].\"<<\": no merging",
        "s.yaml:12:5: servers[2]: found the text \"just text\", expected keys and values such as { name: a, port: 80 }",
        "s.yaml:14:10: users.\"a:b\": found a colon",
        "s.yaml:14:10: users.\"a:b\": found a number, expected a hash",
        "s.yaml:15:8: users.bob: found a short one",
        "s.yaml:16:5: users: found a list as a key, expected a name",
    ];
    assert_eq!(lines, expected);
    assert!(!format!("{mistakes:?}").contains("hunter2"));
}

#[test]
fn a_thousand_mistakes_are_bounded_and_a_hint_comes_last() {
    let text: String = (0..1000).map(|number| format!("k{number}: 1\n")).collect();
    let all = mistakes(&format!("{text}servers: []\nusers: {{}}\n")).with_hint("try again");
    assert_eq!(all.mistakes().len(), 100);
    assert!(
        all.to_string().ends_with("\nand 900 more\nhint: try again"),
        "{all}"
    );
}

#[test]
fn what_several_share_is_told_once() {
    let understand = |item: Item<'_>| -> Option<()> {
        item.wrong::<()>("twice");
        item.wrong::<()>("twice");
        None
    };
    let told = strict_yaml::read("s.yaml", "a: 1", &Hints::default(), understand).unwrap_err();
    assert_eq!(told.to_string(), "s.yaml:1:1: the file: twice");
}
