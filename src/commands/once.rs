//! `once`: every collector once, then the exposition, for cron and node_exporter's textfile collector.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use super::serve::wire;
use super::{Ending, FAILED, Stop, load, output};
use crate::cli::{Env, OnceArgs, Options};
use crate::exposition::Exposition;
use crate::poll::Poller;

pub(super) async fn once(options: Options, arguments: OnceArgs, env: impl Env + 'static) -> Ending {
    let config = load(&options, &env)?;
    let shared = wire(&config, Arc::new(env))?;
    let exposition = Exposition::new(
        Arc::clone(&shared.published),
        Arc::clone(&shared.instruments),
        shared.clock.clone(),
        config.stale_after,
    );
    let mut failed = false;
    for account in config.accounts {
        let tools = shared.open(&Arc::new(account)).map_err(Stop::failed)?;
        failed |= !Poller::restore(tools).once().await.is_empty();
    }
    let text = exposition.text();
    match &arguments.output {
        None => output::print(&text)?,
        Some(path) => {
            replace(path, &text).map_err(|error| Stop::failed(format!("{}: {error}", path.display())))?
        }
    }
    if failed { Err(Stop::silent(FAILED)) } else { Ok(()) }
}

/// Writes a file that its readers see whole, the old or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    // The textfile collector reads what ends in .prom.
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}
