//! Who polls an account, where several replicas share a storage, and how that storage fares.

/// An account, as one of the replicas sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Holding {
    /// Whether this replica polls it.
    pub here: bool,
    /// The living replica that does, for people; [`None`] while nobody does, as far as this one knows.
    pub replica: Option<String>,
    /// Since when, in unix seconds.
    pub since: Option<f64>,
}

/// How a process has fared with the database that it shares.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DatabaseUse {
    /// Statements that were answered or failed.
    pub round_trips: u64,
    /// Those of them that failed, and connections that could not be made.
    pub failures: u64,
    /// When one was last answered, in unix seconds; [`None`] before the first.
    pub last_success: Option<f64>,
}

/// The replicas that share a storage, as one of them sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replicas {
    /// Those that live.
    pub living: u64,
    /// Different versions of the exporter among them.
    pub versions: u64,
    /// Different configurations of accounts among them.
    pub configurations: u64,
    /// Accounts of this one's configuration that none of them polls.
    pub accounts_unheld: u64,
}
