//! Basic authentication against bcrypt hashes.
//!
//! bcrypt is slow on purpose, so each pair of name and password is checked once, off the server's threads and one at
//! a time, and its outcome is remembered under a salted hash. Addresses take turns, so that one that guesses holds up
//! nobody else. An unknown name costs the same as a wrong password.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use parking_lot::Mutex;
use rustls::crypto::hash::Hash;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::{CryptoProvider, GetRandomFailed};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

/// Outcomes that are remembered, of each kind: far more than there are users, and 3 KiB.
const REMEMBERED: usize = 100;

/// bcrypt's costs that are taken: each step doubles the time, 10 takes about 70 ms, 16 some 5 s.
pub(super) const COSTS: std::ops::RangeInclusive<u32> = 4..=16;

/// Names and the bcrypt hashes of their passwords; at least one. `Debug` shows no hash.
pub(super) struct Users(BTreeMap<String, String>);

impl Users {
    /// [`None`] when there are none.
    pub(super) fn new(users: BTreeMap<String, String>) -> Option<Self> {
        (!users.is_empty()).then_some(Self(users))
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

type Digest = [u8; 32];

/// Remembers who was who.
pub(super) struct Authenticator {
    hash: &'static dyn Hash,
    salt: Digest,
    outcomes: Mutex<Outcomes>,
    turn: Arc<Semaphore>,
    /// Of those addresses that wait or are checked: one at a time of each waits for the turn.
    addresses: Mutex<BTreeMap<IpAddr, Weak<Semaphore>>>,
}

#[derive(Default)]
struct Outcomes {
    good: HashSet<Digest>,
    bad: HashSet<Digest>,
}

impl Authenticator {
    /// With a salt of its own, so that what it remembers means nothing elsewhere.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub(super) fn new(provider: &CryptoProvider) -> Result<Self, GetRandomFailed> {
        let mut salt = [0; 32];
        provider.secure_random.fill(&mut salt)?;
        Ok(Self {
            // rustls has SHA-256 anyway.
            hash: TLS13_AES_128_GCM_SHA256
                .tls13()
                .ok_or(GetRandomFailed)?
                .common
                .hash_provider,
            salt,
            outcomes: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
            addresses: Mutex::default(),
        })
    }

    /// Whether these headers name a user and the right password; `peer` is who sent them.
    pub(super) async fn knows(&self, users: &Users, headers: &HeaderMap, peer: IpAddr) -> bool {
        let Some((name, password)) = credentials(headers) else {
            return false;
        };
        let known = users.0.get(name.as_str());
        // For a name that is not there any user's hash does: what counts is the time it takes.
        let Some(hash) = known.or_else(|| users.0.values().next()) else {
            return false;
        };
        let digest = self.digest(&name, hash, &password);
        if let Some(outcome) = self.remembered(&digest) {
            return outcome && known.is_some();
        }
        let Some(turn) = self.turn(peer).await else {
            return false;
        };
        // Several requests with the same new password may have waited here.
        if let Some(outcome) = self.remembered(&digest) {
            return outcome && known.is_some();
        }
        let hash = hash.clone();
        let verified = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even if who asked is gone.
            let _turn = turn;
            bcrypt::verify(password.as_slice(), &hash).unwrap_or(false)
        });
        let outcome = verified.await.unwrap_or(false) && known.is_some();
        self.remember(digest, outcome);
        outcome
    }

    /// Waits for the turn to check a password, first within the address, then among addresses.
    async fn turn(&self, peer: IpAddr) -> Option<[OwnedSemaphorePermit; 2]> {
        let own = {
            let mut addresses = self.addresses.lock();
            addresses.retain(|_, waiting| waiting.strong_count() > 0);
            let known = addresses.get(&peer).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let own = Arc::new(Semaphore::new(1));
                addresses.insert(peer, Arc::downgrade(&own));
                own
            })
        };
        let own = own.acquire_owned().await.ok()?;
        let among_all = Arc::clone(&self.turn).acquire_owned().await.ok()?;
        Some([own, among_all])
    }

    fn digest(&self, name: &str, hash: &str, password: &[u8]) -> Digest {
        let mut context = self.hash.start();
        context.update(&self.salt);
        // Each with its length before it, so that no two triples read the same.
        for part in [name.as_bytes(), hash.as_bytes(), password] {
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }

    fn remembered(&self, digest: &Digest) -> Option<bool> {
        let outcomes = self.outcomes.lock();
        if outcomes.good.contains(digest) {
            return Some(true);
        }
        outcomes.bad.contains(digest).then_some(false)
    }

    fn remember(&self, digest: Digest, outcome: bool) {
        let mut outcomes = self.outcomes.lock();
        // Apart, so that guesses don't push out who is known.
        let set = if outcome {
            &mut outcomes.good
        } else {
            &mut outcomes.bad
        };
        if set.len() >= REMEMBERED {
            set.clear();
        }
        set.insert(digest);
    }
}

/// Name and password of `Authorization: Basic ...`.
fn credentials(headers: &HeaderMap) -> Option<(String, Zeroizing<Vec<u8>>)> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let colon = decoded.iter().position(|b| *b == b':')?;
    let name = std::str::from_utf8(&decoded[..colon]).ok()?.to_owned();
    Some((name, Zeroizing::new(decoded[colon + 1..].to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use tokio::time::Instant;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(value).expect("value"))])
    }

    fn basic(pair: &str) -> HeaderMap {
        headers(&format!("Basic {}", STANDARD.encode(pair)))
    }

    fn authenticator() -> Authenticator {
        Authenticator::new(&rustls::crypto::ring::default_provider()).expect("random bytes")
    }

    fn users(cost: u32) -> Users {
        let hash = bcrypt::hash("right", cost).expect("hash");
        Users::new(BTreeMap::from([("alice".to_owned(), hash)])).expect("one")
    }

    #[test]
    fn credentials_are_read_as_rfc_7617_has_them() {
        let read = |value: &str| credentials(&headers(value)).map(|(n, p)| (n, p.to_vec()));
        assert_eq!(read("Basic YTpiOmM="), Some(("a".to_owned(), b"b:c".to_vec())));
        assert_eq!(read("bASIC  YTpiOmM="), Some(("a".to_owned(), b"b:c".to_vec())));
        for bad in ["Basic", "Basic YQ==", "Basic !", "Bearer YTpi", "YTpi", ""] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(credentials(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_passes() {
        let authenticator = authenticator();
        let users = users(4);
        for _twice_so_that_the_second_is_remembered in 0..2 {
            assert!(authenticator.knows(&users, &basic("alice:right"), PEER).await);
            for pair in [
                "alice:wrong",
                "alice:",
                "bob:right",
                ":right",
                "Alice:right",
                "alice:right\0",
            ] {
                assert!(!authenticator.knows(&users, &basic(pair), PEER).await, "{pair:?}");
            }
        }
        assert!(!authenticator.knows(&users, &HeaderMap::new(), PEER).await);
    }

    #[tokio::test]
    async fn a_changed_password_is_not_remembered() {
        let authenticator = authenticator();
        assert!(authenticator.knows(&users(4), &basic("alice:right"), PEER).await);
        let hash = bcrypt::hash("new", 4).expect("hash");
        let changed = Users::new(BTreeMap::from([("alice".to_owned(), hash)])).expect("one");
        assert!(!authenticator.knows(&changed, &basic("alice:right"), PEER).await);
    }

    #[tokio::test]
    async fn the_second_time_is_free() {
        let authenticator = authenticator();
        let users = users(12);
        let begun = Instant::now();
        assert!(authenticator.knows(&users, &basic("alice:right"), PEER).await);
        let first = begun.elapsed();
        let begun = Instant::now();
        for _ in 0..20 {
            assert!(authenticator.knows(&users, &basic("alice:right"), PEER).await);
        }
        assert!(
            begun.elapsed() < first,
            "twenty remembered ones took as long as a new one"
        );
    }

    #[tokio::test]
    async fn guesses_do_not_push_out_who_is_known() {
        let authenticator = authenticator();
        authenticator.remember([1; 32], true);
        for i in 0..=u8::try_from(REMEMBERED).expect("small") {
            authenticator.remember([i.wrapping_add(2); 32], false);
        }
        assert_eq!(authenticator.remembered(&[1; 32]), Some(true));
        let outcomes = authenticator.outcomes.lock();
        assert!(outcomes.bad.len() <= REMEMBERED);
    }

    #[tokio::test]
    async fn one_address_that_guesses_holds_up_no_other() {
        let authenticator = Arc::new(authenticator());
        let users = Arc::new(users(10));
        let mut guesses = tokio::task::JoinSet::new();
        for guess in 0..20 {
            let (authenticator, users) = (Arc::clone(&authenticator), Arc::clone(&users));
            let headers = basic(&format!("alice:guess {guess}"));
            guesses.spawn(async move { authenticator.knows(&users, &headers, PEER).await });
        }
        tokio::task::yield_now().await;
        let other = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
        assert!(authenticator.knows(&users, &basic("alice:right"), other).await);
        let checked = std::iter::from_fn(|| guesses.try_join_next()).count();
        assert!(checked < 10, "{checked} of 20 guesses went first");
        guesses.shutdown().await;
        // The first waits until nothing is checked any more, the second finds what is left.
        for _ in 0..2 {
            drop(authenticator.turn(other).await);
        }
        assert_eq!(authenticator.addresses.lock().len(), 1);
    }
}
