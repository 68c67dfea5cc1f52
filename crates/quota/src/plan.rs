//! The planner: how often to refresh what, so that data is as fresh as the budget allows. Pure.
//!
//! A refresh of source *i* costs c requests, and staleness of it weighs w. Refreshed every T, its data is T/2 old
//! on average. Minimising the weighted mean age under a budget of R requests a day gives T proportional to
//! sqrt(c / w) (Lagrange), clamped to what the configuration allows.
//!
//! Any 24 hours have to keep the budget, not the average day. A refresh of many requests that is due 11.5 times a day
//! is in some 24 hours 12 times, and then has to wait for room, for long. So refreshes that are dear beside the
//! budget are planned a whole number of times a day, which no 24 hours exceed, where that makes the data hardly older,
//! and the others share what that leaves.

const DAY: f64 = 86_400.0;

/// The part of the budget that is left where the configuration leaves the choice: for the first attempts beyond the
/// first, until the overhead is known, and for refreshes that overlap with those of the day before.
const RESERVE: f64 = 0.005;

/// A refresh that costs more than this part of the budget is a dear one: the reserve doesn't hold it.
const DEAR: f64 = RESERVE;

/// How old the data may be on average, beside the optimum, for the reserve and for whole numbers.
const OLDEST: f64 = 1.02;

/// Longest interval of what doesn't fit as configured, in seconds: two days, before its data counts as stale.
const LATEST: f64 = 2.0 * DAY;

/// What one source of data wants; `K` names it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand<K> {
    /// Which.
    pub what: K,
    /// Requests of one refresh.
    pub cost: f64,
    /// How much staleness of it matters, above 0.
    pub weight: f64,
    /// Shortest interval in seconds.
    pub min: f64,
    /// Longest interval in seconds.
    pub max: f64,
    /// The interval, if the configuration leaves no choice.
    pub fixed: Option<f64>,
}

/// What one source of data gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planned<K> {
    /// Which.
    pub what: K,
    /// Requests of one refresh.
    pub cost: f64,
    /// Seconds between the beginnings of two refreshes; [`None`] where the budget allows none.
    pub interval: Option<f64>,
    /// Requests a day that this costs.
    pub requests_per_day: f64,
    /// Requests a day that the configuration asks for at least.
    pub configured_per_day: f64,
}

/// The intervals of all sources that share one budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<K> {
    /// Whether everything fits as configured.
    pub fits: bool,
    /// In the order of the demands.
    pub planned: Vec<Planned<K>>,
    /// Requests a day that the configured intervals need: beyond the budget when they don't fit.
    pub requests_per_day: f64,
}

/// Plans `demands` within `limit` requests a day, of which the part `overhead` is left for requests that bring nothing.
///
/// Where they don't fit, they are admitted in order of weight, the cheaper first among equals, as slow as they may be;
/// the others get longer intervals than the configuration allows, if that helps, or none.
pub fn plan<K: Copy + PartialEq>(demands: &[Demand<K>], limit: f64, overhead: f64) -> Plan<K> {
    let slowest: f64 = demands.iter().map(Demand::least).sum();
    let fits = slowest <= limit && demands.iter().all(|demand| demand.cost <= limit);
    let admitted = if fits {
        demands.to_vec()
    } else {
        admit(demands, limit)
    };
    let intervals = intervals(&admitted, limit / (1.0 + overhead));
    let interval = |demand: &Demand<K>| {
        let index = admitted.iter().position(|other| other.what == demand.what)?;
        Some(intervals[index])
    };
    let planned: Vec<_> = demands
        .iter()
        .map(|demand| {
            let interval = interval(demand);
            Planned {
                what: demand.what,
                cost: demand.cost,
                interval,
                requests_per_day: interval.map_or(0.0, |interval| demand.cost * DAY / interval),
                configured_per_day: demand.least(),
            }
        })
        .collect();
    let requests_per_day = planned
        .iter()
        .map(|planned| planned.requests_per_day.max(planned.configured_per_day))
        .sum();
    Plan {
        fits,
        planned,
        requests_per_day,
    }
}

/// What a budget that doesn't hold everything is spent on.
fn admit<K: Copy>(demands: &[Demand<K>], limit: f64) -> Vec<Demand<K>> {
    let mut order: Vec<_> = demands.iter().filter(|demand| demand.cost <= limit).collect();
    order.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.cost.total_cmp(&b.cost)));
    let mut left = limit;
    let mut admitted: Vec<Demand<K>> = Vec::new();
    let mut take = |demand: Demand<K>| {
        let taken = demand.least() <= left;
        if taken {
            left -= demand.least();
            admitted.push(demand);
        }
        taken
    };
    let late: Vec<_> = order.into_iter().filter(|demand| !take(**demand)).collect();
    for demand in late {
        let (shortest, longest) = demand.bounds();
        take(Demand {
            min: shortest,
            max: longest.max(LATEST),
            fixed: None,
            ..*demand
        });
    }
    admitted
}

impl<K> Demand<K> {
    /// Shortest and longest interval.
    fn bounds(&self) -> (f64, f64) {
        self.fixed
            .map_or_else(|| (self.min, self.max.max(self.min)), |fixed| (fixed, fixed))
    }

    /// Fewest requests a day.
    fn least(&self) -> f64 {
        self.cost * DAY / self.bounds().1
    }

    /// The interval at one price of a request: `price` scales all intervals alike.
    fn at(&self, price: f64) -> f64 {
        let (shortest, longest) = self.bounds();
        (price * (self.cost / self.weight).sqrt()).clamp(shortest, longest)
    }
}

/// The continuous optimum: intervals that spend the budget, or are as short as may be.
fn optimum<K>(demands: &[Demand<K>], budget: f64) -> Vec<f64> {
    let spent = |price: f64| {
        demands
            .iter()
            .map(|demand| demand.cost * DAY / demand.at(price))
            .sum::<f64>()
    };
    // Beyond these prices every interval is at a bound.
    let (mut cheap, mut dear) = (1e-9_f64, 1e12_f64);
    if spent(cheap) <= budget {
        return demands.iter().map(|demand| demand.at(cheap)).collect();
    }
    // Bisection in the exponent: 200 halvings of 21 decades are exact to the last bit.
    for _ in 0..200 {
        let middle = (cheap * dear).sqrt();
        if spent(middle) > budget {
            cheap = middle
        } else {
            dear = middle
        }
    }
    demands.iter().map(|demand| demand.at(dear)).collect()
}

/// The optimum with a reserve, in which dear refreshes are made a whole number of times a day, the dearest first.
fn intervals<K: Copy>(demands: &[Demand<K>], limit: f64) -> Vec<f64> {
    let oldest = mean_age(demands, &optimum(demands, limit)) * OLDEST;
    let is_fresh = |intervals: &[f64]| mean_age(demands, intervals) <= oldest;
    let mut budget = limit / (1.0 + RESERVE);
    if !is_fresh(&optimum(demands, budget)) {
        budget = limit;
    }
    let mut settled = demands.to_vec();
    let mut dear: Vec<_> = (0..demands.len())
        .filter(|index| demands[*index].cost > budget * DEAR)
        .collect();
    dear.sort_by(|a, b| demands[*b].cost.total_cmp(&demands[*a].cost));
    for index in dear {
        let (shortest, longest) = settled[index].bounds();
        let times = DAY / optimum(&settled, budget)[index];
        let rounded = DAY / times.round();
        if !(shortest..=longest).contains(&rounded) || DAY / times <= shortest {
            continue;
        }
        let before = settled[index];
        settled[index].fixed = Some(rounded);
        let spent: f64 = settled.iter().map(Demand::least).sum();
        if spent > budget || !is_fresh(&optimum(&settled, budget)) {
            settled[index] = before;
        }
    }
    optimum(&settled, budget)
}

/// Weighted mean age of the data in seconds: half of each interval.
fn mean_age<K>(demands: &[Demand<K>], intervals: &[f64]) -> f64 {
    let weights: f64 = demands.iter().map(|demand| demand.weight).sum();
    let ages: f64 = demands
        .iter()
        .zip(intervals)
        .map(|(demand, interval)| demand.weight * interval / 2.0)
        .sum();
    if weights > 0.0 { ages / weights } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn demand(index: usize, cost: f64, weight: f64) -> Demand<usize> {
        Demand {
            what: index,
            cost,
            weight,
            min: 60.0,
            max: 30.0 * DAY,
            fixed: None,
        }
    }

    fn intervals(plan: &Plan<usize>) -> Vec<f64> {
        plan.planned
            .iter()
            .map(|planned| planned.interval.expect("planned"))
            .collect()
    }

    /// The typical account of 5,000 users and 20,000 enrollments: T = 27, 27, 13.6, 19.2, 61, 121 minutes at 1,000 a day.
    #[test]
    fn the_worked_example() {
        let costs = [1.0, 1.0, 1.0, 1.0, 10.0, 40.0];
        let weights = [1.0, 1.0, 4.0, 2.0, 2.0, 2.0];
        let demands: Vec<_> = (0..6).map(|i| demand(i, costs[i], weights[i])).collect();
        let plan = plan(&demands, 1000.0, 0.0);
        assert!(plan.fits);
        for (interval, minutes) in intervals(&plan).iter().zip([27.2, 27.2, 13.6, 19.2, 60.8, 121.5]) {
            assert!(
                (interval / 60.0 / minutes - 1.0).abs() < 0.03,
                "{interval} s for {minutes} min"
            );
        }
        // The dear ones, users and enrollments, come a whole number of times a day.
        for interval in &intervals(&plan)[4..] {
            let times = DAY / interval;
            assert!((times - times.round()).abs() < 1e-6, "{times}");
        }
    }

    #[test]
    fn bounds_hold_and_fixed_intervals_stay() {
        let mut demands = vec![demand(0, 1.0, 1.0), demand(1, 100.0, 1.0), demand(2, 1.0, 1.0)];
        demands[0].fixed = Some(7200.0);
        demands[2].min = 3600.0;
        demands[2].max = 3600.0;
        let plan = plan(&demands, 2000.0, 0.0);
        assert_eq!(intervals(&plan)[0], 7200.0);
        assert_eq!(intervals(&plan)[2], 3600.0);
        assert!(plan.fits && plan.requests_per_day <= 2000.0);
    }

    #[test]
    fn what_does_not_fit_is_slowed_down_by_weight() {
        let mut demands = vec![demand(0, 1.0, 2.0), demand(1, 900.0, 1.0), demand(2, 1.0, 0.5)];
        for demand in &mut demands {
            demand.max = DAY / 2.0;
        }
        let plan = plan(&demands, 1000.0, 0.0);
        assert!(!plan.fits);
        let intervals = intervals(&plan);
        assert!(
            intervals[0] <= DAY / 2.0 && intervals[1] > DAY / 2.0 && intervals[2] <= DAY / 2.0,
            "{plan:?}"
        );
        assert!(plan.requests_per_day > 1000.0);
    }

    #[test]
    fn a_refresh_beyond_the_day_is_never_planned() {
        let plan = plan(&[demand(0, 1.0, 1.0), demand(1, 2000.0, 9.0)], 800.0, 0.0);
        assert!(!plan.fits && plan.planned[0].interval.is_some() && plan.planned[1].interval.is_none());
    }

    fn demands() -> impl Strategy<Value = Vec<Demand<usize>>> {
        let one = (1_u32..400, 1_u32..100, 60_f64..4000.0, 1.0_f64..300.0);
        prop::collection::vec(one, 1..9).prop_map(|all| {
            let one = |(index, (cost, weight, min, factor)): (usize, (u32, u32, f64, f64))| Demand {
                min,
                max: min * factor,
                ..demand(index, f64::from(cost), f64::from(weight) / 10.0)
            };
            all.into_iter().enumerate().map(one).collect()
        })
    }

    /// The optimum by another way: moving budget between two sources gains nothing any more.
    fn cannot_be_improved(demands: &[Demand<usize>], intervals: &[f64], budget: f64) -> bool {
        let age = mean_age(demands, intervals);
        let rate = |i: usize| demands[i].cost * DAY / intervals[i];
        let spare = (budget - (0..demands.len()).map(rate).sum::<f64>()).max(0.0);
        (0..demands.len()).all(|to| {
            (0..demands.len()).filter(|from| *from != to).all(|from| {
                [0.02, 0.1, 0.5].into_iter().all(|part| {
                    let moved = rate(from) * part;
                    let mut other = intervals.to_vec();
                    other[from] = demands[from].cost * DAY / (rate(from) - moved);
                    other[to] = demands[to].cost * DAY / (rate(to) + moved + spare);
                    let allowed =
                        |i: usize| other[i] >= demands[i].bounds().0 && other[i] <= demands[i].bounds().1;
                    !(allowed(from) && allowed(to)) || mean_age(demands, &other) >= age * (1.0 - 1e-9)
                })
            })
        })
    }

    proptest! {
        #[test]
        fn within_the_budget_and_two_percent_of_the_optimum(demands in demands(), limit in 100_f64..200_000.0) {
            let plan = plan(&demands, limit, 0.0);
            prop_assume!(plan.fits);
            let intervals = intervals(&plan);
            prop_assert!(plan.requests_per_day <= limit * (1.0 + 1e-9));
            for (demand, interval) in demands.iter().zip(&intervals) {
                prop_assert!(*interval >= demand.min * (1.0 - 1e-9) && *interval <= demand.bounds().1 * (1.0 + 1e-9));
            }
            let best = optimum(&demands, limit);
            prop_assert!(mean_age(&demands, &intervals) <= mean_age(&demands, &best) * 1.02);
            prop_assert!(cannot_be_improved(&demands, &best, limit));
        }

        #[test]
        fn overhead_is_left_where_intervals_are_free(demands in demands(), limit in 50_000_f64..200_000.0, overhead in 0_f64..0.1) {
            let free: Vec<_> = demands.iter().map(|demand| Demand { min: 1e-3, max: 1e9, ..*demand }).collect();
            let plan = plan(&free, limit, overhead);
            let spent = plan.requests_per_day * (1.0 + overhead);
            prop_assert!(spent <= limit && spent > limit * 0.99, "{spent} of {limit}");
        }

        #[test]
        fn proportional_to_the_root_between_the_bounds(demands in demands(), limit in 100_000_f64..200_000.0) {
            let free: Vec<_> = demands.iter().map(|demand| Demand { min: 1e-3, max: 1e9, ..*demand }).collect();
            let plan = plan(&free, limit, 0.0);
            let scale = |(demand, interval): (&Demand<usize>, f64)| interval / (demand.cost / demand.weight).sqrt();
            let scales: Vec<_> = free.iter().zip(intervals(&plan)).map(scale).collect();
            for scale in &scales {
                prop_assert!((scale / scales[0] - 1.0).abs() < 1e-6, "{scales:?}");
            }
        }

        #[test]
        fn what_is_admitted_always_keeps_the_budget(demands in demands(), limit in 1_f64..2000.0) {
            let plan = plan(&demands, limit, 0.0);
            let admitted = plan.planned.iter().filter(|planned| planned.interval.is_some());
            prop_assert!(admitted.map(|planned| planned.requests_per_day).sum::<f64>() <= limit * (1.0 + 1e-9));
            prop_assert!(plan.fits || plan.requests_per_day > limit || plan.planned.iter().any(|planned| planned.interval.is_none()));
        }
    }
}
