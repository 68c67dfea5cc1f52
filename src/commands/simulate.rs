//! `simulate`: only the simulated KnowBe4 API.

use std::sync::Arc;

use tokio::net::TcpListener;
use tracing::info;

use super::signals::interrupted;
use super::{Ending, Stop};
use crate::cli::{OrganisationArgs, SimulateArgs};
use crate::clock::Clock;
use knowbe4_simulator::{Settings, Simulator};

pub(super) async fn simulate(arguments: SimulateArgs) -> Ending {
    let simulator = organisation(&arguments.organisation)?;
    let mut listener = None;
    let mut reason = String::new();
    for address in arguments.listen.bind_candidates() {
        match TcpListener::bind(&address).await {
            Ok(bound) => listener = Some(bound),
            Err(error) => reason = format!("{address}: {error}"),
        }
        if listener.is_some() {
            break;
        }
    }
    let listener = listener.ok_or_else(|| Stop::said(reason))?;
    let address = listener.local_addr().map_err(Stop::failed)?;
    info!(%address, "simulating KnowBe4: KNOWBE4_BASE_URL=http://{address} KNOWBE4_API_KEY=anything");
    knowbe4_simulator::serve(Arc::new(simulator), listener, interrupted())
        .await
        .map_err(Stop::failed)
}

/// The organisation that the flags describe.
pub(super) fn organisation(arguments: &OrganisationArgs) -> Result<Simulator, Stop> {
    let usage = |flag: &str, error: &dyn std::fmt::Display| Stop::usage(format!("--{flag}: {error}"));
    let mut settings = Settings {
        epoch: Clock::system().now() as i64,
        accelerate: arguments.accelerate,
        ..Settings::default()
    };
    if let Some(dialect) = &arguments.dialect {
        settings.dialect = dialect.parse().map_err(|error| usage("dialect", &error))?;
    }
    if let Some(scenario) = &arguments.scenario {
        settings.scenario = scenario.parse().map_err(|error| usage("scenario", &error))?;
    }
    for fault in arguments.fault.iter().flat_map(|faults| faults.split(',')) {
        settings
            .faults
            .push(fault.trim().parse().map_err(|error| usage("fault", &error))?);
    }
    settings.seed = arguments.seed.unwrap_or(settings.seed);
    settings.users = arguments.users.map_or(settings.users, |users| users as usize);
    settings.enrollments = arguments
        .enrollments
        .map_or(settings.enrollments, |rows| rows as usize);
    settings.groups = arguments.groups.map_or(settings.groups, |groups| groups as usize);
    Ok(Simulator::new(settings))
}
