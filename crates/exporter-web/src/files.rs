//! How many files the process may open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::limits::Limits;

/// Files that are left to everything else.
const OTHERS: u64 = 256;

/// How many silent connections there is room for besides the others: what the limits say, or what the system allows.
/// The soft limit is raised to the hard one first, as every program in Go does it: 1,024 is for programs that call
/// `select`.
pub(super) fn most_silent(limits: &Limits) -> usize {
    let current = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: current.maximum,
        ..current
    };
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => current.current,
    };
    room(allowed, limits)
}

/// [`None`]: without a limit.
fn room(allowed: Option<u64>, limits: &Limits) -> usize {
    let Some(allowed) = allowed else {
        return limits.silent;
    };
    let allowed = usize::try_from(allowed.saturating_sub(OTHERS)).unwrap_or(usize::MAX);
    allowed
        .saturating_sub(limits.connections)
        // However few: one has to be connected before it speaks.
        .clamp(16, limits.silent.max(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_connections_take_no_file_of_others() {
        let limits = Limits {
            connections: 512,
            silent: 4096,
            ..Limits::default()
        };
        for (allowed, silent) in [
            (Some(1024), 256),
            (Some(524_288), 4096),
            (Some(256), 16),
            (None, 4096),
        ] {
            assert_eq!(room(allowed, &limits), silent, "{allowed:?}");
        }
    }
}
