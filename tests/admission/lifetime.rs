//! How the server goes: nothing that was asked is lost.

use std::sync::Arc;

use axum::http::{Version, header};
use futures::future::BoxFuture;
use meshvet::admission::drain::Phase;
use meshvet::admission::listener::Limits;
use meshvet::mesh::{FreshStores, SecretAccess, StoreKey};
use meshvet::sources::StoreReader;
use tokio::sync::Semaphore;

use crate::bed::{Bed, MISNAMED, create, node};
use crate::client::{Live, read, request, soon};
use crate::support::manifests::{deployment, namespace, tls_secret};

/// A reader that answers when told to.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) asked: Arc<Semaphore>,
    pub(crate) released: Arc<Semaphore>,
}

impl Default for Held {
    fn default() -> Self {
        Self { asked: Arc::new(Semaphore::new(0)), released: Arc::new(Semaphore::new(0)) }
    }
}

impl StoreReader for Held {
    fn read(&self, _: Vec<StoreKey>) -> BoxFuture<'_, FreshStores> {
        self.asked.add_permits(1);
        Box::pin(async {
            self.released.acquire().await.expect("open").forget();
            FreshStores::new()
        })
    }
}

async fn live() -> Live {
    Live::start(Bed::serving(&MISNAMED), Limits::default()).await
}

#[tokio::test]
async fn while_draining_http1_is_served_and_told_to_go() {
    let live = live().await;
    let mut kept = live.http1().await;
    let answer = soon("an answer", kept.send_request(request(Version::HTTP_11, &create(node())))).await;
    let (head, _) = read(answer.expect("an answer")).await;
    assert!(!head.headers.contains_key(header::CONNECTION));

    live.bed.drain.advance(Phase::Draining);
    let fresh = live.http1().await;
    for mut sender in [kept, fresh] {
        soon("the connection", sender.ready()).await.expect("it is still open");
        let answer = soon("an answer", sender.send_request(request(Version::HTTP_11, &create(node())))).await;
        let (head, body) = read(answer.expect("an answer")).await;
        assert_eq!(head.headers[header::CONNECTION], "close");
        assert_eq!(body["response"]["allowed"], false, "judged as ever");
        soon("its end", async { while sender.ready().await.is_ok() {} }).await;
    }
    live.bed.drain.advance(Phase::Stopping);
    soon("the end", live.server).await.expect("no panic");
}

#[tokio::test]
async fn while_draining_http2_gets_a_goaway_and_connects_anew() {
    let live = live().await;
    let (mut kept, ended) = live.http2().await;
    let answer = soon("an answer", kept.send_request(request(Version::HTTP_2, &create(node())))).await;
    drop(read(answer.expect("an answer")).await);

    live.bed.drain.advance(Phase::Draining);
    soon("the connection's end", ended).await.expect("no panic");
    let (mut fresh, _) = live.http2().await;
    let answer = soon("an answer", fresh.send_request(request(Version::HTTP_2, &create(node())))).await;
    assert_eq!(answer.expect("an answer").status(), 200);
}

#[tokio::test]
async fn what_is_under_way_is_answered_before_the_server_ends() {
    let world =
        [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs"), tls_secret("shop", "blue-cert", &MISNAMED)];
    let reader = Held::default();
    let bed = Bed::reading(world, SecretAccess::Complete, reader.clone());
    let live = Live::start(bed, Limits::default()).await;
    let (mut one, mut other) = (live.http1().await, live.http2().await.0);
    let one = tokio::spawn(async move { one.send_request(request(Version::HTTP_11, &create(node()))).await });
    let other = tokio::spawn(async move { other.send_request(request(Version::HTTP_2, &create(node()))).await });
    soon("both to be under way", reader.asked.acquire_many(2)).await.expect("open").forget();

    live.bed.drain.advance(Phase::Draining);
    live.bed.drain.advance(Phase::Stopping);
    reader.released.add_permits(2);
    for asked in [one, other] {
        let answer = soon("an answer", asked).await.expect("no panic").expect("an answer");
        let (head, body) = read(answer).await;
        assert_eq!((head.status.as_u16(), &body["response"]["allowed"]), (200, &false.into()));
    }
    soon("the end", live.server).await.expect("no panic");
    tokio::net::TcpStream::connect(live.address).await.expect_err("nobody listens");
}

#[tokio::test]
async fn idle_connections_end_with_the_server() {
    let live = live().await;
    let mut idle = live.http1().await;
    soon("the connection", idle.ready()).await.expect("open");
    live.bed.drain.advance(Phase::Stopping);
    soon("the end", live.server).await.expect("no panic");
}
