//! Which accounts are whose, when several exporters share them.
//!
//! A name's shard is stable over versions, machines and the order of the file, and growing from n to n + 1 shards
//! moves one account in n + 1, always to the new shard: Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash
//! Algorithm" (2014).

/// The shard of a name, from 0 to `total - 1`. A total of 0 counts as 1.
pub(super) fn of(name: &str, total: u32) -> u32 {
    let mut key = hash(name);
    let mut shard = 0;
    let mut next: u64 = 0;
    while next < u64::from(total.max(1)) {
        shard = next;
        // Knuth's multiplier for 64-bit linear congruential generators, as in the paper.
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let step = (1_u64 << 31) as f64 / ((key >> 33) + 1) as f64;
        next = ((shard + 1) as f64 * step) as u64;
    }
    u32::try_from(shard).unwrap_or(0)
}

/// FNV-1a, and the finalizer of MurmurHash3 over it: FNV alone leaves the high bits of short names alike.
fn hash(name: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> impl Iterator<Item = String> {
        (0..3000).map(|i| format!("customer-{i}"))
    }

    #[test]
    fn shards_stay_what_they_are() {
        // If this fails, an update of the exporter would move accounts between shards.
        let shards: Vec<u32> = ["acme", "default", "umbrella", "initech"]
            .map(|name| of(name, 5))
            .into();
        assert_eq!(shards, [2, 1, 0, 1]);
    }

    #[test]
    fn shares_are_even() {
        let mut counts = [0_u32; 6];
        for name in names() {
            counts[of(&name, 6) as usize] += 1;
        }
        for count in counts {
            assert!((400..=600).contains(&count), "{counts:?}");
        }
    }

    #[test]
    fn one_more_shard_moves_accounts_only_to_itself() {
        let mut moved = 0;
        for name in names() {
            let (before, after) = (of(&name, 5), of(&name, 6));
            if before != after {
                assert_eq!(after, 5, "{name}");
                moved += 1;
            }
        }
        assert!((400..=600).contains(&moved), "{moved}");
    }

    #[test]
    fn every_total_has_a_shard() {
        for total in [0, 1, 2, 1000, u32::MAX] {
            assert!(of("acme", total) < total.max(1));
        }
    }
}
