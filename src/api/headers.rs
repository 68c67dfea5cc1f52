//! What an answer's headers say about paging, waiting and itself.

use std::time::Duration;

use reqwest::Url;

use super::page::{FIRST_CURSOR, Seen};

/// The headers of an answer, names in lower case.
#[derive(Debug, Clone, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Takes headers in any case.
    pub fn new(headers: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(
            headers
                .into_iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect(),
        )
    }

    /// The first non-empty value of a header, trimmed.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All non-empty values of a header, trimmed.
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Names, for the shape of an answer.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// `X-Request-Id`: what KnowBe4's support asks for. Cut to what such an id can be.
    pub fn request_id(&self) -> Option<String> {
        let id: String = self
            .get("x-request-id")?
            .chars()
            .filter(|c| c.is_ascii_graphic())
            .take(64)
            .collect();
        (!id.is_empty()).then_some(id)
    }

    /// Whether the body claims to be JSON; an answer without a type may be.
    pub fn is_json(&self) -> bool {
        self.get("content-type").is_none_or(|kind| {
            let kind = kind
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            kind.ends_with("/json") || kind.ends_with("+json")
        })
    }

    /// `Retry-After`: seconds, or a date, which is held against the answer's own `Date` where it has one.
    /// `now` is unix seconds.
    pub fn retry_after(&self, now: f64) -> Option<Duration> {
        let value = self.get("retry-after")?;
        if let Ok(seconds) = value.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        let until = http_date(value)?;
        let now = self.date().unwrap_or(now);
        Some(Duration::try_from_secs_f64(until - now).unwrap_or(Duration::ZERO))
    }

    /// `Date`: the server's clock, in unix seconds.
    pub fn date(&self) -> Option<f64> {
        self.get("date").and_then(http_date)
    }

    /// What they say about paging; rows and repeats are the caller's to fill in.
    pub fn paging(&self) -> Seen {
        let number = |name: &str| self.get(name).and_then(|value| value.parse().ok());
        let links: Vec<_> = self.all("link").flat_map(links).collect();
        let next = links.iter().find(|(rel, _)| *rel == "next").map(|(_, to)| to);
        let parameter = |name: &str| {
            next?
                .query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
                .filter(|value| !value.is_empty())
        };
        let named = ["x-next-cursor", "next-cursor", "x-cursor-next"]
            .into_iter()
            .find_map(|name| self.get(name));
        // A server of numbered pages that knows no cursor may repeat the parameter as it was asked.
        let linked = || parameter("cursor").filter(|cursor| cursor != FIRST_CURSOR);
        Seen {
            next_cursor: named.map(str::to_owned).or_else(linked),
            linked: !links.is_empty(),
            next_page: parameter("page").and_then(|page| page.parse().ok()),
            total_pages: number("total-pages"),
            total: number("total"),
            ..Seen::default()
        }
    }
}

fn http_date(date: &str) -> Option<f64> {
    let time = httpdate::parse_http_date(date).ok()?;
    time.duration_since(std::time::UNIX_EPOCH)
        .ok()
        .map(|since| since.as_secs_f64())
}

/// The relations of a `Link` header that are about pages, each with its target. Only a target's parameters are ever
/// used: no link is followed to where it points.
fn links(header: &str) -> Vec<(&'static str, Url)> {
    let Ok(base) = Url::parse("https://localhost/") else {
        return Vec::new();
    };
    let mut links = Vec::new();
    for (target, parameters) in header.split('<').skip(1).filter_map(|part| part.split_once('>')) {
        let relations = parameters
            .split([';', ','])
            .filter_map(|parameter| parameter.split_once('='))
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("rel"))
            .flat_map(|(_, value)| value.trim().trim_matches('"').split_ascii_whitespace());
        for relation in relations {
            let known = ["first", "prev", "next", "last"]
                .into_iter()
                .find(|known| relation.eq_ignore_ascii_case(known));
            links.extend(known.zip(base.join(target.trim()).ok()));
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        Headers::new(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn cursors_are_found_wherever_they_come() {
        for (name, value) in [
            ("X-Next-Cursor", "667542"),
            ("next-cursor", "667542"),
            ("X-Cursor-Next", " 667542 "),
            (
                "Link",
                "<https://elsewhere.example/v1/users?per_page=500&cursor=667542>; rel=\"next\"",
            ),
            (
                "link",
                "</v1/users?cursor=1>; rel=first, </v1/users?cursor=667542>; rel=next",
            ),
        ] {
            assert_eq!(
                headers(&[(name, value)]).paging().next_cursor.as_deref(),
                Some("667542"),
                "{name}: {value}"
            );
        }
        assert_eq!(
            headers(&[("x-next-cursor", ""), ("Link", "<?page=1>; rel=\"last\"")])
                .paging()
                .next_cursor,
            None
        );
    }

    #[test]
    fn numbered_pages_are_announced_by_total_or_link() {
        let link = "<https://h/v1/users?page=1&per_page=500>; rel=\"first\", <https://h/v1/users?page=3&per_page=500>; rel=\"next\"";
        let seen = headers(&[("Link", link), ("Total-Pages", "4"), ("Total", "1700")]).paging();
        assert_eq!(
            (seen.next_page, seen.total_pages, seen.total, seen.linked),
            (Some(3), Some(4), Some(1700), true)
        );
    }

    #[test]
    fn links_are_about_pages_or_no_sign_of_them() {
        let split = [
            ("Link", "<https://h/v1/users?page=1>; rel=\"first\""),
            ("Link", "<https://h/v1/users?page=2&per_page=500>; rel=\"next\""),
        ];
        assert_eq!(headers(&split).paging().next_page, Some(2));
        let echo = headers(&[("Link", "</v1/users?cursor=true&page=2>; rel=next")]).paging();
        assert_eq!((echo.next_cursor, echo.next_page), (None, Some(2)));
        let style = headers(&[("Link", "</x.css>; rel=preload; as=style")]).paging();
        assert!(!style.linked);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |pairs| {
            headers(pairs)
                .retry_after(784_111_770.0)
                .map(|wait| wait.as_secs())
        };
        assert_eq!(after(&[("Retry-After", "60")]), Some(60));
        assert_eq!(
            after(&[("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")]),
            Some(7)
        );
        let dated = [
            ("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("Date", "Sun, 06 Nov 1994 08:49:07 GMT"),
        ];
        assert_eq!(after(&dated), Some(30));
        assert_eq!(after(&[("Retry-After", "-5")]), None);
        assert_eq!(after(&[("Retry-After", "soon")]), None);
        assert_eq!(after(&[]), None);
    }

    #[test]
    fn only_json_is_json() {
        for (kind, json) in [
            ("application/json; charset=utf-8", true),
            ("application/problem+json", true),
            ("text/html", false),
            ("text/plain", false),
        ] {
            assert_eq!(headers(&[("Content-Type", kind)]).is_json(), json, "{kind}");
        }
        assert!(headers(&[]).is_json());
    }
}
