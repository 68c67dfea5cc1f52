//! Links between pages.

/// What links begin with: pages don't know where they are, behind which proxy and below which path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// Before the path of another page, with a slash at its end: `./`, `/kb4/`.
    pub root: String,
    /// To the metrics.
    pub metrics: String,
}

#[cfg(test)]
impl Links {
    /// Of a page at the root, to these metrics.
    pub(super) fn to(metrics: &str) -> Self {
        Self {
            root: "./".to_owned(),
            metrics: metrics.to_owned(),
        }
    }
}
