//! The password file of PostgreSQL's clients: `host:port:database:user:password` a line, `*` for any.

use std::path::{Path, PathBuf};
use std::time::Duration;

use strict_yaml::file::{self, Limits};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::env::Env;

/// How much of it is read, and for how long.
const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    time: Duration::from_secs(5),
};

const PORT: u16 = 5432;

/// The password of the first line that is about this server, database and user.
pub(super) fn password(config: &Config, env: &dyn Env) -> Option<String> {
    let named = env.filled("PGPASSFILE").map(PathBuf::from);
    let path = named.or_else(|| Some(Path::new(&env.filled("HOME")?).join(".pgpass")))?;
    let (text, _) = file::text(&path, LIMITS).ok()?;
    let host = match config.get_hosts().first()? {
        Host::Tcp(host) => host.clone(),
        Host::Unix(_) => "localhost".to_owned(),
    };
    let port = config.get_ports().first().unwrap_or(&PORT).to_string();
    let user = config.get_user()?;
    let asked = [host.as_str(), &port, config.get_dbname().unwrap_or(user), user];
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let fields = fields(line);
            let about = fields
                .iter()
                .zip(asked)
                .all(|(field, asked)| field == "*" || field == asked);
            fields.get(asked.len()).filter(|_| about).cloned()
        })
}

/// Fields between colons; a backslash takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let taken = match character {
            ':' => {
                fields.push(String::new());
                continue;
            }
            '\\' => characters.next(),
            other => Some(other),
        };
        if let Some(field) = fields.last_mut() {
            field.extend(taken);
        }
    }
    fields
}
