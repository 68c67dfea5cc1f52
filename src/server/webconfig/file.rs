//! The file as it is written: what serde reads, with what it can refuse on its own, line and column included.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rustls::SupportedCipherSuite;
use rustls::crypto::SupportedKxGroup;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use zeroize::Zeroizing;

use super::super::auth::COSTS;
use super::super::go;
use super::super::tls::{self, ClientAuth};

/// The whole file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) tls_server_config: Option<TlsSection>,
    pub(super) http_server_config: Option<HttpSection>,
    pub(super) basic_auth_users: Option<UsersSection>,
    pub(super) rate_limit: Option<RateSection>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TlsSection {
    pub(super) cert: Option<String>,
    pub(super) cert_file: Option<String>,
    pub(super) key: Option<Secret>,
    pub(super) key_file: Option<String>,
    pub(super) client_auth_type: Option<ClientAuth>,
    pub(super) client_ca: Option<String>,
    pub(super) client_ca_file: Option<String>,
    pub(super) client_allowed_sans: Option<Vec<String>>,
    pub(super) min_version: Option<Version>,
    pub(super) max_version: Option<Version>,
    pub(super) cipher_suites: Option<Vec<Suite>>,
    pub(super) curve_preferences: Option<Vec<Curve>>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HttpSection {
    /// Accepted, because files have it; HTTP/1.1 is all there is.
    pub(super) http2: Option<bool>,
    pub(super) headers: Option<HeadersSection>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HeadersSection {
    #[serde(rename = "Content-Security-Policy")]
    pub(super) content_security_policy: Option<String>,
    #[serde(rename = "X-Frame-Options")]
    pub(super) x_frame_options: Option<FrameOptions>,
    #[serde(rename = "X-Content-Type-Options")]
    pub(super) x_content_type_options: Option<ContentTypeOptions>,
    #[serde(rename = "X-XSS-Protection")]
    pub(super) x_xss_protection: Option<String>,
    #[serde(rename = "Strict-Transport-Security")]
    pub(super) strict_transport_security: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(super) enum FrameOptions {
    Deny,
    Sameorigin,
    /// Leaves the header out.
    #[serde(rename = "")]
    Blank,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(super) enum ContentTypeOptions {
    Nosniff,
    /// Leaves the header out.
    #[serde(rename = "")]
    Blank,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateSection {
    pub(super) interval: Interval,
    #[serde(default)]
    pub(super) burst: u32,
}

/// A TLS version that rustls speaks.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub(super) enum Version {
    Tls12,
    Tls13,
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "TLS12" => Ok(Self::Tls12),
            "TLS13" => Ok(Self::Tls13),
            "TLS10" | "TLS11" => Err(format!(
                "{text} is broken and not spoken here (RFC 8996): expected TLS12 or TLS13"
            )),
            _ => Err(format!("{text:?} is no TLS version: expected TLS12 or TLS13")),
        }
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(try_from = "String")]
pub(super) struct Suite(pub(super) SupportedCipherSuite);

impl TryFrom<String> for Suite {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        tls::cipher_suite(&name).map(Self).ok_or_else(|| {
            format!(
                "{name:?} is not a suite that is spoken here: expected TLS_AES_128_GCM_SHA256, \
                 TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, or TLS_ECDHE_RSA_WITH_ or \
                 TLS_ECDHE_ECDSA_WITH_ and one of AES_128_GCM_SHA256, AES_256_GCM_SHA384, CHACHA20_POLY1305_SHA256"
            )
        })
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(try_from = "String")]
pub(super) struct Curve(pub(super) &'static dyn SupportedKxGroup);

impl TryFrom<String> for Curve {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        tls::group(&name).map(Self).ok_or_else(|| {
            format!("{name:?} is not a curve that is spoken here: expected X25519, CurveP256 or CurveP384")
        })
    }
}

impl<'de> Deserialize<'de> for ClientAuth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(match name.as_str() {
            "" | "NoClientCert" => Self::NoClientCert,
            "RequestClientCert" => Self::RequestClientCert,
            // The second one stands in old files.
            "RequireAnyClientCert" | "RequireClientCert" => Self::RequireAnyClientCert,
            "VerifyClientCertIfGiven" => Self::VerifyClientCertIfGiven,
            "RequireAndVerifyClientCert" => Self::RequireAndVerifyClientCert,
            _ => {
                return Err(D::Error::custom(format!(
                    "{name:?} is no client_auth_type: expected NoClientCert, RequestClientCert, \
                     RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert"
                )));
            }
        })
    }
}

/// A duration as Go writes it.
pub(super) struct Interval(pub(super) Duration);

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl Visitor<'_> for Words {
            type Value = Interval;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as 1s, 500ms or 1m30s, or 0")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Interval, E> {
                go::duration(text)
                    .map(Interval)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }

            // Go takes a bare number for nanoseconds, which nobody means.
            fn visit_u64<E: Error>(self, number: u64) -> Result<Interval, E> {
                if number == 0 {
                    return Ok(Interval(Duration::ZERO));
                }
                Err(E::invalid_value(serde::de::Unexpected::Unsigned(number), &self))
            }
        }

        deserializer.deserialize_any(Words)
    }
}

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
