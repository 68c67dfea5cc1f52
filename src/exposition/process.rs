//! What the kernel says about this process: `/proc/self`, a file system without a disk.
//!
//! Where there is no `/proc` nothing is known, and nothing is shown.

use std::fs;
use std::sync::OnceLock;

/// Ticks per second in which the kernel shows times to programs: USER_HZ, 100 on every architecture that Rust's
/// standard library runs on under Linux (`sysconf(_SC_CLK_TCK)` would need libc).
const TICKS_PER_SECOND: f64 = 100.0;

/// Resources that this process uses.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Process {
    /// When it was started, in unix seconds.
    pub(super) start_time: Option<f64>,
    /// User and system time, in seconds.
    pub(super) cpu_seconds: Option<f64>,
    /// Memory in RAM.
    pub(super) resident_bytes: Option<u64>,
    /// Addresses taken.
    pub(super) virtual_bytes: Option<u64>,
    /// Open file descriptors.
    pub(super) open_fds: Option<u64>,
    /// Most that it may open.
    pub(super) max_fds: Option<u64>,
}

impl Process {
    /// As it is now.
    pub(super) fn read() -> Self {
        static BOOT: OnceLock<Option<f64>> = OnceLock::new();
        // Cached: on large machines the kernel takes milliseconds to write this file.
        let boot = *BOOT.get_or_init(|| boot_time(&fs::read_to_string("/proc/stat").ok()?));
        let file = |path| fs::read_to_string(path).unwrap_or_default();
        let stat = file("/proc/self/stat");
        let status = file("/proc/self/status");
        Self {
            start_time: boot
                .zip(stat_field(&stat, 22))
                .map(|(boot, ticks)| boot + ticks / TICKS_PER_SECOND),
            cpu_seconds: stat_field(&stat, 14)
                .zip(stat_field(&stat, 15))
                .map(|(user, system)| (user + system) / TICKS_PER_SECOND),
            resident_bytes: status_bytes(&status, "VmRSS:"),
            virtual_bytes: status_bytes(&status, "VmSize:"),
            // Less the one that reads the folder.
            open_fds: fs::read_dir("/proc/self/fd")
                .ok()
                .map(|entries| (entries.count() as u64).saturating_sub(1)),
            max_fds: max_fds(&file("/proc/self/limits")),
        }
    }
}

fn boot_time(stat: &str) -> Option<f64> {
    stat.lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()
}

/// Field of `/proc/self/stat`, numbered from 1 as proc(5) does.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    // The second field is the program's name in parentheses, which may itself contain spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

fn status_bytes(status: &str, key: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The soft limit; [`None`] when it is `unlimited`.
fn max_fds(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_a_name_with_parentheses() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 0 10 11 12 13 250 50 0 0 20 0 4 0 12345 1000 9";
        assert_eq!(stat_field(stat, 14), Some(250.0));
        assert_eq!(stat_field(stat, 22), Some(12345.0));
        assert_eq!(stat_field(stat, 99), None);
        assert_eq!(stat_field("", 14), None);
    }

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(boot_time("cpu 1 2\nbtime 1700000000\n"), Some(1_700_000_000.0));
        assert_eq!(status_bytes("VmRSS:\t    2048 kB\n", "VmRSS:"), Some(2_097_152));
        let limits = "Max open files            1024                 1048576              files\n";
        assert_eq!(max_fds(limits), Some(1024));
        assert_eq!(
            max_fds("Max open files            unlimited            unlimited            files\n"),
            None
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_known() {
        let process = Process::read();
        assert!(process.resident_bytes.is_some_and(|bytes| bytes > 0));
        assert!(process.start_time.is_some_and(|start| start > 1_600_000_000.0));
        assert!(
            process
                .open_fds
                .zip(process.max_fds)
                .is_some_and(|(open, max)| open <= max)
        );
    }
}
