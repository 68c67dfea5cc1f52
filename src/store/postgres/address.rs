//! What the URL of the database says, what the environment adds, and what of it the driver doesn't know.

use std::path::PathBuf;

use tokio_postgres::Config;

use crate::database_url::DatabaseUrl;
use crate::env::Env;

/// How the connection is encrypted, and how far the server is believed: as PostgreSQL's own clients mean it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted if the server can.
    Prefer,
    /// Encrypted; whoever answers is believed, unless there are roots.
    Require,
    /// The certificate comes from a known authority.
    VerifyCa,
    /// It does, and is for this host.
    VerifyFull,
}

/// A database, ready to be connected to.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) ssl: SslMode,
    /// Certificates of authorities; [`None`] for the system's.
    pub(super) roots: Option<PathBuf>,
}

impl Address {
    /// Takes the URL apart.
    ///
    /// # Errors
    /// Says what is wrong, without a password.
    pub(super) fn of(url: &DatabaseUrl, env: &dyn Env) -> Result<Self, String> {
        let (base, query) = url.expose().split_once('?').unwrap_or_else(|| (url.expose(), ""));
        let mut ssl = env.filled("PGSSLMODE");
        let mut roots = env.filled("PGSSLROOTCERT");
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "sslmode" => ssl = Some(value.to_owned()),
                "sslrootcert" => roots = Some(decoded(value)),
                "sslcert" | "sslkey" | "sslcrl" | "service" => {
                    return Err(format!("the parameter {name} is not supported"));
                }
                _ => rest.push(pair),
            }
        }
        let text = if rest.is_empty() {
            base.to_owned()
        } else {
            format!("{base}?{}", rest.join("&"))
        };
        let mut config: Config = text.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            cause.unwrap_or_else(|| "it is no URL of a database".to_owned())
        })?;
        if config.get_hosts().is_empty() {
            return Err("it names no host".to_owned());
        }
        if config.get_user().is_none() {
            let user = env.filled("PGUSER").or_else(|| env.filled("USER"));
            config.user(user.as_deref().unwrap_or("knowbe4-exporter"));
        }
        if config.get_dbname().is_none()
            && let Some(database) = env.filled("PGDATABASE")
        {
            config.dbname(&database);
        }
        if config.get_password().is_none()
            && let Some(password) = env
                .filled("PGPASSWORD")
                .or_else(|| super::passfile::password(&config, env))
        {
            config.password(password);
        }
        config.application_name(env!("CARGO_PKG_NAME"));
        let ssl = mode(ssl.as_deref(), roots.is_some())?;
        config.ssl_mode(match ssl {
            SslMode::Disable => tokio_postgres::config::SslMode::Disable,
            SslMode::Prefer => tokio_postgres::config::SslMode::Prefer,
            _ => tokio_postgres::config::SslMode::Require,
        });
        Ok(Self {
            config,
            ssl,
            roots: roots.filter(|roots| roots != "system").map(PathBuf::from),
        })
    }
}

fn mode(text: Option<&str>, has_roots: bool) -> Result<SslMode, String> {
    Ok(match text {
        // With roots `require` means what `verify-ca` does, as in libpq.
        Some("require") if has_roots => SslMode::VerifyCa,
        None | Some("prefer" | "allow") => SslMode::Prefer,
        Some("disable") => SslMode::Disable,
        Some("require") => SslMode::Require,
        Some("verify-ca") => SslMode::VerifyCa,
        Some("verify-full") => SslMode::VerifyFull,
        Some(other) => {
            return Err(format!(
                "sslmode={other}, expected disable, prefer, require, verify-ca or verify-full"
            ));
        }
    })
}

fn decoded(value: &str) -> String {
    let pairs = url::form_urlencoded::parse(value.as_bytes());
    pairs
        .map(|(name, _)| name.into_owned())
        .next()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of(url: &str, env: &[(&str, &str)]) -> Result<Address, String> {
        let env: BTreeMap<String, String> = env
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Address::of(&url.parse().expect("a URL"), &env)
    }

    #[test]
    fn ssl_is_as_postgresql_means_it() {
        for (query, expected) in [
            ("", SslMode::Prefer),
            ("?sslmode=disable", SslMode::Disable),
            ("?sslmode=require", SslMode::Require),
            ("?sslmode=require&sslrootcert=/ca.pem", SslMode::VerifyCa),
            ("?sslmode=verify-full&sslrootcert=system", SslMode::VerifyFull),
        ] {
            let address = of(&format!("postgresql://u@db/kb4{query}"), &[]).expect(query);
            assert_eq!(address.ssl, expected, "{query}");
        }
        assert!(
            of("postgresql://u@db/kb4?sslmode=verify", &[]).is_err_and(|why| why.contains("verify-full"))
        );
        assert!(of("postgresql://u@db/kb4?sslkey=x", &[]).is_err_and(|why| why.contains("sslkey")));
        let roots = of(
            "postgresql://u@db/kb4?sslmode=verify-ca&sslrootcert=%2Fca.pem",
            &[],
        );
        assert_eq!(roots.expect("roots").roots, Some(PathBuf::from("/ca.pem")));
    }

    #[test]
    fn the_password_comes_from_the_url_the_variable_or_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pgpass");
        std::fs::write(&file, "# ours\nother:*:*:*:no\ndb:5432:kb4:u:se\\:cret\n").expect("written");
        let file = file.to_str().expect("UTF-8");
        let password = |url, env: &[(&str, &str)]| {
            let address = of(url, env).expect(url);
            address
                .config
                .get_password()
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        let plain = "postgresql://u@db/kb4";
        assert_eq!(password(plain, &[]), None);
        assert_eq!(
            password(plain, &[("PGPASSFILE", file)]).as_deref(),
            Some("se:cret")
        );
        let both = [("PGPASSFILE", file), ("PGPASSWORD", "variable")];
        assert_eq!(password(plain, &both).as_deref(), Some("variable"));
        assert_eq!(
            password("postgresql://u:url@db/kb4", &both).as_deref(),
            Some("url")
        );
        assert_eq!(password("postgresql://v@db/kb4", &[("PGPASSFILE", file)]), None);
    }
}
