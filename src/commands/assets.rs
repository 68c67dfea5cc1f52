//! `assets`: writes the files that the binary carries.

use std::fs;
use std::io::ErrorKind;

use super::{Ending, Stop, output};
use crate::assets::FILES;
use crate::cli::AssetsArgs;

/// Writes them all, or none where it would lose what somebody changed.
pub(super) fn assets(arguments: &AssetsArgs) -> Ending {
    let mut missing = Vec::new();
    let mut changed = Vec::new();
    for asset in FILES {
        let path = arguments.dir.join(asset.path);
        match fs::read(&path) {
            Ok(found) if found == asset.contents => {}
            Ok(_) => changed.push((path, asset)),
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push((path, asset)),
            Err(error) => return Err(Stop::said(format!("{}: {error}", path.display()))),
        }
    }
    if !changed.is_empty() && !arguments.force {
        let names: String = changed
            .iter()
            .map(|(path, _)| format!("\n  {}", path.display()))
            .collect();
        return Err(Stop::said(format!(
            "these files differ from those of this version, so nothing was written:{names}\n\
             Write into another directory and compare, or replace them with --force"
        )));
    }
    let written = missing.len() + changed.len();
    for (path, asset) in missing.into_iter().chain(changed) {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| Stop::said(format!("{}: {error}", folder.display())))?;
        }
        output::replace(&path, asset.contents, asset.is_executable())?;
    }
    let there = FILES.len() - written;
    output::print(&format!(
        "{written} files written to {}, {there} were there\n",
        arguments.dir.display()
    ))
}
