//! Values that no error may repeat: a private key, passwords' hashes, and what was written in their place.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use zeroize::Zeroizing;

use super::super::auth::COSTS;

/// Text that no error repeats.
pub(super) struct Secret(pub(super) Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Silent;

        // What YAML takes for something else than text: serde's own message would repeat it.
        macro_rules! refuse {
            ($($visit:ident($type:ty)),*) => {
                $(fn $visit<E: Error>(self, _: $type) -> Result<Secret, E> {
                    Err(E::custom("expected text; put it in quotes"))
                })*
            };
        }

        impl Visitor<'_> for Silent {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret(Zeroizing::new(text.to_owned())))
            }

            refuse!(
                visit_bool(bool),
                visit_i64(i64),
                visit_u64(u64),
                visit_f64(f64),
                visit_i128(i128),
                visit_u128(u128)
            );
        }

        deserializer.deserialize_any(Silent)
    }
}

/// Names and bcrypt hashes.
pub(super) struct UsersSection(pub(super) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for UsersSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Users;

        impl<'de> Visitor<'de> for Users {
            type Value = UsersSection;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("user names, each with the bcrypt hash of its password")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UsersSection, A::Error> {
                let mut users = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    // Basic authentication ends the name at the first colon (RFC 7617).
                    if name.contains(':') {
                        return Err(A::Error::custom(
                            "a user name holds a colon: no client can send it",
                        ));
                    }
                    let hash = map.next_value::<Hash>()?;
                    if users.insert(name, hash.0).is_some() {
                        return Err(A::Error::custom("a user name stands twice"));
                    }
                }
                Ok(UsersSection(users))
            }
        }

        deserializer.deserialize_map(Users)
    }
}

/// A bcrypt hash of a bearable cost.
struct Hash(String);

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Secret::deserialize(deserializer)?.0;
        let parts = text.parse::<bcrypt::HashParts>().map_err(|_| {
            D::Error::custom(
                "expected a bcrypt hash, as `knowbe4-exporter hash-password` and `htpasswd -nB` make it",
            )
        })?;
        if !COSTS.contains(&parts.get_cost()) {
            return Err(D::Error::custom(format!(
                "expected a bcrypt cost of {} to {}, not {}: each step doubles the time of a first request",
                COSTS.start(),
                COSTS.end(),
                parts.get_cost()
            )));
        }
        Ok(Self(text.to_string()))
    }
}
