//! `assets`: writes the files that the binary carries.

use std::borrow::Cow;
use std::fs;
use std::io::ErrorKind;

use super::{Ending, Stop, output};
use crate::assets::{Asset, FILES};
use crate::cli::AssetsArgs;

/// What belongs to the user from the first time on.
const OVERRIDES: &str = "alerts/knowbe4-overrides.rules.yml";

/// Where the runbooks are unless somebody says otherwise.
const RUNBOOKS: &str = "https://github.com/knowbe4-exporter/knowbe4-exporter/blob/main/alerts/runbooks/";

/// Writes them all, or none where it would lose what somebody changed.
pub(super) fn assets(arguments: &AssetsArgs) -> Ending {
    let mut missing = Vec::new();
    let mut changed = Vec::new();
    for asset in FILES {
        let path = arguments.dir.join(asset.path);
        let contents = contents(asset, arguments)?;
        match fs::read(&path) {
            Ok(found) if found == *contents || asset.path == OVERRIDES => {}
            Ok(_) => changed.push((path, asset, contents)),
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push((path, asset, contents)),
            Err(error) => return Err(Stop::said(format!("{}: {error}", path.display()))),
        }
    }
    if !changed.is_empty() && !arguments.force {
        let names: String = changed
            .iter()
            .map(|(path, ..)| format!("\n  {}", path.display()))
            .collect();
        return Err(Stop::said(format!(
            "these files differ from those of this version, so nothing was written:{names}\n\
             Write into another directory and compare, or replace them with --force. Thresholds of your own belong \
             into {OVERRIDES}, which is never replaced"
        )));
    }
    let written = missing.len() + changed.len();
    for (path, asset, contents) in missing.into_iter().chain(changed) {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| Stop::said(format!("{}: {error}", folder.display())))?;
        }
        output::replace(&path, &contents, asset.is_executable())?;
    }
    let there = FILES.len() - written;
    output::print(&format!(
        "{written} files written to {}, {there} were there\n",
        arguments.dir.display()
    ))
}

/// What it holds; the links of alert rules and dashboards lead where the flags say.
fn contents(asset: &Asset, arguments: &AssetsArgs) -> Result<Cow<'static, [u8]>, Stop> {
    let (runbooks, dashboards) = (&arguments.runbook_url, &arguments.dashboard_url);
    let has_links =
        asset.path.ends_with(".json") || (asset.path.ends_with(".rules.yml") && asset.path != OVERRIDES);
    if !has_links || (runbooks.is_none() && dashboards.is_none()) {
        return Ok(Cow::Borrowed(asset.contents));
    }
    let mut text = String::from_utf8_lossy(asset.contents).into_owned();
    if let Some(url) = runbooks {
        let url = url_of("--runbook-url", url)?;
        text = text.replace(RUNBOOKS, &format!("{url}/"));
    }
    if let Some(url) = dashboards {
        let url = url_of("--dashboard-url", url)?;
        text = text.replace(" dashboard: /d/", &format!(" dashboard: {url}/d/"));
    }
    Ok(Cow::Owned(text.into_bytes()))
}

/// Without the `/` at its end. Anything else than an address would break the YAML, or lead nowhere.
fn url_of<'a>(flag: &str, url: &'a str) -> Result<&'a str, Stop> {
    let is_url = url.starts_with("https://") || url.starts_with("http://");
    let is_plain = url
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"\"'{}#\\".contains(&b));
    if is_url && is_plain {
        Ok(url.trim_end_matches('/'))
    } else {
        Err(Stop::usage(format!(
            "{flag} {url:?}: expected a URL such as https://wiki.example.com/knowbe4"
        )))
    }
}
