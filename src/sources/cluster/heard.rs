//! Records when the API server last sent anything for a kind: the age of what is known of it.
//!
//! A watch of a quiet kind yields no events for hours. The API server's bookmarks show that it is alive, but the watcher doesn't
//! pass them on, so the response bodies are observed as they arrive.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;

use crate::sources::cluster::stats::Ear;

/// Wraps the client so that each part of each successful response is recorded. Must be called within a tokio runtime.
pub(super) fn told_of(client: Client, ear: Arc<Ear>) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |request: axum::http::Request<Body>| {
        let (client, ear) = (client.clone(), Arc::clone(&ear));
        async move {
            let answer = client.send(request).await?;
            let is_good = answer.status().is_success();
            if is_good {
                ear.hear();
            }
            let listened = move |body: Body| {
                body.map_frame(move |frame| {
                    if is_good {
                        ear.hear();
                    }
                    frame
                })
            };
            Ok::<_, kube::Error>(answer.map(listened))
        }
    });
    Client::new(service, namespace)
}
