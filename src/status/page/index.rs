//! The table that leads to each account, the worst first, and the field that finds one by its name.

use std::fmt::Write as _;

use super::super::moment::Moment;
use super::super::view::AccountView;
use super::super::words;
use super::{escape, tag, text};

/// Writes the field; `names` are what it offers while somebody types.
pub(super) fn find<'a>(html: &mut String, names: impl Iterator<Item = &'a str>, typed: &str) {
    let _ = write!(
        html,
        "<form class=\"find\" role=\"search\"><label for=\"Find\">Find an account</label> \
         <input id=\"Find\" name=\"account\" value=\"{}\" list=\"Names\" autocomplete=\"off\" autocapitalize=\"none\" \
         spellcheck=\"false\"> <button>Show</button><datalist id=\"Names\">",
        escape(typed)
    );
    for name in names {
        let _ = write!(html, "<option value=\"{}\">", escape(name));
    }
    html.push_str("</datalist></form>");
}

/// Writes the index of these accounts, in their order. Those for which `here` holds are on the same page.
pub(super) fn write(
    html: &mut String,
    accounts: &[&AccountView],
    now: f64,
    here: impl Fn(&AccountView) -> bool,
) {
    html.push_str(
        "<section class=\"card\" aria-label=\"Accounts\"><table class=\"wide index\" role=\"table\">\
         <caption>Accounts, the worst first</caption><thead role=\"rowgroup\"><tr role=\"row\">\
         <th scope=\"col\" role=\"columnheader\">Account</th><th scope=\"col\" role=\"columnheader\">Trouble</th>\
         <th scope=\"col\" role=\"columnheader\">Oldest data</th>\
         <th scope=\"col\" role=\"columnheader\">Budget of 24 hours</th></tr></thead><tbody role=\"rowgroup\">",
    );
    for account in accounts {
        let name = escape(account.account.as_str());
        // Each account has one place of this name: here, or where its details are.
        let (id, link) = if here(account) {
            (String::new(), format!("#{name}"))
        } else {
            (format!(" id=\"{name}\""), format!("?account={name}"))
        };
        let _ = write!(
            html,
            "<tr role=\"row\"{id}><th scope=\"row\" role=\"rowheader\"><a href=\"{link}\">{name}</a> {tag}</th>\
             <td role=\"cell\" class=\"short\" data-label=\"Trouble\">{trouble}</td>\
             <td role=\"cell\" class=\"short\" data-label=\"Oldest data\">{oldest}</td>\
             <td role=\"cell\" class=\"short num\" data-label=\"Budget\">{budget}</td></tr>",
            tag = tag(account.condition),
            trouble = escape(&words::trouble(account)),
            oldest = account
                .oldest_age_seconds
                .and_then(|age| Moment::new(now - age))
                .map_or_else(|| "none".to_owned(), |at| text(&words::relative(&at, now))),
            budget = account.day().filter(|day| day.limit > 0).map_or_else(
                || "not known yet".to_owned(),
                |day| format!("{} of {} used", day.used, day.limit)
            ),
        );
    }
    html.push_str("</tbody></table></section>");
}
