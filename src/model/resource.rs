//! The table of resources: what is particular about each thing that the API lists, said once.
//!
//! Names, paths, weights and costs of collectors are read from here; a new collector is an entry of [`RESOURCES`], and
//! the compiler names what else it needs: its [`Collector`], its collection in the snapshot, its arm
//! in `collect`, and its families.
//!
//! Source of the paths and parameters: <https://developer.knowbe4.com/rest/reporting>.

use super::Collector;

/// Rows in a page of most listings: the documented maximum.
const PAGE: u64 = 500;

/// Lengths at which servers are known or likely to cut pages whatever `per_page` says: 10 for training campaigns,
/// 25 and 100 the defaults that different documents name, 20 and 30 those of pagination libraries, the others round.
/// A page this long may go on.
pub const KNOWN_CUTS: [u64; 8] = [10, 20, 25, 30, 50, 100, 200, 250];

/// What is particular about one resource of the API.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resource {
    /// Who reads it.
    pub collector: Collector,
    /// The name in the `collector` label and in the configuration file.
    pub name: &'static str,
    /// Path below the base URL, and the value of the `endpoint` label; `{id}` stands for an object's id.
    pub path: &'static str,
    /// Parameters that every request to it carries, besides those of paging. A server that doesn't know them
    /// ignores them, so that what they ask for is checked in the rows once more.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Most rows of a page.
    pub page: u64,
    /// Whether the server calculates while it answers, which may take up to a minute.
    pub is_slow: bool,
    /// How much staleness of it hurts compared with the others. Intervals go with the root of cost over weight, so
    /// that a fourfold weight halves an interval.
    pub weight: f64,
    /// What has to have been tried before it, so that its requests bring the most: names and people to join rows by.
    pub needs: &'static [Collector],
    /// Where it isn't one listing but one of each object that another collector lists: which. Each of them is whole or
    /// not at all, looks for room of its own, and is paid from a share of its own.
    pub each_of: Option<Collector>,
    /// Requests of one refresh before the first one has been counted: about 1,000 users, 20,000 enrollments and 40
    /// training campaigns.
    pub estimated_requests: u64,
}

impl Resource {
    /// Requests that a listing of `rows` takes at most. What says nothing of a next page and may have one is asked for
    /// one more.
    pub fn requests(&self, rows: u64) -> u64 {
        let full = rows / self.page;
        let may_go_on = full == 0 && KNOWN_CUTS.contains(&rows);
        full + 1 + u64::from(may_go_on)
    }
}

/// What most entries have: one page, looked at daily.
const DAILY: Resource = Resource {
    collector: Collector::Account,
    name: "",
    path: "",
    parameters: &[],
    page: PAGE,
    is_slow: false,
    weight: 2.0,
    needs: &[],
    each_of: None,
    estimated_requests: 1,
};

/// All resources, in the order in which they are shown: that of [`Collector`]'s variants.
pub const RESOURCES: &[Resource] = &[
    Resource {
        collector: Collector::Account,
        name: "account",
        path: "/v1/account",
        ..DAILY
    },
    Resource {
        collector: Collector::Groups,
        name: "groups",
        path: "/v1/groups",
        // Without it archived groups are listed too.
        parameters: &[("status", "active")],
        ..DAILY
    },
    Resource {
        collector: Collector::Users,
        name: "users",
        path: "/v1/users",
        // Without it archived users are listed too.
        parameters: &[("status", "active")],
        estimated_requests: 2,
        ..DAILY
    },
    Resource {
        collector: Collector::PhishingCampaigns,
        name: "phishing_campaigns",
        path: "/v1/phishing/campaigns",
        ..DAILY
    },
    Resource {
        collector: Collector::PhishingTests,
        name: "phishing_tests",
        path: "/v1/phishing/security_tests",
        // They change by the minute while a campaign runs, and are what an incident is judged by.
        weight: 4.0,
        ..DAILY
    },
    Resource {
        collector: Collector::TrainingCampaigns,
        name: "training_campaigns",
        path: "/v1/training/campaigns",
        // The server calculates their percentages, and cuts pages short for it.
        page: 10,
        is_slow: true,
        estimated_requests: 4,
        ..DAILY
    },
    Resource {
        collector: Collector::Enrollments,
        name: "enrollments",
        path: "/v1/training/enrollments",
        // Without them leavers are listed too, and rows don't say which campaign they belong to.
        parameters: &[
            ("exclude_archived_users", "true"),
            ("include_campaign_id", "true"),
        ],
        is_slow: true,
        needs: &[Collector::TrainingCampaigns, Collector::Users],
        estimated_requests: 40,
        ..DAILY
    },
    Resource {
        collector: Collector::StorePurchases,
        name: "store_purchases",
        path: "/v1/training/store_purchases",
        // They change a few times a year.
        weight: 0.5,
        ..DAILY
    },
    Resource {
        collector: Collector::Policies,
        name: "policies",
        path: "/v1/training/policies",
        // They change a few times a year.
        weight: 0.5,
        ..DAILY
    },
    Resource {
        collector: Collector::Recipients,
        name: "recipients",
        path: "/v1/phishing/security_tests/{id}/recipients",
        // They take what the others leave.
        weight: 0.5,
        needs: &[Collector::PhishingTests, Collector::Users],
        each_of: Some(Collector::PhishingTests),
        estimated_requests: 2,
        ..DAILY
    },
];

const _: () = {
    let mut place = 0;
    while place < RESOURCES.len() {
        assert!(
            RESOURCES[place].collector as usize == place,
            "the table is in the order of the variants"
        );
        assert!(RESOURCES[place].weight > 0.0 && RESOURCES[place].estimated_requests > 0);
        place += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_may_go_on_is_counted() {
        let resource = Collector::Recipients.resource();
        let requests = [0, 1, 100, 101, 499, 500, 1200, 2000].map(|rows| resource.requests(rows));
        assert_eq!(requests, [1, 1, 2, 1, 1, 2, 3, 5]);
    }
}
