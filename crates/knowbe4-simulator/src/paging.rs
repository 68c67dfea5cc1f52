//! How each dialect cuts a list into pages, and what its headers say.

use serde_json::{Value, json};

use super::Dialect;
use super::content::List;
use super::fault::{Quirk, Quirks};

/// Most rows of a page.
const MOST: usize = 500;

/// Most rows of a page of training campaigns, whose percentages take long to calculate.
const MOST_CAMPAIGNS: usize = 10;

/// Names and values.
type Headers = Vec<(String, String)>;

/// What a query asks for.
pub(super) struct Page {
    dialect: Dialect,
    parameters: Vec<(String, String)>,
    cursors: bool,
}

impl Page {
    pub(super) fn read(dialect: Dialect, query: &str, quirks: &Quirks) -> Self {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Self {
            dialect,
            parameters: pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            cursors: dialect == Dialect::Cursor && !quirks.has(Quirk::NoPaging),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is true.
    pub(super) fn asks(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Whether a parameter has this value, and the dialect knows it.
    pub(super) fn honours(&self, name: &str, value: &str) -> bool {
        self.filter(name) == Some(value)
    }

    /// A parameter that the first description of the API doesn't have.
    pub(super) fn filter(&self, name: &str) -> Option<&str> {
        self.get(name)
            .filter(|_| self.dialect != Dialect::Brief || name == "campaign_type")
    }

    /// Rows of a page of what is at `path`.
    fn per_page(&self, path: &str) -> usize {
        let default = if self.dialect == Dialect::Brief { 25 } else { 100 };
        let asked = self
            .get("per_page")
            .and_then(|n| n.parse().ok())
            .filter(|n| *n > 0)
            .unwrap_or(default);
        let capped = path.starts_with("/training/campaigns")
            && self.dialect != Dialect::Brief
            && !self.asks("exclude_percentages");
        asked.min(if capped { MOST_CAMPAIGNS } else { MOST })
    }

    /// The rows of the page that is asked for, and its headers; or the status of a refusal.
    pub(super) fn cut(
        &self,
        path: &str,
        list: List<'_>,
        quirks: &Quirks,
    ) -> Result<(Vec<Value>, Headers), u16> {
        let per_page = self.per_page(path);
        let number = self
            .get("page")
            .and_then(|n| n.parse::<usize>().ok())
            .filter(|n| *n > 0);
        if number.is_some() && quirks.has(Quirk::PageRefused) {
            return Err(400);
        }
        let cursor = self.get("cursor").filter(|_| self.cursors);
        let from = match cursor {
            Some(cursor) => cursor
                .strip_prefix('c')
                .and_then(|from| from.parse().ok())
                .unwrap_or(0),
            None if self.cursors || quirks.has(Quirk::NoPaging) => 0,
            None => (number.unwrap_or(1) - 1).saturating_mul(per_page),
        };
        // A row comes in at the front after the first page was read: the last row of each page is in the next one too.
        let from = if quirks.has(Quirk::Shift) && from > 0 {
            from - 1
        } else {
            from
        };
        let to = list.len.min(from.saturating_add(per_page));
        let mut rows: Vec<Value> = (from..to).map(|number| (list.row)(number)).collect();
        quirks.apply(&mut rows);
        let mut headers = Vec::new();
        if cursor.is_some() {
            let next = if quirks.has(Quirk::RepeatCursor) {
                Some("c7".to_owned())
            } else {
                (to < list.len).then(|| format!("c{to}"))
            };
            headers.extend(next.map(|next| quirks.cursor_header(&next, path)));
        }
        if self.dialect == Dialect::Brief {
            headers.extend(announcement(path, number.unwrap_or(1), per_page, list.len));
        }
        if quirks.has(Quirk::NullRow) {
            rows.push(Value::Null);
        }
        if quirks.has(Quirk::BadRow) {
            rows.push(json!("not a row"));
        }
        Ok((rows, headers))
    }
}

/// The headers of the API's first description.
fn announcement(path: &str, page: usize, per_page: usize, total: usize) -> Headers {
    let pages = total.div_ceil(per_page);
    let link = |page: usize, rel: &str| {
        format!("<https://api.example/v1{path}?page={page}&per_page={per_page}>; rel=\"{rel}\"")
    };
    let mut links = vec![link(1, "first"), link(pages.max(1), "last")];
    if page < pages {
        links.push(link(page + 1, "next"));
    }
    if page > 1 {
        links.push(link(page - 1, "prev"));
    }
    let numbers = [
        ("Total", total),
        ("Total-Pages", pages),
        ("Per-Page", per_page),
        ("Current-Page", page),
    ];
    let mut headers: Vec<_> = numbers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .collect();
    headers.push(("Link".to_owned(), links.join(", ")));
    headers
}
