//! Tries one account: one request to each collector's endpoint, what came of it, and what follows from all of it.

use std::sync::Arc;

use super::super::{Stop, output};
use super::{elsewhere, running};
use crate::api::error::{ApiError, TransportKind};
use crate::api::page::Seen;
use crate::api::transport::{Https, Transport};
use crate::api::{Client, PROBE_PAGE, Probe};
use crate::config::AccountConfig;
use crate::model::{Collector, Endpoint, Failure, Reason};
use crate::store::StoreError;
use crate::supervise::{OpenError, Shared};

/// Difference of clocks beyond which a Retry-After date, and every timestamp, is off by something that matters.
const SKEW: f64 = 60.0;

/// Tries one account. True when all its endpoints answer as they should.
pub(super) async fn connect(shared: &Shared, account: &AccountConfig, shapes: bool) -> Result<bool, Stop> {
    output::print(&format!("account {} at {}\n", account.name, account.base_url))?;
    let tools = match shared.open(&Arc::new(account.clone())).await {
        Ok(tools) => tools,
        Err(OpenError::Store(_, StoreError::Held(_))) => return running::seen(shared, account).await,
        Err(error) => {
            output::print(&format!("  FAILED: {}\n", error.explain()))?;
            return Ok(false);
        }
    };
    let client = |transport: Arc<dyn Transport>| {
        Client::new(
            transport,
            Arc::clone(&tools.budget),
            Arc::clone(&tools.instruments),
            tools.clock.clone(),
        )
    };
    let here = client(Arc::clone(&tools.transport));
    let mut outcome = Outcome::default();
    for collector in Collector::ALL {
        if account.collectors[collector].enabled
            && let Some(why) = try_collector(&here, collector, &mut outcome, shapes).await?
        {
            output::print(&format!("  the other endpoints were not tried: {why}\n"))?;
            break;
        }
    }
    for line in outcome.conclusions() {
        output::print(&format!("  {line}\n"))?;
    }
    if let (Some(region), true) = (account.region, outcome.may_be_elsewhere()) {
        let ask = |region: crate::model::Region| {
            let transport = Https::new(&region.into(), tools.key.clone(), &shared.clients).ok()?;
            Some(client(Arc::new(transport)))
        };
        output::print(&format!("  {}\n", elsewhere::search(region, ask).await))?;
    }
    let state = tools.instruments.read();
    let spent: u64 = state.requests.values().sum();
    let [_, _, used] = state.budget.used;
    output::print(&format!(
        "  this cost {spent} requests; {used} of {} used in 24 hours\n",
        account.budget.per_day_limit()
    ))?;
    Ok(outcome.failures.is_empty())
}

/// Asks one collector's endpoint and says what came of it; why no other should be asked, if it shows that.
async fn try_collector(
    client: &Client,
    collector: Collector,
    outcome: &mut Outcome,
    shapes: bool,
) -> Result<Option<&'static str>, Stop> {
    let endpoint = Endpoint::Of(collector);
    if collector == Collector::Recipients && outcome.test.is_none() {
        let why = if outcome.empty.contains(&Collector::PhishingTests) {
            "ok, there is no phishing test to try it on"
        } else {
            "not tried: that takes a phishing test, and phishing_tests gave none"
        };
        output::print(&format!("  {collector}: {why}\n"))?;
        return Ok(None);
    }
    let test = outcome.test.filter(|_| collector == Collector::Recipients);
    match client.probe(endpoint, test).await {
        Ok(probe) => {
            outcome.succeeded(collector, &probe);
            output::print(&format!("  {collector}: ok, {}\n", describe(&probe)))?;
            if shapes {
                output::print(&format!("    headers: {}\n", probe.headers.join(", ")))?;
                let shape: String = probe.shape.iter().map(|line| format!("    {line}\n")).collect();
                output::print(&shape)?;
            }
            Ok(None)
        }
        Err(error) => {
            let failure = client.explain(&error, endpoint);
            output::print(&failed(collector, &failure))?;
            outcome.failures.push(failure.reason);
            Ok(cut_off(&error, outcome.succeeded))
        }
    }
}

/// What the endpoints of an account said, all in all.
#[derive(Debug, Default)]
struct Outcome {
    succeeded: usize,
    failures: Vec<Reason>,
    lists: usize,
    empty: Vec<Collector>,
    /// Whose recipients are asked for.
    test: Option<i64>,
    skew: Option<f64>,
}

impl Outcome {
    fn succeeded(&mut self, collector: Collector, probe: &Probe) {
        self.succeeded += 1;
        self.test = self.test.or(probe.first);
        self.skew = self.skew.or(probe.skew);
        if let Some(elements) = probe.elements {
            self.lists += 1;
            if elements == 0 {
                self.empty.push(collector);
            }
        }
    }

    fn all_failed_with(&self, reasons: &[Reason]) -> bool {
        self.succeeded == 0
            && !self.failures.is_empty()
            && self.failures.iter().all(|reason| reasons.contains(reason))
    }

    /// A key of another region is answered as a wrong one, or with nothing found.
    fn may_be_elsewhere(&self) -> bool {
        self.all_failed_with(&[Reason::Unauthorized, Reason::NotFound])
    }

    fn conclusions(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.all_failed_with(&[Reason::Unauthorized]) {
            lines.push("the key is refused everywhere: it is wrong or disabled, of another region, or of another KnowBe4 API than the Reporting API".to_owned());
        } else if self.all_failed_with(&[Reason::Forbidden]) {
            lines.push("the key is known but may read nothing: the subscription doesn't include the Reporting API, or it is switched off in the console (Account Settings > Account Integrations > API)".to_owned());
        } else if self.all_failed_with(&[Reason::NotFound]) {
            lines.push(
                "nothing is found: region or base_url leads to something that isn't the Reporting API"
                    .to_owned(),
            );
        } else if self.succeeded > 0
            && (self.failures.contains(&Reason::Forbidden) || self.failures.contains(&Reason::Unauthorized))
        {
            lines.push("the key works, and may not read everything: the rest is collected all the same; `collectors: { NAME: { enabled: false } }` ends the failures".to_owned());
        }
        if self.lists > 1 && self.empty.len() == self.lists {
            lines.push("every listing is empty: the account is new, or its region is another one".to_owned());
        } else if self.empty.contains(&Collector::Users) {
            lines.push("the list of users is empty, as anonymised accounts answer: there will be no knowbe4_users, no segments and no phish-prone ratio of groups".to_owned());
        }
        if let Some(skew) = self.skew.filter(|skew| skew.abs() > SKEW) {
            let way = if skew > 0.0 { "ahead of" } else { "behind" };
            lines.push(format!(
                "this machine's clock is {:.0} s {way} the server's: set it by NTP, else ages and timestamps are wrong",
                skew.abs()
            ));
        }
        lines
    }
}

/// Why no other endpoint of the same account would fare better. Several 429s in a row would count as the day's quota
/// spent, and hold up the exporter itself.
fn cut_off(error: &ApiError, succeeded: usize) -> Option<&'static str> {
    match error {
        ApiError::Timeout(_) if succeeded == 0 => Some("nothing comes back from the server"),
        ApiError::Certificate(_) => Some("nothing gets through to the server"),
        ApiError::Transport { kind, .. } if *kind != TransportKind::Broken => {
            Some("nothing gets through to the server")
        }
        ApiError::Status { status: 429, .. } => Some("the API asks to pause, which holds for all of them"),
        ApiError::Budget(_) => Some("the budget holds for all of them"),
        _ => None,
    }
}

pub(super) fn failed(collector: Collector, failure: &Failure) -> String {
    let id = failure
        .request_id
        .as_ref()
        .map(|id| format!("\n    request id: {id}"))
        .unwrap_or_default();
    format!(
        "  {collector}: FAILED ({})\n    cause: {}\n    cure: {}{id}\n",
        failure.reason.as_str(),
        failure.cause,
        failure.cure
    )
}

fn describe(probe: &Probe) -> String {
    let Some(elements) = probe.elements else {
        return "an object".to_owned();
    };
    let Seen {
        next_cursor,
        linked,
        total_pages,
        total,
        ..
    } = &probe.paging;
    let paging = if next_cursor.is_some() {
        "pages by cursor"
    } else if *linked || total_pages.is_some() || total.is_some() {
        "pages by number, announced"
    } else {
        "no sign of more"
    };
    let goes_on = next_cursor.is_some() || total_pages.is_some_and(|pages| pages > 1);
    let cut = if goes_on && elements < PROBE_PAGE as usize {
        format!("; the server cuts pages at {elements}, so that a refresh costs more requests")
    } else {
        String::new()
    };
    format!("{elements} rows in the first page, {paging}{cut}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(succeeded: usize, failures: &[Reason]) -> Outcome {
        Outcome {
            succeeded,
            failures: failures.to_vec(),
            ..Outcome::default()
        }
    }

    #[test]
    fn what_all_endpoints_say_together_is_concluded() {
        use Reason::{Forbidden, NotFound, ServerError, Unauthorized};
        for (succeeded, failures, expected, elsewhere) in [
            (0, &[Unauthorized, Unauthorized][..], "refused everywhere", true),
            (0, &[NotFound, NotFound], "nothing is found", true),
            (0, &[NotFound, Unauthorized], "", true),
            (0, &[Forbidden, Forbidden], "may read nothing", false),
            (8, &[Forbidden], "the key works", false),
            (8, &[Unauthorized], "the key works", false),
            (8, &[ServerError], "", false),
            (9, &[], "", false),
        ] {
            let outcome = outcome(succeeded, failures);
            let said = outcome.conclusions().join("\n");
            assert!(
                said.contains(expected) && said.is_empty() == expected.is_empty(),
                "{failures:?}: {said}"
            );
            assert_eq!(outcome.may_be_elsewhere(), elsewhere, "{failures:?}");
        }
    }

    #[test]
    fn empty_lists_and_wrong_clocks_are_noticed() {
        let mut odd = outcome(9, &[]);
        odd.lists = 8;
        odd.empty = vec![Collector::Users];
        odd.skew = Some(-90.0);
        let said = odd.conclusions().join("\n");
        assert!(
            said.contains("anonymised") && said.contains("90 s behind"),
            "{said}"
        );
        odd.lists = 1;
        odd.empty = vec![Collector::Groups];
        odd.skew = Some(30.0);
        assert!(odd.conclusions().is_empty());
        odd.lists = 2;
        odd.empty.push(Collector::Users);
        assert!(odd.conclusions()[0].contains("every listing is empty"));
    }
}
