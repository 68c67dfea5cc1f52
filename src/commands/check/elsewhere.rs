//! Finds the region that a key is of: asks the other regions for the account, one request each.
//!
//! Only for accounts that are given by region: a key goes to KnowBe4's own hosts and nowhere else.

use crate::api::Client;
use crate::api::error::ApiError;
use crate::model::{Collector, Endpoint, Reason, Region};

/// Asks every region but `here`, until one answers. `client` makes the way to a region.
pub(super) async fn search(here: Region, client: impl Fn(Region) -> Option<Client>) -> String {
    let mut silent = Vec::new();
    for region in Region::ALL.into_iter().filter(|region| *region != here) {
        let Some(client) = client(region) else {
            continue;
        };
        match client.probe(Endpoint::Of(Collector::Account), None).await {
            Ok(_) => {
                return format!(
                    "this key is answered by {region}: set region: {region} (or KNOWBE4_REGION={region})",
                    region = region.as_str()
                );
            }
            Err(error @ ApiError::Budget(_)) => {
                return format!("the other regions were not all asked: {error}");
            }
            Err(error) if matches!(error.reason(), Reason::Unauthorized | Reason::NotFound) => {}
            Err(_) => silent.push(region.as_str()),
        }
    }
    if silent.is_empty() {
        "no other region knows the key either".to_owned()
    } else {
        format!(
            "no other region is known to take the key; no answer came from {}",
            silent.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::api::headers::Headers;
    use crate::api::transport::{Answer, Call, Sending, Transport};
    use crate::clock::Clock;
    use crate::instrument::AccountInstruments;
    use crate::secret::ApiKey;
    use crate::store::{FileStorage, Storage as _};
    use quota::{Limits, Permit};

    /// Answers with a status, and notes that it was asked.
    struct Fixed(Region, u16, Arc<Mutex<Vec<Region>>>);

    impl Transport for Fixed {
        fn send<'a>(&'a self, call: &'a Call, permit: Permit) -> Sending<'a> {
            assert_eq!(call.endpoint, Endpoint::Of(Collector::Account));
            self.2.lock().expect("lock").push(self.0);
            let answer = Answer {
                status: self.1,
                headers: Headers::default(),
                body: b"{}".to_vec(),
                permit,
            };
            Box::pin(async move { Ok(answer) })
        }

        fn host(&self) -> &str {
            "fixed"
        }

        fn set_key(&self, _: ApiKey) {}
    }

    async fn searched(per_day: u64, status: impl Fn(Region) -> u16) -> (String, Vec<Region>) {
        let dir = tempfile::tempdir().expect("a folder");
        let acme = "acme".parse().expect("a name");
        let lease = FileStorage::at(dir.path()).lease(&acme).await.expect("free");
        let limits = Limits {
            per_second: 100,
            per_minute: 100,
            per_day,
        };
        let instruments = Arc::<AccountInstruments>::default();
        let clock = Clock::system();
        let budget = Arc::new(lease.budget(limits, clock.clone()).await.expect("a ledger"));
        let asked = Arc::<Mutex<Vec<Region>>>::default();
        let client = |region| {
            let transport = Fixed(region, status(region), Arc::clone(&asked));
            Some(Client::new(
                Arc::new(transport),
                Arc::clone(&budget),
                Arc::clone(&instruments),
                clock.clone(),
            ))
        };
        let said = search(Region::Us, client).await;
        let asked = asked.lock().expect("lock").clone();
        (said, asked)
    }

    #[tokio::test]
    async fn the_region_that_answers_is_named_and_no_further_one_is_asked() {
        let (said, asked) = searched(100, |region| if region == Region::Uk { 200 } else { 401 }).await;
        assert!(said.contains("answered by UK"), "{said}");
        assert_eq!(asked, [Region::Eu, Region::Ca, Region::Uk]);
    }

    #[tokio::test]
    async fn what_nobody_answers_is_said() {
        let (said, asked) = searched(100, |region| if region == Region::De { 503 } else { 401 }).await;
        assert!(said.contains("no answer came from DE"), "{said}");
        assert_eq!(asked.len(), 4);
        let (said, _) = searched(100, |_| 404).await;
        assert_eq!(said, "no other region knows the key either");
    }

    #[tokio::test]
    async fn the_budget_goes_before_the_search() {
        let (said, asked) = searched(2, |_| 401).await;
        assert!(said.contains("not all asked"), "{said}");
        assert_eq!(asked.len(), 2);
    }
}
