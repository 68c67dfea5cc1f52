//! The page for people. Tables keep their ARIA roles, because a narrow screen shows rows as blocks and browsers
//! then forget that they were rows.

mod account;
mod index;

use maud::{Markup, html};

use super::condition::Condition;
use super::document::document;
use super::links::Links;
use super::view::{AccountView, StatusView};
use super::words::{self, Text};

/// With more accounts than this only those that need attention are unfolded, and a field finds one by its name.
const UNFOLDED_ACCOUNTS: usize = 3;

/// With more accounts than this only those that need attention have their details on the page, folded, and no more
/// than this many of them: 20 take some 200 KiB. Each of the others has a page of its own.
const DETAILED_ACCOUNTS: usize = 20;

impl StatusView {
    /// The page at `/status`; `links` lead to the others. `picked` is the name of one account, or what
    /// somebody knows of it: without an account of just this name the page lists those whose name holds it.
    pub fn html(&self, links: &Links, picked: Option<&str>) -> String {
        let now = self.now.as_ref().map_or(0.0, |now| now.unix);
        let exact = picked.is_some_and(|name| self.has(name));
        let worst_first = self.worst_first(picked, exact);
        let detailed = match worst_first.len() {
            _ if picked.is_some() && !exact => 0,
            0..=DETAILED_ACCOUNTS => worst_first.len(),
            _ => worst_first
                .iter()
                .take(DETAILED_ACCOUNTS)
                .filter(|account| account.condition.needs_attention())
                .count(),
        };
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
        let (here, elsewhere) = worst_first.split_at(detailed);
        let is_here = |account: &AccountView| here.iter().any(|other| other.account == account.account);
        let alone = worst_first.len() == 1;
        // Whoever follows a link to a folded one unfolds it.
        let open = |account: &AccountView| {
            worst_first.len() <= UNFOLDED_ACCOUNTS
                || worst_first.len() <= DETAILED_ACCOUNTS && account.condition.needs_attention()
        };
        let body = html! {
            a class="skip" href="#Content" { "To the content" }
            (header(links, picked.is_some()))
            main id="Content" {
                p class="lead" { (lead) }
                (reload(self, now))
                @if self.accounts.len() > UNFOLDED_ACCOUNTS {
                    (index::find(&self.accounts, picked.unwrap_or_default()))
                }
                @if worst_first.len() > 1 || !elsewhere.is_empty() {
                    (index::index(&worst_first, now, is_here))
                }
                @for account in here {
                    (account::section(account, links, now, open(account), alone))
                }
            }
            (footer(self, now))
        };
        document(&format!("{title}KnowBe4 exporter: status"), &body)
    }

    /// The account called `picked` if `exact`, else those that have it in their name.
    fn worst_first(&self, picked: Option<&str>, exact: bool) -> Vec<&AccountView> {
        let is_picked = |account: &&AccountView| match picked {
            Some(name) if exact => account.account.as_str() == name,
            Some(part) => account.account.as_str().contains(part),
            None => true,
        };
        let mut accounts: Vec<_> = self.accounts.iter().filter(is_picked).collect();
        accounts.sort_by(|a, b| {
            b.condition
                .cmp(&a.condition)
                .then_with(|| a.account.cmp(&b.account))
        });
        accounts
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

fn header(links: &Links, picked: bool) -> Markup {
    html! {
        header {
            h1 { "KnowBe4 exporter: status" }
            nav aria-label="Pages" {
                ul {
                    li { a href=(links.root) { "Start" } }
                    @if picked {
                        li { a href={ (links.root) "status" } { "All accounts" } }
                    }
                    li { a href=(links.metrics) { "Metrics" } }
                    li { a href={ (links.root) "api/v1/status" } { "Status as JSON" } }
                }
            }
        }
    }
}

fn footer(view: &StatusView, now: f64) -> Markup {
    html! {
        footer {
            p {
                "knowbe4-exporter " (view.version)
                @if let Some(started) = &view.started { ", started " (text(&words::relative(started, now))) }
                @if let Some(now) = &view.now { ". This page shows " (now.absolute()) }
                "; load it again for a newer state."
            }
        }
    }
}

fn reload(view: &StatusView, now: f64) -> Markup {
    html! {
        @if !view.config_reload_successful {
            div class="card" role="note" {
                p {
                    (tag(Condition::Failing)) " " strong { "The last reload of the configuration failed." }
                    " In force is what was read "
                    @match &view.config_read {
                        Some(at) => (text(&words::relative(at, now))),
                        None => "before",
                    }
                    "."
                }
                p class="cure" {
                    strong { "What to do:" } " run " code { "knowbe4-exporter check" }
                    ": it names every mistake with its line."
                }
            }
        }
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

fn tag(condition: Condition) -> Markup {
    html! {
        span class={ "tag " (condition.as_str()) } {
            span aria-hidden="true" { (condition.sign()) } " " (condition.as_str())
        }
    }
}

fn sentence(pieces: &[Text]) -> Markup {
    html! { @for piece in pieces { (text(piece)) } }
}

fn text(piece: &Text) -> Markup {
    html! {
        @match piece {
            Text::Plain(words) => (words),
            Text::Time(at, words) => {
                time datetime=(at.rfc3339) title=(at.absolute()) { (words) }
            }
        }
    }
}
