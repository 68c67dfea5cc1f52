//! Why the database can't be used, and what to do about it.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// Cause and cure; neither holds a password.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) what: String,
    pub(super) cure: String,
    pub(super) why: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl Error for Trouble {}

impl Trouble {
    /// Of the database at `place`, for a reason of its own.
    pub(super) fn new(place: &str, why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            what: format!("the database {place} can't be used"),
            cure: cure.into(),
            why: why.into(),
        }
    }

    /// It didn't answer in time.
    pub(super) fn silent(place: &str, patience: Duration) -> Self {
        let why = format!("it didn't answer within {} s", patience.as_secs());
        Self::new(place, why, "look whether it runs and can be reached from here")
    }

    /// What the driver ran into.
    pub(super) fn of(place: &str, error: &tokio_postgres::Error) -> Self {
        let why = match error.as_db_error() {
            Some(said) => said.message().to_owned(),
            None => causes(error),
        };
        Self::new(place, why, cure(error))
    }
}

fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn cure(error: &tokio_postgres::Error) -> &'static str {
    let Some(code) = error.code() else {
        return if causes(error).contains("certificate") {
            "name the authority of its certificate by sslrootcert, or the host that the certificate is for"
        } else {
            "look whether it runs and can be reached from here, and whether sslmode is what it offers"
        };
    };
    match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "check user and password (from the URL's file, PGPASSWORD or PGPASSFILE), and pg_hba.conf"
        }
        SqlState::INVALID_CATALOG_NAME => "create the database, or name another in the URL",
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "grant what docs/replicas.md lists: CREATE on the database for the first start, or usage of the schema \
             knowbe4_exporter and its tables"
        }
        SqlState::TOO_MANY_CONNECTIONS => "raise max_connections: each replica takes two",
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            "name the primary in the URL: this is a standby, or it is read-only"
        }
        _ => "see the database's log",
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        Self::Failed {
            what: trouble.what,
            cure: trouble.cure,
            source: trouble.why.into(),
        }
    }
}
