//! The process, under the names that all client libraries use.

use crate::exposition::process::Process;
use crate::exposition::samples::Subject;

use super::{Writer, writer};

impl Subject for Process {
    fn account(&self) -> Option<&str> {
        None
    }
}

/// Writers of the families about the process.
pub(in crate::exposition) const PROCESS: &[Writer<Process>] = &[
    writer("process_start_time_seconds", |process, samples| {
        samples.put(&[], process.start_time)
    }),
    writer("process_cpu_seconds_total", |process, samples| {
        samples.put(&[], process.cpu_seconds)
    }),
    writer("process_resident_memory_bytes", |process, samples| {
        samples.put(&[], process.resident_bytes);
    }),
    writer("process_virtual_memory_bytes", |process, samples| {
        samples.put(&[], process.virtual_bytes);
    }),
    writer("process_open_fds", |process, samples| {
        samples.put(&[], process.open_fds)
    }),
    writer("process_max_fds", |process, samples| {
        samples.put(&[], process.max_fds)
    }),
];
