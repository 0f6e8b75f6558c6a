//! The webhook from its start to its end.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::admission::callers::Callers;
use crate::admission::certificate::managed::Kept;
use crate::admission::report_page::ReportPage;
use crate::operate::{Clock, expiry};
use crate::serve::certificate;
use crate::serve::error::ServeError;
use crate::serve::options::ServeOptions;
use crate::serve::ready::tell_when_ready;
use crate::serve::replica::Replica;
use crate::serve::signals::{Signals, go_out};
use crate::sources::cluster::connect;
use crate::sources::file_watch::FileWatch;

/// Serves until a signal ends it. Must be called within a tokio runtime.
///
/// # Errors
/// When it can't start (a certificate, a cluster or an address that can't be used), or can't go on.
pub(crate) async fn serve(options: ServeOptions) -> Result<(), ServeError> {
    let (certificate, _renewal) = certificate::obtain(&options.certificate)?;
    let callers =
        options.client_ca.as_deref().map(Callers::load).transpose().map_err(ServeError::Callers)?.map(Arc::new);
    let _callers = callers.as_ref().zip(options.client_ca.clone()).map(|(callers, path)| callers.follow(path));
    let paths = certificate::paths(&options.certificate, &options.door);
    let listener = bind(options.listen).await?;
    let probe_listener = bind(options.probe_listen).await?;
    let mut signals = Signals::listen()?;
    let client = connect(&options.connection).await?;
    let clock: Clock = Arc::new(Timestamp::now);
    let kept = Kept { certificate: Arc::clone(&certificate), paths: Arc::clone(&paths) };
    let replica = Replica::new(&options, client.clone(), kept, Arc::clone(&clock));
    let managed =
        certificate::keep(&options.certificate, &client, Kept { certificate, paths }, &replica.metrics, &clock)?;
    let mut watches = replica.watch();
    let (grace, overload) = (options.drain_grace, options.overload);
    let (access, scope, aws) = (options.access, options.scope.clone(), options.aws.asks());
    let watching = replica.watch_the_mesh(options.telling.as_ref())?;
    let background = Background::start(&replica, options)?;
    replica.tell_of_acm();
    let server = replica.server(overload, callers.map(|callers| callers as _))?;
    tracing::info!(
        address = %listener.local_addr()?,
        probes = %probe_listener.local_addr()?,
        secrets = ?access,
        secret_namespaces = %scope,
        aws,
        version = env!("CARGO_PKG_VERSION"),
        "serving"
    );
    let probes = replica.probes(background.report.clone());
    let ready = tokio::spawn(tell_when_ready(probes.clone()));
    // Answers to the very end: the kubelet asks while the server drains.
    let probe_server = tokio::spawn(async { axum::serve(probe_listener, probes.router()).await });
    let mut serving = tokio::spawn(server.serve(listener));

    let outcome = tokio::select! {
        () = signals.ended() => Ok(()),
        () = watches.broken() => Err(ServeError::WatchBroke),
        stopped = &mut serving => Err(ServeError::Stopped(stopped)),
    };
    ready.abort();
    background.self_check.abort();
    if outcome.is_ok() {
        go_out(&replica.drain, grace, &mut signals, serving, &mut watches).await;
    }
    watching.end().await;
    if let Some(managed) = managed {
        managed.end().await;
    }
    probe_server.abort();
    background.end();
    tracing::info!("stopped");
    outcome
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen { address, error })
}

/// What goes on beside the reviews.
struct Background {
    self_check: JoinHandle<()>,
    expiries: JoinHandle<()>,
    skew: JoinHandle<()>,
    report: Option<ReportPage>,
    report_task: Option<JoinHandle<()>>,
    _policy_changes: Option<FileWatch>,
}

impl Background {
    fn start(replica: &Replica, options: ServeOptions) -> Result<Self, ServeError> {
        let ServeOptions { policy_file, level, connection, self_check, report, .. } = options;
        let by_kubeconfig = connection.kubeconfig.is_some();
        let policy_changes = policy_file.map(|path| replica.follow_policy(path, level, by_kubeconfig));
        let self_check = replica.check_itself(self_check)?;
        let report = report.then(|| replica.report());
        let report_task = report.clone().map(|report| tokio::spawn(report.run()));
        let metrics = Arc::clone(&replica.metrics);
        let expiries = expiry::follow(replica.world().clone(), move |found| metrics.listeners(found));
        let expiries = tokio::spawn(expiries);
        let skew = tokio::spawn(replica.compare_clocks());
        Ok(Self { self_check, expiries, skew, report, report_task, _policy_changes: policy_changes })
    }

    fn end(self) {
        self.expiries.abort();
        self.skew.abort();
        self.report_task.inspect(JoinHandle::abort);
    }
}
