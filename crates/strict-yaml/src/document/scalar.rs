//! What a word without quotes is: the core schema of YAML 1.2, in which `yes` is a text.

use super::Value;

pub(super) fn resolve(word: String) -> Value {
    match word.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => integer(&word)
            .map(Value::Integer)
            .or_else(|| float(&word).map(Value::Float))
            .unwrap_or(Value::Text(word)),
    }
}

fn integer(word: &str) -> Option<i128> {
    let (sign, digits) = match word.as_bytes().first()? {
        b'-' => (-1, &word[1..]),
        b'+' => (1, &word[1..]),
        _ => (1, word),
    };
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            return digits
                .starts_with(|c: char| c.is_digit(radix))
                .then(|| i128::from_str_radix(digits, radix).ok())?
                .map(|value| sign * value);
        }
    }
    // A leading zero is a postcode or an octal number to somebody: neither is meant as a number here.
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    let only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    (only_digits && !digits.is_empty())
        .then(|| digits.parse::<i128>().ok())?
        .map(|value| sign * value)
}

fn float(word: &str) -> Option<f64> {
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    match unsigned {
        ".inf" | ".Inf" | ".INF" if word.starts_with('-') => return Some(f64::NEG_INFINITY),
        ".inf" | ".Inf" | ".INF" => return Some(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if unsigned.len() == word.len() => return Some(f64::NAN),
        _ => {}
    }
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && unsigned
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !numeric
        || (unsigned.len() > 1 && unsigned.starts_with('0') && !unsigned[1..].starts_with(['.', 'e', 'E']))
    {
        return None;
    }
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(word: &str) -> String {
        match resolve(word.to_owned()) {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Integer(value) => format!("integer {value}"),
            Value::Float(value) => format!("float {value}"),
            Value::Text(text) => format!("text {text}"),
            Value::List(_) | Value::Map(_) => unreachable!("no word is a list"),
        }
    }

    #[test]
    fn words_are_what_the_core_schema_says() {
        for (word, is) in [
            ("", "null"),
            ("~", "null"),
            ("NULL", "null"),
            ("nUll", "text nUll"),
            ("true", "true"),
            ("FALSE", "false"),
            ("yes", "text yes"),
            ("on", "text on"),
            ("0", "integer 0"),
            ("-0", "integer 0"),
            ("+7", "integer 7"),
            ("1000", "integer 1000"),
            ("0x1F", "integer 31"),
            ("0o17", "integer 15"),
            ("0x-1", "text 0x-1"),
            ("007", "text 007"),
            ("1_000", "text 1_000"),
            ("1,000", "text 1,000"),
            ("-", "text -"),
            ("12.5", "float 12.5"),
            (".5", "float 0.5"),
            ("0.8", "float 0.8"),
            ("1e3", "float 1000"),
            ("-1.5E-1", "float -0.15"),
            ("00.5", "text 00.5"),
            ("1.2.3", "text 1.2.3"),
            (".", "text ."),
            ("infinity", "text infinity"),
            ("nan", "text nan"),
            (".inf", "float inf"),
            ("-.inf", "float -inf"),
            (".nan", "float NaN"),
            ("30d", "text 30d"),
            ("1e", "text 1e"),
            ("10:30", "text 10:30"),
        ] {
            assert_eq!(shown(word), is, "{word}");
        }
        let huge = "9".repeat(60);
        assert!(shown(&huge).starts_with("float "), "{}", shown(&huge));
    }
}
