//! What the binary carries for other programs: alert rules with their tests and runbooks, and dashboards.
//!
//! `build.rs` lists the files, so that what is in the folders is in the binary. Only bytes: `commands` writes them.

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Where it belongs, with `/` between the names: `alerts/README.md`.
    pub path: &'static str,
    /// What it holds.
    pub contents: &'static [u8],
}

impl Asset {
    /// Whether it is a script.
    pub fn is_executable(&self) -> bool {
        self.contents.starts_with(b"#!")
    }
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));
