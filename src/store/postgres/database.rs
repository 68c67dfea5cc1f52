//! One connection to the database, made anew when it breaks. Nothing waits for it without an end.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::schema;
use super::trouble::Trouble;
use crate::clock::Clock;
use crate::model::DatabaseUse;

/// How long the database may take for a connection, and for an answer: then the connection is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// A parameter and its type: with it a statement is one round trip, and needs no session to be prepared in.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// One connection at a time.
pub(super) struct Database {
    pub(super) address: Address,
    pub(super) tls: MakeRustlsConnect,
    /// Where it is, for people.
    pub(super) place: String,
    /// Made when something is asked.
    pub(super) link: Mutex<Option<Arc<Connected>>>,
    /// Told when another replica has changed something.
    pub(super) news: Arc<Notify>,
    /// Whether it hears of news.
    pub(super) listens: bool,
    /// What is counted of it.
    pub(super) used: Arc<std::sync::Mutex<DatabaseUse>>,
    pub(super) clock: Clock,
}

/// A connection that stands.
pub(super) struct Connected {
    client: Client,
    /// Drives the connection, for as long as this lives.
    _driver: JoinSet<()>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.place)
    }
}

impl Database {
    /// The rows that a statement gives.
    pub(super) async fn rows(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Trouble> {
        let answer = self.asked(sql, parameters).await;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.round_trips += 1;
        match answer {
            Ok(_) => used.last_success = Some(self.clock.now()),
            Err(_) => used.failures += 1,
        }
        answer
    }

    async fn asked(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Trouble> {
        let connected = self.connected().await?;
        match timeout(PATIENCE, connected.client.query_typed(sql, parameters)).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => {
                // A primary that has become a copy keeps its connections: another of the URL's hosts may be the primary now.
                let demoted = error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION);
                if demoted || connected.client.is_closed() {
                    self.give_up(&connected).await;
                }
                Err(Trouble::of(&self.place, &error))
            }
            Err(_) => {
                self.give_up(&connected).await;
                Err(Trouble::silent(&self.place, PATIENCE))
            }
        }
    }

    /// The only row that a statement gives, if any.
    pub(super) async fn row(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Option<Row>, Trouble> {
        Ok(self.rows(sql, parameters).await?.into_iter().next())
    }

    async fn connected(&self) -> Result<Arc<Connected>, Trouble> {
        let mut link = self.link.lock().await;
        if let Some(connected) = link.as_ref().filter(|connected| !connected.client.is_closed()) {
            return Ok(Arc::clone(connected));
        }
        *link = None;
        let connected = timeout(PATIENCE, self.connect())
            .await
            .map_err(|_| Trouble::silent(&self.place, PATIENCE))??;
        let connected = Arc::new(connected);
        *link = Some(Arc::clone(&connected));
        Ok(connected)
    }

    async fn connect(&self) -> Result<Connected, Trouble> {
        let trouble = |error: tokio_postgres::Error| Trouble::of(&self.place, &error);
        let (client, mut connection) = self
            .address
            .config
            .connect(self.tls.clone())
            .await
            .map_err(trouble)?;
        let news = Arc::clone(&self.news);
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if matches!(message, AsyncMessage::Notification(_)) {
                    news.notify_one();
                }
            }
        });
        schema::migrate(&client, &self.place).await?;
        if self.listens {
            // A pool between may not deliver anything: then it is found out by asking, a little later.
            let _ = client.batch_execute("LISTEN knowbe4_exporter").await;
        }
        Ok(Connected {
            client,
            _driver: driver,
        })
    }

    async fn give_up(&self, broken: &Arc<Connected>) {
        let mut link = self.link.lock().await;
        if link
            .as_ref()
            .is_some_and(|connected| Arc::ptr_eq(connected, broken))
        {
            *link = None;
        }
    }
}
