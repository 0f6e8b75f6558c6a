//! Equal files and equal certificates are parsed once, and shared for as long as anybody holds them.
//!
//! They are recognized by a digest under a random key of this process: files hold private keys, and a plain digest of one would let
//! whoever reads the memory check a guess. No byte of a file is kept.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use ring::hmac;
use ring::rand::SystemRandom;

/// 128 bits of HMAC-SHA-256: nobody who doesn't know the key can make two contents with one digest.
type Digest = [u8; 16];

/// What is shared.
pub(super) trait Shared: Sized + 'static {
    /// Where it keeps its ticket.
    fn ticket(&mut self) -> &mut Ticket<Self>;
}

/// Values by the digests of what they were parsed from.
pub(super) struct Pool<T> {
    /// None: the system has no random numbers, and nothing is shared.
    key: Option<hmac::Key>,
    held: Mutex<HashMap<Digest, Weak<T>>>,
    parsed: AtomicU64,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok();
        Self { key, held: Mutex::default(), parsed: AtomicU64::new(0) }
    }
}

impl<T: Shared> Pool<T> {
    /// What these bytes were parsed to, if anybody holds it; else parses them.
    pub(super) fn get<E>(&'static self, bytes: &[u8], parse: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let digest = self.key.as_ref().and_then(|key| {
            let whole = hmac::sign(key, bytes);
            whole.as_ref().first_chunk::<16>().copied()
        });
        if let Some(held) = digest.and_then(|digest| self.held().get(&digest).and_then(Weak::upgrade)) {
            return Ok(held);
        }
        self.parsed.fetch_add(1, Ordering::Relaxed);
        let mut parsed = parse()?;
        let Some(digest) = digest else { return Ok(Arc::new(parsed)) };
        *parsed.ticket() = Ticket(Some((self, digest)));
        let parsed = Arc::new(parsed);
        // Of two threads that parsed the same, the first is right. The other's is dropped after the lock, which its ticket takes.
        let first = {
            let mut held = self.held();
            let first = held.get(&digest).and_then(Weak::upgrade);
            if first.is_none() {
                held.insert(digest, Arc::downgrade(&parsed));
            }
            first
        };
        Ok(first.unwrap_or(parsed))
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Digest, Weak<T>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last holder of a value is gone.
    fn forget(&self, digest: &Digest) {
        let mut held = self.held();
        // Meanwhile the same may have been parsed again.
        if held.get(digest).is_some_and(|weak| weak.strong_count() == 0) {
            held.remove(digest);
        }
        if held.capacity() > 64 && held.len() < held.capacity() / 4 {
            let half = held.capacity() / 2;
            held.shrink_to(half);
        }
    }

    /// How often anything was parsed.
    #[cfg(test)]
    pub(super) fn parsed(&self) -> u64 {
        self.parsed.load(Ordering::Relaxed)
    }

    /// How many values are held.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.held().len()
    }
}

/// Takes a value out of its pool when its last holder drops it. A copy has none.
pub(super) struct Ticket<T: Shared>(Option<(&'static Pool<T>, Digest)>);

impl<T: Shared> Default for Ticket<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Shared> Drop for Ticket<T> {
    fn drop(&mut self) {
        if let Some((pool, digest)) = self.0.take() {
            pool.forget(&digest);
        }
    }
}

impl<T: Shared> Clone for Ticket<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A ticket is no part of the value.
impl<T: Shared> PartialEq for Ticket<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T: Shared> Eq for Ticket<T> {}

impl<T: Shared> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}
