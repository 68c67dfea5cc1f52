//! `once`: every collector once, then the exposition, for cron and node_exporter's textfile collector.

use std::sync::Arc;

use super::{Ending, FAILED, Stop, holding, load, output, wire};
use crate::cli::{OnceArgs, Options};
use crate::env::Env;
use crate::exposition::Exposition;
use crate::poll::Poller;

pub(super) async fn once(options: Options, arguments: OnceArgs, env: impl Env + 'static) -> Ending {
    let config = load(&options, &env)?;
    let shared = wire(&config, Arc::new(env)).await?;
    let exposition = Exposition::new(
        Arc::clone(&shared.published),
        Arc::clone(&shared.instruments),
        shared.clock.clone(),
        config.stale_after,
    );
    let read = async {
        let mut failed = false;
        for account in config.accounts {
            let tools = shared
                .open(&Arc::new(account))
                .await
                .map_err(|error| Stop::said(error.explain()))?;
            failed |= !Poller::restore(tools).await.once().await.is_empty();
        }
        Ok(failed)
    };
    let failed = holding(Arc::clone(&shared.storage), read).await?;
    let text = exposition.text();
    match &arguments.output {
        None => output::print(&text)?,
        Some(path) => output::replace(path, text.as_bytes(), false)?,
    }
    if failed { Err(Stop::silent(FAILED)) } else { Ok(()) }
}
