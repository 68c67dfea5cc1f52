//! The account itself.

use crate::model::Account;

use super::{Data, Writer, writer};

pub(super) const WRITERS: &[Writer<Data>] = &[
    writer("knowbe4_account_info", |data, samples| {
        if let Some(account) = account(data) {
            samples.info(&[
                (&account.name).into(),
                (&account.kind).into(),
                (&account.subscription_level).into(),
            ]);
        }
    }),
    writer("knowbe4_account_risk_score", |data, samples| {
        samples.put(&[], account(data).and_then(|a| a.risk_score));
    }),
    writer("knowbe4_account_seats", |data, samples| {
        samples.put(&[], account(data).and_then(|a| a.seats));
    }),
    writer("knowbe4_account_admins", |data, samples| {
        samples.put(&[], account(data).and_then(|a| a.admins));
    }),
    writer("knowbe4_account_domains", |data, samples| {
        samples.put(&[], account(data).and_then(|a| a.domains));
    }),
    writer(
        "knowbe4_account_subscription_end_timestamp_seconds",
        |data, samples| {
            samples.put(&[], account(data).and_then(|a| a.subscription_end));
        },
    ),
];

fn account(data: &Data) -> Option<&Account> {
    data.snapshot.account.as_ref().map(|collected| &*collected.data)
}
