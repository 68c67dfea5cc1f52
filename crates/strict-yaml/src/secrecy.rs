//! Which of a user's words a message may repeat.

/// The longest text that is repeated.
const LONGEST: usize = 120;

/// The text in quotes, its head when it is long, and neither when it may be a key that somebody put into the wrong
/// place.
pub fn shown(text: &str) -> String {
    if may_be_a_secret(text) {
        return "(not shown, as it may be a key)".to_owned();
    }
    let mut letters = text.chars();
    let head: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        format!("{head:?}...")
    } else {
        format!("{head:?}")
    }
}

/// Whether the text looks like an API key: a JSON web token, or a long word of letters and digits.
pub fn may_be_a_secret(text: &str) -> bool {
    let text = text.trim();
    let word = text.strip_prefix("Bearer ").unwrap_or(text);
    if word.len() != text.len() || (word.starts_with("eyJ") && word.len() > 16) {
        return true;
    }
    word.len() >= 32
        && word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_alphabetic())
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'=' | b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for key in [
            "eyJhbGciOiJIUzUxMiJ9.eyJzaXRlIjoi.x-y_z",
            "Bearer abc",
            "0123456789abcdef0123456789abcdef",
            " 0123456789ABCDEFGHIJ0123456789ABCDEFGHIJ ",
        ] {
            assert_eq!(shown(key), "(not shown, as it may be a key)", "{key}");
        }
        for word in [
            "acme",
            "eyJ",
            "/run/secrets/knowbe4-acme-production-2026",
            "a_rather_long_word_without_any_digit_in_it",
        ] {
            assert_eq!(shown(word), format!("{word:?}"));
        }
        assert!(shown(&"x ".repeat(1000)).len() < 200);
        assert_eq!(shown("a\u{1b}[31m"), "\"a\\u{1b}[31m\"");
    }
}
