//! Notes when the API server says anything of a kind: the age of what is known of it.
//!
//! A watch of a kind in which nothing happens yields no event for hours. What tells that it lives are the API server's bookmarks, which
//! the watcher keeps to itself, so the answers are listened to as they come in.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;

use crate::sources::cluster::stats::Ear;

/// The same client, which notes each part of each good answer. Must be called within a tokio runtime.
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
