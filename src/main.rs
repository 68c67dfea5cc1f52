//! Arguments in, exit code out.

use std::process::ExitCode;

use knowbe4_exporter::env::ProcessEnv;

fn main() -> ExitCode {
    knowbe4_exporter::commands::run(std::env::args_os(), ProcessEnv)
}
