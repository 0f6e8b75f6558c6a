//! How many objects a page of a list holds: as many as make about a mebibyte, by the size of those before.
//!
//! The client library asks for pages of one size. Of Secrets of a few kilobytes that is too few objects a page, and the list takes long; of
//! large ones too many, and the page takes much memory, several times over while it is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{Request, Uri};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;

/// The bytes that a page should have.
const WANTED: u64 = 1 << 20;
/// The fewest objects a page: with 1.5 MiB each, which is what etcd takes, 75 MiB.
const FEWEST: u64 = 50;
/// The last page of a list.
#[derive(Default)]
struct Page {
    /// The most objects a page.
    most: u64,
    /// How many objects were asked for.
    objects: AtomicU64,
    /// The bytes of the answer so far.
    bytes: AtomicU64,
}

impl Page {
    /// How many objects to ask for next, after a full page: the list goes on.
    fn next(&self) -> u64 {
        let (objects, bytes) = (self.objects.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        // No faster than fourfold: the next objects may be larger.
        (objects * WANTED).checked_div(bytes).map_or(FEWEST, |fit| fit.min(objects * 4)).min(self.most).max(FEWEST)
    }
}

/// The most objects of any page.
const MOST: u64 = 500;

/// Wraps the client of one kind's watch, which lists one page after another; `page` is the size that fits any objects of the kind. Must
/// be called within a tokio runtime.
pub(super) fn sized(client: Client, page: u32) -> Client {
    let namespace = client.default_namespace().to_owned();
    let page = Arc::new(Page { most: u64::from(page).saturating_mul(4).min(MOST), ..Page::default() });
    let service = tower::service_fn(move |mut request: Request<Body>| {
        let (client, page) = (client.clone(), Arc::clone(&page));
        let query = request.uri().query().unwrap_or_default();
        let goes_on = query.split('&').any(|part| part.starts_with("continue="));
        let is_page = goes_on || query.split('&').any(|part| part.starts_with("limit="));
        if is_page {
            let objects = if goes_on { page.next() } else { FEWEST };
            if let Some(uri) = with_limit(request.uri(), objects) {
                *request.uri_mut() = uri;
            }
            page.objects.store(objects, Ordering::Relaxed);
            page.bytes.store(0, Ordering::Relaxed);
        }
        async move {
            let answer = client.send(request).await?;
            let counted = move |body: Body| {
                body.map_frame(move |frame| {
                    if is_page && let Some(data) = frame.data_ref() {
                        page.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
                    }
                    frame
                })
            };
            Ok::<_, kube::Error>(answer.map(counted))
        }
    });
    Client::new(service, namespace)
}

/// The same request with another limit.
fn with_limit(uri: &Uri, objects: u64) -> Option<Uri> {
    let others = uri.query().unwrap_or_default().split('&').filter(|part| !part.starts_with("limit="));
    let query = others.chain([format!("limit={objects}").as_str()]).collect::<Vec<_>>().join("&");
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{}?{query}", uri.path()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn next_after(objects: u64, bytes: u64, wanted: u64) {
        let page = Page { most: 500, objects: objects.into(), bytes: bytes.into() };
        assert_eq!(page.next(), wanted, "after {objects} objects of {bytes} bytes");
    }

    #[test]
    fn pages_hold_about_a_mebibyte() {
        next_after(50, 250_000, 200);
        next_after(200, 1_000_000, 209);
        next_after(50, 50 * 2_000, 200);
        next_after(200, 200 * 2_000, 500);
        next_after(500, 50 << 20, 50);
        next_after(50, 0, 50);
    }

    #[test]
    fn only_the_limit_of_a_request_changes() {
        let uri = "/api/v1/secrets?limit=50&continue=abc&fieldSelector=type%21%3Dhelm".parse().expect("a URI");
        let other = with_limit(&uri, 200).expect("another");
        assert_eq!(other.to_string(), "/api/v1/secrets?continue=abc&fieldSelector=type%21%3Dhelm&limit=200");
    }
}
