//! Who polls an account, where several replicas share a storage.

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
