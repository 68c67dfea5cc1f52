//! One look at an endpoint: whether the key may read it, and what its answers look like.

use super::error::ApiError;
use super::listing::query;
use super::page::{Ask, FIRST_CURSOR, Seen};
use super::refresh::Refresh;
use super::transport::Call;
use super::{Client, shape, wire};
use crate::model::{Collector, Endpoint};

/// Rows of a probe: enough to see optional fields, few enough to be quick.
pub const PROBE_PAGE: u32 = 25;

/// What an endpoint answers to a [`Client::probe`], without a value of it.
#[derive(Debug)]
pub struct Probe {
    /// Elements of the list; [`None`] for an object.
    pub elements: Option<usize>,
    /// Id of the first element, where it is a phishing test.
    pub first: Option<i64>,
    /// What its headers say about paging.
    pub paging: Seen,
    /// Seconds by which this machine's clock is ahead of the server's.
    pub skew: Option<f64>,
    /// Names of its headers.
    pub headers: Vec<String>,
    /// Types by path.
    pub shape: Vec<String>,
}

impl Client {
    /// Asks once for a few rows, of the object `id` where the path has one, without another attempt.
    ///
    /// # Errors
    /// When the answer isn't JSON with status 200.
    pub async fn probe(&self, endpoint: Endpoint, id: Option<i64>) -> Result<Probe, ApiError> {
        let ask = Ask {
            cursor: Some(FIRST_CURSOR.to_owned()),
            page: None,
            per_page: PROBE_PAGE,
        };
        let query = if endpoint == Endpoint::Of(Collector::Account) {
            Vec::new()
        } else {
            query(endpoint, &[], &ask)
        };
        let mut refresh = Refresh::new(0.0, Some(1));
        let call = Call { endpoint, id, query };
        let answer = self.attempt(&mut refresh, &call, 1).await?;
        let value = wire::any(&answer.body).map_err(|error| self.undecodable(&error, &answer))?;
        Ok(Probe {
            elements: value.as_array().map(Vec::len),
            first: value.get(0).and_then(|row| row.get("pst_id")).and_then(id_of),
            shape: shape::shape(&value),
            paging: answer.headers.paging(),
            skew: answer.headers.date().map(|date| self.clock.now() - date),
            headers: answer.headers.names().map(str::to_owned).collect(),
        })
    }
}

/// An id as a number or in quotes.
fn id_of(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}
