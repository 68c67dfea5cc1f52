//! Which path has what.

use serde_json::{Value, json};

use super::fault::{Quirk, Quirks};
use super::organisation::Organisation;
use super::paging::Page;
use super::phishing::TEST_THAT_NEVER_RAN;

/// What a path has: an object, or a list whose rows are made when they are asked for.
pub(super) enum Content<'a> {
    One(Value),
    List(List<'a>),
}

/// Rows by number.
pub(super) struct List<'a> {
    pub(super) len: usize,
    pub(super) row: Box<dyn Fn(usize) -> Value + 'a>,
}

fn list<'a>(len: usize, row: impl Fn(usize) -> Value + 'a) -> Option<Content<'a>> {
    Some(Content::List(List {
        len,
        row: Box::new(row),
    }))
}

fn rows<'a>(rows: Vec<Value>) -> Option<Content<'a>> {
    list(rows.len(), move |number| rows[number].clone())
}

/// [`None`] for an unknown path or id. `path` is below `/v1`.
pub(super) fn find<'a>(
    organisation: &'a Organisation,
    path: &str,
    page: &Page,
    now: f64,
    quirks: &Quirks,
) -> Option<Content<'a>> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let content = match parts[..] {
        ["account"] => one(account(organisation, now, quirks)),
        ["account", "risk_score_history"] => rows(organisation.risk_history(None, now, page.asks("full"))),
        ["users"] if quirks.has(Quirk::Anonymised) => rows(Vec::new()),
        ["users"] => users(organisation, now, page.honours("status", "active")),
        ["users", id] => one_of(users(organisation, now, false), "id", id),
        ["groups", ref rest @ ..] => groups_below(organisation, rest, page, now),
        ["phishing", ref rest @ ..] => phishing_below(organisation, rest, page, now),
        ["training", ref rest @ ..] => training_below(organisation, rest, page, now),
        _ => None,
    };
    match content {
        Some(Content::One(object)) if quirks.has(Quirk::ArrayOfOne) => Some(Content::One(json!([object]))),
        content => content,
    }
}

fn groups_below<'a>(
    organisation: &'a Organisation,
    rest: &[&str],
    page: &Page,
    now: f64,
) -> Option<Content<'a>> {
    let number = |id: &str| {
        let group = id.parse::<usize>().ok()?.checked_sub(3_000)?;
        (group < organisation.groups).then_some(group)
    };
    match *rest {
        [] => groups(organisation, now, page.honours("status", "active")),
        [id] => one_of(groups(organisation, now, false), "id", id),
        [id, "members"] => {
            let group = number(id)?;
            let census = organisation.census(now);
            let members: Vec<_> = census
                .active
                .iter()
                .copied()
                .filter(|p| organisation.groups_of(*p as usize).contains(&group))
                .collect();
            list(members.len(), move |number| {
                organisation.user(members[number] as usize, now)
            })
        }
        [id, "risk_score_history"] => {
            rows(organisation.risk_history(Some(number(id)?), now, page.asks("full")))
        }
        _ => None,
    }
}

fn phishing_below<'a>(
    organisation: &'a Organisation,
    rest: &[&str],
    page: &Page,
    now: f64,
) -> Option<Content<'a>> {
    let callback = page.honours("campaign_type", "callback");
    match *rest {
        ["campaigns"] => rows(organisation.phishing_campaigns(now)),
        ["campaigns", id] => one_of(rows(organisation.phishing_campaigns(now)), "campaign_id", id),
        ["security_tests"] if callback => rows(organisation.callback_tests()),
        ["security_tests"] => tests(organisation, now),
        ["security_tests", id, "recipients"] if callback => callback_recipients(organisation, id, now),
        ["security_tests", id, "recipients"] => recipients(organisation, id, now),
        ["security_tests", id] => one_of(tests(organisation, now), "pst_id", id),
        _ => None,
    }
}

fn training_below<'a>(
    organisation: &'a Organisation,
    rest: &[&str],
    page: &Page,
    now: f64,
) -> Option<Content<'a>> {
    let campaigns = |percentages| rows(organisation.training_campaigns(now, percentages));
    match *rest {
        ["campaigns"] => campaigns(!page.honours("exclude_percentages", "true")),
        ["campaigns", id] => one_of(campaigns(true), "campaign_id", id),
        ["enrollments"] => {
            let campaign = page
                .filter("campaign_id")
                .map(|id| id.parse().map_or(usize::MAX, |id: usize| id.wrapping_sub(4_261)));
            let with_campaign = page.honours("include_campaign_id", "true");
            let leavers = !page.honours("exclude_archived_users", "true");
            let len = organisation.enrollment_count(campaign, leavers, now);
            list(len, move |number| {
                organisation.enrollment(campaign, number, now, with_campaign)
            })
        }
        ["store_purchases"] => rows(organisation.store_purchases()),
        ["store_purchases", id] => one_of(rows(organisation.store_purchases()), "store_purchase_id", id),
        ["policies"] => rows(Organisation::policies()),
        ["policies", id] => one_of(rows(Organisation::policies()), "policy_id", id),
        _ => None,
    }
}

fn one<'a>(object: Value) -> Option<Content<'a>> {
    Some(Content::One(object))
}

/// The row of `list` with this id.
fn one_of<'a>(list: Option<Content<'a>>, name: &str, id: &str) -> Option<Content<'a>> {
    one(find_by(list?, name, id)?)
}

fn account(organisation: &Organisation, now: f64, quirks: &Quirks) -> Value {
    let mut account = organisation.account(now);
    if quirks.has(Quirk::Trial)
        && let Some(fields) = account.as_object_mut()
    {
        for paid in ["subscription_level", "subscription_end_date", "number_of_seats"] {
            fields.remove(paid);
        }
        fields.insert("type".to_owned(), json!("trial"));
    }
    account
}

fn users(organisation: &Organisation, now: f64, active_only: bool) -> Option<Content<'_>> {
    let census = organisation.census(now);
    if active_only {
        return list(census.active.len(), move |number| {
            organisation.user(census.active[number] as usize, now)
        });
    }
    // Leavers of old stand last, behind everybody who is there.
    let first = organisation.people() - organisation.leavers();
    let active = census.active.len();
    list(active + organisation.leavers(), move |number| {
        let person = census.active.get(number).map_or_else(
            || first + number.saturating_sub(active),
            |person| *person as usize,
        );
        organisation.user(person, now)
    })
}

fn groups(organisation: &Organisation, now: f64, active_only: bool) -> Option<Content<'_>> {
    let groups = organisation.groups;
    list(groups + usize::from(!active_only), move |number| {
        if number < groups {
            organisation.group(number, now)
        } else {
            organisation.archived_group()
        }
    })
}

fn tests(organisation: &Organisation, now: f64) -> Option<Content<'_>> {
    let tests = organisation.tests(now);
    let len = tests.len();
    list(len + 1, move |number| match tests.get(number) {
        Some(test) => organisation.test(test, now),
        None => organisation.test_that_never_ran(),
    })
}

fn recipients<'a>(organisation: &'a Organisation, id: &str, now: f64) -> Option<Content<'a>> {
    let id: u64 = id.parse().ok()?;
    if id == TEST_THAT_NEVER_RAN {
        return list(0, |_| Value::Null);
    }
    let test = organisation.tests(now).into_iter().find(|test| test.id == id)?;
    let len = organisation.recipients(&test).len();
    list(len, move |number| organisation.recipient(&test, number, now))
}

fn callback_recipients<'a>(organisation: &'a Organisation, id: &str, now: f64) -> Option<Content<'a>> {
    let id = id.parse().ok()?;
    list(Organisation::callback_mails(id)?, move |number| {
        organisation.callback_recipient(id, number, now)
    })
}

fn find_by(content: Content<'_>, key: &str, id: &str) -> Option<Value> {
    let Content::List(list) = content else { return None };
    let id: u64 = id.parse().ok()?;
    (0..list.len)
        .map(|number| (list.row)(number))
        .find(|row| row[key].as_u64() == Some(id))
}
