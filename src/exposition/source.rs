//! Which snapshot a body is made from: told apart by its pointer, as publishing replaces it.

use std::sync::Arc;

use crate::model::AccountName;
use crate::snapshot::{AccountSnapshot, Published, Snapshot};

/// The snapshot of all accounts, or of one.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// All accounts.
    All(Arc<Snapshot>),
    /// One account; [`None`] before its first publication.
    One(AccountName, Option<Arc<AccountSnapshot>>),
}

impl Source {
    /// What is published now.
    pub(super) fn current(published: &Published, account: Option<&AccountName>) -> Self {
        let all = published.current();
        match account {
            None => Self::All(all),
            Some(account) => Self::One(account.clone(), all.get(account).cloned()),
        }
    }

    /// Whether it is the same publication. Both are held, so that no pointer can be a reused one.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All(a), Self::All(b)) => Arc::ptr_eq(a, b),
            (Self::One(name, Some(a)), Self::One(other, Some(b))) => name == other && Arc::ptr_eq(a, b),
            (Self::One(name, None), Self::One(other, None)) => name == other,
            _ => false,
        }
    }

    /// Its accounts by name.
    pub(super) fn accounts(&self) -> impl Iterator<Item = (&AccountName, &Arc<AccountSnapshot>)> {
        let (all, one) = match self {
            Self::All(all) => (Some(all.iter()), None),
            Self::One(name, snapshot) => (None, snapshot.as_ref().map(|snapshot| (name, snapshot))),
        };
        all.into_iter().flatten().chain(one)
    }
}
