//! From `/v1/phishing/security_tests/{id}/recipients`. Of the person only the id is read; name, e-mail, IP address,
//! location and browser are passed over undecoded.

use serde::de::{IgnoredAny, MapAccess};

use super::{Any, Besides, Drift, ElementId, Row, Seed, row};
use crate::api::wire::lenient::moment;
use crate::recipients::{Event, Mail};

row! {
    /// The mail to one recipient. Its id is unique within one test.
    RecipientRow, identified by "recipient_id";
    besides {
        /// What became of it.
        pub mail: Mail,
    }
}

impl Besides for RecipientRow {
    fn other<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<bool, A::Error> {
        match key {
            "user" => self.mail.user = map.next_value_seed(Seed(ElementId))?.flatten(),
            "delivered_at" => self.mail.delivered = moment(Any::next(map)?, drift),
            "reported_at" => self.mail.reported = moment(Any::next(map)?, drift),
            key if is_failure(key) => {
                let failed: Event = moment(Any::next(map)?, drift);
                self.mail.failed = self.mail.failed.or_earlier(failed);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Whether a field says when somebody failed. `qr_code_scanned` is a time, despite its name, and two kinds are of the
/// years before 2022; callback tests have kinds of their own.
fn is_failure(key: &str) -> bool {
    let kind = key.strip_suffix("_at").unwrap_or(key);
    matches!(
        kind,
        "clicked"
            | "replied"
            | "attachment_opened"
            | "macro_enabled"
            | "data_entered"
            | "qr_code_scanned"
            | "vulnerable-plugins"
            | "vulnerable_plugins"
            | "exploited"
            | "called"
            | "callback_data_entered"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::wire::list;

    fn mails(json: &str) -> Vec<Mail> {
        let rows = list::<RecipientRow>(json.as_bytes()).expect("rows").rows;
        rows.into_iter().map(|row| row.mail).collect()
    }

    #[test]
    fn the_first_failure_of_any_kind_counts() {
        let mails = mails(
            r#"[{"recipient_id":1498372653,"user":{"id":81394383,"email":"robin@example.com"},
                 "scheduled_at":"2023-03-06T17:14:33.000Z","delivered_at":"2023-03-06T17:15:04.000Z",
                 "opened_at":"2023-03-06T20:35:41.000Z","clicked_at":"2023-03-06T20:35:41.000Z",
                 "data_entered_at":"2023-03-06T20:35:40.000Z","reported_at":null,"bounced_at":null,"ip":"203.0.113.10"},
                {"recipient_id":"7","user":{"id":"12"},"delivered_at":"2023-03-06T17:15:04+02:00",
                 "qr_code_scanned":"2023-03-06 15:16:04","reported_at":1678115765},
                {"recipient_id":8,"user":null,"delivered_at":"yesterday","vulnerable-plugins_at":"","exploited_at":true}]"#,
        );
        let sent = 1_678_122_904.0;
        assert_eq!(
            mails[0],
            Mail {
                user: Some(81_394_383),
                delivered: Event::At(sent),
                failed: Event::At(1_678_134_940.0),
                reported: Event::Never,
            }
        );
        assert_eq!(
            mails[1],
            Mail {
                user: Some(12),
                delivered: Event::At(sent - 7200.0),
                failed: Event::At(sent - 7140.0),
                reported: Event::At(1_678_115_765.0),
            }
        );
        assert_eq!(
            mails[2],
            Mail {
                user: None,
                delivered: Event::Sometime,
                failed: Event::Sometime,
                reported: Event::Never,
            }
        );
    }
}
