//! The JSON as it comes: rows of each listing, read field by field so that no surprise fails a list.
//!
//! A field of another type, a number in quotes, a null where none belongs, a row that is no object: each is
//! read as well as it can be, and counted as drift. Rows never leave `api` and `collect`; nothing of them is
//! logged. Field names and units: <https://developer.knowbe4.com/rest/reporting>.

mod lenient;
mod rows;

use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess};

pub use lenient::Drift;
use lenient::{Any, Lenient, Seed, next_key};
pub use rows::{
    AccountRow, CampaignRow, EnrollmentRow, GroupRow, HistoryRow, PolicyRow, PurchaseRow, RecipientRow,
    TestRow, TrainingRow, UserRow,
};

/// A row of a listing.
pub trait Row: Default + Send {
    /// Takes in one field; consumes its value whether it is known or not.
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        drift: &mut Drift,
    ) -> Result<(), A::Error>;

    /// Looks at the row once it is whole, to count what is missing.
    fn finish(&mut self, drift: &mut Drift);

    /// What the API calls it by; [`None`] where it doesn't say.
    fn id(&self) -> Option<i64>;
}

/// The rows of one answer, and what was odd about them.
#[derive(Debug)]
pub struct Rows<R> {
    /// Rows that could be read.
    pub rows: Vec<R>,
    /// Elements of the list, unreadable ones included: what paging counts.
    pub elements: usize,
    /// Surprises.
    pub drift: Drift,
}

/// Reads the answer to a listing: an array of rows. A lone object counts as an array of one if it has an id.
///
/// # Errors
/// When it isn't JSON, or neither an array nor a row.
pub fn list<R: Row>(body: &[u8]) -> Result<Rows<R>, serde_json::Error> {
    let (mut rows, lone) = read::<R>(body)?;
    if lone {
        if rows.rows.first().is_none_or(|row| row.id().is_none()) {
            return Err(serde_json::Error::custom(
                "expected an array of rows, found an object that is none",
            ));
        }
        rows.drift.lone_object += 1;
    }
    Ok(rows)
}

/// Reads the answer of an endpoint that has one object, bare or as an array of one.
///
/// # Errors
/// When it isn't JSON, or holds no object.
pub fn one<R: Row>(body: &[u8]) -> Result<(R, Drift), serde_json::Error> {
    let (mut rows, lone) = read::<R>(body)?;
    if !lone {
        rows.drift.array_of_one += 1;
    }
    let row = rows.rows.into_iter().next();
    row.map(|row| (row, rows.drift))
        .ok_or_else(|| serde_json::Error::custom("expected an object, found none"))
}

/// Reads any JSON, for its shape.
///
/// # Errors
/// When it isn't JSON.
pub fn any(body: &[u8]) -> Result<serde_json::Value, serde_json::Error> {
    serde_json::from_slice(unmarked(body))
}

/// Whether a refusal is in the API's own form: an object that says what is wrong. What a gateway, a firewall or a proxy
/// says in the API's place is a page, plain text or nothing.
pub fn is_refusal(body: &[u8]) -> bool {
    const NAMES: [&str; 4] = ["error", "errors", "error_description", "message"];
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(unmarked(body))
        .is_ok_and(|fields| NAMES.iter().any(|name| fields.contains_key(*name)))
}

/// Without the byte order mark that some servers begin text with: no JSON, but no harm.
fn unmarked(body: &[u8]) -> &[u8] {
    body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)
}

/// Reads a body as it is, and only where that fails as it may have been meant: one name must not fail a list.
fn read<R: Row>(body: &[u8]) -> Result<(Rows<R>, bool), serde_json::Error> {
    parse(body).or_else(|error| parse(&mended(body)).map_err(|_| error))
}

/// With U+FFFD for what is no text: bytes of another encoding, and halves of surrogate pairs, which is what remains of
/// an emoji where a name is cut.
fn mended(body: &[u8]) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(body).into_owned().into_bytes();
    let unit = |text: &[u8], at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut at = 0;
    while at < text.len() {
        at += match unit(&text, at) {
            Some(0xD800..=0xDBFF) if matches!(unit(&text, at + 6), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                text[at + 2..at + 6].copy_from_slice(b"fffd");
                6
            }
            _ if text[at] == b'\\' => 2,
            _ => 1,
        };
    }
    text
}

fn parse<R: Row>(body: &[u8]) -> Result<(Rows<R>, bool), serde_json::Error> {
    let mut rows = Rows {
        rows: Vec::new(),
        elements: 0,
        drift: Drift::default(),
    };
    let mut json = serde_json::Deserializer::from_slice(unmarked(body));
    let lone = Seed(Top(&mut rows)).deserialize(&mut json)?;
    json.end()?;
    let lone = lone.ok_or_else(|| serde_json::Error::custom("expected an array or an object"))?;
    Ok((rows, lone))
}

/// The top of an answer. Says whether it was a lone object, and refuses what is neither object nor array.
struct Top<'a, R>(&'a mut Rows<R>);

impl<'de, R: Row> Lenient<'de> for Top<'_, R> {
    type Out = Option<bool>;

    fn scalar(self, _: Any) -> Option<bool> {
        None
    }

    fn seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<bool>, A::Error> {
        while let Some(row) = seq.next_element_seed(Seed(Element::<R>(&mut self.0.drift, PhantomData)))? {
            self.0.elements += 1;
            self.0.rows.extend(row);
        }
        Ok(Some(false))
    }

    fn map<A: MapAccess<'de>>(self, map: A) -> Result<Option<bool>, A::Error> {
        self.0.elements = 1;
        self.0
            .rows
            .extend(Element::<R>(&mut self.0.drift, PhantomData).map(map)?);
        Ok(Some(true))
    }
}

/// One element of a list: a row, or [`None`] for what isn't one.
struct Element<'a, R>(&'a mut Drift, PhantomData<R>);

impl<'de, R: Row> Lenient<'de> for Element<'_, R> {
    type Out = Option<R>;

    fn scalar(self, value: Any) -> Option<R> {
        let kind = if value == Any::Null {
            &mut self.0.null_row
        } else {
            &mut self.0.bad_row
        };
        *kind += 1;
        None
    }

    fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<R>, A::Error> {
        let mut row = R::default();
        while let Some(key) = next_key(&mut map)? {
            row.field(&key, &mut map, self.0)?;
        }
        row.finish(self.0);
        Ok(Some(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_row_never_fails_a_list() {
        let body = br#"[{"id":1,"name":"a","group_type":"x","member_count":1,"status":"active"}, null, "x", 7, [1,{}], {"id":"9000000000","member_count":"3","name":null,"status":"active","group_type":"y"}]"#;
        let page = list::<GroupRow>(body).expect("a list");
        assert_eq!(page.elements, 6);
        let ids: Vec<_> = page.rows.iter().map(Row::id).collect();
        assert_eq!(ids, [Some(1), Some(9_000_000_000)]);
        assert_eq!(page.rows[1].members, Some(3.0));
        assert_eq!((page.drift.null_row, page.drift.bad_row), (1, 3));
        assert_eq!(page.drift.number_as_text, 2);
        assert_eq!(page.drift.missing_field, 1);
    }

    #[test]
    fn a_name_that_is_no_text_fails_no_list() {
        for (name, read) in [
            (&br"cut \ud83d"[..], "cut \u{fffd}"),
            (br"\ude00 \ud83d\ude00 \\ud83d", "\u{fffd} \u{1f600} \\ud83d"),
            (b"Z\xfcrich", "Z\u{fffd}rich"),
        ] {
            let body = [br#"[{"id":1,"name":""#, name, br#""},{"id":2}]"#].concat();
            let page = list::<GroupRow>(&body).expect("a list");
            assert_eq!(page.rows[0].name.as_deref(), Some(read));
            assert_eq!(page.elements, 2);
        }
    }

    #[test]
    fn an_error_in_place_of_a_list_is_no_empty_list() {
        for body in [
            &br#"{"error":"x"}"#[..],
            b"null",
            b"7",
            b"\"[]\"",
            b"<html>",
            b"[{}",
            b"[] trailing",
            b"",
        ] {
            assert!(
                list::<GroupRow>(body).is_err(),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
        assert_eq!(list::<GroupRow>(b"[]").expect("empty").elements, 0);
        assert_eq!(
            list::<GroupRow>("\u{feff}[]".as_bytes())
                .expect("marked")
                .elements,
            0
        );
        let lone = list::<GroupRow>(br#"{"id":5}"#).expect("an object that is a row");
        assert_eq!((lone.elements, lone.drift.lone_object), (1, 1));
    }

    #[test]
    fn one_object_is_read_bare_and_as_an_array_of_one() {
        let (row, drift) = one::<AccountRow>(br#"{"name":"x","type":"paid"}"#).expect("bare");
        assert_eq!((row.name.as_deref(), drift.array_of_one), (Some("x"), 0));
        let (row, drift) = one::<AccountRow>(br#"[{"name":"x","type":"paid"}]"#).expect("array");
        assert_eq!((row.name.as_deref(), drift.array_of_one), (Some("x"), 1));
        assert!(one::<AccountRow>(b"[]").is_err());
    }
}
