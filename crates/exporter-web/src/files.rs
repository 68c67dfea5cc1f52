//! How many files the process may open: each connection is one.

use std::fs;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::limits::Limits;

/// Files that are left to everything else.
const OTHERS: u64 = 256;

/// What Linux allows where nobody has said anything else.
const USUAL: u64 = 1024;

/// How many silent connections there is room for besides the others: what the limits say, or what the system allows.
/// The soft limit is raised to the hard one first, as every program in Go does it: 1,024 is for programs that call
/// `select`.
pub(super) fn most_silent(limits: &Limits) -> usize {
    // Read as text: the call for it may be forbidden to a service, and has no way to say so.
    let text = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let (soft, hard) = allowed(&text).unwrap_or((Some(USUAL), Some(USUAL)));
    let raised = Rlimit {
        current: hard,
        maximum: hard,
    };
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => hard,
        Err(_) => soft,
    };
    room(allowed, limits)
}

/// The soft and the hard limit of open files, [`None`] for "unlimited".
fn allowed(limits: &str) -> Option<(Option<u64>, Option<u64>)> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let mut words = line.split_whitespace().map(|word| match word {
        "unlimited" => Some(None),
        number => number.parse().ok().map(Some),
    });
    Some((words.next()??, words.next()??))
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
    fn limits_are_read_as_the_kernel_writes_them() {
        let text = "Limit                     Soft Limit           Hard Limit           Units\n\
                    Max processes             unlimited            unlimited            processes\n\
                    Max open files            1024                 524288               files\n";
        assert_eq!(allowed(text), Some((Some(1024), Some(524_288))));
        assert_eq!(
            allowed("Max open files  unlimited unlimited files"),
            Some((None, None))
        );
        assert_eq!(allowed(""), None);
    }

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
