//! The table that leads to each account, the worst first.

use std::fmt::Write as _;

use super::super::moment::Moment;
use super::super::view::AccountView;
use super::super::words;
use super::{escape, tag, text};

/// Writes the index of these accounts, in their order.
pub(super) fn write(html: &mut String, accounts: &[&AccountView], now: f64) {
    html.push_str(
        "<section class=\"card\" aria-label=\"Accounts\"><table class=\"wide index\" role=\"table\">\
         <caption>Accounts, the worst first</caption><thead role=\"rowgroup\"><tr role=\"row\">\
         <th scope=\"col\" role=\"columnheader\">Account</th><th scope=\"col\" role=\"columnheader\">Oldest data</th>\
         <th scope=\"col\" role=\"columnheader\">Next refresh</th>\
         <th scope=\"col\" role=\"columnheader\">Budget of 24 hours</th></tr></thead><tbody role=\"rowgroup\">",
    );
    for account in accounts {
        let next = account
            .collectors
            .iter()
            .filter(|c| c.enabled)
            .filter_map(|c| c.next_run.as_ref())
            .min_by(|a, b| a.unix.total_cmp(&b.unix));
        let _ = write!(
            html,
            "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\"><a href=\"#account-{name}\">{name}</a> {tag}</th>\
             <td role=\"cell\" class=\"short\" data-label=\"Oldest data\">{oldest}</td>\
             <td role=\"cell\" class=\"short\" data-label=\"Next refresh\">{next}</td>\
             <td role=\"cell\" class=\"short num\" data-label=\"Budget\">{budget}</td></tr>",
            name = escape(account.account.as_str()),
            tag = tag(account.condition),
            oldest = account
                .oldest_age_seconds
                .and_then(|age| Moment::new(now - age))
                .map_or_else(|| "none".to_owned(), |at| text(&words::relative(&at, now))),
            next = next.map_or_else(
                || "not planned".to_owned(),
                |at| if at.unix <= now {
                    "due".to_owned()
                } else {
                    text(&words::relative(at, now))
                }
            ),
            budget = account
                .day()
                .filter(|day| day.limit > 0)
                .map_or_else(String::new, |day| format!("{} of {} used", day.used, day.limit)),
        );
    }
    html.push_str("</tbody></table></section>");
}
