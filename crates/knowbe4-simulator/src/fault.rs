//! What goes wrong, in the words of `--fault`.
//!
//! `KIND[=VALUE][:KEY=VALUE...]`, several joined by commas. Kinds: a status (`400`, `401`, `403`, `404`, `429`, `500`, `503`),
//! `502-html`, `slow=2s`, `hang`, `reset`, `truncated`, `wrong-type`, `not-json`, `endless`, `quirk=NAME`. Keys: `endpoint` (path
//! below `/v1/`), `count` (how often, for ever without it), `after` (how many matching requests pass first), `from` and
//! `until` (only between these seconds since the beginning), `retry-after` (seconds, `date` or `none`; for 429).
//! Quirks: `no-paging`, `page-refused`, `repeat-cursor`, `shift`, `null-row`, `bad-row`, `text-numbers`, `null-fields`,
//! `unknown-values`, `array-of-one`, `anonymised`, `trial`, `next-cursor`, `x-cursor-next`, `link-cursor`.

use std::ops::Range;
use std::time::Duration;

use serde_json::Value;

use super::{Answer, Delivery, refusal};

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    kind: Kind,
    endpoint: Option<String>,
    count: Option<u32>,
    after: u32,
    /// Between which seconds since the beginning.
    between: Range<u64>,
    retry_after: RetryAfter,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Status(u16),
    BadGateway,
    Slow(Duration),
    Hang,
    Reset,
    Truncated,
    WrongType,
    NotJson,
    Endless,
    Quirk(Quirk),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum RetryAfter {
    Seconds(u64),
    Date,
    None,
}

/// Not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part:?} in {fault:?} is unknown: expected {expected}")]
pub struct FaultError {
    fault: String,
    part: String,
    expected: &'static str,
}

const KINDS: &str = "a status such as 500, 502-html, slow=2s, hang, reset, truncated, wrong-type, not-json, endless or quirk=NAME";
const KEYS: &str =
    "endpoint=PATH, count=N, after=N, from=SECONDS, until=SECONDS or retry-after=SECONDS|date|none";
const QUIRKS: &str = "no-paging, page-refused, repeat-cursor, shift, null-row, bad-row, text-numbers, null-fields, unknown-values, array-of-one, anonymised, trial, next-cursor, x-cursor-next or link-cursor";

impl std::str::FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let wrong = |(part, expected): Unknown| FaultError {
            fault: text.to_owned(),
            part,
            expected,
        };
        let mut parts = text.split(':');
        let mut fault = Self {
            kind: Kind::read(parts.next().unwrap_or_default()).map_err(wrong)?,
            endpoint: None,
            count: None,
            after: 0,
            between: 0..u64::MAX,
            retry_after: RetryAfter::Seconds(60),
        };
        for part in parts {
            fault.set(part).map_err(wrong)?;
        }
        Ok(fault)
    }
}

/// A part of a fault that isn't known, and what was expected there.
type Unknown = (String, &'static str);

impl Kind {
    fn read(kind: &str) -> Result<Self, Unknown> {
        let (name, value) = kind.split_once('=').unwrap_or((kind, ""));
        Ok(match name {
            "502-html" => Self::BadGateway,
            "slow" => Self::Slow(
                value
                    .strip_suffix('s')
                    .and_then(|n| n.parse().ok())
                    .and_then(|s| Duration::try_from_secs_f64(s).ok())
                    .ok_or_else(|| (kind.to_owned(), "slow=SECONDSs"))?,
            ),
            "hang" => Self::Hang,
            "reset" => Self::Reset,
            "truncated" => Self::Truncated,
            "wrong-type" => Self::WrongType,
            "not-json" => Self::NotJson,
            "endless" => Self::Endless,
            "quirk" => Self::Quirk(Quirk::named(value).ok_or_else(|| (value.to_owned(), QUIRKS))?),
            status => Self::Status(
                status
                    .parse()
                    .ok()
                    .filter(|s| (300..600).contains(s))
                    .ok_or_else(|| (status.to_owned(), KINDS))?,
            ),
        })
    }
}

impl Fault {
    /// Takes one `KEY=VALUE`.
    fn set(&mut self, part: &str) -> Result<(), Unknown> {
        let wrong = |expected| (part.to_owned(), expected);
        let (key, value) = part.split_once('=').ok_or_else(|| wrong(KEYS))?;
        let number = || value.parse::<u32>().map_err(|_| wrong("a whole number"));
        match key {
            "endpoint" => {
                let path = value.trim_start_matches('/').trim_start_matches("v1/");
                self.endpoint = Some(format!("/{path}"));
            }
            "count" => self.count = Some(number()?),
            "after" => self.after = number()?,
            "from" => self.between.start = number()?.into(),
            "until" => self.between.end = number()?.into(),
            "retry-after" => {
                self.retry_after = match value {
                    "date" => RetryAfter::Date,
                    "none" => RetryAfter::None,
                    seconds => RetryAfter::Seconds(seconds.parse().map_err(|_| wrong(KEYS))?),
                };
            }
            _ => return Err(wrong(KEYS)),
        }
        Ok(())
    }
}

/// How often a fault was looked at, and struck.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    seen: u32,
    struck: u32,
}

/// What comes instead of the right answer.
pub(super) enum Instead {
    Answer(Answer),
    /// The right answer, delivered in this way.
    Delivery(Delivery),
    /// Half of the right answer, as if it were all.
    Truncated,
}

impl Fault {
    pub(super) fn quirk(&self) -> Option<Quirk> {
        if let Kind::Quirk(quirk) = self.kind {
            Some(quirk)
        } else {
            None
        }
    }

    /// Whether it strikes this request.
    pub(super) fn strikes(&self, path: &str, elapsed: Duration, tally: &mut Tally) -> bool {
        if !self.between.contains(&elapsed.as_secs()) {
            return false;
        }
        if self
            .endpoint
            .as_ref()
            .is_some_and(|endpoint| path != endpoint && !path.starts_with(&format!("{endpoint}/")))
        {
            return false;
        }
        tally.seen += 1;
        let strikes = tally.seen > self.after && self.count.is_none_or(|count| tally.struck < count);
        tally.struck += u32::from(strikes);
        strikes
    }

    /// `now` is unix seconds.
    pub(super) fn instead(&self, now: i64) -> Instead {
        let html = |status, body: &str| {
            let headers = vec![("Content-Type".to_owned(), "text/html".to_owned())];
            Instead::Answer(Answer {
                status,
                headers,
                body: body.as_bytes().to_vec(),
                delivery: Delivery::Whole,
            })
        };
        match self.kind {
            Kind::Status(429) => {
                let after = match self.retry_after {
                    RetryAfter::Seconds(seconds) => Some(seconds.to_string()),
                    RetryAfter::Date => jiff::Timestamp::from_second(now + 2)
                        .ok()
                        .map(|at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
                    RetryAfter::None => None,
                };
                let headers: Vec<_> = after
                    .iter()
                    .map(|after| ("Retry-After", after.as_str()))
                    .collect();
                Instead::Answer(refusal(429, &headers))
            }
            Kind::Status(status) => Instead::Answer(refusal(status, &[])),
            Kind::BadGateway => html(502, "<html><body><h1>502 Bad Gateway</h1></body></html>"),
            Kind::WrongType => html(200, "<html><body>Please log in</body></html>"),
            Kind::NotJson => {
                let mut answer = refusal(200, &[]);
                answer.body = b"this is { not json".to_vec();
                Instead::Answer(answer)
            }
            Kind::Slow(delay) => Instead::Delivery(Delivery::Delayed(delay)),
            Kind::Hang => Instead::Delivery(Delivery::Hang),
            Kind::Reset => Instead::Delivery(Delivery::Reset),
            Kind::Endless => Instead::Delivery(Delivery::Endless),
            Kind::Truncated => Instead::Truncated,
            Kind::Quirk(_) => Instead::Delivery(Delivery::Whole),
        }
    }
}

/// An oddity of a server that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quirk {
    /// Knows neither `page` nor `cursor`: the first page, again and again.
    NoPaging,
    /// Answers 400 to `page`.
    PageRefused,
    /// The same cursor for ever.
    RepeatCursor,
    /// Rows move to the next page while they are read.
    Shift,
    /// A null among the rows.
    NullRow,
    /// A text among the rows.
    BadRow,
    /// Numbers in quotes.
    TextNumbers,
    /// Times in other forms, and without the fields that would be null.
    OddTimes,
    /// Null in place of names and statuses.
    NullFields,
    /// Words that nobody documented.
    UnknownValues,
    /// Objects as arrays of one.
    ArrayOfOne,
    /// No users, without an error.
    Anonymised,
    /// An account without what is paid for.
    Trial,
    /// The cursor in `next-cursor`.
    NextCursor,
    /// The cursor in `x-cursor-next`.
    XCursorNext,
    /// The cursor in `Link`.
    LinkCursor,
}

impl Quirk {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "no-paging" => Self::NoPaging,
            "page-refused" => Self::PageRefused,
            "repeat-cursor" => Self::RepeatCursor,
            "shift" => Self::Shift,
            "null-row" => Self::NullRow,
            "bad-row" => Self::BadRow,
            "text-numbers" => Self::TextNumbers,
            "odd-times" => Self::OddTimes,
            "null-fields" => Self::NullFields,
            "unknown-values" => Self::UnknownValues,
            "array-of-one" => Self::ArrayOfOne,
            "anonymised" => Self::Anonymised,
            "trial" => Self::Trial,
            "next-cursor" => Self::NextCursor,
            "x-cursor-next" => Self::XCursorNext,
            "link-cursor" => Self::LinkCursor,
            _ => return None,
        })
    }
}

/// The oddities of a server.
#[derive(Debug, Default)]
pub(super) struct Quirks(Vec<Quirk>);

impl Quirks {
    pub(super) fn add(&mut self, quirk: Quirk) {
        self.0.push(quirk);
    }

    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.0.contains(&quirk)
    }

    pub(super) fn cursor_header(&self, cursor: &str, path: &str) -> (String, String) {
        if self.has(Quirk::NextCursor) {
            return ("next-cursor".to_owned(), cursor.to_owned());
        }
        if self.has(Quirk::XCursorNext) {
            return ("x-cursor-next".to_owned(), cursor.to_owned());
        }
        if self.has(Quirk::LinkCursor) {
            return (
                "Link".to_owned(),
                format!("<https://elsewhere.example/v1{path}?cursor={cursor}>; rel=\"next\""),
            );
        }
        ("X-Next-Cursor".to_owned(), cursor.to_owned())
    }

    /// Makes rows odd.
    pub(super) fn apply(&self, rows: &mut [Value]) {
        for (number, row) in rows.iter_mut().enumerate() {
            let Some(fields) = row.as_object_mut() else {
                continue;
            };
            if self.has(Quirk::OddTimes) && number % 4 == 3 {
                fields.retain(|_, value| !value.is_null());
            }
            for (key, value) in fields {
                if self.has(Quirk::TextNumbers) {
                    let user = if key == "user" { value.get_mut("id") } else { None };
                    if let Some(id) = user.filter(|id| id.is_number()) {
                        *id = Value::String(id.to_string());
                    }
                    if value.is_number() {
                        *value = Value::String(value.to_string());
                    }
                }
                if self.has(Quirk::OddTimes)
                    && let Some(time) = value.as_str().and_then(|text| text.strip_suffix(".000Z"))
                {
                    *value = Value::String(match number % 4 {
                        0 => format!("{time}+00:00"),
                        1 => time.to_owned(),
                        _ => format!("{time}Z"),
                    });
                }
                if self.has(Quirk::NullFields) && number == 0 && ["name", "status"].contains(&key.as_str()) {
                    *value = Value::Null;
                }
                if self.has(Quirk::UnknownValues) && number == 1 && key == "status" {
                    *value = Value::String("Exempted".to_owned());
                }
            }
        }
    }
}
