//! What somebody may have meant who wrote something else.

/// The known word that is nearest to `typed`, when it is near enough to be a slip of the fingers.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong: `intervall` still finds `interval`, `foo` finds nothing.
    let letters = typed.chars().count();
    let bound = (letters / 3).clamp(1, 3);
    known
        .into_iter()
        // The distance costs the product of both lengths.
        .filter(|word| word.chars().count().abs_diff(letters) <= bound)
        .map(|word| (strsim::osa_distance(typed, word), word))
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen_through_and_strangers_are_not() {
        let known = ["interval", "min_interval", "enabled", "weight"];
        for (typed, meant) in [
            ("intervall", Some("interval")),
            ("min_intreval", Some("min_interval")),
            ("Enabled", Some("enabled")),
            ("wieght", Some("weight")),
            ("password", None),
            ("", None),
            (&"x".repeat(10_000), None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
    }
}
