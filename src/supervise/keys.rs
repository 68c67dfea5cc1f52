//! The keys in use: two accounts with one would spend one quota twice.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::config::KeyError;
use crate::model::AccountName;
use crate::secret::ApiKey;

/// The key of each account that runs.
#[derive(Default)]
pub struct Keys(Mutex<BTreeMap<AccountName, ApiKey>>);

impl Keys {
    /// The account runs with this key: no other of the configuration has it.
    pub(super) fn begin(&self, account: &AccountName, key: &ApiKey) {
        self.lock().insert(account.clone(), key.clone());
    }

    /// The account runs no longer.
    pub(super) fn end(&self, account: &AccountName) {
        self.lock().remove(account);
    }

    /// Lets the account go on with a key that was read anew.
    ///
    /// # Errors
    /// When another account has it.
    pub(super) fn exchange(&self, account: &AccountName, key: ApiKey) -> Result<ApiKey, KeyError> {
        let mut keys = self.lock();
        let other = keys
            .iter()
            .find(|(name, known)| *name != account && **known == key);
        if let Some((other, _)) = other {
            return Err(KeyError::Taken(other.clone()));
        }
        keys.insert(account.clone(), key.clone());
        Ok(key)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AccountName, ApiKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_one_account_at_a_time() {
        let keys = Keys::default();
        let [acme, globex]: [AccountName; 2] = ["acme", "globex"].map(|name| name.parse().expect("a name"));
        let [first, second] = ["one", "two"].map(|key| ApiKey::new(key).expect("a key"));
        keys.begin(&acme, &first);
        keys.begin(&globex, &second);
        let error = keys.exchange(&globex, first.clone()).expect_err("taken");
        assert!(matches!(error, KeyError::Taken(name) if name == acme));
        keys.exchange(&acme, ApiKey::new("three").expect("a key"))
            .expect("free");
        keys.exchange(&globex, first.clone()).expect("free by now");
        keys.end(&globex);
        keys.exchange(&acme, first).expect("free again");
    }
}
