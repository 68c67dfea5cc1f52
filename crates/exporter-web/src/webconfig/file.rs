//! The file as it is written: the sections and keys that there are.

use serde::Deserialize;

use super::super::tls::ClientAuth;
use super::secret::{Secret, UsersSection};
use super::word::{Curve, Interval, Suite, Version};

/// The whole file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, expecting = "a mapping of keys to values")]
pub(super) struct File {
    pub(super) tls_server_config: Option<TlsSection>,
    pub(super) http_server_config: Option<HttpSection>,
    pub(super) basic_auth_users: Option<UsersSection>,
    pub(super) rate_limit: Option<RateSection>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of keys to values")]
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
#[serde(deny_unknown_fields, default, expecting = "a mapping of keys to values")]
pub(super) struct HttpSection {
    /// Accepted, because files have it; HTTP/1.1 is all there is.
    pub(super) http2: Option<bool>,
    pub(super) headers: Option<HeadersSection>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of keys to values")]
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
#[serde(deny_unknown_fields, expecting = "a mapping of keys to values")]
pub(super) struct RateSection {
    pub(super) interval: Interval,
    #[serde(default)]
    pub(super) burst: u32,
}
