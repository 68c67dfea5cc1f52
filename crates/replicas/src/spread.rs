//! Who holds how many accounts: as evenly as can be, and moving no more than must.

/// How many accounts the replica `me` should hold, of `accounts` in all. `held` are the living replicas with the
/// number that each holds now; all replicas see the same, so all come to the same answer.
///
/// Where the accounts don't divide evenly, the replicas that hold most keep one more.
pub fn target(me: &str, held: &[(String, usize)], accounts: usize) -> usize {
    let replicas = held.len().max(1);
    let (share, more) = (accounts / replicas, accounts % replicas);
    let mut order: Vec<_> = held
        .iter()
        .map(|(id, count)| (std::cmp::Reverse(*count), id))
        .collect();
    order.sort();
    let place = order.iter().position(|(_, id)| *id == me);
    share + usize::from(place.is_some_and(|place| place < more))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replicas(held: &[usize]) -> Vec<(String, usize)> {
        held.iter()
            .enumerate()
            .map(|(id, count)| (format!("r{id}"), *count))
            .collect()
    }

    #[test]
    fn no_two_differ_by_more_than_one_and_the_least_moves() {
        for held in [
            &[0, 0, 0][..],
            &[10, 0, 0],
            &[4, 3, 3],
            &[3, 3, 4],
            &[5, 5, 0],
            &[1],
            &[7, 1, 1, 1],
        ] {
            let accounts: usize = held.iter().sum::<usize>().max(10);
            let replicas = replicas(held);
            let targets: Vec<_> = replicas
                .iter()
                .map(|(id, _)| target(id, &replicas, accounts))
                .collect();
            assert_eq!(targets.iter().sum::<usize>(), accounts, "{held:?}");
            let (least, most) = (
                targets.iter().min().expect("one"),
                targets.iter().max().expect("one"),
            );
            assert!(most - least <= 1, "{held:?} {targets:?}");
        }
        // Even already: nobody moves.
        let even = replicas(&[3, 4, 3]);
        assert_eq!(
            even.iter()
                .map(|(id, _)| target(id, &even, 10))
                .collect::<Vec<_>>(),
            [3, 4, 3]
        );
    }
}
