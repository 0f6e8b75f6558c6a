//! The watches and the reader against scripted responses that a real API server rarely gives.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use axum::BoxError;
use axum::http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tracing::subscriber::DefaultGuard;

use super::{ClusterOptions, KubeReader, Pace, Readiness, WatchStats, spawn};
use crate::mesh::{SecretAccess, SecretScope, StoreKey, StoreState, Unread, World};
use crate::sources::{SharedWorld, StoreReader};

/// The response to a path with its query; None: it never comes.
pub(super) type Answer = Option<(u16, String)>;

pub(super) fn client(answer: impl Fn(&str) -> Answer + Clone + Send + Sync + 'static) -> Client {
    let service = tower::service_fn(move |request: Request<Body>| {
        let answer = answer(&request.uri().to_string());
        async move {
            let Some((status, body)) = answer else { return std::future::pending().await };
            Ok::<_, BoxError>(Response::builder().status(status).body(Body::from(body.into_bytes()))?)
        }
    });
    Client::new(service, "default")
}

/// A list page with these names, in namespace shop.
pub(super) fn page(names: &[&str], next: &str) -> Answer {
    let items: Vec<_> = names.iter().map(|name| json!({"metadata": {"namespace": "shop", "name": name}})).collect();
    let metadata = json!({"resourceVersion": "7", "continue": next});
    Some((200, json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items}).to_string()))
}

fn empty() -> Answer {
    page(&[], "")
}

fn refusal() -> Answer {
    let message = "pods is forbidden: User \"system:serviceaccount:meshvet-system:meshvet\" cannot list resource";
    let status = json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": message});
    Some((403, status.to_string()))
}

/// Requests for `resource`'s list go to `answer`; all other lists are empty, and no events arrive.
pub(super) fn only(
    resource: &'static str,
    answer: impl Fn(&str) -> Answer + Clone + Send + Sync + 'static,
) -> impl Fn(&str) -> Answer + Clone + Send + Sync + 'static {
    move |target| {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match (query.contains("watch=true"), path.ends_with(resource)) {
            (true, _) => None,
            (false, true) => answer(query),
            (false, false) => empty(),
        }
    }
}

/// Everything logged on this thread, at every level.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(super) fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        // Another test's thread without a subscriber may be the first to come to a log line, which then counts as nobody's.
        static SOMEBODY: Once = Once::new();
        SOMEBODY.call_once(|| {
            let sink =
                tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(std::io::sink).finish();
            let _ = tracing::subscriber::set_global_default(sink);
        });
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn lines_with(&self, text: &str) -> usize {
        self.text().lines().filter(|line| line.contains(text)).count()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) struct Cluster {
    pub(super) world: SharedWorld,
    pub(super) readiness: Readiness,
    pub(super) stats: WatchStats,
    _watches: super::Watches,
}

impl Cluster {
    pub(super) fn watch(client: Client) -> Self {
        Self::reading(client, SecretScope::Everywhere)
    }

    fn reading(client: Client, scope: SecretScope) -> Self {
        let least = Duration::from_millis(1);
        let pace = Pace { absent: least, retry_least: least, retry_most: 4 * least, answer: 200 * least };
        let world = SharedWorld::new(World::reading(SecretAccess::Complete, scope));
        let (readiness, stats) = (Readiness::default(), WatchStats::default());
        let options =
            ClusterOptions { access: SecretAccess::Complete, pace, service_accounts: false, ..Default::default() };
        let watches = spawn(client, options, world.clone(), readiness.clone(), &stats);
        Self { world, readiness, stats, _watches: watches }
    }

    pub(super) async fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let wait = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
        assert!(waited.is_ok(), "{what}: never; missing: {:?}", self.readiness.missing());
    }

    fn namespaces(&self) -> usize {
        self.world
            .read(|world| world.counts().iter().find(|(what, _)| *what == "namespaces").map_or(0, |found| found.1))
    }
}

#[tokio::test]
async fn every_page_of_a_list_is_read_before_the_kind_is_ready() {
    let cluster = Cluster::watch(client(only("namespaces", |query| {
        if query.contains("continue=second") { page(&["b", "c"], "") } else { page(&["a"], "second") }
    })));
    assert!(!cluster.readiness.ready(), "nothing has been read when `spawn` returns");
    cluster.until("ready", |cluster| cluster.readiness.ready()).await;
    assert_eq!(cluster.namespaces(), 3);
}

#[tokio::test]
async fn an_absent_kind_is_told_once_and_noticed_when_it_comes() {
    let (log, _guard) = Log::start();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let cluster =
        Cluster::watch(client(only("/backendgroups", move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0..10 => Some((404, "404 page not found\n".to_owned())),
            _ => page(&["apps"], ""),
        })));
    cluster.until("ready without it", |cluster| cluster.readiness.ready()).await;
    let groups = |cluster: &Cluster| cluster.stats.kind("BackendGroup").expect("a kind").objects();
    cluster.until("noticed", |cluster| groups(cluster) == 1).await;
    assert_eq!(log.lines_with("the cluster has no backendgroups.appmesh.k8s.aws"), 1, "{}", log.text());
    assert_eq!(cluster.stats.kind("BackendGroup").expect("a kind").errors(), 0);
}

#[tokio::test]
async fn a_forbidden_kind_stays_missing_until_it_is_granted() {
    let (log, _guard) = Log::start();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let cluster = Cluster::watch(client(only("/pods", move |_| match count.load(Ordering::Relaxed) {
        0..100 => {
            count.fetch_add(1, Ordering::Relaxed);
            refusal()
        }
        _ => empty(),
    })));
    cluster.until("refused often", |_| asked.load(Ordering::Relaxed) >= 10).await;
    assert_eq!(cluster.readiness.missing(), ["Pod"]);
    let told = cluster.readiness.told().concat();
    assert!(told.contains("may not list pods") && told.contains("must allow list and watch on pods"), "{told}");
    asked.store(100, Ordering::Relaxed);
    cluster.until("granted", |cluster| cluster.readiness.ready()).await;
    assert_eq!(log.lines_with("may not list pods"), 1, "{}", log.text());
    assert_eq!(log.lines_with("ERROR"), 1, "{}", log.text());
    assert!(cluster.stats.kind("Pod").expect("a kind").errors() >= 10);
}

#[tokio::test]
async fn secrets_are_watched_where_they_may_be_and_nowhere_else() {
    let (log, _guard) = Log::start();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let client = client(move |target| {
        let path = target.split('?').next().unwrap_or_default();
        if path.ends_with("/secrets") {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
        }
        match (target.contains("watch=true"), path) {
            (true, _) => None,
            (false, "/api/v1/namespaces/shop/secrets") => page(&["a", "b"], ""),
            (false, "/api/v1/namespaces/till/secrets") => page(&["c"], ""),
            (false, "/api/v1/namespaces/bank/secrets") => refusal(),
            (false, _) => empty(),
        }
    });
    let cluster = Cluster::reading(client, SecretScope::of(["till", "shop", "bank"].map(str::to_owned)));
    let secrets = |cluster: &Cluster| cluster.stats.kind("Secret").expect("a kind").objects();
    cluster.until("both lists are counted", |cluster| secrets(cluster) == 3).await;
    let told = "a Role in namespace bank must allow list and watch on secrets";
    cluster.until("the refusal is told", |_| log.lines_with(told) == 1).await;
    cluster.until("all else is read", |cluster| cluster.readiness.missing() == ["Secret of namespace bank"]).await;
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(asked.iter().all(|path| path.starts_with("/api/v1/namespaces/")), "{asked:?}");
}

#[tokio::test]
async fn a_secret_out_of_scope_is_not_asked_for() {
    let client = client(|_| Some((200, json!({"data": {"tls.crt": "eA=="}}).to_string())));
    let reader = KubeReader::new(client, SecretAccess::OnDemand).within(SecretScope::of(["shop".to_owned()]));
    let [ours, theirs] = ["shop", "bank"].map(|namespace| StoreKey::secret(namespace, "cert"));
    let map = StoreKey::config_map("bank", "ca");
    let read = reader.read(vec![ours.clone(), theirs, map.clone()]).await;
    let mut keys: Vec<_> = read.keys().cloned().collect();
    keys.sort();
    let mut expected = [ours, map];
    expected.sort();
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn a_refused_watch_keeps_what_was_listed() {
    let cluster =
        Cluster::watch(client(|target| match (target.contains("watch=true"), target.contains("/namespaces")) {
            (true, true) => refusal(),
            (true, false) => None,
            (false, true) => page(&["a"], ""),
            (false, false) => empty(),
        }));
    cluster.until("ready", |cluster| cluster.readiness.ready()).await;
    cluster.until("refused", |cluster| cluster.stats.kind("Namespace").expect("a kind").errors() > 3).await;
    assert_eq!(cluster.namespaces(), 1);
}

#[tokio::test]
async fn no_byte_of_a_secret_is_logged_however_broken_the_answer_is() {
    let value = "aHVzaC1odXNo";
    let secret = format!(r#"{{"metadata":{{"namespace":"shop","name":"cert"}},"data":{{"tls.key":"{value}"}}"#);
    let list = format!(r#"{{"metadata":{{"resourceVersion":"7"}},"items":[{secret}"#);
    let event = format!(r#"{{"type":"ADDED","object":{secret},{{}}"#);
    let (log, _guard) = Log::start();
    let client = client(move |target| {
        let secrets = target.contains("/secrets");
        match (target.contains("watch=true"), secrets) {
            (true, _) => None,
            (false, true) if target.contains("/shop/") => Some((200, secret.clone())),
            (false, true) if target.contains("limit=") => Some((200, list.clone())),
            (false, _) => Some((200, event.clone())),
        }
    });
    let cluster = Cluster::watch(client.clone());
    cluster.until("failed", |cluster| cluster.stats.kind("Secret").expect("a kind").errors() > 2).await;
    let key = StoreKey::secret("shop", "cert");
    let read = KubeReader::new(client, SecretAccess::Complete).read(vec![key.clone()]).await;
    let Some(StoreState::Unread(Unread::Failed(why))) = read.get(&key) else { panic!("{read:?}") };
    assert!(why.contains("Secret shop/cert could not be read"), "{why}");
    let text = log.text();
    assert!(text.contains("could not list secrets: the answer can't be read"), "{text}");
    for shown in [&text, why] {
        assert!(!shown.contains(value) && !shown.contains("hush"), "{shown}");
    }
}

#[tokio::test]
async fn a_fresh_read_tells_present_from_absent_from_failed() {
    let client = client(|target| match target.rsplit('/').next()? {
        "there?" | "there" => Some((200, json!({"data": {"tls.crt": "eA=="}}).to_string())),
        "gone?" | "gone" => Some((404, json!({"kind": "Status", "code": 404, "reason": "NotFound"}).to_string())),
        "refused?" | "refused" => refusal(),
        other => Some((500, format!("unexpected: {other}"))),
    });
    let keys = ["there", "gone", "refused", "broken", "../pods/it"].map(|name| StoreKey::secret("shop", name));
    let read = KubeReader::new(client.clone(), SecretAccess::OnDemand).read(keys.to_vec()).await;
    let shown = keys.clone().map(|key| match read.get(&key) {
        Some(StoreState::Present(store)) => format!("{:?}", store.files.keys().collect::<Vec<_>>()),
        Some(StoreState::Unread(Unread::Failed(why))) => why.clone(),
        other => format!("{other:?}"),
    });
    assert_eq!(shown[0], r#"["tls.crt"]"#);
    assert_eq!(shown[1], "Some(Absent)");
    assert!(shown[2].contains("must allow get on secrets") && shown[2].contains("--secrets must be none"), "{shown:?}");
    assert!(shown[3].contains("Secret shop/broken could not be read: the API server answered 500"), "{shown:?}");
    assert_eq!(shown[4], "Some(Absent)", "no Secret can have such a name, and no path is made of it");

    let map = StoreKey::config_map("shop", "gone");
    let never = KubeReader::new(client, SecretAccess::Never);
    let read = never.read(vec![keys[0].clone(), map.clone()]).await;
    assert_eq!(read.keys().collect::<Vec<_>>(), [&map], "no Secret is read");
}
