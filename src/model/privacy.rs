//! Which numbers about people may be shown: two rules, and nothing else decides it.

/// Whether a group or segment has the `least` members that the configuration asks for. Nobody can say of an unknown
/// size that it is large enough.
pub fn is_large_enough(members: Option<f64>, least: u64) -> bool {
    members.map_or(least <= 1, |members| members >= least as f64)
}

/// Whether a number is about several people. One that says what a single person did, or is, may be shown only where
/// the configuration asks for no least number of members.
pub fn is_about_several(people: u64, least: u64) -> bool {
    people >= least.min(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules() {
        // Members, the least that is asked for, and whether they are enough.
        for (members, least, shown) in [
            (Some(4.0), 5, false),
            (Some(5.0), 5, true),
            (Some(0.0), 1, false),
            (Some(0.0), 0, true),
            (None, 5, false),
            (None, 1, true),
        ] {
            assert_eq!(is_large_enough(members, least), shown, "{members:?} of {least}");
        }
        for (people, least, shown) in [
            (1, 5, false),
            (2, 5, true),
            (1, 2, false),
            (1, 1, true),
            (0, 1, false),
            (0, 0, true),
        ] {
            assert_eq!(is_about_several(people, least), shown, "{people} of {least}");
        }
    }
}
