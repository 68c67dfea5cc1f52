//! An account that an exporter polls already: it tries the key all the time, so that what it saw last is said, and
//! nothing is asked. To ask besides would spend the same budget twice.

use super::super::{Stop, output};
use super::connect::failed;
use crate::config::{AccountConfig, duration};
use crate::supervise::Shared;

/// Says what the running exporter saw last. True when all it has tried answers as it should.
pub(super) async fn seen(shared: &Shared, account: &AccountConfig) -> Result<bool, Stop> {
    let saved = shared.storage.peek(&account.name).await;
    let saved = saved
        .map_err(|error| Stop::said(error.explain()))?
        .unwrap_or_default();
    output::print(
        "  an exporter runs on this storage and spends this account's budget: nothing is asked besides. What it saw last:\n",
    )?;
    let now = shared.clock.now();
    let mut fine = true;
    for (collector, status) in saved.collectors.iter() {
        if !account.collectors[collector].enabled {
            continue;
        }
        let line = match (&status.last_failure, status.last_success) {
            (Some(failure), _) => {
                fine = false;
                failed(collector, failure)
            }
            (None, Some(at)) => {
                let age = std::time::Duration::try_from_secs_f64((now - at).floor()).unwrap_or_default();
                format!("  {collector}: ok, {} ago\n", duration::format(age))
            }
            (None, None) => format!("  {collector}: not asked yet\n"),
        };
        output::print(&line)?;
    }
    output::print(
        "  stop it to ask anew by this command; SIGHUP or a reload makes it ask again for what was refused\n",
    )?;
    Ok(fine)
}
