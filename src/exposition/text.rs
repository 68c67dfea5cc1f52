//! What the two encodings differ in: the header of a family, and the end of a body.
//!
//! Samples are the same bytes in both, so that series have the same names, labels and values whichever a scraper
//! asks for. In text 0.0.4 the header names the samples themselves (`x_total`, `x_info`), an info is a gauge
//! (parsers of 0.0.4 refuse `info`), and neither UNIT nor EOF exists. HELP needs no escaping: the catalogue has no
//! backslash and no newline.

use std::sync::LazyLock;

use crate::catalogue::FAMILIES;
use crate::family::{Family, Kind};

use super::Format;
use super::encode::{end_of_open_metrics, open_metrics_header};

struct Headers {
    open_metrics: Vec<String>,
    text: Vec<String>,
    end: String,
}

static HEADERS: LazyLock<Headers> = LazyLock::new(|| Headers {
    open_metrics: FAMILIES.iter().map(open_metrics_header).collect(),
    text: FAMILIES.iter().map(text_header).collect(),
    end: end_of_open_metrics(),
});

fn text_header(family: &Family) -> String {
    let kind = match family.kind {
        Kind::Info => Kind::Gauge,
        kind => kind,
    };
    format!(
        "# HELP {name} {help}\n# TYPE {name} {kind}\n",
        name = family.name,
        help = family.help,
        kind = kind.as_str()
    )
}

/// The header of the family at `index` of the catalogue.
pub(super) fn header(index: usize, format: Format) -> &'static str {
    match format {
        Format::OpenMetrics => &HEADERS.open_metrics[index],
        Format::Text => &HEADERS.text[index],
    }
}

/// What stands at the end of a body.
pub(super) fn end(format: Format) -> &'static str {
    match format {
        Format::OpenMetrics => &HEADERS.end,
        Format::Text => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_of(name: &str, format: Format) -> Vec<&'static str> {
        let index = FAMILIES.iter().position(|f| f.name == name).expect("family");
        header(index, format)
            .lines()
            .map(|line| line.split(" /").next().unwrap_or(line))
            .filter(|line| !line.starts_with("# HELP"))
            .collect()
    }

    #[test]
    fn open_metrics_names_the_family_and_text_its_samples() {
        let open_metrics = |name| header_of(name, Format::OpenMetrics);
        let text = |name| header_of(name, Format::Text);
        assert_eq!(open_metrics("knowbe4_group_info"), ["# TYPE knowbe4_group info"]);
        assert_eq!(text("knowbe4_group_info"), ["# TYPE knowbe4_group_info gauge"]);
        assert_eq!(
            open_metrics("process_cpu_seconds_total"),
            [
                "# TYPE process_cpu_seconds counter",
                "# UNIT process_cpu_seconds seconds"
            ]
        );
        assert_eq!(
            text("process_cpu_seconds_total"),
            ["# TYPE process_cpu_seconds_total counter"]
        );
    }

    #[test]
    fn only_open_metrics_has_an_end() {
        assert_eq!(end(Format::OpenMetrics), "# EOF\n");
        assert_eq!(end(Format::Text), "");
    }
}
