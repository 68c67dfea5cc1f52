//! The commands: wiring, and the only place that knows everybody.
//!
//! Each command is one file. What they share is here: how a command ends, how the configuration is loaded, and the
//! runtime they run on.

mod assets;
mod backfill;
mod check;
mod demo;
mod exporter;
mod file;
mod hash_password;
mod health;
mod init;
mod metrics;
mod once;
mod output;
mod plan;
mod serve;
mod signals;
mod simulate;
mod site;
mod storage;

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Display;
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use exporter_web::WebConfig;
use tracing::{info, warn};

use crate::api::clients::Clients;
use crate::causes::causes;
use crate::cli::{self, Cli, Command, Options, USAGE};
use crate::clock::Clock;
use crate::config::{Config, ConfigErrors, Loaded};
use crate::env::Env;
use crate::instrument::Instruments;
use crate::store::{FileStorage, Storage};
use crate::supervise::Shared;
use crate::telemetry;

/// Exit code of what failed at run time.
const FAILED: u8 = 1;

/// Exit code of a plan that doesn't fit.
const DOES_NOT_FIT: u8 = 3;

/// How a command ends when not with 0: the exit code, and what to say first.
#[derive(Debug)]
struct Stop {
    code: u8,
    message: Option<String>,
}

impl Stop {
    /// It failed at run time, for this reason and its causes.
    fn failed(error: impl Error) -> Self {
        Self::said(causes(&error))
    }

    /// It failed at run time, and this says why.
    fn said(message: impl Into<String>) -> Self {
        Self {
            code: FAILED,
            message: Some(message.into()),
        }
    }

    /// The configuration or the command line is wrong.
    fn usage(message: impl Display) -> Self {
        Self {
            code: USAGE,
            message: Some(message.to_string()),
        }
    }

    /// All has been said already.
    fn silent(code: u8) -> Self {
        Self { code, message: None }
    }
}

impl Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message.as_deref().unwrap_or("it failed").trim_end())
    }
}

type Ending = Result<(), Stop>;

/// Runs the program: `args` with its name first.
pub fn run(args: impl IntoIterator<Item = OsString>, env: impl Env + Clone + 'static) -> ExitCode {
    let cli = match cli::parse(args, &env) {
        Ok(cli) => cli,
        Err(exit) => {
            // Nobody is left to tell if the stream is closed.
            let _ = exit.print();
            return ExitCode::from(exit.code());
        }
    };
    match dispatch(cli, env) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            if let Some(message) = stop.message {
                output::complain(&message);
            }
            ExitCode::from(stop.code)
        }
    }
}

fn dispatch(cli: Cli, env: impl Env + Clone + 'static) -> Ending {
    let Cli {
        options,
        command,
        warnings,
    } = cli;
    telemetry::init(options.log_level, options.log_format).map_err(Stop::failed)?;
    for warning in warnings {
        warn!("{warning}");
    }
    match command {
        Command::Serve => block_on(serve::serve(options, env)),
        Command::Demo(arguments) => block_on(demo::demo(options, arguments, env)),
        Command::Simulate(arguments) => block_on(simulate::simulate(arguments)),
        Command::Init(arguments) => block_on(init::init(options, arguments, env)),
        Command::Check(arguments) => block_on(check::check(options, arguments, env)),
        Command::Plan(arguments) => block_on(plan::plan(options, arguments, env)),
        Command::Once(arguments) => block_on(once::once(options, arguments, env)),
        Command::Backfill(arguments) => block_on(backfill::backfill(options, arguments, env)),
        Command::Storage(arguments) => block_on(storage::storage(options, arguments.command, env)),
        Command::Assets(arguments) => assets::assets(&arguments),
        Command::Metrics(arguments) => metrics::metrics(arguments.format),
        Command::Health => block_on(health::health(options)),
        Command::HashPassword => hash_password::hash_password(),
    }
}

fn block_on(command: impl Future<Output = Ending>) -> Ending {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Stop::failed)?;
    let ending = runtime.block_on(command);
    // A write to a slow disk may still be under way; what it writes is a whole file or none.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    ending
}

/// The configuration and the web configuration. Wrong ones end the command with every mistake of both.
fn load_all(options: &Options, env: &dyn Env) -> Result<(Config, Option<WebConfig>), Stop> {
    match (load(options, env), load_web(options)) {
        (Ok(config), Ok(web)) => Ok((config, web)),
        (Err(stop), Ok(_)) | (Ok(_), Err(stop)) => Err(stop),
        (Err(config), Err(web)) => Err(Stop::usage(format!("{config}\n{web}"))),
    }
}

/// The web configuration, if there is to be one.
fn load_web(options: &Options) -> Result<Option<WebConfig>, Stop> {
    let file = options.web_config_file.as_deref();
    let loaded = file.map(WebConfig::load).transpose();
    let web = loaded.map_err(|mistakes| Stop::usage(mistakes.join("\n")))?;
    for warning in web.iter().flat_map(WebConfig::warnings) {
        warn!("{warning}");
    }
    Ok(web)
}

/// The configuration, its warnings logged. A wrong one ends the command with every mistake.
fn load(options: &Options, env: &dyn Env) -> Result<Config, Stop> {
    taken(Config::load(options, env), options)
}

/// The same for what sends nothing, and needs no key.
fn load_without_keys(options: &Options, env: &dyn Env) -> Result<Config, Stop> {
    taken(Config::load_without_keys(options, env), options)
}

/// What all accounts share. Nothing is opened or written yet, but where a database takes over what is in a path: whoever
/// sends requests has to know what has been spent there.
async fn wire(config: &Config, env: Arc<dyn Env>) -> Result<Shared, Stop> {
    let clock = Clock::system();
    let storage = configured_storage(config, env.as_ref())?;
    storage::take_over(config, &storage).await?;
    Ok(Shared {
        storage,
        keys: Arc::default(),
        published: Arc::default(),
        clients: clients(config, env.as_ref())?,
        instruments: Arc::new(Instruments::new(clock.now())),
        clock,
        env,
    })
}

/// Where accounts are kept, as the configuration says. Nothing is opened or written yet.
fn configured_storage(config: &Config, env: &dyn Env) -> Result<Arc<dyn Storage>, Stop> {
    match &config.storage_url {
        Some(url) => storage::database(url, env),
        None => Ok(Arc::new(FileStorage::at(&config.storage_path))),
    }
}

/// Does what takes leases of accounts: they are kept while it lasts, and given back when it has ended.
async fn holding<T>(storage: Arc<dyn Storage>, work: impl Future<Output = T>) -> T {
    let result = tokio::select! {
        result = work => result,
        // Doesn't end before it is dropped.
        () = storage.run() => unreachable!("a storage goes on"),
    };
    storage.leave().await;
    result
}

/// The way to the API that the environment asks for. A proxy or certificate authorities that can't be used end the
/// command before a request is spent, unless all accounts are on this very machine.
fn clients(config: &Config, env: &dyn Env) -> Result<Clients, Stop> {
    let clients = Clients::of_env(env);
    if config.accounts.iter().any(|account| account.base_url.is_secure()) {
        let mistakes: Vec<String> = clients.mistakes().iter().map(ToString::to_string).collect();
        if !mistakes.is_empty() {
            return Err(Stop::usage(mistakes.join("\n")));
        }
        if let Some(proxy) = clients.proxy() {
            info!(%proxy, variable = proxy.variable(), "requests go through a proxy");
        }
    }
    Ok(clients)
}

fn taken(loaded: Result<Loaded, ConfigErrors>, options: &Options) -> Result<Config, Stop> {
    let Loaded { config, warnings } = loaded.map_err(Stop::usage)?;
    for warning in warnings {
        warn!("{warning}");
    }
    Ok(config.shard(options.shard, options.total_shards))
}
