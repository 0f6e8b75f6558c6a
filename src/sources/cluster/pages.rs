//! Lists, page by page.

use std::fmt::Debug;

use kube::api::{Api, ListParams};
use serde::de::DeserializeOwned;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::sources::cluster::failure::status_of;
use crate::sources::cluster::kinds::WatchedKind;

/// The most attempts to read a list from its first page.
const TRIES: u32 = 4;

/// The pages of one list, in order.
#[derive(Debug)]
pub(crate) struct Pages {
    /// The request for the last page.
    last: Option<ListParams>,
    /// The request for the next page; None after the last.
    next: Option<ListParams>,
}

impl Pages {
    /// The pages of the objects that `params` selects, each up to its limit.
    pub(crate) fn new(params: ListParams) -> Self {
        Self { last: None, next: Some(params) }
    }

    /// The pages of a watched kind.
    pub(super) fn of(kind: &WatchedKind) -> Self {
        let params = ListParams::default().limit(kind.page);
        Self::new(ListParams { field_selector: kind.fields.map(str::to_owned), ..params })
    }

    /// The next page; None after the last one. A failed page can be requested again.
    ///
    /// # Errors
    /// The API server doesn't return it. [`begun_anew`] handles an expired list.
    pub(crate) async fn next<K>(&mut self, api: &Api<K>) -> kube::Result<Option<Vec<K>>>
    where
        K: Clone + DeserializeOwned + Debug,
    {
        let Some(params) = &self.next else { return Ok(None) };
        // The client logs whole responses that it can't parse, Secrets included: it is silenced.
        let page = api.list(params).with_subscriber(Dispatch::none()).await?;
        let token = page.metadata.continue_.filter(|token| !token.is_empty());
        let next = token.map(|token| params.clone().continue_token(&token));
        self.last = std::mem::replace(&mut self.next, next);
        Ok(Some(page.items))
    }

    /// Makes the last page the next one again, for a caller that has to read it differently.
    pub(super) fn again(&mut self) {
        if let Some(last) = self.last.take() {
            self.next = Some(last);
        }
    }
}

/// Reads a list with `once`, and restarts from the first page if the API server's continue token has expired.
///
/// # Errors
/// Those of `once`. One for which `expired` holds: the list changed too often.
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

/// Whether the continue token has expired.
pub(crate) fn is_expired(error: &kube::Error) -> bool {
    status_of(error).is_some_and(|status| status.code == 410)
}
