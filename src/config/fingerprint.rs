//! A name for how accounts are configured, by which replicas find out that they differ.

use super::AccountConfig;
use crate::secret::digest;

/// Sixteen hexadecimal digits, the same for the same accounts in whatever order. No key goes into it, only where it is.
///
/// Exporters of different versions may give different names to one configuration.
pub fn fingerprint(accounts: &[AccountConfig]) -> String {
    let mut lines: Vec<_> = accounts.iter().map(|account| format!("{account:?}\n")).collect();
    lines.sort();
    let digest = digest(lines.concat().as_bytes());
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KeySource;
    use crate::secret::ApiKey;

    fn account(name: &str, key: &str) -> AccountConfig {
        let key = KeySource::Fixed(ApiKey::new(key).expect("a key"));
        let url = "https://api.example".parse().expect("a URL");
        AccountConfig::new(name.parse().expect("a name"), url, key)
    }

    #[test]
    fn it_tells_configurations_apart_and_not_their_order() {
        let (a, b) = (account("a", "k"), account("b", "k"));
        let both = fingerprint(&[a.clone(), b.clone()]);
        assert_eq!(both, fingerprint(&[b.clone(), a.clone()]));
        assert_eq!(both.len(), 16);
        assert_ne!(both, fingerprint(std::slice::from_ref(&a)));
        let mut dearer = b;
        dearer.budget.requests_per_day += 1;
        assert_ne!(both, fingerprint(&[a.clone(), dearer]));
        // The key itself is no part of it.
        assert_eq!(fingerprint(&[account("a", "other")]), fingerprint(&[a]));
    }
}
