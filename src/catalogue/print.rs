//! The catalogue for people and programs: what the `metrics` command prints, and the README's table.

use serde_json::json;

use super::{FAMILIES, Family};

const COLUMNS: [&str; 6] = ["name", "type", "unit", "labels", "collector", "help"];

fn row(family: &Family) -> [String; COLUMNS.len()] {
    [
        family.name.to_owned(),
        family.kind.as_str().to_owned(),
        family.unit().unwrap_or_default().to_owned(),
        family.labels.join(","),
        family.collector.to_owned(),
        family.help.to_owned(),
    ]
}

/// One aligned line a family, below a line of column names. Columns are at least two spaces apart.
pub fn table() -> String {
    let rows: Vec<_> = [COLUMNS.map(str::to_owned)]
        .into_iter()
        .chain(FAMILIES.iter().map(row))
        .collect();
    let widths: [usize; COLUMNS.len()] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0));
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.len() + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A Markdown table, one row a family.
pub fn markdown() -> String {
    let mut out = format!(
        "| {} |\n|{}\n",
        COLUMNS.join(" | "),
        " --- |".repeat(COLUMNS.len())
    );
    for family in FAMILIES {
        let [name, kind, unit, _, collector, help] = row(family);
        let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let cells = [
            format!("`{name}`"),
            kind,
            unit,
            labels.join(", "),
            collector.replace(',', ", "),
            help,
        ];
        out.push('|');
        for cell in cells {
            out.push(' ');
            // An empty cell is one space, a pipe would end its cell.
            out.push_str(&cell.replace('|', "\\|"));
            out.push_str(if cell.is_empty() { "|" } else { " |" });
        }
        out.push('\n');
    }
    out
}

/// A JSON array of objects with the keys `name`, `type`, `unit` (null where there is none), `labels` (an array),
/// `collectors` (an array) and `help`; one line a family.
pub fn json() -> String {
    let objects = FAMILIES.iter().map(|family| {
        let object = json!({
            "name": family.name,
            "type": family.kind.as_str(),
            "unit": family.unit(),
            "labels": family.labels,
            "collectors": family.collector.split(',').collect::<Vec<_>>(),
            "help": family.help,
        });
        format!("\n  {object}")
    });
    format!("[{}\n]\n", objects.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_aligned() {
        let table = table();
        let mut lines = table.lines();
        let kind = lines
            .next()
            .and_then(|header| header.find("type"))
            .expect("header");
        for (line, family) in lines.zip(FAMILIES) {
            assert!(line.starts_with(family.name), "{line}");
            assert!(line[kind..].starts_with(family.kind.as_str()), "{line}");
            assert!(line.ends_with(family.help), "{line}");
        }
        assert_eq!(table.lines().count(), FAMILIES.len() + 1);
    }

    #[test]
    fn markdown_has_as_many_cells_in_every_row() {
        for line in markdown().lines() {
            let cells = line.replace("\\|", "").matches('|').count();
            assert_eq!(cells, COLUMNS.len() + 1, "{line}");
        }
    }

    #[test]
    fn json_is_read_back() {
        let families: Vec<serde_json::Value> = serde_json::from_str(&json()).expect("JSON");
        assert_eq!(families.len(), FAMILIES.len());
        for (value, family) in families.iter().zip(FAMILIES) {
            assert_eq!(value["name"], family.name);
            assert_eq!(value["unit"].as_str(), family.unit());
            assert_eq!(
                value["labels"].as_array().map(Vec::len),
                Some(family.labels.len())
            );
            assert_eq!(value["help"], family.help);
        }
    }
}
