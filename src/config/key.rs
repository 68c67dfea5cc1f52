//! Where an account's key comes from. It is read again whenever it may have changed; only its place is remembered.

use std::path::{Path, PathBuf};
use std::time::Duration;

use strict_yaml::file::{self, Limits, ReadError};
use strict_yaml::shown;
use zeroize::Zeroizing;

use crate::env::Env;
use crate::model::AccountName;
use crate::secret::{ApiKey, ApiKeyError};

/// How much of a key's file is read, and for how long. Keys have some hundred bytes; this stops at a device, a log, a
/// pipe that nobody writes to, and a mount that hangs.
const LIMITS: Limits = Limits {
    bytes: 16 << 10,
    time: Duration::from_secs(5),
};

/// Where systemd puts what `LoadCredential=` names.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// The place of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A systemd credential: a file of this name in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
    /// A key that is no secret: the simulator's.
    Fixed(ApiKey),
}

/// The key can't be had. No variant shows what was found.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can't be opened or read.
    #[error("cannot read the key from the file {}", shown(&.path.to_string_lossy()))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// The variable isn't set, or is empty.
    #[error("the environment variable {} is not set", shown(.0))]
    Unset(String),
    /// A credential is asked for where there are none.
    #[error(
        "the systemd credential {} is not there: $CREDENTIALS_DIRECTORY is not set, expected LoadCredential= in the unit",
        shown(.0)
    )]
    NoCredentials(String),
    /// Another account has this key.
    #[error("the key is that of account {0} as well, and two accounts would spend one quota twice")]
    Taken(AccountName),
    /// What is there is no key.
    #[error("no key in {place}")]
    NotAKey {
        /// File or variable.
        place: String,
        /// What is wrong with it.
        #[source]
        source: ApiKeyError,
    },
}

impl KeySource {
    /// Reads the key as it is now. Blocks for five seconds at most, whatever the file system does.
    ///
    /// # Errors
    /// When the file or variable is missing, or holds no key.
    pub fn read(&self, env: &dyn Env) -> Result<ApiKey, KeyError> {
        match self {
            Self::Fixed(key) => Ok(key.clone()),
            Self::Env(name) => {
                let text = Zeroizing::new(env.filled(name).ok_or_else(|| KeyError::Unset(name.clone()))?);
                ApiKey::new(&text).map_err(|source| KeyError::NotAKey {
                    place: format!("the environment variable {}", shown(name)),
                    source,
                })
            }
            Self::File(_) | Self::Credential(_) => self.path(env).and_then(|path| from_file(&path)),
        }
    }

    /// What the key's file is when it is no regular file: `a pipe`, say.
    pub(super) fn irregular(&self, env: &dyn Env) -> Option<&'static str> {
        let path = self.path(env).ok()?;
        path.metadata()
            .ok()
            .and_then(|file| file::irregular(file.file_type()))
    }

    fn path(&self, env: &dyn Env) -> Result<PathBuf, KeyError> {
        match self {
            Self::File(path) => Ok(path.clone()),
            Self::Credential(name) => env
                .filled(CREDENTIALS_DIRECTORY)
                .map(|folder| Path::new(&folder).join(name))
                .ok_or_else(|| KeyError::NoCredentials(name.clone())),
            Self::Env(name) => Err(KeyError::Unset(name.clone())),
            Self::Fixed(_) => Err(KeyError::Unset(String::new())),
        }
    }

    /// The credential of this name, when systemd has passed one.
    pub(super) fn passed_credential(name: &str, env: &dyn Env) -> Option<Self> {
        let folder = env.filled(CREDENTIALS_DIRECTORY)?;
        Path::new(&folder)
            .join(name)
            .is_file()
            .then(|| Self::Credential(name.to_owned()))
    }
}

fn from_file(path: &Path) -> Result<ApiKey, KeyError> {
    let contents = file::read(path, LIMITS).map_err(|source| KeyError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    ApiKey::from_bytes(&contents.bytes).map_err(|source| KeyError::NotAKey {
        place: format!("the file {}", shown(&path.to_string_lossy())),
        source,
    })
}

/// Whether everybody on the machine may read the file.
///
/// Not asked of what an orchestrator mounts: Docker and Kubernetes make secrets readable to all by default, and
/// nobody else lives in the container. Kubernetes is known by its `..data` folders.
pub(super) fn is_world_readable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    let mounted = path.canonicalize().is_ok_and(|real| {
        real.starts_with("/run/secrets")
            || real
                .components()
                .any(|part| part.as_os_str().to_string_lossy().starts_with(".."))
    });
    !mounted
        && path
            .metadata()
            .is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::error::Error;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const MARK: &str = "m4rked-s3cret";

    fn env(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn keys_come_from_files_variables_and_credentials_and_are_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("acme");
        std::fs::write(&path, format!("{MARK}\n")).expect("written");
        let none = BTreeMap::new();
        let file = KeySource::File(path.clone());
        assert_eq!(
            file.read(&none).expect("a key").bearer().as_str(),
            "Bearer m4rked-s3cret"
        );
        std::fs::write(&path, "other").expect("written");
        assert_eq!(file.read(&none).expect("a key").bearer().as_str(), "Bearer other");

        let variable = KeySource::Env("ACME".to_owned());
        assert!(variable.read(&env("ACME", MARK)).is_ok());
        let systemd = env("CREDENTIALS_DIRECTORY", &folder.path().to_string_lossy());
        assert_eq!(
            KeySource::passed_credential("acme", &systemd),
            Some(KeySource::Credential("acme".to_owned()))
        );
        assert_eq!(KeySource::passed_credential("umbrella", &systemd), None);
        let credential = KeySource::Credential("acme".to_owned());
        assert!(credential.read(&systemd).is_ok());
    }

    #[test]
    fn what_is_missing_is_named_and_what_is_there_is_not_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("acme");
        std::fs::write(&path, format!("{MARK} two words")).expect("written");
        let none = BTreeMap::new();
        for (source, env, expected) in [
            (
                KeySource::File("/no/such/file".into()),
                &none,
                "the file \"/no/such/file\"",
            ),
            (KeySource::File(path.clone()), &none, "acme"),
            (
                KeySource::Env("ACME".to_owned()),
                &none,
                "the environment variable \"ACME\" is not set",
            ),
            (KeySource::Env("ACME".to_owned()), &env("ACME", ""), "is not set"),
            (
                KeySource::Env("ACME".to_owned()),
                &env("ACME", "m4rked-s3cret x"),
                "no key in the environment variable \"ACME\"",
            ),
            (KeySource::Credential("acme".to_owned()), &none, "LoadCredential="),
        ] {
            let error = source.read(env).expect_err("no key");
            assert!(error.to_string().contains(expected), "{error}");
            let whole = format!("{error} {error:?} {:?}", error.source());
            assert!(!whole.contains(MARK), "{whole}");
        }
        let fixed = KeySource::Fixed(ApiKey::new(MARK).expect("a key"));
        assert!(!format!("{fixed:?}").contains(MARK));
        assert!(fixed.read(&none).is_ok());
    }

    #[test]
    fn files_that_all_may_read_are_noticed_unless_an_orchestrator_made_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("acme");
        std::fs::write(&path, MARK).expect("written");
        let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("set");
        mode(0o644);
        assert!(is_world_readable(&path));
        mode(0o640);
        assert!(!is_world_readable(&path));

        let data = folder.path().join("..2026_01_01");
        std::fs::create_dir(&data).expect("a folder");
        std::fs::write(data.join("key"), MARK).expect("written");
        std::fs::set_permissions(data.join("key"), PermissionsExt::from_mode(0o644)).expect("set");
        assert!(!is_world_readable(&data.join("key")));
    }
}
