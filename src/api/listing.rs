//! Whole listings, whatever dialect their pages speak.

use roaring::RoaringTreemap;

use super::attempt::Accepted;
use super::error::ApiError;
use super::page::{Ask, Pager, Step};
use super::refresh::Refresh;
use super::retry::Delays;
use super::transport::Call;
use super::wire::{Drift, HistoryRow, RecipientRow, Row};
use super::{Client, wire};
use crate::model::{Collector, Endpoint, Reason};

/// What is listed.
struct Listing<'a> {
    endpoint: Endpoint,
    /// Of which object, where the path has an id.
    id: Option<i64>,
    parameters: &'a [(&'static str, String)],
}

/// What a row does to the collection that is being made of a listing.
///
/// An error fails the refresh.
pub type Fold<'a, R> = dyn FnMut(R, &mut Drift) -> Result<(), ApiError> + Send + 'a;

impl Client {
    /// Reads a whole listing, one page in memory at a time; each row once, by id.
    ///
    /// # Errors
    /// When a page can't be had after [`ATTEMPTS`](super::retry::ATTEMPTS), or the listing's end can't be established. What was folded until
    /// then is a part, and must not be published.
    pub async fn list<R: Row>(
        &self,
        refresh: &mut Refresh,
        endpoint: Endpoint,
        parameters: &[(&'static str, String)],
        fold: &mut Fold<'_, R>,
    ) -> Result<(), ApiError> {
        let listing = Listing {
            endpoint,
            id: None,
            parameters,
        };
        self.read(refresh, &listing, fold).await
    }

    /// The same of the recipients of one test; `parameters` as its kind needs them.
    ///
    /// # Errors
    /// As for [`Self::list`].
    pub async fn recipients(
        &self,
        refresh: &mut Refresh,
        test: i64,
        parameters: &[(&'static str, String)],
        fold: &mut Fold<'_, RecipientRow>,
    ) -> Result<(), ApiError> {
        let listing = Listing {
            endpoint: Endpoint::Of(Collector::Recipients),
            id: Some(test),
            parameters,
        };
        self.read(refresh, &listing, fold).await
    }

    /// Reads the risk scores of the past, of the account or of one group, oldest first.
    ///
    /// # Errors
    /// As for [`Self::list`].
    pub async fn history(
        &self,
        refresh: &mut Refresh,
        group: Option<i64>,
    ) -> Result<Vec<HistoryRow>, ApiError> {
        let listing = Listing {
            endpoint: group.map_or(Endpoint::AccountHistory, |_| Endpoint::GroupHistory),
            id: group,
            parameters: &[],
        };
        let mut rows = Vec::new();
        let mut fold = |row: HistoryRow, _: &mut _| {
            rows.push(row);
            Ok(())
        };
        self.read(refresh, &listing, &mut fold).await?;
        rows.sort_by_key(HistoryRow::id);
        Ok(rows)
    }

    async fn read<R: Row>(
        &self,
        refresh: &mut Refresh,
        listing: &Listing<'_>,
        fold: &mut Fold<'_, R>,
    ) -> Result<(), ApiError> {
        let endpoint = listing.endpoint;
        let mut pager = Pager::default();
        let mut known = RoaringTreemap::new();
        let mut last_body = None;
        loop {
            let Some(answer) = self.page(refresh, listing, &mut pager).await? else {
                continue;
            };
            let mut page =
                wire::list::<R>(&answer.body).map_err(|error| self.undecodable(&error, &answer))?;
            let body = Some(crc32fast::hash(&answer.body));
            let all_known = page
                .rows
                .iter()
                .all(|row| row.id().is_some_and(|id| known.contains(id as u64)));
            let mut seen = answer.headers.paging();
            seen.rows = page.elements;
            seen.repeats = page.elements > 0 && ((all_known && !page.rows.is_empty()) || body == last_body);
            last_body = body;
            // Announced pages that can't be afforded needn't be begun.
            let announced = seen.total_pages.unwrap_or(1);
            if refresh.most.is_some_and(|most| announced > most) {
                return Err(ApiError::TooExpensive {
                    requests: announced,
                    announced: true,
                });
            }
            let step = pager.seen(&seen);
            if let Step::Broken(why) = step {
                self.count(endpoint, &page.drift);
                return Err(ApiError::Incomplete(why));
            }
            if matches!(step, Step::Next(_) | Step::Last) {
                for row in page.rows {
                    if row.id().is_none_or(|id| known.insert(id as u64)) {
                        fold(row, &mut page.drift)?;
                    } else {
                        page.drift.duplicate_row += 1;
                    }
                }
                self.count(endpoint, &page.drift);
            }
            if matches!(step, Step::Last | Step::Complete) {
                return Ok(());
            }
        }
    }

    /// One page, after as many attempts as it may take. [`None`] when the pager wants to ask for another instead.
    async fn page(
        &self,
        refresh: &mut Refresh,
        listing: &Listing<'_>,
        pager: &mut Pager,
    ) -> Result<Option<Accepted>, ApiError> {
        let mut delays = Delays::between_attempts();
        let mut attempt = 1;
        loop {
            let call = Call {
                endpoint: listing.endpoint,
                id: listing.id,
                query: query(listing.endpoint, listing.parameters, pager.ask()),
            };
            let error = match self.attempt(refresh, &call, attempt).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => error,
            };
            if matches!(error.reason(), Reason::BadRequest | Reason::NotFound)
                && let Some(step) = pager.refused()
            {
                return match step {
                    Step::Broken(why) => Err(ApiError::Incomplete(why)),
                    _ => Ok(None),
                };
            }
            if error.is_timeout() {
                pager.smaller();
            }
            self.pause_or_fail(refresh, error, listing.endpoint, attempt, &mut delays)
                .await?;
            attempt += 1;
        }
    }
}

/// What one page is asked for with.
pub(super) fn query(
    endpoint: Endpoint,
    parameters: &[(&'static str, String)],
    ask: &Ask,
) -> Vec<(&'static str, String)> {
    let fixed = endpoint
        .parameters()
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    let mut query: Vec<_> = fixed.chain(parameters.iter().cloned()).collect();
    query.push(("per_page", ask.per_page.to_string()));
    query.extend(ask.cursor.iter().map(|cursor| ("cursor", cursor.clone())));
    query.extend(ask.page.iter().map(|page| ("page", page.to_string())));
    query
}
