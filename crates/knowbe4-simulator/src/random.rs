//! Numbers that look random and are functions of what they are about.

/// A number from 0 to 1 that belongs to (`seed`, `id`, `purpose`) alone.
pub(super) fn unit(seed: u64, id: u64, purpose: &str) -> f64 {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    for byte in purpose.bytes() {
        state = mix(state ^ u64::from(byte));
    }
    (mix(state ^ mix(id)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// One of `choices`.
pub(super) fn pick<'a>(seed: u64, id: u64, purpose: &str, choices: &[&'a str]) -> &'a str {
    choices[(unit(seed, id, purpose) * choices.len() as f64) as usize % choices.len()]
}

/// The finaliser of SplitMix64.
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
