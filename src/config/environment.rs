//! One account without a file: from environment variables alone.

use std::path::PathBuf;

use strict_yaml::{Mistake, nearest, shown};

use super::key::is_world_readable;
use super::layer::REGIONS;
use super::{AccountConfig, BaseUrl, BaseUrlError, ConfigErrors, KeySource, Keys};
use crate::causes::causes;
use crate::env::Env;
use crate::model::{AccountName, Region};

const KEY: &str = "KNOWBE4_API_KEY";
const KEY_FILE: &str = "KNOWBE4_API_KEY_FILE";
const REGION: &str = "KNOWBE4_REGION";
const BASE_URL: &str = "KNOWBE4_BASE_URL";
const ACCOUNT: &str = "KNOWBE4_ACCOUNT";

/// The variables, in the order in which they are explained.
pub(super) const VARIABLES: [&str; 5] = [KEY, KEY_FILE, REGION, BASE_URL, ACCOUNT];

/// The account's name when nobody named it.
const DEFAULT_NAME: &str = "default";

/// The systemd credential that is taken when neither variable is set: `LoadCredential=knowbe4_api_key:...`.
const CREDENTIAL: &str = "knowbe4_api_key";

/// The account and what is odd about it.
pub(super) fn read(env: &dyn Env, keys: Keys) -> Result<(AccountConfig, Vec<String>), ConfigErrors> {
    let mut mistakes = Vec::new();
    let key = match keys {
        Keys::Read => keep(key(env), &mut mistakes),
        Keys::Leave => Some(KeySource::Env(KEY.to_owned())),
    };
    let region = keep(region(env), &mut mistakes);
    let url = keep(base_url(env), &mut mistakes);
    let name = keep(name(env), &mut mistakes);
    let (Some(key), Some(region), Some(url), Some(name)) = (key, region, url, name) else {
        mistakes.extend(strangers(env).map(|(name, message)| Mistake::new(name, message)));
        let hint = "for more than one account, or to change a default, write a file and name it \
                    by --config.file; 'knowbe4-exporter demo' needs neither";
        return Err(ConfigErrors::new(mistakes).with_hint(hint));
    };
    let mut warnings: Vec<String> = strangers(env)
        .map(|(name, message)| format!("{name}: {message}"))
        .collect();
    if let Some(kind) = key.irregular(env) {
        warnings.push(format!(
            "{KEY_FILE}: the key's file is {kind} and no regular file: a key that changes may not be noticed"
        ));
    } else if let KeySource::File(path) = &key
        && is_world_readable(path)
    {
        warnings.push(format!(
            "{KEY_FILE}: everybody may read {}: chmod o-r is safer",
            shown(&path.to_string_lossy())
        ));
    }
    let account = match url {
        Some(url) => AccountConfig::new(name, url, key),
        None => AccountConfig {
            region: Some(region),
            ..AccountConfig::new(name, region.into(), key)
        },
    };
    Ok((account, warnings))
}

/// Variables that are nearly one of the known.
fn strangers(env: &dyn Env) -> impl Iterator<Item = (String, String)> {
    let ours = |name: &String| name.starts_with("KNOWBE4_") && !name.starts_with("KNOWBE4_EXPORTER_");
    let mut names: Vec<String> = env.names().into_iter().filter(ours).collect();
    names.sort_unstable();
    names.into_iter().filter_map(|name| {
        if VARIABLES.contains(&&*name) {
            return None;
        }
        let a_key = ["KEY", "TOKEN"].iter().any(|end| name.ends_with(end));
        let meant = nearest(&name, VARIABLES).or_else(|| a_key.then_some(KEY))?;
        Some((name, format!("no such variable, did you mean {meant}?")))
    })
}

fn keep<T>(result: Result<T, Mistake>, mistakes: &mut Vec<Mistake>) -> Option<T> {
    result.map_err(|mistake| mistakes.push(mistake)).ok()
}

fn key(env: &dyn Env) -> Result<KeySource, Mistake> {
    let (variable, source) = match (env.filled(KEY), env.filled(KEY_FILE)) {
        (Some(_), Some(_)) => {
            let message = format!("{KEY_FILE} is set as well, expected one of the two");
            return Err(Mistake::new(KEY, message));
        }
        (Some(_), None) => (KEY, KeySource::Env(KEY.to_owned())),
        (None, Some(path)) => (KEY_FILE, KeySource::File(PathBuf::from(path))),
        (None, None) => match KeySource::passed_credential(CREDENTIAL, env) {
            Some(source) => (CREDENTIAL, source),
            None => {
                let message = format!(
                    "not set, and neither is {KEY_FILE}, expected one of them to hold or to name the key of the \
                     KnowBe4 Reporting API (console: Account Settings > Account Integrations > API), or --config.file"
                );
                return Err(Mistake::new(KEY, message));
            }
        },
    };
    match source.read(env) {
        Ok(_) => Ok(source),
        Err(error) => Err(Mistake::new(variable, causes(&error))),
    }
}

fn name(env: &dyn Env) -> Result<AccountName, Mistake> {
    let text = env.filled(ACCOUNT).unwrap_or_else(|| DEFAULT_NAME.to_owned());
    text.parse().map_err(|_| {
        let found = shown(&text);
        Mistake::new(
            ACCOUNT,
            format!("found {found}, expected 1 to 64 characters of a-z, 0-9, _ and -"),
        )
    })
}

fn region(env: &dyn Env) -> Result<Region, Mistake> {
    match env.filled(REGION) {
        None => Ok(Region::default()),
        Some(text) => text.parse().map_err(|_| {
            let found = shown(&text);
            Mistake::new(REGION, format!("found {found}, expected {REGIONS}"))
        }),
    }
}

fn base_url(env: &dyn Env) -> Result<Option<BaseUrl>, Mistake> {
    env.filled(BASE_URL)
        .map(|text| {
            text.parse()
                .map_err(|error: BaseUrlError| Mistake::new(BASE_URL, error.to_string()))
        })
        .transpose()
}
