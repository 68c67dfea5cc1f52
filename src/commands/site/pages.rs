//! The pages besides the metrics: the landing page, the status and service discovery.

use exporter_web::{Answer, Request, StatusCode};
use serde_json::json;

use crate::model::AccountName;
use crate::status::{Links, StatusView, landing as landing_page};

/// Name of the parameter that picks an account.
const ACCOUNT: &str = "account";

/// The longest piece of a client's own text that an error repeats, in characters.
const QUOTED: usize = 64;

/// The account that the query picks, if any.
pub(super) fn account(request: &Request<'_>) -> Result<Option<String>, Answer> {
    let account = picked(request)?;
    if account.as_deref() == Some("") {
        return Err(Answer::line(
            StatusCode::BAD_REQUEST,
            "the parameter \"account\" is empty: expected the name of an account, or leave it out for all.",
        ));
    }
    Ok(account)
}

fn picked(request: &Request<'_>) -> Result<Option<String>, Answer> {
    request
        .parameter(ACCOUNT)
        .map_err(|error| Answer::line(StatusCode::BAD_REQUEST, &format!("{error}.")))
}

/// No account of this name is configured.
pub(super) fn unknown_account(name: &str) -> Answer {
    let name: String = name.chars().take(QUOTED).collect();
    Answer::line(
        StatusCode::NOT_FOUND,
        &format!(
            "No account {name:?} is configured: the parameter \"{ACCOUNT}\" is the name of an account in the \
             configuration; /sd lists them.",
        ),
    )
}

fn links(request: &Request<'_>) -> Links {
    Links {
        root: request.root(),
        metrics: request.metrics_link(),
    }
}

/// The page at `/`.
pub(super) fn landing(request: &Request<'_>, view: &StatusView) -> Answer {
    Answer::html(landing_page(&view.version, &links(request), &view.summary()))
}

/// The page at `/status`.
pub(super) fn status(request: &Request<'_>, view: StatusView) -> Answer {
    let account = match picked(request) {
        // What the page's own field sends when nothing was typed.
        Ok(account) => account.filter(|name| !name.is_empty()),
        Err(answer) => return answer,
    };
    let account = account.as_deref();
    let page = Answer::html(view.html(&links(request), account));
    if account.is_none_or(|name| view.has(name)) {
        page
    } else {
        page.with_status(StatusCode::NOT_FOUND)
    }
}

/// The same for programs.
pub(super) fn status_json(request: &Request<'_>, view: StatusView) -> Answer {
    let view = match account(request) {
        Ok(None) => view,
        Ok(Some(name)) => match view.of_account(&name) {
            Some(view) => view,
            None => return unknown_account(&name),
        },
        Err(answer) => return answer,
    };
    Answer::json(view.json())
}

/// One target per account, at the address under which the client found this exporter.
pub(super) fn discovery(request: &Request<'_>, accounts: &[AccountName]) -> Answer {
    let Some(host) = request.host() else {
        return Answer::line(
            StatusCode::BAD_REQUEST,
            "The targets' address is the request's Host header: expected HOST:PORT there.",
        );
    };
    let metrics_path = request.metrics_path();
    let groups: Vec<_> = accounts
        .iter()
        .map(|account| {
            let mut labels = json!({
                "__param_account": account.as_str(),
                "__meta_knowbe4_account": account.as_str(),
                // All have one address: what Prometheus says of a target must say of which.
                "instance": format!("{host}/{account}"),
            });
            // Only what the scrape configuration can't know better: behind a proxy path and scheme are others.
            if metrics_path != "/metrics" {
                labels["__metrics_path__"] = json!(metrics_path);
            }
            if request.is_secure() {
                labels["__scheme__"] = json!("https");
            }
            json!({ "targets": [host], "labels": labels })
        })
        .collect();
    Answer::json(serde_json::Value::from(groups).to_string())
}
