//! The page for people: one HTML document without scripts, images or anything from elsewhere.
//!
//! Everything that is not a literal here goes through [`escape`]. Tables keep their ARIA roles, because a narrow
//! screen shows rows as blocks and browsers then forget that they were rows.

mod index;

use std::fmt::Write as _;

use super::condition::Condition;
use super::view::{AccountView, CollectorView, StatusView};
use super::words::{self, Text};

/// The style sheet of all pages: light and dark, and narrow screens.
pub const STYLE: &str = include_str!("style.css");

/// With more accounts than this, only those that need attention are unfolded, and an index leads.
const UNFOLDED_ACCOUNTS: usize = 3;

/// Text as it may stand in HTML, between tags or in a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Control characters are no HTML, and direction overrides make text lie about its order.
            c if c.is_control() && !matches!(c, '\n' | '\t') => escaped.push('\u{FFFD}'),
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

impl StatusView {
    /// The page at `/status`; `telemetry_path` is where the metrics are.
    pub fn html(&self, telemetry_path: &str) -> String {
        let now = self.now.as_ref().map_or(0.0, |now| now.unix);
        let mut worst_first: Vec<&AccountView> = self.accounts.iter().collect();
        worst_first.sort_by(|a, b| {
            b.condition
                .cmp(&a.condition)
                .then_with(|| a.account.cmp(&b.account))
        });
        // 4 KiB of style and head, some 12 KiB an account.
        let mut html = String::with_capacity(8 * 1024 + worst_first.len() * 12 * 1024);
        head(&mut html, self, telemetry_path, now);
        if worst_first.len() > 1 {
            index::write(&mut html, &worst_first, now);
        }
        let unfold_all = worst_first.len() <= UNFOLDED_ACCOUNTS;
        for account in worst_first {
            section(&mut html, account, now, unfold_all);
        }
        html.push_str("</main><footer>");
        let _ = write!(html, "<p>knowbe4-exporter {}", escape(&self.version));
        if let Some(started) = &self.started {
            let _ = write!(html, ", started {}", text(&words::relative(started, now)));
        }
        if let Some(now) = &self.now {
            let _ = write!(html, ". This page shows {}", escape(&now.absolute()));
        }
        html.push_str("; load it again for a newer state.</p></footer></body></html>");
        html
    }
}

fn head(html: &mut String, view: &StatusView, telemetry_path: &str, now: f64) {
    let _ = write!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title}KnowBe4 exporter: status</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body>\
         <a class=\"skip\" href=\"#main\">To the content</a><header><h1>KnowBe4 exporter: status</h1>\
         <nav aria-label=\"Pages\"><ul><li><a href=\"{metrics}\">Metrics</a></li>\
         <li><a href=\"/api/v1/status\">This page as JSON</a></li></ul></nav></header><main id=\"main\">",
        title = view
            .accounts
            .iter()
            .filter(|account| account.condition == Condition::Failing)
            .count()
            .checked_sub(1)
            .map_or_else(String::new, |rest| format!("({}) ", rest + 1)),
        metrics = escape(telemetry_path),
    );
    let _ = write!(html, "<p class=\"lead\">{}</p>", escape(&summary(&view.accounts)));
    if !view.config_reload_successful {
        let _ = write!(
            html,
            "<div class=\"card\" role=\"note\"><p>{} <strong>The last reload of the configuration failed.</strong> \
             In force is what was read {}.</p><p class=\"cure\"><strong>What to do:</strong> run \
             <code>knowbe4-exporter check</code>: it names every mistake with its line.</p></div>",
            tag(Condition::Failing),
            view.config_read
                .as_ref()
                .map_or_else(|| "before".to_owned(), |at| text(&words::relative(at, now))),
        );
    }
}

/// `3 accounts: 1 failing, 2 fine.`
fn summary(accounts: &[AccountView]) -> String {
    let conditions: Vec<String> = Condition::WORST_FIRST
        .into_iter()
        .filter_map(|condition| {
            let number = accounts.iter().filter(|a| a.condition == condition).count();
            (number > 0).then(|| format!("{number} {}", condition.as_str()))
        })
        .collect();
    match accounts {
        [] => "No account is configured.".to_owned(),
        [only] => {
            let collectors: Vec<String> = Condition::WORST_FIRST
                .into_iter()
                .filter_map(|condition| {
                    let number = only
                        .collectors
                        .iter()
                        .filter(|c| c.condition == condition)
                        .count();
                    (number > 0).then(|| format!("{number} {}", condition.as_str()))
                })
                .collect();
            format!(
                "One account, {} collectors: {}.",
                only.collectors.len(),
                collectors.join(", ")
            )
        }
        many => format!("{} accounts: {}.", many.len(), conditions.join(", ")),
    }
}

fn section(html: &mut String, account: &AccountView, now: f64, unfold: bool) {
    let name = escape(account.account.as_str());
    let open = if unfold || account.condition >= Condition::Late {
        " open"
    } else {
        ""
    };
    // The anchor is inside: a browser that is sent there unfolds the details around it.
    let _ = write!(
        html,
        "<section class=\"card\" aria-labelledby=\"name-{name}\"><details{open}><summary><h2 id=\"name-{name}\">{name}</h2>\
         {tag}<span class=\"soft\">{up}</span></summary><div class=\"anchor\" id=\"account-{name}\">",
        tag = tag(account.condition),
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
        "<div class=\"cure\"><p><strong>Cause:</strong> {} <span class=\"soft\">({})</span></p>\
         <p><strong>What to do:</strong> {}</p>",
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

fn tag(condition: Condition) -> String {
    format!(
        "<span class=\"tag {word}\"><span aria-hidden=\"true\">{sign}</span> {word}</span>",
        word = condition.as_str(),
        sign = condition.sign(),
    )
}

fn sentence(pieces: &[Text]) -> String {
    pieces.iter().map(text).collect()
}

fn text(piece: &Text) -> String {
    match piece {
        Text::Plain(words) => escape(words),
        Text::Time(at, words) => format!(
            "<time datetime=\"{}\" title=\"{}\">{}</time>",
            escape(&at.rfc3339),
            escape(&at.absolute()),
            escape(words)
        ),
    }
}
