//! One account: its budget, and what each of its collectors did, does next and costs.

use std::fmt::Write as _;

use super::super::links::Links;
use super::super::view::{AccountView, CollectorView};
use super::super::words;
use super::{escape, sentence, tag};

/// Writes one account: its name and condition, and below them all the rest, which can be folded away. `alone`: it is
/// the only one on the page.
pub(super) fn write(
    html: &mut String,
    account: &AccountView,
    links: &Links,
    now: f64,
    open: bool,
    alone: bool,
) {
    let name = escape(account.account.as_str());
    let open = if open { " open" } else { "" };
    let own_page = if alone {
        String::new()
    } else {
        format!("<a href=\"?account={name}\">Page of this account</a> ")
    };
    // The place that links lead to is inside: a browser that is sent there unfolds the details around it. Other ids
    // have a capital letter or a colon, which no account's name has.
    let _ = write!(
        html,
        "<section class=\"card\" aria-labelledby=\"{name}:name\"><details{open}><summary><h2 id=\"{name}:name\">{name}</h2>\
         {tag}<span class=\"soft\">{up}</span></summary><div class=\"anchor\" id=\"{name}\">\
         <p class=\"links\">{own_page}<a href=\"{metrics}?account={name}\">Its metrics</a> \
         <a href=\"{root}api/v1/status?account={name}\">Its status as JSON</a></p>",
        tag = tag(account.condition),
        root = escape(&links.root),
        metrics = escape(&links.metrics),
        up = match account.up {
            Some(true) => "the last request was answered with success",
            Some(false) => "the last request failed",
            None => "no request yet in this run",
        },
    );
    if !account.notes.is_empty() {
        html.push_str("<ul class=\"notes\">");
        for note in &account.notes {
            let _ = write!(html, "<li>{}</li>", escape(note));
        }
        html.push_str("</ul>");
    }
    let _ = write!(html, "<p>{}</p>", escape(&words::budget(account)));
    if account.day().is_some_and(|day| day.limit > 0) {
        budget(html, account);
    }
    collectors(html, account, now);
    html.push_str("</div></details></section>");
}

fn budget(html: &mut String, account: &AccountView) {
    let _ = write!(
        html,
        "<table class=\"budget num\"><caption>Request budget of {}</caption><thead><tr><th scope=\"col\">Window</th>\
         <th scope=\"col\">Used</th><th scope=\"col\">Left</th><th scope=\"col\">Limit</th></tr></thead><tbody>",
        escape(account.account.as_str())
    );
    for window in account.budget.iter().rev() {
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}</th><td><meter min=\"0\" max=\"{limit}\" value=\"{used}\" aria-hidden=\"true\"></meter>{used}</td>\
             <td>{left}</td><td>{limit}</td></tr>",
            match window.window {
                "24h" => "24 hours",
                "1m" => "1 minute",
                "1s" => "1 second",
                other => other,
            },
            used = window.used,
            left = window.left,
            limit = window.limit,
        );
    }
    html.push_str("</tbody></table>");
}

fn collectors(html: &mut String, account: &AccountView, now: f64) {
    let _ = write!(
        html,
        "<table class=\"wide\" role=\"table\"><caption>Collectors of {}. Intervals follow from what a refresh costs, its \
         weight and the budget.</caption><thead role=\"rowgroup\"><tr role=\"row\">\
         <th scope=\"col\" role=\"columnheader\">Collector</th>\
         <th scope=\"col\" role=\"columnheader\" class=\"what\">What happened last</th>\
         <th scope=\"col\" role=\"columnheader\" class=\"next\">What comes next, and why then</th>\
         <th scope=\"col\" role=\"columnheader\">What it costs</th></tr></thead><tbody role=\"rowgroup\">",
        escape(account.account.as_str())
    );
    for collector in &account.collectors {
        let _ = write!(
            html,
            "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">{}<br> {}</th>\
             <td role=\"cell\" data-label=\"What happened last\"><p>{}</p>",
            collector.collector,
            tag(collector.condition),
            sentence(&words::happened(collector, now)),
        );
        failure(html, collector);
        for note in &collector.notes {
            let _ = write!(html, "<p class=\"soft\">{}</p>", escape(note));
        }
        let _ = write!(
            html,
            "</td><td role=\"cell\" data-label=\"What comes next, and why then\"><p>{}</p></td>\
             <td role=\"cell\" data-label=\"What it costs\"><p>{}</p></td></tr>",
            sentence(&words::next(collector, now)),
            escape(&words::cost(collector, account)),
        );
    }
    html.push_str("</tbody></table>");
}

fn failure(html: &mut String, collector: &CollectorView) {
    let Some(failure) = &collector.last_failure else {
        return;
    };
    let _ = write!(
        html,
        "<div class=\"cure {}\"><p><strong>Cause:</strong> {} <span class=\"soft\">({})</span></p>\
         <p><strong>What to do:</strong> {}</p>",
        collector.condition.as_str(),
        escape(&failure.cause),
        failure.reason.as_str(),
        escape(&failure.cure),
    );
    if let Some(id) = &failure.request_id {
        let _ = write!(
            html,
            "<p class=\"soft\">Request id for KnowBe4's support: <code>{}</code></p>",
            escape(id)
        );
    }
    html.push_str("</div>");
}
