//! The house keeps its shape: arrows between rooms point down, and crates stay behind their walls.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Floor of each room. A room uses rooms on lower floors only.
const FLOORS: [(&str, u32); 27] = [
    ("main", 10),
    ("lib", 10),
    ("commands", 9),
    ("supervise", 8),
    ("poll", 7),
    ("collect", 6),
    ("api", 5),
    ("exposition", 4),
    ("forecast", 4),
    ("catalogue", 3),
    ("config", 3),
    ("status", 3),
    ("store", 3),
    ("cli", 2),
    ("instrument", 2),
    ("recipients", 2),
    ("snapshot", 2),
    ("assets", 1),
    ("causes", 1),
    ("clock", 1),
    ("database_url", 1),
    ("env", 1),
    ("family", 1),
    ("join", 1),
    ("model", 1),
    ("secret", 1),
    ("telemetry", 1),
];

/// Rooms that may name an outside crate. Crates that are not listed may be used anywhere.
const WALLS: [(&str, &[&str]); 13] = [
    ("clap", &["cli", "main"]),
    ("reqwest", &["api"]),
    ("backoff", &["api"]),
    ("prometheus_client", &["exposition"]),
    ("tracing_subscriber", &["telemetry"]),
    ("strict_yaml", &["api", "cli", "config", "store"]),
    ("bcrypt", &["commands"]),
    ("exporter_web", &["cli", "commands", "exposition"]),
    ("secrecy", &["secret"]),
    ("ring", &["secret"]),
    ("roaring", &["api"]),
    ("tokio_postgres", &["store"]),
    ("replicas", &["store"]),
];

fn sources() -> Vec<(String, PathBuf, String)> {
    fn walk(dir: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
        {
            if entry.is_dir() {
                walk(&entry, into);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                into.push(entry);
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&src, &mut files);
    files
        .into_iter()
        .map(|file| {
            let inside = file.strip_prefix(&src).expect("below src");
            let first = inside.iter().next().expect("a name").to_string_lossy();
            let room = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&file).expect("readable");
            (room, inside.to_owned(), text)
        })
        .collect()
}

/// Code lines without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// What stands behind each `crate::` of a line, `{a, b}` included.
fn rooms_named(line: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for part in line.split("crate::").skip(1) {
        let names: Vec<&str> = match part.strip_prefix('{') {
            Some(group) => group.split(',').map(str::trim).collect(),
            None => vec![part],
        };
        for name in names {
            let room: String = name
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if !room.is_empty() {
                rooms.push(room);
            }
        }
    }
    rooms
}

#[test]
fn arrows_point_down() {
    let floors: BTreeMap<_, _> = FLOORS.into_iter().collect();
    let mut wrong = Vec::new();
    for (room, file, text) in sources() {
        let floor = *floors
            .get(room.as_str())
            .unwrap_or_else(|| panic!("{room} has no floor: name it in FLOORS"));
        for (number, line) in code(&text) {
            for other in rooms_named(line) {
                let Some(below) = floors.get(other.as_str()) else {
                    continue;
                };
                let allowed = other == room || *below < floor;
                if !allowed {
                    wrong.push(format!(
                        "{}:{number}: {room} (floor {floor}) uses {other} (floor {below})",
                        file.display()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "arrows point down only:\n{}", wrong.join("\n"));
}

#[test]
fn crates_stay_behind_their_walls() {
    let mut wrong = Vec::new();
    for (room, file, text) in sources() {
        for (number, line) in code(&text) {
            for (name, rooms) in WALLS {
                let named = line.match_indices(&format!("{name}::")).any(|(at, _)| {
                    !line[..at].chars().next_back().is_some_and(|before| {
                        before.is_ascii_alphanumeric() || before == '_' || before == ':' || before == '"'
                    })
                });
                if named && !rooms.contains(&room.as_str()) {
                    wrong.push(format!(
                        "{}:{number}: {name} belongs to {}",
                        file.display(),
                        rooms.join(", ")
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "crates stay behind their walls:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn main_is_short_and_rooms_say_what_they_are() {
    for (_, file, text) in sources() {
        let is_test = file.file_name().is_some_and(|name| name == "tests.rs");
        assert!(
            is_test || text.starts_with("//!"),
            "{} has no module doc",
            file.display()
        );
        if file == Path::new("main.rs") {
            assert!(
                text.lines().count() < 40,
                "main.rs is for arguments in and an exit code out"
            );
        }
    }
}
