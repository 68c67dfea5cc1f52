//! `basic_auth_users`: names, each with the bcrypt hash of its password. No message repeats a hash, or what stands in
//! its place.

use std::collections::BTreeMap;

use strict_yaml::Item;

use super::super::auth::COSTS;

/// Names and hashes.
pub(super) fn read(item: Item<'_>) -> Option<BTreeMap<String, String>> {
    let mut table = item.table("user names, each with the bcrypt hash of its password")?;
    let findings = table.findings();
    let mut users = BTreeMap::new();
    for (name, item) in table.take_rest() {
        // Basic authentication ends the name at the first colon (RFC 7617).
        if name.contains(':') {
            findings.wrong(&item.at, "a user name holds a colon: no client can send it");
            continue;
        }
        if let Some(found) = item.private_text("a bcrypt hash; put it in quotes", hash) {
            users.insert(name.to_owned(), found.value);
        }
    }
    Some(users)
}

/// A bcrypt hash of a bearable cost.
fn hash(text: &str) -> Result<String, String> {
    let parts = text.parse::<bcrypt::HashParts>().map_err(|_| {
        "expected a bcrypt hash, as `hash-password` of this exporter and `htpasswd -nB` make it".to_owned()
    })?;
    if COSTS.contains(&parts.get_cost()) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "expected a bcrypt cost of {} to {}, not {}: each step doubles the time of a first request",
        COSTS.start(),
        COSTS.end(),
        parts.get_cost()
    ))
}
