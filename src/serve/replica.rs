//! What the parts of one replica share, and the parts made of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::server::danger::ClientCertVerifier;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::admission::certificate::managed::Kept;
use crate::admission::drain::Drain;
use crate::admission::listener::{Limits, Server, tls_config_for};
use crate::admission::overload::Overload;
use crate::admission::probes::Probes;
use crate::admission::report_page::{self, ReportPage};
use crate::admission::server::router_at;
use crate::admission::service::Admission;
use crate::apis;
use crate::mesh::{SecretScope, World};
use crate::operate::Clock;
use crate::operate::log::{Dropped, LogLevel};
use crate::operate::metrics::Metrics;
use crate::operate::self_check::SelfCheck;
use crate::operate::skew::{self, Skew};
use crate::policy::Policy;
use crate::rules::forget_sound_text;
use crate::serve::options::ServeOptions;
use crate::serve::policy;
use crate::sources::cluster::{ClusterOptions, KubeReader, KubeSpaces, Pace, Readiness, WatchStats, Watches, spawn};
use crate::sources::file_watch::FileWatch;
use crate::sources::{AwsReader, SharedWorld};
use crate::watch::{self, Telling, TellingOptions, Watcher};

/// How far watches may lag behind what was applied a moment ago.
const WATCH_LAG: Duration = Duration::from_millis(150);

/// The watcher at work.
pub(super) struct Watching {
    watcher: JoinHandle<()>,
    telling: Option<Telling>,
}

impl Watching {
    /// Stops, and gives the Lease back.
    pub(super) async fn end(self) {
        self.watcher.abort();
        if let Some(telling) = self.telling {
            telling.end().await;
        }
    }
}

/// What the parts of one replica share.
pub(super) struct Replica {
    client: kube::Client,
    kept: Kept,
    clock: Clock,
    skew: Skew,
    policy: Arc<ArcSwap<Policy>>,
    aws: Arc<dyn AwsReader>,
    cluster: ClusterOptions,
    scope: SecretScope,
    world: SharedWorld,
    readiness: Readiness,
    watched: WatchStats,
    dropped: Dropped,
    pub(super) metrics: Arc<Metrics>,
    pub(super) drain: Drain,
}

impl Replica {
    /// A replica that knows nothing yet.
    pub(super) fn new(options: &ServeOptions, client: kube::Client, kept: Kept, clock: Clock) -> Self {
        let (access, scope) = (options.access, options.scope.clone());
        let world = World::reading(access, scope.clone());
        Self {
            client,
            kept,
            clock,
            skew: Skew::default(),
            policy: Arc::clone(&options.policy),
            aws: Arc::clone(&options.aws),
            cluster: ClusterOptions {
                access,
                pace: Pace::default(),
                service_accounts: options.aws.asks(),
                apis: options.apis,
            },
            scope,
            // Whoever a change touches is judged again.
            world: SharedWorld::with_trimmed_inventory(world, forget_sound_text),
            readiness: Readiness::default(),
            watched: WatchStats::default(),
            dropped: options.level.dropped(),
            metrics: Arc::default(),
            drain: Drain::default(),
        }
    }

    /// What is known of the cluster.
    pub(super) fn world(&self) -> &SharedWorld {
        &self.world
    }

    /// Begins to watch the cluster.
    pub(super) fn watch(&self) -> Watches {
        let (client, world, readiness) = (self.client.clone(), self.world.clone(), self.readiness.clone());
        spawn(client, self.cluster, world, readiness, &self.watched)
    }

    /// Begins to read the policy again whenever its file changes.
    pub(super) fn follow_policy(&self, path: PathBuf, level: LogLevel, by_kubeconfig: bool) -> FileWatch {
        let events = policy::events(&self.client, by_kubeconfig);
        let workloads = self.policy.load().workloads().to_vec();
        let tell = policy::teller(&path, workloads, level, Arc::clone(&self.metrics), events);
        policy::follow(path, Arc::clone(&self.policy), tell)
    }

    /// Begins to compare the caches with the cluster: so often, and when SIGUSR1 asks for it.
    pub(super) fn check_itself(&self, every: Option<Duration>) -> std::io::Result<JoinHandle<()>> {
        let asked = signal(SignalKind::user_defined1())?;
        let check = SelfCheck {
            client: self.client.clone(),
            options: self.cluster,
            world: self.world.clone(),
            readiness: self.readiness.clone(),
            metrics: Arc::clone(&self.metrics),
        };
        Ok(tokio::spawn(check.run(every, asked)))
    }

    /// Begins to judge again whom changes touch, and to tell of it.
    pub(super) fn watch_the_mesh(&self, telling: Option<&TellingOptions>) -> Result<Watching, rustls::Error> {
        let (found, hears) = tokio::sync::watch::channel(Arc::default());
        let watcher = Watcher {
            world: self.world.clone(),
            policy: Arc::clone(&self.policy),
            clock: Arc::clone(&self.clock),
            aws: Arc::clone(&self.aws),
            readiness: self.readiness.clone(),
            metrics: Arc::clone(&self.metrics),
            found,
            reports: telling.is_some_and(|telling| telling.reports),
            pause: watch::sleep(),
        };
        let (client, world) = (self.client.clone(), self.world.clone());
        let telling = telling.map(|options| Telling::start(client, options, world, Arc::clone(&self.clock), hears));
        Ok(Watching { watcher: tokio::spawn(watcher.run()), telling: telling.transpose()? })
    }

    /// The page that shows the mesh. Its [pages](ReportPage::run) have to be made.
    pub(super) fn report(&self) -> ReportPage {
        let (policy, clock) = (Arc::clone(&self.policy), Arc::clone(&self.clock));
        ReportPage::new(self.world.clone(), policy, clock, report_page::Pace::default())
    }

    /// The probes, with the page where there is one.
    pub(super) fn probes(&self, report: Option<ReportPage>) -> Probes {
        Probes {
            readiness: self.readiness.clone(),
            certificate: Arc::clone(&self.kept.certificate),
            drain: self.drain.clone(),
            clock: Arc::clone(&self.clock),
            skew: self.skew.clone(),
            metrics: Arc::clone(&self.metrics),
            world: self.world.clone(),
            watches: self.watched.clone(),
            calls: self.aws.calls(),
            dropped: self.dropped.clone(),
            report,
        }
    }

    /// Says that ACM references can't be compared, where neither AWS nor the policy tells what with.
    pub(super) fn tell_of_acm(&self) {
        let policy = self.policy.load();
        let known = policy.aws().region.is_some() && policy.aws().account.is_some();
        if !self.aws.asks() && !known && self.cluster.apis.has_proxied() {
            tracing::info!(
                "ACM references of nodes that {} has yet to create aren't compared with a Region and an account: the policy's \
                 aws.region and aws.account, or --aws, would tell them",
                apis::words_of_proxied(|names| names.api)
            );
        }
    }

    /// Compares the clock with the API server's, forever.
    pub(super) fn compare_clocks(&self) -> impl Future<Output = ()> + use<> {
        let (client, clock) = (self.client.clone(), Arc::clone(&self.clock));
        skew::follow(client, clock, self.skew.clone(), Arc::clone(&self.metrics))
    }

    /// What answers reviews: of these callers alone, where there are any.
    pub(super) fn server(
        &self,
        bounds: Overload,
        callers: Option<Arc<dyn ClientCertVerifier>>,
    ) -> Result<Server, rustls::Error> {
        let reader = KubeReader::new(self.client.clone(), self.cluster.access).within(self.scope.clone());
        let spaces = KubeSpaces::new(self.client.clone(), self.cluster);
        let (policy, clock) = (Arc::clone(&self.policy), Arc::clone(&self.clock));
        let admission = Admission::new(self.world.clone(), Arc::new(reader), policy, clock, Arc::clone(&self.metrics))
            .asking(Arc::clone(&self.aws))
            .reading(Arc::new(spaces))
            .once(self.readiness.clone())
            .aged_by(self.watched.clone())
            .waiting_for_watches(WATCH_LAG);
        Ok(Server {
            router: router_at(Arc::new(admission), self.drain.clone(), bounds, Arc::clone(&self.kept.paths)),
            tls: Arc::new(tls_config_for(callers, Arc::clone(&self.kept.certificate) as _)?),
            drain: self.drain.clone(),
            metrics: Arc::clone(&self.metrics),
            limits: Limits::default(),
        })
    }
}
