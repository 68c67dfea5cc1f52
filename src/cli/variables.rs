//! Each flag's environment variable: `--web.listen-address` is `KNOWBE4_EXPORTER_WEB_LISTEN_ADDRESS`.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use strict_yaml::nearest;

use super::Exit;
use crate::env::Env;

const PREFIX: &str = "KNOWBE4_EXPORTER_";

/// What the variables say.
pub(super) struct Said {
    /// As flags.
    pub(super) words: Vec<OsString>,
    /// The variables they come from, each with its flag.
    pub(super) names: Vec<(String, String)>,
    /// Variables that no flag has.
    pub(super) warnings: Vec<String>,
}

fn variable(long: &str) -> String {
    format!("{PREFIX}{}", long.to_ascii_uppercase().replace(['.', '-'], "_"))
}

/// Every flag of the command, `--help` and `--version` left out, with its variable's name.
pub(super) fn flags(command: &Command) -> impl Iterator<Item = (&Arg, &str, String)> {
    command.get_arguments().filter_map(|arg| {
        let long = arg.get_long()?;
        let real = !matches!(
            arg.get_action(),
            ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
        );
        real.then(|| (arg, long, variable(long)))
    })
}

/// Names each flag's variable in its help.
pub(super) fn document(command: Command) -> Command {
    command
        .mut_args(|arg| match arg.get_long().map(variable) {
            Some(name) => {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                arg.help(format!("{help} [env: {name}]"))
            }
            None => arg,
        })
        .mut_subcommands(document)
}

/// Says as flags what the variables say of those flags of the chosen command that were not typed.
pub(super) fn read(grammar: &Command, typed: &ArgMatches, env: &dyn Env) -> Result<Said, Exit> {
    let chosen = typed
        .subcommand()
        .and_then(|(name, matches)| Some((grammar.find_subcommand(name)?, matches)));
    let mut said = Said {
        words: Vec::new(),
        names: Vec::new(),
        warnings: unknown(grammar, env),
    };
    let levels = std::iter::once((grammar, typed)).chain(chosen);
    for (arg, long, name, matches) in levels.flat_map(|(command, matches)| {
        flags(command).map(move |(arg, long, name)| (arg, long, name, matches))
    }) {
        let was_typed = |matches: &ArgMatches| {
            matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
        };
        if was_typed(matches) {
            continue;
        }
        let Some(value) = env.filled(&name) else {
            continue;
        };
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            match value.to_ascii_lowercase().as_str() {
                "true" | "1" => said.words.push(format!("--{long}").into()),
                "false" | "0" => continue,
                _ => {
                    return Err(Exit::usage(format!(
                        "{name} is {value:?}, expected true, false, 1 or 0"
                    )));
                }
            }
        } else {
            said.words.push(format!("--{long}={value}").into());
        }
        said.names.push((name, format!("--{long}")));
    }
    Ok(said)
}

/// A warning for each variable that looks like a flag's and is none's.
fn unknown(grammar: &Command, env: &dyn Env) -> Vec<String> {
    let known: Vec<String> = std::iter::once(grammar)
        .chain(grammar.get_subcommands())
        .flat_map(|command| flags(command).map(|(_, _, name)| name))
        .collect();
    let mut strangers: Vec<String> = env
        .names()
        .into_iter()
        .filter(|name| name.starts_with(PREFIX) && !known.contains(name) && !of_kubernetes(name))
        .collect();
    strangers.sort_unstable();
    strangers
        .into_iter()
        .map(|name| match nearest(&name, known.iter().map(String::as_str)) {
            Some(meant) => format!("the environment variable {name} is no flag's: did you mean {meant}?"),
            None => format!("the environment variable {name} is no flag's and was ignored"),
        })
        .collect()
}

/// Kubernetes sets such variables in every pod of a namespace that has a service named `knowbe4-exporter`.
fn of_kubernetes(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or(name);
    rest == "PORT" || rest == "SERVICE_HOST" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_PORT")
}
