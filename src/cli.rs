//! The command line and the flags' environment variables: what was typed, nothing more.
//!
//! The only user of clap beside `main`. Nothing is opened, resolved or read here but the words themselves; what is
//! true of them (the configuration file, the accounts, the storage path) is [`config`](crate::config)'s to say,
//! which takes [`Options`] and the same [`Env`]. No key ever passes through here: there is no flag for one.

mod commands;
mod exit;
mod init;
mod options;
mod variables;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser};

pub use commands::{
    AssetsArgs, BackfillArgs, CheckArgs, Command, CopyArgs, DemoArgs, MetricsArgs, MetricsFormat, OnceArgs,
    OrganisationArgs, PlanArgs, PlanFormat, SimulateArgs, StorageArgs, StorageCommand, StoragePlace,
};
pub use exit::{Exit, USAGE};
pub use init::{InitArgs, Others, PrometheusPlace, Target};
pub use options::Options;

use crate::env::Env;

/// What was typed.
#[derive(Debug, Clone)]
pub struct Cli {
    /// The flags that all commands share.
    pub options: Options,
    /// The command, `serve` when none was named.
    pub command: Command,
    /// What is odd but harmless, one line each, to be logged once logging is set up.
    pub warnings: Vec<String>,
}

#[derive(Debug, Parser)]
#[command(
    name = "knowbe4-exporter",
    bin_name = "knowbe4-exporter",
    version,
    about = "Prometheus exporter for KnowBe4, within the API's daily quota",
    after_help = AFTER_HELP,
    subcommand_precedence_over_arg = true,
)]
struct Typed {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
One account needs no configuration file:
  KNOWBE4_API_KEY or KNOWBE4_API_KEY_FILE, KNOWBE4_REGION (US, EU, CA, UK, DE; default US),
  KNOWBE4_BASE_URL (instead of the region), KNOWBE4_ACCOUNT (the account label; default \"default\")

Exit codes: 0 fine, 1 failed at run time, 3 the plan does not fit the budget, 64 wrong usage or configuration";

/// Understands `args` (the program's name first) and the flags' variables in `env`. A flag that was typed
/// goes before its variable.
///
/// # Errors
/// With what to print and the code to exit with: 0 for `--help` and `--version`, 64 for wrong usage.
pub fn parse<I, T>(args: I, env: &dyn Env) -> Result<Cli, Exit>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString>,
{
    let grammar = variables::document(Typed::command());
    let mut words: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let typed = grammar.clone().try_get_matches_from(words.iter().cloned())?;

    // What a flag's variable says is said once more as a flag, at the end, so that it meets the same parsers. Which
    // variables count depends on the command that was typed, so that this takes a second look.
    let said = variables::read(&grammar, &typed, env)?;
    let mut matches = if said.words.is_empty() {
        typed
    } else {
        words.extend(said.words);
        grammar
            .try_get_matches_from(words)
            .map_err(|error| Exit::variables(error, &said.names))?
    };
    let typed = Typed::from_arg_matches_mut(&mut matches)?;
    typed.options.check()?;
    Ok(Cli {
        options: typed.options,
        command: typed.command.unwrap_or(Command::Serve),
        warnings: said.warnings,
    })
}

/// All commands and flags, for man pages and completions.
pub fn grammar() -> clap::Command {
    variables::document(Typed::command())
}

/// The commands as a Markdown table, for the README.
pub fn markdown() -> String {
    let mut table = "| command | what it does |\n| --- | --- |\n".to_owned();
    for command in Typed::command().get_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        table.push_str(&format!("| `{}` | {about} |\n", command.get_name()));
    }
    table
}

/// The flags that all commands share, as a Markdown table.
pub fn flags() -> String {
    let mut table = "| flag | variable | default | what it does |\n| --- | --- | --- | --- |\n".to_owned();
    for (arg, long, variable) in variables::flags(&Typed::command()) {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let defaults: Vec<_> = arg
            .get_default_values()
            .iter()
            .map(|value| format!(" `{}`", value.to_string_lossy()))
            .collect();
        let default = defaults.join(",");
        table.push_str(&format!("| `--{long}` | `{variable}` |{default} | {help} |\n"));
    }
    table
}

#[cfg(test)]
mod tests;
