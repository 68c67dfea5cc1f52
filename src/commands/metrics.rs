//! `metrics`: the catalogue.

use super::{Ending, output};
use crate::catalogue::print as catalogue;
use crate::cli::MetricsFormat;

pub(super) fn metrics(format: MetricsFormat) -> Ending {
    output::print(&match format {
        MetricsFormat::Table => catalogue::table(),
        MetricsFormat::Markdown => catalogue::markdown(),
        MetricsFormat::Json => catalogue::json(),
    })
}
