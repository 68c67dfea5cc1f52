//! `serve`: background pollers and the HTTP endpoint, until SIGTERM or SIGINT.

use std::sync::Arc;

use super::exporter::{App, say_version};
use super::signals::interrupted;
use super::{Ending, load, load_all};
use crate::cli::Options;
use crate::env::Env;

pub(super) async fn serve(options: Options, env: impl Env + Clone + 'static) -> Ending {
    say_version();
    let shutdown = interrupted();
    let (config, web) = load_all(&options, &env)?;
    let (again, reload_env) = (options.clone(), env.clone());
    let reload = Arc::new(move || load(&again, &reload_env));
    let app = App::build(options, config, web, Arc::new(env), reload).await?;
    app.run(shutdown).await
}
