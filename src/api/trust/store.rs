//! Where certificate authorities lie.

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use strict_yaml::file::{self, Limits, ReadError};

use super::look::within;
use crate::env::Env;

const FILE: &str = "SSL_CERT_FILE";
const DIRECTORY: &str = "SSL_CERT_DIR";

/// How much of a bundle is read, and for how long. The system's has a quarter of a MiB.
const LIMITS: Limits = Limits {
    bytes: 16 << 20,
    time: Duration::from_secs(5),
};

/// The files and directories to read.
#[derive(Debug, Clone)]
pub struct Store {
    file: Option<PathBuf>,
    directories: Vec<PathBuf>,
    /// By variables, and not by the system.
    named: bool,
}

/// There is nothing to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file that a variable names can't be read.
    #[error("{variable}: cannot read {}: {reason}", .path.display())]
    Unreadable {
        /// Which variable.
        variable: &'static str,
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        reason: ReadError,
    },
    /// It holds none.
    #[error("{variable}: no certificate in {}, expected certificates in PEM (-----BEGIN CERTIFICATE-----)", .path.display())]
    Empty {
        /// Which variable.
        variable: &'static str,
        /// Which file or directory.
        path: PathBuf,
    },
    /// Neither variables nor the system name any.
    #[error(
        "no certificate authorities on this system: install ca-certificates, or name a bundle by SSL_CERT_FILE"
    )]
    None,
    /// Certificates that can't be trust anchors.
    #[error("the certificate authorities can't be used: {0}")]
    Unusable(String),
}

/// How the files looked: what changes when somebody exchanges one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen(Vec<Option<Mark>>);

/// Inode, size and time of the last change.
type Mark = (u64, u64, i64, i64);

impl Store {
    /// What the environment names, else the system's.
    pub fn of(env: &dyn Env) -> Self {
        let file = env.filled(FILE).map(PathBuf::from);
        let directories: Vec<PathBuf> = env
            .filled(DIRECTORY)
            .iter()
            .flat_map(|list| list.split(':'))
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .collect();
        if file.is_some() || !directories.is_empty() {
            return Self {
                file,
                directories,
                named: true,
            };
        }
        Self::system()
    }

    /// The system's.
    pub fn system() -> Self {
        let found = openssl_probe::probe();
        Self {
            file: found.cert_file,
            directories: found.cert_dir,
            named: false,
        }
    }

    /// Reads all of it.
    pub(super) fn read(&self) -> Result<RootCertStore, TrustError> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.file {
            match file::read(path, LIMITS) {
                Ok(contents) => {
                    let added = add(&mut roots, &contents.bytes);
                    if added == 0 && self.named {
                        let path = path.clone();
                        return Err(TrustError::Empty { variable: FILE, path });
                    }
                }
                Err(reason) if self.named => return Err(unreadable(FILE, path, reason)),
                Err(_) => {}
            }
        }
        // The system's directories hold what its bundle holds.
        if self.named || roots.is_empty() {
            for directory in &self.directories {
                let added = self.add_directory(&mut roots, directory)?;
                if added == 0 && self.named {
                    let path = directory.clone();
                    return Err(TrustError::Empty {
                        variable: DIRECTORY,
                        path,
                    });
                }
            }
        }
        if roots.is_empty() {
            return Err(TrustError::None);
        }
        Ok(roots)
    }

    fn add_directory(&self, roots: &mut RootCertStore, directory: &Path) -> Result<usize, TrustError> {
        let path = directory.to_owned();
        let listed = within(LIMITS.time, move || files(&path).map_err(ReadError::from));
        let files = match listed.unwrap_or(Err(ReadError::Stalled(LIMITS.time))) {
            Ok(files) => files,
            Err(_) if !self.named => return Ok(0),
            Err(reason) => return Err(unreadable(DIRECTORY, directory, reason)),
        };
        let mut added = 0;
        for path in files {
            match file::read(&path, LIMITS) {
                Ok(contents) => added += add(roots, &contents.bytes),
                Err(_) if !self.named => {}
                Err(reason) => return Err(unreadable(DIRECTORY, &path, reason)),
            }
        }
        Ok(added)
    }

    /// How the files look now. Hangs where a mount does.
    pub(super) fn look(&self) -> Seen {
        Seen(self.places().flat_map(|(_, place)| look_at(place)).collect())
    }

    /// The same, within a time limit for each place.
    pub(super) fn first_look(&self) -> Result<Seen, TrustError> {
        let mut seen = Vec::new();
        for (variable, place) in self.places() {
            let path = place.clone();
            let found = within(LIMITS.time, move || look_at(&path));
            seen.extend(found.ok_or_else(|| unreadable(variable, place, ReadError::Stalled(LIMITS.time)))?);
        }
        Ok(Seen(seen))
    }

    /// Where certificates are looked for, and the variable that names it.
    fn places(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let file = self.file.iter().map(|path| (FILE, path));
        let directories = self.directories.iter().map(|path| (DIRECTORY, path));
        // The system's directories hold what its bundle holds.
        file.chain(directories.filter(|_| self.named || self.file.is_none()))
    }
}

/// How a file looks now, or a directory with its files; [`None`] for what can't be looked at.
fn look_at(place: &Path) -> Vec<Option<Mark>> {
    let look = |path: &Path| fs::metadata(path).ok().map(|found| mark(&found));
    let mut seen = vec![look(place)];
    seen.extend(files(place).unwrap_or_default().iter().map(|path| look(path)));
    seen
}

/// For people.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<_> = self
            .places()
            .map(|(_, path)| path.display().to_string())
            .collect();
        let variables = match (self.named, self.file.is_some(), self.directories.is_empty()) {
            (false, ..) => "the system's store",
            (true, true, true) => "SSL_CERT_FILE",
            (true, true, false) => "SSL_CERT_FILE and SSL_CERT_DIR",
            (true, false, _) => "SSL_CERT_DIR",
        };
        write!(f, "{} ({variables})", paths.join(" and "))
    }
}

fn unreadable(variable: &'static str, path: &Path, reason: ReadError) -> TrustError {
    TrustError::Unreadable {
        variable,
        path: path.to_owned(),
        reason,
    }
}

/// Adds the certificates of a PEM file, and counts them.
fn add(roots: &mut RootCertStore, pem: &[u8]) -> usize {
    let certificates = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
    let (added, _) = roots.add_parsable_certificates(certificates);
    added
}

/// The files of a directory, links to files included, in the order of their names.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort_unstable();
    Ok(files)
}

fn mark(found: &Metadata) -> Mark {
    (found.ino(), found.size(), found.mtime(), found.mtime_nsec())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_store_without_certificates_names_file_and_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("empty"), "").expect("written");
        fs::write(
            path("rubbish"),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        .expect("written");
        fs::create_dir(path("folder")).expect("made");
        for (variable, name, expected) in [
            (
                FILE,
                "missing",
                "SSL_CERT_FILE: cannot read PATH: No such file or directory (os error 2)",
            ),
            (
                FILE,
                "folder",
                "SSL_CERT_FILE: cannot read PATH: Is a directory (os error 21)",
            ),
            (FILE, "empty", "SSL_CERT_FILE: no certificate in PATH, expected"),
            (FILE, "rubbish", "SSL_CERT_FILE: no certificate in PATH, expected"),
            (
                DIRECTORY,
                "folder",
                "SSL_CERT_DIR: no certificate in PATH, expected",
            ),
            (
                DIRECTORY,
                "missing",
                "SSL_CERT_DIR: cannot read PATH: No such file or directory (os error 2)",
            ),
        ] {
            let env = BTreeMap::from([(variable.to_owned(), path(name))]);
            let error = Store::of(&env).read().expect_err(name).to_string();
            assert!(
                error.starts_with(&expected.replace("PATH", &path(name))),
                "{error}"
            );
        }
        let env = BTreeMap::from([(FILE.to_owned(), String::new())]);
        assert!(!Store::of(&env).named, "an empty variable is as good as none");
    }

    #[test]
    fn an_exchanged_file_looks_different() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca");
        fs::write(&path, "a").expect("written");
        let store = Store::of(&BTreeMap::from([(FILE.to_owned(), path.display().to_string())]));
        let before = store.look();
        assert_eq!(before, store.look());
        fs::write(folder.path().join("new"), "b").expect("written");
        fs::rename(folder.path().join("new"), &path).expect("renamed");
        assert_ne!(before, store.look());
    }
}
