//! The landing page: what this is, and where everything else is.

use maud::html;

use super::document::document;
use super::links::Links;

/// The page at `/`; `summary` says in one sentence how the accounts fare.
pub fn landing(version: &str, links: &Links, summary: &str) -> String {
    let Links { root, metrics } = links;
    let body = html! {
        header { h1 { "KnowBe4 exporter" } }
        main {
            p class="lead" { "Risk scores, phish-prone ratios and training completion from KnowBe4, for Prometheus." }
            nav class="card" aria-label="Pages" {
                dl {
                    dt { a href=(metrics) { "Metrics" } }
                    dd { "what Prometheus scrapes; " code { "?account=NAME" } " gives one account alone" }
                    dt { a href={ (root) "status" } { "Status" } }
                    dd {
                        strong { (summary) } " Why a number is old: what was read when, what comes next, what it costs, \
                        what went wrong; also " a href={ (root) "api/v1/status" } { "as JSON" }
                    }
                    dt { a href={ (root) "sd" } { "Service discovery" } }
                    dd { "one target per account, for " code { "http_sd_configs" } }
                    dt { a href={ (root) "-/healthy" } { "Health" } }
                    dd { "whether the pollers are alive" }
                    dt { a href={ (root) "-/ready" } { "Readiness" } }
                    dd { "whether metrics can be served" }
                }
            }
        }
        footer { p { "knowbe4-exporter " (version) } }
    };
    document("KnowBe4 exporter", &body)
}
