//! The landing page: what this is, and where everything else is.

use super::links::Links;
use super::page::{STYLE, escape};

/// The page at `/`; `summary` says in one sentence how the accounts fare.
pub fn landing(version: &str, links: &Links, summary: &str) -> String {
    let summary = escape(summary);
    let metrics = escape(&links.metrics);
    let root = escape(&links.root);
    let version = escape(version);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>KnowBe4 exporter</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body>\
         <header><h1>KnowBe4 exporter</h1></header><main>\
         <p class=\"lead\">Risk scores, phish-prone ratios and training completion from KnowBe4, for Prometheus.</p>\
         <nav class=\"card\" aria-label=\"Pages\"><dl>\
         <dt><a href=\"{metrics}\">Metrics</a></dt><dd>what Prometheus scrapes; <code>?account=NAME</code> gives one account alone</dd>\
         <dt><a href=\"{root}status\">Status</a></dt><dd><strong>{summary}</strong> Why a number is old: what was read when, what comes next, \
         what it costs, what went wrong; also <a href=\"{root}api/v1/status\">as JSON</a></dd>\
         <dt><a href=\"{root}sd\">Service discovery</a></dt><dd>one target per account, for <code>http_sd_configs</code></dd>\
         <dt><a href=\"{root}-/healthy\">Health</a></dt><dd>whether the pollers are alive</dd>\
         <dt><a href=\"{root}-/ready\">Readiness</a></dt><dd>whether metrics can be served</dd></dl></nav></main>\
         <footer><p>knowbe4-exporter {version}</p></footer></body></html>"
    )
}
