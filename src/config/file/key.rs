//! Where an account says its key is.

use strict_yaml::{Found, Item, Table, may_be_a_secret, shown};

use super::super::key::is_world_readable;
use super::super::{KeySource, Keys};
use super::File;
use crate::causes::causes;
use crate::model::AccountName;
use crate::secret::ApiKey;

impl File<'_> {
    /// Where the key is; exactly one place must be given.
    pub(super) fn key(&self, table: &mut Table<'_>, name: Option<&AccountName>) -> Option<Found<KeySource>> {
        let items = [
            table.take("api_key_file"),
            table.take("api_key_env"),
            table.take("api_key_credential"),
        ];
        let given: Vec<&Item<'_>> = items.iter().flatten().collect();
        if let [_, second, ..] = given[..] {
            return second.wrong("found a second place of the key, expected one of api_key_file, api_key_env and api_key_credential");
        }
        let [file, variable, credential] = items;
        if let Some(item) = file {
            return item.private_text("the path of a file that holds the key", |text| {
                self.key_file(text)
            });
        }
        if let Some(item) = variable {
            return item.private_text("the name of an environment variable", key_variable);
        }
        if let Some(item) = credential {
            return item.private_text("the name of a systemd credential", key_credential);
        }
        if let Some(value) = name.and_then(|name| KeySource::passed_credential(name.as_str(), self.env)) {
            let at = table.at.clone();
            return Some(Found { value, at });
        }
        if self.keys == Keys::Leave && !table.has_secret() {
            let at = table.at.clone();
            let value = KeySource::Env(String::new());
            return Some(Found { value, at });
        }
        // A key that stands there itself is reported as such.
        if !table.has_secret() {
            table.missing(
                "found no place of the key, expected api_key_file, api_key_env or api_key_credential",
            );
        }
        None
    }

    fn key_file(&self, text: &str) -> Result<KeySource, String> {
        if text.starts_with("~/") || text.starts_with('$') {
            return Err(
                "found a path that begins with ~ or $, which aren't expanded here, expected the path itself"
                    .to_owned(),
            );
        }
        let path = self.folder.join(text);
        if text.is_empty() || (may_be_a_secret(text) && !path.exists()) {
            return Err(unlike(text, "the path of a file that holds the key"));
        }
        Ok(KeySource::File(path))
    }

    /// Reads the key once, so that one that isn't there is told before anything starts.
    pub(super) fn try_key(&self, source: &Found<KeySource>) -> Option<ApiKey> {
        if self.keys == Keys::Leave {
            return None;
        }
        let key = match source.value.read(self.env) {
            Ok(key) => key,
            Err(error) => {
                self.findings.wrong(&source.at, causes(&error));
                return None;
            }
        };
        // Not before it has answered: to look at a file on a mount that hangs takes for ever as well.
        if let Some(kind) = source.value.irregular(self.env) {
            self.findings.odd(
                &source.at,
                format!(
                    "the key's file is {kind} and no regular file: a key that changes may not be noticed"
                ),
            );
        } else if let KeySource::File(path) = &source.value
            && is_world_readable(path)
        {
            let path = shown(&path.to_string_lossy());
            self.findings.odd(
                &source.at,
                format!("everybody may read {path}: chmod o-r is safer"),
            );
        }
        Some(key)
    }
}

fn key_variable(text: &str) -> Result<KeySource, String> {
    if text.starts_with('$') {
        return Err(
            "found a name that begins with $, expected the name of an environment variable without it"
                .to_owned(),
        );
    }
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit());
    if text.is_empty() || !plain || may_be_a_secret(text) {
        return Err(unlike(text, "the name of an environment variable"));
    }
    Ok(KeySource::Env(text.to_owned()))
}

fn key_credential(text: &str) -> Result<KeySource, String> {
    if text.is_empty() || text.starts_with('.') || text.contains('/') || may_be_a_secret(text) {
        return Err(unlike(text, "the name of a systemd credential"));
    }
    Ok(KeySource::Credential(text.to_owned()))
}

fn unlike(text: &str, expected: &str) -> String {
    let found = if text.is_empty() {
        "an empty text"
    } else {
        "something else (not shown, as it may be a key)"
    };
    format!("found {found}, expected {expected}")
}
