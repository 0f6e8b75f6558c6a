//! The world that a source writes while reviews read it.

use std::sync::{Arc, PoisonError, RwLock};

use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::aws::{AwsFacts, Question};
use crate::mesh::{FreshStores, StoreKey, World};

/// One world, written by watches and read by reviews. Its lock is held for look-ups only, never across an await.
#[derive(Clone, Debug, Default)]
pub struct SharedWorld(Arc<RwLock<World>>);

impl SharedWorld {
    /// Shares a world.
    pub fn new(world: World) -> Self {
        Self(Arc::new(RwLock::new(world)))
    }

    /// Looks things up: all of it in one snapshot.
    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the world.
    pub fn write<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads Secrets and ConfigMaps at the source, past every cache.
pub trait StoreReader: Send + Sync + 'static {
    /// Reads each store; one that could not be read says why. Stores that need no fresh read may be left out.
    fn read(&self, keys: Vec<StoreKey>) -> BoxFuture<'_, FreshStores>;
}

/// Reads nothing: for worlds that are complete as they stand.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReader;

impl StoreReader for NoReader {
    fn read(&self, _keys: Vec<StoreKey>) -> BoxFuture<'_, FreshStores> {
        Box::pin(async { FreshStores::new() })
    }
}

/// Asks AWS, by way of a cache.
pub trait AwsReader: Send + Sync + 'static {
    /// Whether AWS is asked at all.
    fn asks(&self) -> bool {
        true
    }

    /// Answers every question by the deadline: one that isn't answered by then says so.
    fn ask(&self, questions: Vec<Question>, deadline: Instant) -> BoxFuture<'_, AwsFacts>;
}

/// Asks nobody: what can be judged without AWS is judged, and the rest is left.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAws;

impl AwsReader for NoAws {
    fn asks(&self) -> bool {
        false
    }

    fn ask(&self, _questions: Vec<Question>, _deadline: Instant) -> BoxFuture<'_, AwsFacts> {
        Box::pin(async { AwsFacts::new() })
    }
}
