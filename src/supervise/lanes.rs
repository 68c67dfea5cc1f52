//! Work that waits for a storage, a few items at a time: opening a thousand accounts one by one would wait a thousand
//! times, and all at once would be a herd.

use tokio::task::JoinSet;

/// How many wait at once.
const LANES: usize = 16;

/// Does `work` with each item, and answers in their order.
pub(super) async fn in_lanes<T, R, W>(items: Vec<T>, work: impl Fn(T) -> W + Clone + Send + 'static) -> Vec<R>
where
    T: Send + 'static,
    R: Send + 'static,
    W: Future<Output = R> + Send,
{
    let mut lanes: Vec<Vec<(usize, T)>> = (0..LANES).map(|_| Vec::new()).collect();
    for (index, item) in items.into_iter().enumerate() {
        lanes[index % LANES].push((index, item));
    }
    let mut running = JoinSet::new();
    for lane in lanes.into_iter().filter(|lane| !lane.is_empty()) {
        let work = work.clone();
        running.spawn(async move {
            let mut done = Vec::with_capacity(lane.len());
            for (index, item) in lane {
                done.push((index, work(item).await));
            }
            done
        });
    }
    // A panic is a bug, and goes on.
    let mut done: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_items() {
        let doubled = in_lanes((0..100).collect(), |item: usize| async move { item * 2 }).await;
        assert_eq!(doubled, (0..200).step_by(2).collect::<Vec<_>>());
        assert!(
            in_lanes(Vec::new(), |item: usize| async move { item })
                .await
                .is_empty()
        );
    }
}
