//! The simulator by its plain door.

use super::*;

fn simulator(settings: Settings) -> Simulator {
    Simulator::new(settings)
}

fn get(simulator: &Simulator, path: &str, query: &str, seconds: u64) -> Answer {
    let request = Request {
        method: "GET".to_owned(),
        path: format!("/v1{path}"),
        query: query.to_owned(),
        authorization: Some("Bearer key".to_owned()),
    };
    simulator.answer(&request, Duration::from_secs(seconds))
}

fn rows(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200);
    serde_json::from_slice::<Value>(&answer.body)
        .expect("JSON")
        .as_array()
        .expect("a list")
        .clone()
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer
        .headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

fn faulty(fault: &str) -> Settings {
    Settings {
        faults: fault
            .split(',')
            .map(|fault| fault.parse().expect("a fault"))
            .collect(),
        ..Settings::default()
    }
}

#[test]
fn the_same_seed_is_the_same_organisation() {
    let (one, two) = (simulator(Settings::default()), simulator(Settings::default()));
    let other = simulator(Settings {
        seed: 2,
        ..Settings::default()
    });
    for path in [
        "/users",
        "/phishing/security_tests",
        "/training/enrollments",
        "/account",
    ] {
        assert_eq!(get(&one, path, "", 60).body, get(&two, path, "", 60).body);
    }
    assert_ne!(
        get(&one, "/users", "", 60).body,
        get(&other, "/users", "", 60).body
    );
}

#[test]
fn each_dialect_pages_in_its_way_and_loses_nothing() {
    for dialect in [Dialect::Brief, Dialect::Recorded, Dialect::Cursor] {
        let simulator = simulator(Settings {
            dialect,
            users: 1000,
            ..Settings::default()
        });
        let mut ids = std::collections::BTreeSet::new();
        let mut query = if dialect == Dialect::Cursor {
            "cursor=true".to_owned()
        } else {
            "page=1".to_owned()
        };
        for page in 2.. {
            let answer = get(
                &simulator,
                "/users",
                &format!("per_page=300&status=active&{query}"),
                0,
            );
            let rows = rows(&answer);
            ids.extend(
                rows.iter()
                    .filter(|row| row["status"] == "active")
                    .map(|row| row["id"].as_u64().expect("an id")),
            );
            let more = match dialect {
                Dialect::Brief => header(&answer, "Link").is_some_and(|link| link.contains("rel=\"next\"")),
                Dialect::Recorded => !rows.is_empty(),
                Dialect::Cursor => header(&answer, "X-Next-Cursor").is_some(),
            };
            if !more {
                break;
            }
            query = header(&answer, "X-Next-Cursor")
                .map_or_else(|| format!("page={page}"), |cursor| format!("cursor={cursor}"));
        }
        assert_eq!(ids.len(), 1000, "{dialect:?}");
    }
}

#[test]
fn the_brief_ignores_what_it_does_not_know() {
    let brief = simulator(Settings {
        dialect: Dialect::Brief,
        ..Settings::default()
    });
    assert!(
        rows(&get(&brief, "/users", "status=active&per_page=500", 0))
            .iter()
            .any(|row| row["status"] == "archived")
    );
    let enrollments = rows(&get(
        &brief,
        "/training/enrollments",
        "include_campaign_id=true&campaign_id=4261&per_page=500",
        0,
    ));
    assert!(enrollments.iter().all(|row| row.get("campaign_id").is_none()));
    let recorded = simulator(Settings::default());
    let only = rows(&get(
        &recorded,
        "/training/enrollments",
        "include_campaign_id=true&campaign_id=4263&per_page=500",
        0,
    ));
    assert!(!only.is_empty() && only.iter().all(|row| row["campaign_id"] == 4263));
    assert_eq!(
        rows(&get(&recorded, "/training/campaigns", "per_page=500", 0)).len(),
        10
    );
}

#[test]
fn time_moves_things() {
    let simulator = simulator(Settings {
        accelerate: 86_400.0,
        ..Settings::default()
    });
    let risk = |seconds| {
        serde_json::from_slice::<Value>(&get(&simulator, "/account", "", seconds).body).expect("JSON")["current_risk_score"].clone()
    };
    assert_ne!(risk(0), risk(20));
    let tests = |seconds| {
        rows(&get(
            &simulator,
            "/phishing/security_tests",
            "per_page=500",
            seconds,
        ))
        .len()
    };
    assert!(tests(120) > tests(0));
}

#[test]
fn nothing_that_has_begun_lies_in_the_future_of_the_real_clock() {
    let settings = Settings {
        accelerate: 86_400.0,
        ..Settings::default()
    };
    let now = settings.epoch + 60;
    let simulator = simulator(settings);
    let tests = rows(&get(&simulator, "/phishing/security_tests", "per_page=500", 60));
    let started = |test: &Value| test["started_at"].as_str().map(str::to_owned);
    let newest = tests.iter().filter_map(started).max().expect("tests");
    let now = organisation::time(now as f64);
    assert!(newest <= now, "{newest} after {now}");
}

#[test]
fn people_fail_as_often_as_the_tests_say() {
    let simulator = simulator(Settings {
        users: 2000,
        ..Settings::default()
    });
    let people = rows(&get(&simulator, "/users", "per_page=500&status=active", 0));
    let mean = |of: &[Value], key: &str| {
        let values: Vec<_> = of.iter().filter_map(|row| row[key].as_f64()).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let tests = rows(&get(&simulator, "/phishing/security_tests", "per_page=500", 0));
    let (people, tests) = (
        mean(&people, "phish_prone_percentage") / 100.0,
        mean(&tests, "phish_prone_percentage"),
    );
    assert!((people - tests).abs() < 0.05, "people {people}, tests {tests}");
}

#[test]
fn counts_are_possible() {
    let simulator = simulator(Settings::default());
    for test in rows(&get(&simulator, "/phishing/security_tests", "per_page=500", 0)) {
        let count = |key: &str| test[key].as_u64().unwrap_or(0);
        assert!(count("clicked_count") <= count("delivered_count"), "{test}");
        assert!(count("reported_count") <= count("delivered_count"), "{test}");
    }
}

#[test]
fn keys_are_asked_for_and_limits_kept() {
    let guarded = simulator(Settings {
        key: Some("right".to_owned()),
        ..Settings::default()
    });
    assert_eq!(get(&guarded, "/account", "", 0).status, 401);
    let limited = simulator(Settings {
        limits: Some([2, 3, 4]),
        ..Settings::default()
    });
    let statuses: Vec<_> = [0, 0, 0, 2, 2, 70, 70]
        .map(|second| get(&limited, "/account", "", second).status)
        .into();
    assert_eq!(statuses, [200, 200, 429, 200, 429, 200, 429]);
}

#[test]
fn faults_strike_as_they_are_told() {
    let three = simulator(faulty("500:endpoint=users:after=1:count=2"));
    let statuses: Vec<_> = (0..5).map(|_| get(&three, "/users", "", 0).status).collect();
    assert_eq!(statuses, [200, 500, 500, 200, 200]);
    assert_eq!(get(&three, "/groups", "", 0).status, 200);
    for (fault, status, delivery) in [
        ("502-html", 502, Delivery::Whole),
        ("slow=0.5s", 200, Delivery::Delayed(Duration::from_millis(500))),
        ("hang", 200, Delivery::Hang),
        ("reset", 200, Delivery::Reset),
        ("endless", 200, Delivery::Endless),
        ("wrong-type", 200, Delivery::Whole),
    ] {
        let answer = get(&simulator(faulty(fault)), "/account", "", 0);
        assert_eq!((answer.status, answer.delivery), (status, delivery), "{fault}");
    }
    let throttled = get(&simulator(faulty("429:retry-after=7")), "/account", "", 0);
    assert_eq!(header(&throttled, "Retry-After"), Some("7"));
    assert_eq!(
        header(
            &get(&simulator(faulty("429:retry-after=none")), "/account", "", 0),
            "Retry-After"
        ),
        None
    );
    let truncated = get(&simulator(faulty("truncated")), "/account", "", 0);
    assert!(serde_json::from_slice::<Value>(&truncated.body).is_err());
}

#[test]
fn wrong_faults_name_what_was_expected() {
    for wrong in [
        "teapot",
        "99",
        "slow=fast",
        "500:where=users",
        "500:count=x",
        "quirk=nice",
    ] {
        let error = wrong.parse::<Fault>().expect_err(wrong).to_string();
        assert!(error.contains("expected"), "{error}");
    }
}

#[test]
fn quirks_make_rows_odd() {
    let odd = simulator(faulty("quirk=null-row,quirk=bad-row,quirk=text-numbers"));
    let rows = rows(&get(&odd, "/groups", "per_page=500", 0));
    assert!(rows.contains(&Value::Null) && rows.iter().any(Value::is_string));
    assert!(rows[0]["id"].is_string());
    let cursor = Settings {
        dialect: Dialect::Cursor,
        users: 40,
        ..faulty("quirk=link-cursor")
    };
    let link = get(&simulator(cursor), "/users", "cursor=true&per_page=10", 0);
    assert!(header(&link, "Link").is_some_and(|link| link.contains("cursor=")));
}

#[test]
fn faults_strike_between_their_seconds() {
    let simulator = simulator(faulty("500:endpoint=users:from=100:until=200"));
    let status = |seconds| get(&simulator, "/users", "", seconds).status;
    assert_eq!([99, 100, 199, 200].map(status), [200, 500, 500, 200]);
    assert_eq!(get(&simulator, "/account", "", 150).status, 200);
}

#[test]
fn a_quirk_shows_as_often_as_it_is_to() {
    let simulator = simulator(faulty("quirk=anonymised:endpoint=users:after=1:count=1"));
    let users = || rows(&get(&simulator, "/users", "", 0)).len();
    assert!(users() > 0);
    assert_eq!(users(), 0);
    assert!(users() > 0);
}

#[test]
fn years_before_its_origin_an_organisation_has_less() {
    let epoch = Settings::default().epoch;
    let old = simulator(Settings {
        origin: Some(epoch + 400 * 86_400),
        ..Settings::default()
    });
    let count = |simulator: &Simulator, path: &str| rows(&get(simulator, path, "per_page=500", 0)).len();
    let now = simulator(Settings::default());
    for path in ["/users", "/phishing/security_tests", "/training/campaigns"] {
        assert!(count(&old, path) < count(&now, path), "{path}");
    }
    let enrollments = rows(&get(
        &old,
        "/training/enrollments",
        "per_page=500&include_campaign_id=true",
        0,
    ));
    let campaigns = rows(&get(&old, "/training/campaigns", "", 0));
    for enrollment in enrollments {
        let of = |row: &&Value| row["campaign_id"] == enrollment["campaign_id"];
        assert!(campaigns.iter().any(|row| of(&row)), "{enrollment}");
    }
}

#[test]
fn recipients_are_of_one_piece_with_the_counts() {
    for users in [30, 250, 2_000] {
        let simulator = simulator(Settings {
            users,
            dialect: Dialect::Recorded,
            ..Settings::default()
        });
        for seconds in [0, 40_000, 400_000] {
            let tests = rows(&get(
                &simulator,
                "/phishing/security_tests",
                "per_page=500",
                seconds,
            ));
            let (mut failed, mut quick) = (0, 0);
            for test in tests.iter().rev().take(25) {
                let path = format!("/phishing/security_tests/{}/recipients", test["pst_id"]);
                let mut recipients = Vec::new();
                for page in 1.. {
                    let more = rows(&get(
                        &simulator,
                        &path,
                        &format!("per_page=500&page={page}"),
                        seconds,
                    ));
                    if more.is_empty() {
                        break;
                    }
                    recipients.extend(more);
                }
                let with = |field: &str| {
                    let those = recipients.iter().filter(|row| row[field].is_string());
                    those.count() as u64
                };
                for (count, field) in [
                    ("delivered_count", "delivered_at"),
                    ("opened_count", "opened_at"),
                    ("clicked_count", "clicked_at"),
                    ("replied_count", "replied_at"),
                    ("attachment_open_count", "attachment_opened_at"),
                    ("macro_enabled_count", "macro_enabled_at"),
                    ("data_entered_count", "data_entered_at"),
                    ("reported_count", "reported_at"),
                    ("bounced_count", "bounced_at"),
                ] {
                    assert_eq!(
                        with(field),
                        test[count].as_u64().unwrap_or(0),
                        "{path} {count} at {seconds} s"
                    );
                }
                assert_eq!(
                    recipients.len() as u64,
                    test["scheduled_count"].as_u64().unwrap_or(0)
                );
                for row in &recipients {
                    let at = |field: &str| {
                        row[field]
                            .as_str()
                            .map(|at| at.parse::<jiff::Timestamp>().expect("a time"))
                    };
                    if let (Some(delivered), Some(clicked)) = (at("delivered_at"), at("clicked_at")) {
                        assert!(delivered <= clicked);
                        failed += 1;
                        quick += u64::from((clicked - delivered).as_secs() < 3_600);
                    }
                }
            }
            assert!(failed > 0 && quick > 0 && quick < failed, "{quick} of {failed}");
        }
    }
}

#[test]
fn recipients_are_odd_where_they_are_told_to() {
    let odd = simulator(faulty("quirk=odd-times,quirk=text-numbers"));
    let id = &rows(&get(&odd, "/phishing/security_tests", "", 0))[0]["pst_id"];
    let id = id.as_str().expect("a text");
    let recipients = rows(&get(
        &odd,
        &format!("/phishing/security_tests/{id}/recipients"),
        "",
        0,
    ));
    let delivered = |number: usize| recipients[number]["delivered_at"].as_str().unwrap_or("null");
    assert!(
        delivered(0).ends_with("+00:00") && !delivered(1).ends_with('Z'),
        "{:?}",
        &recipients[..2]
    );
    assert!(recipients[3].get("replied_at").is_none() && recipients[2].get("replied_at").is_some());
    assert!(recipients.iter().any(|row| row["user"]["id"].is_string()));
}

#[test]
fn some_people_fail_again_and_again() {
    let simulator = simulator(Settings {
        users: 400,
        ..Settings::default()
    });
    let mut fails = std::collections::BTreeMap::<u64, u64>::new();
    let tests = rows(&get(&simulator, "/phishing/security_tests", "per_page=500", 0));
    for test in tests.iter().filter(|test| test["name"] == "Monthly - everyone") {
        let path = format!("/phishing/security_tests/{}/recipients", test["pst_id"]);
        for row in rows(&get(&simulator, &path, "per_page=500", 0)) {
            if row["clicked_at"].is_string()
                && let Some(id) = row["user"]["id"].as_u64()
            {
                *fails.entry(id).or_default() += 1;
            }
        }
    }
    let often = fails.values().filter(|times| **times >= 5).count();
    let once = fails.values().filter(|times| **times == 1).count();
    assert!(often >= 10 && once >= 50, "{often} often, {once} once");
}
