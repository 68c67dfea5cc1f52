//! Scrapes as OpenMetrics with timestamps: what promtool makes a block of.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// Where the samples say that they come from.
const TARGET: &str = "instance=\"knowbe4-exporter:10524\",job=\"knowbe4\"";

/// The samples of one file, by family.
#[derive(Default)]
pub(super) struct Chunk {
    families: BTreeMap<String, (String, String)>,
    order: Vec<String>,
    pub(super) bytes: usize,
}

impl Chunk {
    /// Takes in an exposition at a time. Only families that `wanted` says are taken.
    pub(super) fn add(&mut self, exposition: &str, at: u64, wanted: impl Fn(&str) -> bool) {
        let mut family: Option<&mut (String, String)> = None;
        let (mut name, mut fresh) = ("", false);
        for line in exposition.lines() {
            if let Some(header) = line.strip_prefix("# ") {
                let Some(of) = header.split(' ').nth(1) else {
                    continue;
                };
                if of != name {
                    name = of;
                    fresh = !self.families.contains_key(of);
                    if fresh && wanted(of) {
                        self.order.push(of.to_owned());
                    }
                    family = wanted(of).then(|| self.families.entry(of.to_owned()).or_default());
                }
                if let Some((headers, _)) = family.as_mut().filter(|_| fresh) {
                    headers.push_str(line);
                    headers.push('\n');
                }
            } else if let Some((_, samples)) = family.as_mut() {
                let before = samples.len();
                sample(samples, line, at);
                self.bytes += samples.len() - before;
            }
        }
    }

    pub(super) fn write(&mut self, path: &Path) {
        let mut file = BufWriter::new(File::create(path).unwrap());
        for name in &self.order {
            let (headers, samples) = &self.families[name];
            file.write_all(headers.as_bytes()).unwrap();
            file.write_all(samples.as_bytes()).unwrap();
        }
        file.write_all(b"# EOF\n").unwrap();
        file.flush().unwrap();
        *self = Self::default();
    }
}

/// One line with the labels and the time that a scrape gives it.
fn sample(into: &mut String, line: &str, at: u64) {
    match line.split_once('{') {
        Some((name, rest)) => {
            into.push_str(name);
            into.push('{');
            into.push_str(TARGET);
            into.push(',');
            into.push_str(rest);
        }
        None => {
            let (name, value) = line.split_once(' ').unwrap();
            into.push_str(&format!("{name}{{{TARGET}}} {value}"));
        }
    }
    into.push_str(&format!(" {at}\n"));
}

/// What Prometheus itself says of a scrape, and a process that lives on the virtual clock.
pub(super) fn about_the_target(begin: u64, at: u64, series: usize) -> String {
    let age = (at - begin) as f64;
    // A working set that breathes with the hour.
    let resident = 14e6 + 2e6 * (at as f64 / 5000.0).sin();
    format!(
        "# TYPE up gauge\nup 1\n# TYPE scrape_duration_seconds gauge\nscrape_duration_seconds 0.004\n\
         # TYPE scrape_samples_scraped gauge\nscrape_samples_scraped {series}\n\
         # TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {begin}\n\
         # TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total {}\n\
         # TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {}\n\
         # TYPE process_virtual_memory_bytes gauge\nprocess_virtual_memory_bytes 150000000\n\
         # TYPE process_open_fds gauge\nprocess_open_fds 17\n# TYPE process_max_fds gauge\nprocess_max_fds 1024\n",
        age * 0.003,
        resident.round(),
    )
}
