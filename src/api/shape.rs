//! The shape of an answer without a single value of it, to attach to a bug report.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Types by path, as in `[].groups[]: number`; several types of one path are joined by `|`.
pub fn shape(value: &Value) -> Vec<String> {
    let mut paths = BTreeMap::new();
    collect(value, String::new(), &mut paths);
    paths
        .into_iter()
        .map(|(path, kinds)| {
            let path = if path.is_empty() { "(top)" } else { path.as_str() };
            format!("{path}: {}", kinds.join("|"))
        })
        .collect()
}

fn collect(value: &Value, path: String, paths: &mut BTreeMap<String, Vec<&'static str>>) {
    let kinds = paths.entry(path.clone()).or_default();
    let kind = kind(value);
    if !kinds.contains(&kind) {
        kinds.push(kind);
        kinds.sort_unstable();
    }
    match value {
        Value::Array(elements) => {
            for element in elements {
                collect(element, format!("{path}[]"), paths);
            }
        }
        Value::Object(fields) => {
            let map = is_map(fields);
            for (key, field) in fields {
                let name = if map { "?" } else { name(key) };
                collect(field, format!("{path}.{name}"), paths);
            }
        }
        _ => {}
    }
}

/// Most keys of a record. The API's largest has some fifty.
const MOST_KEYS: usize = 100;

/// Most digits of a name: `custom_field_1` has one, an id has more.
const MOST_DIGITS: usize = 2;

/// Whether the keys are values: objects alike under different keys, or more keys than any record has.
fn is_map(fields: &Map<String, Value>) -> bool {
    let keys = |value: &Value| {
        let object = value.as_object()?;
        Some(object.keys().cloned().collect::<Vec<_>>())
    };
    let mut shapes = fields.values().map(keys);
    let alike = match shapes.next() {
        Some(Some(first)) => fields.len() > 1 && shapes.all(|shape| shape.as_ref() == Some(&first)),
        _ => false,
    };
    alike || fields.len() > MOST_KEYS
}

/// A key is a name of the schema, unless somebody made a map of values: only what looks like a name is shown.
fn name(key: &str) -> &str {
    let named = !key.is_empty()
        && key.len() <= 40
        && key
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    if named && digits <= MOST_DIGITS && digits < key.len() {
        key
    } else {
        "?"
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "fraction",
        Value::Number(_) => "number",
        Value::String(text) if text.is_empty() => "empty text",
        Value::String(text) if text.parse::<f64>().is_ok() => "number in quotes",
        Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => "time",
        Value::String(text) if text.parse::<jiff::civil::Date>().is_ok() => "date",
        Value::String(_) => "text",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_hold_types_and_no_values() {
        let value = serde_json::json!([
            {"id": 7, "email": "zq@example.com", "groups": [1, {"group_id": 2}], "Zq Secret Name": 1, "score": 1.5},
            {"id": "8", "email": null, "joined_on": "2019-04-02T15:02:38.000Z"},
        ]);
        let shape = shape(&value).join("\n");
        for expected in [
            "(top): array",
            "[].id: number|number in quotes",
            "[].email: null|text",
            "[].groups[].group_id: number",
            "[].score: fraction",
            "[].joined_on: time",
        ] {
            assert!(shape.contains(expected), "{expected} not in\n{shape}");
        }
        assert!(!shape.contains("zq@") && !shape.contains("Secret"), "{shape}");
    }

    #[test]
    fn keys_that_are_values_are_not_shown() {
        let value = serde_json::json!({
            "by_user": {"zqanna": {"score": 1}, "zqbert": {"score": 2}},
            "by_id": {"4711": 1, "0f8fad5b-d9cb": 2, "custom_field_4": null},
        });
        assert_eq!(
            shape(&value),
            [
                "(top): object",
                ".by_id: object",
                ".by_id.?: number",
                ".by_id.custom_field_4: null",
                ".by_user: object",
                ".by_user.?: object",
                ".by_user.?.score: number",
            ]
        );
        let many: Map<String, Value> = (0..104_u8)
            .map(|i| {
                (
                    format!("zq{}{}", (b'a' + i / 26) as char, (b'a' + i % 26) as char),
                    Value::Null,
                )
            })
            .collect();
        assert_eq!(shape(&Value::Object(many)), ["(top): object", ".?: null"]);
    }
}
