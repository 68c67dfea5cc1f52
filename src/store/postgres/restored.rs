//! A database that went back in time: what this replica knows to be spent is written back, whoever polls the account.

use tokio_postgres::types::Type;
use tracing::warn;

use super::Shared;
use super::members::REMEMBERED;
use super::trouble::Trouble;

/// The newest request that the database has. Numbers only rise, so that a smaller one than before is an earlier time.
const NEWEST: &str = "
SELECT coalesce(max(id), 0), (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM knowbe4_exporter.request";

/// Under their own numbers, so that each comes back once, whoever remembers it. No number is given twice.
const PUT_BACK: &str = "
WITH back AS (
    INSERT INTO knowbe4_exporter.request (id, account, fence, at, ended)
    SELECT id, account, 0, to_timestamp((at / 1000.0)::float8), to_timestamp((at / 1000.0)::float8)
    FROM unnest($1, $2, $3) AS r (id, account, at)
    WHERE EXISTS (SELECT FROM knowbe4_exporter.account a WHERE a.name = r.account)
    ON CONFLICT DO NOTHING RETURNING id
)
SELECT setval(pg_get_serial_sequence('knowbe4_exporter.request', 'id'), greatest($4, nextval(
    pg_get_serial_sequence('knowbe4_exporter.request', 'id')))), (SELECT count(*) FROM back)";

impl Shared {
    /// Looks whether the database still has the newest request that is remembered here.
    pub(super) async fn look_for_a_restore(&self) -> Result<(), Trouble> {
        let row = self.fast.row(NEWEST, &[]).await?;
        let (newest, now) = row.map_or((0, 0), |row| (row.get::<_, i64>(0), row.get::<_, i64>(1)));
        let remembered: Vec<(i64, String, i64)> = {
            let state = self.lock();
            let all = state.recorded.iter().flat_map(|(account, requests)| {
                requests.iter().map(|(id, at)| (*id, account.to_string(), *at))
            });
            // What is older is deleted, and counts nowhere.
            all.filter(|(id, _, at)| *id > newest && at + REMEMBERED > now)
                .collect()
        };
        let Some(last) = remembered.iter().map(|(id, ..)| *id).max() else {
            return Ok(());
        };
        let ids: Vec<i64> = remembered.iter().map(|(id, ..)| *id).collect();
        let accounts: Vec<&str> = remembered
            .iter()
            .map(|(_, account, _)| account.as_str())
            .collect();
        let times: Vec<i64> = remembered.iter().map(|(.., at)| *at).collect();
        let parameters = [
            (&ids as _, Type::INT8_ARRAY),
            (&accounts as _, Type::TEXT_ARRAY),
            (&times as _, Type::INT8_ARRAY),
            (&last as _, Type::INT8),
        ];
        self.fast.rows(PUT_BACK, &parameters).await?;
        warn!(
            storage = self.place,
            requests = ids.len(),
            "the database went back in time: requests that this replica knows of were written back"
        );
        Ok(())
    }
}
