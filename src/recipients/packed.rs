//! Who did what in one test, in about two bytes a mail.
//!
//! Mails are sorted by the id of the user. Each is the distance to the id before it and three bits of [`Outcome`] in one
//! variable-length number: ids of one account lie close together, so that most take two bytes.

use super::Outcome;

/// Bits of an outcome.
const OUTCOME_BITS: u32 = 3;

/// Bits of a byte that carry the number; the eighth says that more follow.
const PAYLOAD_BITS: u32 = 7;

/// The mails of one test that reached somebody, or that somebody answered: by user, packed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Packed {
    bytes: Box<[u8]>,
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packed({} bytes)", self.bytes.len())
    }
}

impl Packed {
    /// Packs mails, which are sorted in place.
    pub fn of(mails: &mut [(i64, Outcome)]) -> Self {
        mails.sort_unstable();
        let mut bytes = Vec::with_capacity(mails.len() * 2);
        let mut last = i64::MIN;
        for (user, outcome) in mails {
            // Sorted: the distance is never negative, and fits into 64 bits whatever the ids are.
            let distance = user.wrapping_sub(last) as u64;
            last = *user;
            let mut number = u128::from(distance) << OUTCOME_BITS | u128::from(outcome.bits());
            while number >> PAYLOAD_BITS != 0 {
                bytes.push(number as u8 | 1 << PAYLOAD_BITS);
                number >>= PAYLOAD_BITS;
            }
            bytes.push(number as u8);
        }
        Self {
            bytes: bytes.into_boxed_slice(),
        }
    }

    /// Takes bytes that [`Packed::bytes`] gave; [`None`] where they can't be such.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let packed = Self { bytes: bytes.into() };
        let mut mails = packed.mails();
        while mails.next().is_some() {}
        mails.rest.is_empty().then_some(packed)
    }

    /// The packed mails: for a sealed record alone, since they hold ids of people.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The mails by ascending id of the user.
    pub fn mails(&self) -> Mails<'_> {
        Mails {
            rest: &self.bytes,
            last: i64::MIN,
        }
    }
}

/// Walks over the mails of one test.
#[derive(Debug)]
pub struct Mails<'a> {
    rest: &'a [u8],
    last: i64,
}

impl Iterator for Mails<'_> {
    type Item = (i64, Outcome);

    fn next(&mut self) -> Option<(i64, Outcome)> {
        let mut number = 0_u128;
        let mut shift = 0;
        let mut rest = self.rest;
        loop {
            let (byte, after) = rest.split_first()?;
            rest = after;
            let payload = u128::from(byte & !(1 << PAYLOAD_BITS));
            number |= payload.checked_shl(shift)?;
            if byte >> PAYLOAD_BITS == 0 {
                break;
            }
            shift += PAYLOAD_BITS;
        }
        let distance = u64::try_from(number >> OUTCOME_BITS).ok()?;
        let user = self.last.wrapping_add(distance as i64);
        // Beyond the largest id: no number that was packed here.
        if user < self.last {
            return None;
        }
        (self.rest, self.last) = (rest, user);
        Some((user, Outcome::from_bits(number as u8 & 0b111)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mails() -> impl Strategy<Value = Vec<(i64, u8)>> {
        let id = prop_oneof![any::<i64>(), 0_i64..50, 81_000_000_i64..81_200_000];
        prop::collection::vec((id, 0_u8..8), 0..200)
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(mails in mails()) {
            let mut expected: Vec<_> = mails.iter().map(|(user, bits)| (*user, Outcome::from_bits(*bits))).collect();
            let packed = Packed::of(&mut expected);
            prop_assert_eq!(packed.mails().collect::<Vec<_>>(), expected);
            prop_assert_eq!(Packed::from_bytes(packed.bytes()), Some(packed));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(packed) = Packed::from_bytes(&bytes) {
                let mails: Vec<_> = packed.mails().collect();
                prop_assert!(mails.is_sorted_by_key(|(user, _)| *user));
            }
        }
    }

    #[test]
    fn ids_of_one_account_take_two_bytes_or_so() {
        // 100,000 ids spread over 100 million.
        let mut mails: Vec<_> = (0..100_000_i64)
            .map(|n| (81_000_000 + n * 1000 + n * n % 997, Outcome::from_bits(1)))
            .collect();
        let packed = Packed::of(&mut mails);
        assert!(packed.bytes().len() < 210_000, "{}", packed.bytes().len());
    }
}
