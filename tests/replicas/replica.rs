//! Accounts, and replicas that poll them.

use crate::postgres::Postgres;
use crate::support::*;

/// A folder with a configuration of so many accounts.
pub fn site(simulator: &Program, accounts: usize, more: &str) -> Site {
    let site = Site::new();
    let mut file = "accounts:\n".to_owned();
    for account in 0..accounts {
        let key = format!("key{account}");
        site.write(&key, &format!("test-key-{account}"));
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(site.path(&key), private).unwrap();
        file += &format!(
            "  - name: a{account}\n    base_url: {}\n    api_key_file: {key}\n{more}",
            simulator.url()
        );
    }
    site.write("config.yml", &file);
    site
}

pub fn replica(site: &Site, postgres: &Postgres) -> Program {
    replica_at(site, &postgres.url())
}

/// A replica that finds the database at this URL.
pub fn replica_at(site: &Site, url: &str) -> Program {
    let config = format!("--config.file={}", site.path("config.yml").display());
    let url = format!("--storage.url={url}");
    Program::start(&[&config, &url, "--web.listen-address=127.0.0.1:0"], &[])
}
