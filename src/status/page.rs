//! The page for people: plain HTML, light and dark, without a script; tables that a screen reader can walk.

use std::fmt::Write;

use super::{AccountView, CollectorView, StatusView};
use crate::model::NextRunReason;

const STYLE: &str = "
:root{color-scheme:light dark;--line:#8884;--bad:#b3261e;--good:#1b6e3c;--dim:#6b6b6b}
@media(prefers-color-scheme:dark){:root{--bad:#ff8a80;--good:#7bd89a;--dim:#a5a5a5}}
body{font:15px/1.45 system-ui,sans-serif;max-width:75rem;margin:0 auto;padding:1rem}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.15rem;margin:0}
summary{cursor:pointer;padding:.4rem 0}summary h2{display:inline}
section,details{border-top:1px solid var(--line);padding:.6rem 0}
table{border-collapse:collapse;width:100%}
caption{text-align:left;color:var(--dim);padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .8rem .35rem 0;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--dim);font-weight:600}
.bad{color:var(--bad);font-weight:600}.good{color:var(--good)}.dim{color:var(--dim)}
.scroll{overflow-x:auto}ul{margin:.3rem 0;padding-left:1.2rem}p{margin:.3rem 0}
@media(max-width:48rem){thead{display:none}tr{display:block;border-top:1px solid var(--line);padding:.4rem 0}
th[scope=row],td{display:block;border:0;padding:.1rem 0}td::before{content:attr(data-label) \": \";color:var(--dim)}}
";

pub(super) fn html(view: &StatusView) -> String {
    let mut page = String::with_capacity(4096 * (view.accounts.len() + 1));
    let troubled = view
        .accounts
        .iter()
        .filter(|account| account.is_troubled())
        .count();
    let summary = match (view.accounts.len(), troubled) {
        (0, _) => "no account is configured on this shard".to_owned(),
        (1, 0) => "1 account, all well".to_owned(),
        (all, 0) => format!("{all} accounts, all well"),
        (all, some) => format!("{some} of {all} accounts want a look"),
    };
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Status - knowbe4-exporter</title><style>{STYLE}</style></head><body>\
         <header><h1>knowbe4-exporter status</h1><p>{summary}. As of {}. Version {}. \
         <a href=\"/\">Home</a>, <a href=\"/api/v1/status\">JSON</a></p></header><main>",
        time(view.now, view.now),
        view.version
    );
    if view.accounts.len() > 1 {
        index(&mut page, view);
    }
    // Those that want a look first, in the order of their names.
    for wanted in [true, false] {
        for account in view
            .accounts
            .iter()
            .filter(|account| account.is_troubled() == wanted)
        {
            let open = wanted || view.accounts.len() <= 3;
            self::account(&mut page, account, view.now, open);
        }
    }
    page.push_str("</main></body></html>\n");
    page
}

fn index(page: &mut String, view: &StatusView) {
    page.push_str("<nav aria-label=\"Accounts\"><p>");
    for account in &view.accounts {
        let class = if account.is_troubled() { "bad" } else { "good" };
        let sign = if account.is_troubled() { "\u{26a0} " } else { "" };
        let _ = write!(
            page,
            "<a class=\"{class}\" href=\"#{0}\">{sign}{0}</a> ",
            escape(&account.account)
        );
    }
    page.push_str("</p></nav>");
}

fn account(page: &mut String, account: &AccountView, now: f64, open: bool) {
    let up = match account.up {
        Some(true) => "<span class=\"good\">the API answers</span>",
        Some(false) => "<span class=\"bad\">the last request failed</span>",
        None => "<span class=\"dim\">not asked yet</span>",
    };
    let _ = write!(
        page,
        "<details id=\"{0}\"{1}><summary><h2>{0}</h2> {up}</summary>",
        escape(&account.account),
        if open { " open" } else { "" }
    );
    if !account.ledger_writable {
        page.push_str("<p class=\"bad\">The ledger can't be written, so nothing is sent: make the storage path writable, with room on its disk.</p>");
    }
    page.push_str("<p>");
    for window in &account.budget {
        let class = if window.left == 0 && window.window == "24h" {
            "bad"
        } else {
            ""
        };
        let _ = write!(
            page,
            "<span class=\"{class}\">{} of {} requests used in {}</span>; ",
            window.used, window.limit, window.window
        );
    }
    if let Some(plan) = account.plan_requests_per_day {
        let _ = write!(page, "the plan needs {plan:.0} a day.");
    }
    let _ = write!(
        page,
        "</p><div class=\"scroll\"><table><caption>Collectors of {}</caption><thead><tr>",
        escape(&account.account)
    );
    for heading in [
        "Collector",
        "State",
        "Data as of",
        "Next refresh",
        "Every",
        "Cost",
        "What to know",
    ] {
        let _ = write!(page, "<th scope=\"col\">{heading}</th>");
    }
    page.push_str("</tr></thead><tbody>");
    for collector in &account.collectors {
        row(page, collector, now);
    }
    page.push_str("</tbody></table></div></details>");
}

fn row(page: &mut String, collector: &CollectorView, now: f64) {
    let _ = write!(page, "<tr><th scope=\"row\">{}</th>", collector.collector);
    if !collector.enabled {
        page.push_str("<td data-label=\"State\" class=\"dim\">off</td><td colspan=\"5\" class=\"dim\">switched off in the configuration</td></tr>");
        return;
    }
    let state = match collector.success {
        Some(true) => "<span class=\"good\">fresh</span>",
        Some(false) => "<span class=\"bad\">failed</span>",
        None => "<span class=\"dim\">not run yet</span>",
    };
    let _ = write!(
        page,
        "<td data-label=\"State\">{state}</td><td data-label=\"Data as of\">{}</td>",
        collector
            .last_success
            .map_or_else(|| "never".to_owned(), |at| time(at, now))
    );
    let next = match collector.next_run {
        Some(at) if at <= now => "now".to_owned(),
        Some(at) => time(at, now),
        None => "never".to_owned(),
    };
    let _ = write!(
        page,
        "<td data-label=\"Next refresh\">{next}<br><span class=\"dim\">{}</span></td>",
        why(collector.next_run_reason)
    );
    let every = collector
        .interval_seconds
        .map_or_else(|| "the budget allows none".to_owned(), duration);
    let _ = write!(
        page,
        "<td data-label=\"Every\">{every}</td><td data-label=\"Cost\">"
    );
    match (collector.refresh_requests, collector.requests_per_day) {
        (Some(requests), Some(a_day)) => {
            let _ = write!(
                page,
                "{requests} requests<br><span class=\"dim\">{a_day:.0} a day"
            );
            if let Some(seconds) = collector.duration_seconds {
                let _ = write!(page, ", took {}", duration(seconds));
            }
            page.push_str("</span>");
        }
        (Some(requests), None) => {
            let _ = write!(page, "{requests} requests");
        }
        _ => page.push_str("<span class=\"dim\">not known yet</span>"),
    }
    page.push_str("</td><td data-label=\"What to know\">");
    if let Some(error) = &collector.last_error {
        let _ = write!(
            page,
            "<p class=\"bad\">{}</p><p>{}</p>",
            escape(&error.cause),
            escape(&error.cure)
        );
        if let Some(id) = &error.request_id {
            let _ = write!(page, "<p class=\"dim\">request id {}</p>", escape(id));
        }
    }
    for note in &collector.notes {
        let _ = write!(page, "<p>{}</p>", escape(note));
    }
    page.push_str("</td></tr>");
}

fn why(reason: NextRunReason) -> &'static str {
    match reason {
        NextRunReason::Interval => "as planned",
        NextRunReason::Retry => "tried again after a failure",
        NextRunReason::Unavailable => "never worked here; asked once a day",
        NextRunReason::KeyRefused => "the key is refused; one probe at a time until it changes",
        NextRunReason::Throttled => "the API asked to pause",
        NextRunReason::Budget => "when the budget has room",
        NextRunReason::TooExpensive => "costs more than the budget gives",
    }
}

/// How long from now, with the instant itself for whoever wants it exactly.
fn time(at: f64, now: f64) -> String {
    let stamp =
        jiff::Timestamp::from_second(at as i64).map_or_else(|_| String::new(), |stamp| stamp.to_string());
    let words = match at - now {
        wait if wait.abs() < 1.0 => "now".to_owned(),
        wait if wait > 0.0 => format!("in {}", duration(wait)),
        age => format!("{} ago", duration(-age)),
    };
    // The moment of the page itself is told by the clock.
    let words = if at == now {
        stamp.replace('T', " ").replace('Z', " UTC")
    } else {
        words
    };
    format!("<time datetime=\"{stamp}\" title=\"{stamp}\">{words}</time>")
}

fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 600.0 => format!("{:.1} min", seconds / 60.0),
        seconds if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.1} h", seconds / 3600.0),
        seconds => format!("{:.1} days", seconds / 86_400.0),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
