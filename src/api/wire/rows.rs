//! One struct for each listing: which of its fields are read, from which keys, and in the units that the API has.

mod account;
mod groups;
mod history;
mod phishing;
mod recipients;
mod training;
mod users;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::{Any, Drift, Lenient, Row, Seed, next_key};

pub use account::AccountRow;
pub use groups::GroupRow;
pub use history::HistoryRow;
pub use phishing::{CampaignRow, TestRow};
pub use recipients::RecipientRow;
pub use training::{EnrollmentRow, PolicyRow, PurchaseRow, TrainingRow};
pub use users::UserRow;

/// What a row reads besides the fields that `row!` declares.
trait Besides {
    /// Takes in a field that isn't declared, and says so; leaves its value alone where it isn't one of these either.
    fn other<'de, A: MapAccess<'de>>(
        &mut self,
        _key: &str,
        _map: &mut A,
        _drift: &mut Drift,
    ) -> Result<bool, A::Error> {
        Ok(false)
    }

    /// Looks at the row once it is whole.
    fn complete(&mut self, _drift: &mut Drift) {}

    /// What tells a row from others where the API gives it no id.
    fn other_id(&self) -> Option<i64> {
        None
    }
}

/// Declares a row: `pub field: kind = "key"`, where `expected` counts its absence as drift. The kinds are the methods of
/// [`Any`]; what is read in another way stands after `besides`, and in an impl of [`Besides`].
macro_rules! row {
    (
        $(#[$doc:meta])*
        $name:ident $(, identified by $($id:literal)|+)?;
        $($(#[$about:meta])* pub $field:ident: $kind:ident = $key:literal $(, $expected:ident)?;)*
        $(besides { $($(#[$other_about:meta])* $visibility:vis $other:ident: $type:ty,)* })?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $name {
            $(id: row!(@type integer $($id)+),)?
            $($(#[$about])* pub $field: row!(@type $kind),)*
            $($($(#[$other_about])* $visibility $other: $type,)*)?
        }

        impl Row for $name {
            fn field<'de, A: MapAccess<'de>>(
                &mut self,
                key: &str,
                map: &mut A,
                drift: &mut Drift,
            ) -> Result<(), A::Error> {
                match key {
                    $($($id)|+ => self.id = Any::next(map)?.integer(drift),)?
                    $($key => self.$field = Any::next(map)?.$kind(drift),)*
                    _ => {
                        if !self.other(key, map, drift)? {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(())
            }

            fn finish(&mut self, drift: &mut Drift) {
                $(drift.missing_id += u64::from(row!(@first self.id, $($id)+).is_none());)?
                $($(drift.missing_field += u64::from(row!(@$expected self.$field).is_none());)?)*
                self.complete(drift);
            }

            fn id(&self) -> Option<i64> {
                row!(@id self $(, $($id)+)?)
            }
        }
    };
    (@type text) => { Option<String> };
    (@type number) => { Option<f64> };
    (@type time) => { Option<f64> };
    (@type count) => { Option<u64> };
    (@type boolean) => { Option<bool> };
    (@type integer $($id:literal)*) => { Option<i64> };
    (@first $value:expr, $($id:literal)+) => { $value };
    (@expected $value:expr) => { $value };
    (@id $row:ident) => { $row.other_id() };
    (@id $row:ident, $($id:literal)+) => { $row.id };
}
use row;

/// Counts a status of users or groups outside the documented pair.
fn known_status(status: Option<&String>, drift: &mut Drift) {
    match status {
        None => drift.missing_field += 1,
        Some(status)
            if ["active", "archived"]
                .iter()
                .any(|known| status.eq_ignore_ascii_case(known)) => {}
        Some(_) => drift.unknown_value += 1,
    }
}

/// Whether a user or group counts: all but the archived, also where the API doesn't say.
fn is_active(status: Option<&String>) -> bool {
    status.is_none_or(|status| status.eq_ignore_ascii_case("active"))
}

/// Walks an array and hands out each element's id; null elements are none of its length.
struct Elements<'a, F>(&'a mut Drift, F);

impl<'de, F: FnMut(i64)> Lenient<'de> for Elements<'_, F> {
    /// The array's length; [`None`] for null and for what is no array.
    type Out = Option<u64>;

    fn scalar(self, value: Any) -> Option<u64> {
        self.0.wrong_type += u64::from(value != Any::Null);
        None
    }

    fn seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Option<u64>, A::Error> {
        let mut length = 0;
        while let Some(element) = seq.next_element_seed(Seed(ElementId))? {
            let Some(id) = element else { continue };
            length += 1;
            id.into_iter().for_each(&mut self.1);
        }
        Ok(Some(length))
    }
}

/// What an element is called by: a bare number, or an object's `id` or `group_id`.
struct ElementId;

impl<'de> Lenient<'de> for ElementId {
    /// [`None`] for null, `Some(None)` for an element without an id.
    type Out = Option<Option<i64>>;

    fn scalar(self, value: Any) -> Option<Option<i64>> {
        (value != Any::Null).then(|| value.integer(&mut Drift::default()))
    }

    fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Option<i64>>, A::Error> {
        let mut id = None;
        while let Some(key) = next_key(&mut map)? {
            if key == "id" || key == "group_id" {
                id = id.or(Any::next(&mut map)?.integer(&mut Drift::default()));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Some(id))
    }
}

#[cfg(test)]
mod tests;
