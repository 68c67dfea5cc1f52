//! The rules of `alerts/` on a clock that runs faster: what waits an hour in them waits a second here.
//!
//! Only `for` and `keep_firing_for` are changed, which are divided by 3600 and are at least a second, and the interval
//! of a group, which is the general one. Expressions stay as they are: they are about the time in the data.

use std::fs;
use std::path::{Path, PathBuf};

/// Seconds of the rules for each second here.
const SCALE: u64 = 3600;

/// Evaluations, a second apart, after which every alert fires that is going to: the longest `for` is a day, and what
/// one group records reaches the last that reads it within a few evaluations.
pub const SETTLED: f64 = 24.0 + 16.0;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts")
}

/// Copies the rules into `folder/rules`.
pub fn hurried(into: &Path) {
    let into = into.join("rules");
    fs::create_dir_all(&into).unwrap();
    let mut files = 0;
    for file in fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if !name.ends_with(".rules.yml") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<String> = text.lines().filter_map(line).collect();
        fs::write(into.join(name), lines.join("\n")).unwrap();
        files += 1;
    }
    assert!(files > 0, "there are no rules");
}

fn line(line: &str) -> Option<String> {
    let Some((key, value)) = line.split_once(": ") else {
        return Some(line.to_owned());
    };
    match key.trim() {
        "interval" => None,
        "for" | "keep_firing_for" => Some(format!("{key}: {}s", seconds(value).div_ceil(SCALE))),
        _ => Some(line.to_owned()),
    }
}

fn seconds(duration: &str) -> u64 {
    let (number, unit) = duration.split_at(duration.len() - 1);
    let unit = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => panic!("{duration}: minutes, hours or days were expected"),
    };
    number.parse::<u64>().unwrap() * unit
}

#[test]
fn nothing_but_waiting_is_hurried() {
    assert_eq!(line("        for: 6h"), Some("        for: 6s".to_owned()));
    assert_eq!(
        line("    keep_firing_for: 5m"),
        Some("    keep_firing_for: 1s".to_owned())
    );
    assert_eq!(line("    interval: 2m"), None);
    let expression = "        expr: max_over_time(up[5m]) == 0";
    assert_eq!(line(expression), Some(expression.to_owned()));
}
