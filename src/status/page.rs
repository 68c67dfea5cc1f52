//! The page for people: one HTML document without scripts, images or anything from elsewhere.
//!
//! Everything that is not a literal here goes through [`escape`]. Tables keep their ARIA roles, because a narrow
//! screen shows rows as blocks and browsers then forget that they were rows.

mod account;
mod index;

use std::fmt::Write as _;

use super::condition::Condition;
use super::links::Links;
use super::view::{AccountView, StatusView};
use super::words::{self, Text};

/// The style sheet of all pages: light and dark, and narrow screens.
pub(super) const STYLE: &str = include_str!("style.css");

/// With more accounts than this only those that need attention are unfolded, and a field finds one by its name.
const UNFOLDED_ACCOUNTS: usize = 3;

/// With more accounts than this only those that need attention have their details on the page, folded, and no more
/// than this many of them: 20 take some 200 KiB. Each of the others has a page of its own.
const DETAILED_ACCOUNTS: usize = 20;

/// Text as it may stand in HTML, between tags or in a quoted attribute.
pub(super) fn escape(text: &str) -> String {
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
    /// The page at `/status`; `links` lead to the others. `picked` is the name of one account, or what
    /// somebody knows of it: without an account of just this name the page lists those whose name holds it.
    pub fn html(&self, links: &Links, picked: Option<&str>) -> String {
        let now = self.now.as_ref().map_or(0.0, |now| now.unix);
        let exact = picked.is_some_and(|name| self.has(name));
        let mut worst_first: Vec<&AccountView> = self
            .accounts
            .iter()
            .filter(|account| match picked {
                Some(name) if exact => account.account.as_str() == name,
                Some(part) => account.account.as_str().contains(part),
                None => true,
            })
            .collect();
        worst_first.sort_by(|a, b| {
            b.condition
                .cmp(&a.condition)
                .then_with(|| a.account.cmp(&b.account))
        });
        let detailed = match worst_first.len() {
            _ if picked.is_some() && !exact => 0,
            0..=DETAILED_ACCOUNTS => worst_first.len(),
            _ => worst_first
                .iter()
                .take(DETAILED_ACCOUNTS)
                .filter(|account| account.condition.needs_attention())
                .count(),
        };
        let mut html = String::with_capacity(8 * 1024 + worst_first.len() * 512 + detailed * 12 * 1024);
        let lead = match picked {
            Some(part) if !exact => format!(
                "No account is called \u{201c}{part}\u{201d}; {} of {} have it in their name.",
                worst_first.len(),
                self.accounts.len()
            ),
            _ => summary(&worst_first, picked.is_some()),
        };
        let title = match picked {
            Some(name) => format!("{name} \u{2013} "),
            None => match self.failing() {
                0 => String::new(),
                failing => format!("({failing}) "),
            },
        };
        head(&mut html, &title, links, picked.is_some());
        let _ = write!(html, "<p class=\"lead\">{}</p>", escape(&lead));
        reload(&mut html, self, now);
        if self.accounts.len() > UNFOLDED_ACCOUNTS {
            let names = self.accounts.iter().map(|account| account.account.as_str());
            index::find(&mut html, names, picked.unwrap_or_default());
        }
        let (here, elsewhere) = worst_first.split_at(detailed);
        if worst_first.len() > 1 || !elsewhere.is_empty() {
            let is_here = |account: &AccountView| here.iter().any(|other| other.account == account.account);
            index::write(&mut html, &worst_first, now, is_here);
        }
        let alone = worst_first.len() == 1;
        for account in here {
            // Whoever follows a link to a folded one unfolds it.
            let open = worst_first.len() <= UNFOLDED_ACCOUNTS
                || worst_first.len() <= DETAILED_ACCOUNTS && account.condition.needs_attention();
            account::write(&mut html, account, links, now, open, alone);
        }
        foot(&mut html, self, now);
        html
    }

    /// Whether an account of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.accounts
            .iter()
            .any(|account| account.account.as_str() == name)
    }

    fn failing(&self) -> usize {
        let failing = |account: &&AccountView| account.condition == Condition::Failing;
        self.accounts.iter().filter(failing).count()
    }

    /// How all accounts fare, in one sentence.
    pub fn summary(&self) -> String {
        summary(&self.accounts.iter().collect::<Vec<_>>(), false)
    }
}

fn head(html: &mut String, title: &str, links: &Links, picked: bool) {
    let root = escape(&links.root);
    let _ = write!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title}KnowBe4 exporter: status</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body>\
         <a class=\"skip\" href=\"#Content\">To the content</a><header><h1>KnowBe4 exporter: status</h1>\
         <nav aria-label=\"Pages\"><ul><li><a href=\"{root}\">Start</a></li>{all}<li><a href=\"{metrics}\">Metrics</a></li>\
         <li><a href=\"{root}api/v1/status\">Status as JSON</a></li></ul></nav></header><main id=\"Content\">",
        title = escape(title),
        all = if picked {
            format!("<li><a href=\"{root}status\">All accounts</a></li>")
        } else {
            String::new()
        },
        metrics = escape(&links.metrics),
    );
}

fn foot(html: &mut String, view: &StatusView, now: f64) {
    html.push_str("</main><footer>");
    let _ = write!(html, "<p>knowbe4-exporter {}", escape(&view.version));
    if let Some(started) = &view.started {
        let _ = write!(html, ", started {}", text(&words::relative(started, now)));
    }
    if let Some(now) = &view.now {
        let _ = write!(html, ". This page shows {}", escape(&now.absolute()));
    }
    html.push_str("; load it again for a newer state.</p></footer></body></html>");
}

fn reload(html: &mut String, view: &StatusView, now: f64) {
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
fn summary(accounts: &[&AccountView], by_name: bool) -> String {
    match accounts {
        [] => "No account is configured.".to_owned(),
        [only] => {
            let who = match by_name {
                true => format!("Account {}", only.account),
                false => "One account".to_owned(),
            };
            format!(
                "{who}, {} collectors: {}.",
                only.collectors.len(),
                tally(only.collectors.iter().map(|collector| collector.condition))
            )
        }
        many => format!(
            "{} accounts: {}.",
            many.len(),
            tally(many.iter().map(|account| account.condition))
        ),
    }
}

/// `1 failing, 2 fine`.
fn tally(conditions: impl Iterator<Item = Condition> + Clone) -> String {
    let words: Vec<String> = Condition::WORST_FIRST
        .into_iter()
        .map(|condition| (condition, conditions.clone().filter(|c| *c == condition).count()))
        .filter(|(_, number)| *number > 0)
        .map(|(condition, number)| format!("{number} {}", condition.as_str()))
        .collect();
    words.join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of `#rgb` or `#rrggbb` (WCAG 2.2).
    fn luminance(colour: &str) -> f64 {
        let digits = colour.trim_start_matches('#');
        let width = digits.len() / 3;
        let channel = |index: usize| {
            let digits = &digits[index * width..(index + 1) * width];
            let full = if width == 1 {
                digits.repeat(2)
            } else {
                digits.to_owned()
            };
            let value = f64::from(u8::from_str_radix(&full, 16).expect("hexadecimal")) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
    }

    #[test]
    fn all_text_has_contrast_in_light_and_dark() {
        let schemes: Vec<_> = STYLE.split(":root{").skip(1).collect();
        assert_eq!(schemes.len(), 2);
        for scheme in schemes {
            let colour = |name: &str| {
                let (_, rest) = scheme.split_once(&format!("--{name}:")).expect(name);
                luminance(rest.split([';', '}', '\n']).next().expect("a colour"))
            };
            for (ink, paper) in [
                ("ink", "bg"),
                ("ink", "card"),
                ("soft", "bg"),
                ("soft", "card"),
                ("link", "bg"),
                ("link", "card"),
                ("link", "calm-bg"),
                ("good", "good-bg"),
                ("bad", "bad-bg"),
                ("warn", "warn-bg"),
                ("calm", "calm-bg"),
            ] {
                let (a, b) = (colour(ink), colour(paper));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{ink} on {paper}: {contrast:.2}");
            }
        }
    }
}
