//! Lists, page by page.

use std::fmt::Debug;

use kube::api::{Api, ListParams};
use serde::de::DeserializeOwned;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::sources::cluster::failure::status_of;
use crate::sources::cluster::kinds::WatchedKind;

/// How often a list is read from its first page on, in all.
const TRIES: u32 = 4;

/// The pages of one list, in their order.
#[derive(Debug)]
pub(crate) struct Pages {
    /// How the last page was asked for.
    last: Option<ListParams>,
    /// How to ask for the next one; None after the end.
    next: Option<ListParams>,
}

impl Pages {
    /// Those of what `params` select, each of at most their limit.
    pub(crate) fn new(params: ListParams) -> Self {
        Self { last: None, next: Some(params) }
    }

    /// Those of what is watched of a kind.
    pub(super) fn of(kind: &WatchedKind) -> Self {
        let params = ListParams::default().limit(kind.page);
        Self::new(ListParams { field_selector: kind.fields.map(str::to_owned), ..params })
    }

    /// The next page; None after the last one. A page that failed is still the next one.
    ///
    /// # Errors
    /// The API server doesn't give it. [`begun_anew`] knows what to do where the list has expired.
    pub(crate) async fn next<K>(&mut self, api: &Api<K>) -> kube::Result<Option<Vec<K>>>
    where
        K: Clone + DeserializeOwned + Debug,
    {
        let Some(params) = &self.next else { return Ok(None) };
        // The client logs whole answers that it can't parse, Secrets and all: it is silenced.
        let page = api.list(params).with_subscriber(Dispatch::none()).await?;
        let token = page.metadata.continue_.filter(|token| !token.is_empty());
        let next = token.map(|token| params.clone().continue_token(&token));
        self.last = std::mem::replace(&mut self.next, next);
        Ok(Some(page.items))
    }

    /// Makes the page that was read last the next one again, for who has to read it in another way.
    pub(super) fn again(&mut self) {
        if let Some(last) = self.last.take() {
            self.next = Some(last);
        }
    }
}

/// Reads a list by `once`, and from its first page on again while the API server has forgotten where it was.
///
/// # Errors
/// Those of `once`. One that `expired` knows: the list changed too often.
pub(crate) async fn begun_anew<T, E, F>(mut once: impl FnMut() -> F, expired: impl Fn(&E) -> bool) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    for _ in 1..TRIES {
        match once().await {
            Err(error) if expired(&error) => {}
            outcome => return outcome,
        }
    }
    once().await
}

/// Whether the API server no longer knows the next page.
pub(crate) fn is_expired(error: &kube::Error) -> bool {
    status_of(error).is_some_and(|status| status.code == 410)
}
