//! What is known of recipients in the fixture's account.

use knowbe4_exporter::model::*;

/// One test that has been read, a window that is whole, and one that isn't.
pub(crate) fn recipients() -> PhishingRecipients {
    let mails = |delivered, failed, reported, ignored| MailCounts {
        delivered,
        failed,
        reported,
        ignored,
    };
    let many = |mails, people| MailsOfMany { mails, people };
    let numbers = TestRecipients {
        mails: mails(4, 3, 1, 1),
        failed: 3,
        failed_and_reported: 1,
        first_failure: Some(61.5),
        first_report: Some(20.0),
        median_failure: Some(300.25),
        median_report: Some(42.0),
        failure_delays: [0, 2, 3, 3, 3, 3, 3],
        report_delays: [1, 1, 1, 1, 1, 1, 1],
    };
    let people = RecipientsPeople {
        tested: 40,
        reported: 9,
        by_failed_tests: [20, 10, 5, 3, 1, 1],
        // 2 is hidden and 4 no group of the listing: neither may be seen.
        groups: [1, 2, 3, 4]
            .map(|group| (group, many(mails(group as u64, 1, 0, 0), 16)))
            .into(),
        segments: vec![SegmentMails {
            attribute: "department".to_owned(),
            value: "R\\&D\n".to_owned(),
            mails: many(mails(7, 2, 3, 2), 7),
        }],
    };
    PhishingRecipients {
        tests: [31, 99]
            .map(|id| {
                let read = RecipientsRead {
                    at: 1_749_900_000.0,
                    ended: true,
                    numbers: numbers.clone(),
                };
                (id, read)
            })
            .into(),
        unread: 2,
        windows: vec![RecipientsWindow {
            window: "30d".to_owned(),
            mails: mails(50, 20, 12, 21),
            failure_delays: [1, 5, 9, 12, 15, 18, 20],
            report_delays: [3, 6, 9, 10, 11, 12, 12],
            people: Some(people),
        }],
        backlog_spent: vec![(1_749_900_000.0, 3)],
    }
}
