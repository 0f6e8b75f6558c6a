//! Reviews without a break: what a cluster in use sends while meshvet is replaced or its certificate renewed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hyper::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::sandbox;

/// How many are under way at once.
const AT_ONCE: usize = 4;
/// It ends by itself, whatever becomes of the test.
const LONGEST: Duration = Duration::from_secs(120);

/// A request that meshvet didn't answer.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    /// When that was known.
    pub(crate) at: Instant,
    /// What the API server said.
    pub(crate) error: String,
}

/// Dry runs of one object through the API server, one after another, until it is [ended](Stream::end).
pub(crate) struct Stream {
    answered: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Lost>>,
}

impl Stream {
    /// Starts to create `node` again and again, as dry runs.
    pub(crate) fn start(plane: &ControlPlane, node: &Value) -> Self {
        let (answered, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let kubeconfig = plane.folder().join("kubeconfig");
        let namespace = node["metadata"]["namespace"].as_str().expect("a namespace");
        let path = format!("/apis/appmesh.k8s.aws/v1beta2/namespaces/{namespace}/virtualnodes?dryRun=All");
        let body = node.to_string().into_bytes();
        let (counter, flag) = (Arc::clone(&answered), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let config = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
                let options = KubeConfigOptions::default();
                let config = kube::Config::from_custom_kubeconfig(config, &options).await;
                let client = kube::Client::try_from(config.expect("a configuration")).expect("a client");
                let ask = || one_after_another(&client, &path, &body, &counter, &flag);
                let lost = futures::future::join_all((0..AT_ONCE).map(|_| ask())).await;
                lost.concat()
            })
        });
        Self { answered, stop, thread }
    }

    /// Waits until `count` more have been answered.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) {
        let from = self.answered.load(Ordering::Relaxed);
        sandbox::eventually("reviews go on", || {
            let more = self.answered.load(Ordering::Relaxed) - from;
            if more >= count { Ok(()) } else { Err(format!("{more} of {count}")) }
        });
    }

    /// Ends it: every request was answered by meshvet's verdict.
    #[track_caller]
    pub(crate) fn end(self) {
        let lost = self.end_with_losses();
        assert!(lost.is_empty(), "{} lost, the first of them:\n{}", lost.len(), lost[0].error);
    }

    /// Ends it: what was not answered by meshvet's verdict.
    pub(crate) fn end_with_losses(self) -> Vec<Lost> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the stream ends")
    }
}

/// What was answered by anything but "created".
async fn one_after_another(
    client: &kube::Client,
    path: &str,
    body: &[u8],
    answered: &AtomicUsize,
    stop: &AtomicBool,
) -> Vec<Lost> {
    let deadline = Instant::now() + LONGEST;
    let mut lost = Vec::new();
    while !stop.load(Ordering::Relaxed) && Instant::now() < deadline {
        let request =
            Request::post(path).header("content-type", "application/json").body(body.to_vec()).expect("a request");
        match client.request_text(request).await {
            Ok(_) => answered.fetch_add(1, Ordering::Relaxed),
            Err(error) => {
                lost.push(Lost { at: Instant::now(), error: error.to_string() });
                0
            }
        };
    }
    lost
}
