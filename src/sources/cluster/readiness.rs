//! Whether everything that verdicts depend on has been listed once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::Notify;

/// Which kinds have been listed in full. Clones share the state; reading takes no lock.
///
/// The default waits for nothing. A filled kind stays filled: a watch that fails later is retried, and until then the
/// data is slightly stale, as in every controller.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Kinds>);

#[derive(Debug, Default)]
struct Kinds {
    waiting: ArcSwap<Vec<Waiting>>,
    /// Notified whenever a kind is filled.
    filled: Notify,
}

#[derive(Clone, Debug)]
struct Waiting {
    kind: String,
    filled: Arc<AtomicBool>,
    /// Why it couldn't be listed.
    trouble: Arc<ArcSwapOption<String>>,
}

impl Readiness {
    /// Waits for one more kind.
    pub fn register(&self, kind: &str) {
        self.0.waiting.rcu(|kinds| {
            let mut kinds = Vec::clone(kinds);
            if !kinds.iter().any(|known| known.kind == kind) {
                kinds.push(Waiting { kind: kind.to_owned(), filled: Arc::default(), trouble: Arc::default() });
            }
            kinds
        });
    }

    /// Marks a kind as listed in full. Unregistered kinds are ignored.
    pub fn filled(&self, kind: &str) {
        for known in self.0.waiting.load().iter().filter(|known| known.kind == kind) {
            known.filled.store(true, Ordering::Release);
        }
        self.0.filled.notify_waiters();
    }

    /// Waits until no kind is missing.
    pub async fn wait(&self) {
        loop {
            // Created before the check, so that a kind filled in between wakes it.
            let filled = self.0.filled.notified();
            if self.ready() {
                return;
            }
            filled.await;
        }
    }

    /// Notes why a kind couldn't be listed: reported while it is missing.
    pub fn failed(&self, kind: &str, why: &str) {
        for known in self.0.waiting.load().iter().filter(|known| known.kind == kind) {
            known.trouble.store(Some(Arc::new(why.to_owned())));
        }
    }

    /// Whether no kind is missing.
    pub fn ready(&self) -> bool {
        self.0.waiting.load().iter().all(Waiting::is_filled)
    }

    /// The missing kinds, in the order of registration.
    pub fn missing(&self) -> Vec<String> {
        let kinds = self.0.waiting.load();
        kinds.iter().filter(|known| !known.is_filled()).map(|known| known.kind.clone()).collect()
    }

    /// The missing kinds as sentences, each with the problem.
    pub fn told(&self) -> Vec<String> {
        let kinds = self.0.waiting.load();
        let missing = kinds.iter().filter(|known| !known.is_filled());
        missing
            .map(|known| match known.trouble.load().as_deref() {
                Some(why) => format!("not every {} has been read yet: {why}", known.kind),
                None => format!("not every {} has been read yet", known.kind),
            })
            .collect()
    }
}

impl Waiting {
    fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_waits_for_nothing() {
        assert!(Readiness::default().ready());
        assert_eq!(Readiness::default().missing(), Vec::<String>::new());
    }

    #[test]
    fn it_waits_for_each_kind_registered() {
        let readiness = Readiness::default();
        readiness.register("Pod");
        readiness.register("Secret");
        let clone = readiness.clone();
        assert_eq!(clone.missing(), ["Pod", "Secret"]);

        readiness.filled("Secret");
        readiness.filled("Mesh");
        assert_eq!(clone.missing(), ["Pod"]);
        assert!(!clone.ready());

        clone.failed("Pod", "may not list pods");
        assert_eq!(readiness.told(), ["not every Pod has been read yet: may not list pods"]);
        clone.filled("Pod");
        assert!(readiness.ready());
        assert_eq!(readiness.told(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_the_last_kind() {
        let readiness = Readiness::default();
        readiness.wait().await;
        readiness.register("Pod");
        readiness.register("Secret");
        let waits = readiness.wait();
        tokio::pin!(waits);
        assert!(futures::poll!(waits.as_mut()).is_pending());
        readiness.filled("Pod");
        assert!(futures::poll!(waits.as_mut()).is_pending());
        readiness.filled("Secret");
        assert!(futures::poll!(waits.as_mut()).is_ready());
    }

    #[test]
    fn a_kind_registered_again_stays_filled() {
        let readiness = Readiness::default();
        readiness.register("Pod");
        readiness.filled("Pod");
        readiness.register("Pod");
        assert!(readiness.ready());
    }
}
