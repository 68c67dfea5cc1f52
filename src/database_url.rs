//! Where the shared storage is.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

/// The URL of a PostgreSQL database. Whether it has a user, a host or a port is for the driver to say; `Display` and
/// `Debug` show neither a password nor parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Zeroizing<String>);

/// The text isn't the URL of a database. No variant shows it: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// Neither `postgresql://` nor `postgres://`.
    #[error(
        "expected a URL such as postgresql://user@host:5432/database (not shown, as it may hold a password)"
    )]
    Scheme,
    /// Spaces or control characters.
    #[error("expected a URL on one line, without spaces (not shown, as it may hold a password)")]
    Characters,
    /// A password where others can read it.
    #[error(
        "expected a URL without its password (not shown): every user of this machine may read a command line, so that \
         it comes from PGPASSWORD, PGPASSFILE or a file that storage.url_file names"
    )]
    Password,
}

impl DatabaseUrl {
    /// The whole URL, with the password if it has one: for the driver alone.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Takes a URL as a flag has it, without a password.
    ///
    /// # Errors
    /// As [`str::parse`], and when it holds a password.
    pub fn without_password(text: &str) -> Result<Self, DatabaseUrlError> {
        let url: Self = text.parse()?;
        let (user, _) = url.user_and_rest();
        let (_, query) = url.0.split_once('?').unwrap_or_default();
        let named = query
            .split('&')
            .any(|pair| pair.starts_with("password=") || pair.starts_with("sslpassword="));
        if named || user.is_some_and(|user| user.contains(':')) {
            return Err(DatabaseUrlError::Password);
        }
        Ok(url)
    }

    /// What stands before and after the `@`, without the scheme.
    fn user_and_rest(&self) -> (Option<&str>, &str) {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        // A password may hold an @ of its own, and a / that nobody has escaped.
        match rest[..end].rfind('@').or_else(|| rest.rfind('@')) {
            Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
            None => (None, rest),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if !["postgresql://", "postgres://"]
            .iter()
            .any(|scheme| text.starts_with(scheme))
        {
            return Err(DatabaseUrlError::Scheme);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(DatabaseUrlError::Characters);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

/// User, host, port and database.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, rest) = self.user_and_rest();
        let place = rest.split(['?', '#']).next().unwrap_or_default();
        match user.map(|user| user.split(':').next().unwrap_or_default()) {
            Some(user) if !user.is_empty() => write!(f, "postgresql://{user}@{place}"),
            _ => write!(f, "postgresql://{place}"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (text, shown) in [
            ("postgres://db/kb4", "postgresql://db/kb4"),
            (
                "postgresql://u@db:5432/kb4?sslmode=require",
                "postgresql://u@db:5432/kb4",
            ),
            ("postgresql://u:hunter2@db/kb4", "postgresql://u@db/kb4"),
            (
                "postgresql://u:hunt@er2@a,b:1/kb4?password=hunter2",
                "postgresql://u@a,b:1/kb4",
            ),
            ("postgresql://u:hun/ter2@db/kb4", "postgresql://u@db/kb4"),
            ("postgresql:///kb4?host=/run/postgresql\n", "postgresql:///kb4"),
        ] {
            let url: DatabaseUrl = text.parse().expect(text);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("DatabaseUrl({shown})"));
            assert_eq!(url.expose(), text.trim());
        }
    }

    #[test]
    fn a_flag_takes_no_password_and_no_other_database() {
        use DatabaseUrlError::{Characters, Password, Scheme};
        for (text, error) in [
            ("mysql://u@db/kb4", Scheme),
            ("host=db user=u", Scheme),
            ("", Scheme),
            ("postgresql://u@db/k b4", Characters),
            ("postgresql://u:hunter2@db/kb4", Password),
            ("postgresql://u:hun/ter2@db/kb4", Password),
            ("postgresql://u@db/kb4?password=hunter2", Password),
            (
                "postgresql://u@db/kb4?sslmode=require&sslpassword=hunter2",
                Password,
            ),
        ] {
            assert_eq!(DatabaseUrl::without_password(text), Err(error), "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
        assert!(DatabaseUrl::without_password("postgresql://u@db/kb4?passfile=/p").is_ok());
    }
}
