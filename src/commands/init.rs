//! `init`: from nothing to a running exporter by half a dozen questions.
//!
//! Writes what the answers say, and overwrites nothing: either all files are new, or none is written. The key is tried
//! first, within the budget that the configuration gives it; what that cost is in the ledger below `data`.

mod answers;
mod files;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use answers::Answers;

use super::{Ending, FAILED, Stop, check, load, output};
use crate::cli::{InitArgs, Options};
use crate::env::Env;

pub(super) async fn init(options: Options, arguments: InitArgs, env: impl Env + 'static) -> Ending {
    let folder = arguments.output.clone();
    let connect = !arguments.no_connect;
    let answers = if io::stdin().is_terminal() {
        Answers::ask(arguments, &mut io::stdin().lock(), &mut io::stdout())?
    } else {
        Answers::ask(arguments, &mut io::empty(), &mut io::sink())?
    };
    let files = files::of(&answers);
    let paths: Vec<PathBuf> = files.iter().map(|file| folder.join(file.name)).collect();
    let there: String = paths
        .iter()
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| format!("\n  {}", path.display()))
        .collect();
    if !there.is_empty() {
        return Err(Stop::said(format!(
            "nothing was written, since this would overwrite:{there}\nexpected another directory by --output"
        )));
    }
    fs::create_dir_all(&folder).map_err(|error| Stop::said(format!("{}: {error}", folder.display())))?;
    let works = if connect {
        try_key(options, &answers, &folder.join("data"), env).await?
    } else {
        true
    };
    for (file, path) in files.iter().zip(&paths) {
        output::replace(path, file.text.as_bytes(), false)?;
        output::print(&format!("wrote {}: {}\n", path.display(), file.purpose))?;
    }
    output::print(&files::next_steps(&answers, &folder))?;
    if works {
        Ok(())
    } else {
        output::print("the key didn't work everywhere, as said above: mend that first\n")?;
        Err(Stop::silent(FAILED))
    }
}

/// One request to each endpoint, as `check --connect` does.
async fn try_key(
    mut options: Options,
    answers: &Answers,
    storage: &std::path::Path,
    env: impl Env + 'static,
) -> Result<bool, Stop> {
    options.config_file = None;
    options.storage_url = None;
    options.storage_path.get_or_insert_with(|| storage.to_owned());
    let mut said = BTreeMap::from([
        ("KNOWBE4_ACCOUNT".to_owned(), answers.account.to_string()),
        (
            "KNOWBE4_API_KEY_FILE".to_owned(),
            answers.key_file.display().to_string(),
        ),
    ]);
    match &answers.base_url {
        Some(url) => said.insert("KNOWBE4_BASE_URL".to_owned(), url.clone()),
        None => said.insert("KNOWBE4_REGION".to_owned(), answers.region.to_string()),
    };
    let mut config = load(&options, &said)?;
    for account in &mut config.accounts {
        account.budget.requests_per_day = answers.requests_per_day;
        account.budget.share = answers.share();
    }
    check::try_keys(&config, Arc::new(env), false).await
}
