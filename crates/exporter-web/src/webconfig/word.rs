//! Values that are one word of a known set. Each is read by a visitor of its own, because only what a visitor refuses
//! gets the line and column of the value.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use rustls::SupportedCipherSuite;
use rustls::crypto::SupportedKxGroup;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::super::go;
use super::super::tls::{self, ClientAuth};

/// A word that a value is made of.
trait Word: Sized {
    /// What the value is, for an error about something that is no text.
    const WHAT: &'static str;

    /// The value of a word, or what was expected instead.
    fn read(word: &str) -> Result<Self, String>;
}

struct Reader<T>(PhantomData<T>);

impl<T: Word> Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<T, E> {
        T::read(word).map_err(E::custom)
    }
}

macro_rules! deserialize_words {
    ($($word:ty),*) => {
        $(impl<'de> Deserialize<'de> for $word {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Reader(PhantomData))
            }
        })*
    };
}

deserialize_words!(Version, Suite, Curve, ClientAuth);

/// A TLS version that rustls speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    Tls12,
    Tls13,
}

impl Word for Version {
    const WHAT: &'static str = "TLS12 or TLS13";

    fn read(word: &str) -> Result<Self, String> {
        match word {
            "TLS12" => Ok(Self::Tls12),
            "TLS13" => Ok(Self::Tls13),
            "TLS10" | "TLS11" => Err(format!(
                "{word} is broken and not spoken here (RFC 8996): expected {}",
                Self::WHAT
            )),
            _ => Err(format!("{word:?} is no TLS version: expected {}", Self::WHAT)),
        }
    }
}

/// A cipher suite that rustls speaks.
#[derive(Clone, Copy)]
pub(super) struct Suite(pub(super) SupportedCipherSuite);

impl Word for Suite {
    const WHAT: &'static str = "TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, \
        or TLS_ECDHE_RSA_WITH_ or TLS_ECDHE_ECDSA_WITH_ and one of AES_128_GCM_SHA256, AES_256_GCM_SHA384, \
        CHACHA20_POLY1305_SHA256";

    fn read(word: &str) -> Result<Self, String> {
        tls::cipher_suite(word).map(Self).ok_or_else(|| {
            format!(
                "{word:?} is not a cipher suite that is spoken here: expected {}",
                Self::WHAT
            )
        })
    }
}

/// A group for the key exchange that rustls speaks.
#[derive(Clone, Copy)]
pub(super) struct Curve(pub(super) &'static dyn SupportedKxGroup);

impl Word for Curve {
    const WHAT: &'static str = "X25519, CurveP256 or CurveP384";

    fn read(word: &str) -> Result<Self, String> {
        tls::group(word).map(Self).ok_or_else(|| {
            format!(
                "{word:?} is not a curve that is spoken here: expected {}",
                Self::WHAT
            )
        })
    }
}

impl Word for ClientAuth {
    const WHAT: &'static str = "NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or \
        RequireAndVerifyClientCert";

    fn read(word: &str) -> Result<Self, String> {
        Ok(match word {
            "" | "NoClientCert" => Self::NoClientCert,
            "RequestClientCert" => Self::RequestClientCert,
            // The second one stands in old files.
            "RequireAnyClientCert" | "RequireClientCert" => Self::RequireAnyClientCert,
            "VerifyClientCertIfGiven" => Self::VerifyClientCertIfGiven,
            "RequireAndVerifyClientCert" => Self::RequireAndVerifyClientCert,
            _ => {
                return Err(format!(
                    "{word:?} is no client_auth_type: expected {}",
                    Self::WHAT
                ));
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
                    .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }

            // Go takes a bare number for nanoseconds, which nobody means.
            fn visit_u64<E: Error>(self, number: u64) -> Result<Interval, E> {
                if number == 0 {
                    return Ok(Interval(Duration::ZERO));
                }
                Err(E::invalid_value(Unexpected::Unsigned(number), &self))
            }
        }

        deserializer.deserialize_any(Words)
    }
}
