//! Arguments in, exit code out.

use std::process::ExitCode;

use knowbe4_exporter::{ProcessEnv, run};

fn main() -> ExitCode {
    run(std::env::args_os(), ProcessEnv)
}
