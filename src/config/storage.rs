//! What the file says of where state is kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use strict_yaml::file::{self, Limits};
use strict_yaml::{Found, Item, Table, may_be_a_secret, shown};

use crate::database_url::{DatabaseUrl, DatabaseUrlError};
use crate::env::Env;

/// How much of a file with a URL is read, and for how long.
const LIMITS: Limits = Limits {
    bytes: 16 << 10,
    time: Duration::from_secs(5),
};

/// A path, a database, or neither.
#[derive(Debug, Default)]
pub(super) struct StorageSaid {
    pub(super) path: Option<PathBuf>,
    pub(super) url: Option<DatabaseUrl>,
}

impl StorageSaid {
    /// Relative paths start in `folder`.
    pub(super) fn read(mut table: Table<'_>, folder: &Path, env: &dyn Env) -> Self {
        let path = table.take("path");
        let url_file = table.take("url_file");
        let url_env = table.take("url_env");
        let given: Vec<&Item<'_>> = [&path, &url_file, &url_env].into_iter().flatten().collect();
        if let [_, second, ..] = given[..] {
            second.wrong::<()>(
                "found a second place of the storage, expected one of path, url_file and url_env",
            );
        }
        table.refuse(
            "url",
            "a database's URL can't stand in this file, as it may hold a password (not shown), expected url_file with \
             the path of a file that holds it, or url_env with the name of an environment variable",
        );
        table.finish();
        Self {
            path: path
                .and_then(|item| {
                    item.text("the path of a directory", |text| {
                        (!text.is_empty()).then(|| folder.join(text))
                    })
                })
                .map(|found| found.value),
            url: url_file
                .and_then(|item| from_file(item, folder))
                .or_else(|| url_env.and_then(|item| from_variable(item, env)))
                .map(|found| found.value),
        }
    }
}

fn from_file(item: Item<'_>, folder: &Path) -> Option<Found<DatabaseUrl>> {
    item.private_text("the path of a file that holds a database's URL", |text| {
        if text.is_empty() || text.contains("://") {
            return Err(
                "found no path (not shown), expected the path of a file that holds a database's URL"
                    .to_owned(),
            );
        }
        let path = folder.join(text);
        let place = shown(&path.to_string_lossy());
        let (text, _) = file::text(&path, LIMITS).map_err(|error| format!("cannot read {place}: {error}"))?;
        text.parse()
            .map_err(|error: DatabaseUrlError| format!("in {place}: {error}"))
    })
}

fn from_variable(item: Item<'_>, env: &dyn Env) -> Option<Found<DatabaseUrl>> {
    item.private_text("the name of an environment variable", |name| {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if name.is_empty() || !plain || may_be_a_secret(name) {
            return Err(
                "found something else (not shown), expected the name of an environment variable".to_owned(),
            );
        }
        let text = env
            .filled(name)
            .ok_or_else(|| format!("the environment variable {name} is not set"))?;
        text.parse()
            .map_err(|error: DatabaseUrlError| format!("in the environment variable {name}: {error}"))
    })
}
