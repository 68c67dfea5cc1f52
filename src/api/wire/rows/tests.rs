//! Every field in every form that servers are known to give it.

use super::super::{list, one};
use super::*;
use crate::config::SegmentAttribute;

#[test]
fn users_keep_their_percent_and_lose_their_names() {
    let body = br#"[{"id":"667542","first_name":"William","email":"w@example.com","phish_prone_percentage":14.235,
        "current_risk_score":45.742,"groups":[3264,{"group_id":7,"name":"x"},null,"8"],"department":" Sales ","location":"","status":"Active"},
        {"id":2,"groups":null,"status":"archived","department":null}]"#;
    let page = list::<UserRow>(body).expect("users");
    let [first, second] = &page.rows[..] else {
        panic!("two rows")
    };
    assert_eq!(
        (first.id(), first.phish_prone_percent, first.is_active()),
        (Some(667_542), Some(14.235), true)
    );
    assert_eq!(first.groups, [3264, 7, 8]);
    assert_eq!(
        (
            first.attribute(SegmentAttribute::Department),
            first.attribute(SegmentAttribute::Location)
        ),
        (Some("Sales"), None)
    );
    assert!(!second.is_active());
    assert!(!format!("{page:?}").contains("William"));
}

#[test]
fn tests_keep_every_count_under_its_key() {
    let body = br#"[{"pst_id":8805725,"campaign_id":1892087,"status":"Closed","name":"n","phish_prone_percentage":0.277,
        "started_at":"2023-03-06T17:13:27.000Z","template":{"id":1,"name":"Google Calendar","difficulty":5,"type":"USER"},
        "landing-page":{"id":1},"scheduled_count":null,"delivered_count":"625","clicked_count":171,"called_count":3}]"#;
    let page = list::<TestRow>(body).expect("tests");
    let test = &page.rows[0];
    assert_eq!(test.counts.get("delivered"), Some(&625));
    assert_eq!(test.counts.get("called"), Some(&3));
    assert_eq!(test.counts.get("scheduled"), None);
    assert_eq!(test.template.difficulty.as_deref(), Some("5"));
    let odd =
        br#"[{"pst_id":1,"template":null},{"pst_id":2,"template":[{"name":"t"}]},{"pst_id":3,"template":7}]"#;
    assert_eq!(list::<TestRow>(odd).expect("tests").rows.len(), 3);
}

#[test]
fn an_account_counts_its_administrators_without_reading_them() {
    let body = br#"{"name":"KB4-Demo","type":"paid","domains":["a","b"],"admins":[{"id":1,"email":"x@example.com"},null],
        "subscription_level":"Diamond","subscription_end_date":"2021-03-06","number_of_seats":"25","current_risk_score":45.742}"#;
    let (account, drift) = one::<AccountRow>(body).expect("account");
    assert_eq!(
        (account.admins, account.domains, account.seats),
        (Some(1), Some(2), Some(25.0))
    );
    assert_eq!(account.subscription_end, Some(1_614_988_800.0));
    assert_eq!(drift.number_as_text, 1);
    assert!(
        !one::<AccountRow>(br#"{"error":"x"}"#)
            .expect("an object")
            .0
            .is_account()
    );
}

#[test]
fn enrollments_know_their_user_by_id_alone() {
    let body = br#"[{"enrollment_id":1,"user":{"id":7978339432,"email":"x@example.com"},"campaign_name":"a","status":"Passed"},
        {"enrollment_id":2,"user":null,"campaign_id":"5","status":null}]"#;
    let page = list::<EnrollmentRow>(body).expect("enrollments");
    assert_eq!(
        (page.rows[0].user_id, page.rows[0].campaign_id),
        (Some(7_978_339_432), None)
    );
    assert_eq!((page.rows[1].user_id, page.rows[1].campaign_id), (None, Some(5)));
    assert_eq!(page.drift.missing_field, 1);
}
