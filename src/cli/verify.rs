//! `meshvet verify`

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{ColorChoice, ValueEnum};
use futures::StreamExt;
use jiff::Timestamp;
use kube::Client;

use crate::cli::cluster::answers;
use crate::cli::connection::ConnectArgs;
use crate::cli::duration::lasting;
use crate::cli::output::FailOn;
use crate::cli::progress::Progress;
use crate::sources::cluster::{Lacking, TO_APPLY, connect_told};
use crate::verify::pods::ProxyPod;
use crate::verify::{self, AdminUrl, FetchError, ProxyReport, Reading, Unread, Verification, fetch, pods};

/// How many proxies are read at once: enough to hide the network, little for an API server that forwards each.
const AT_ONCE: usize = 16;

const EXAMPLES: &str = "\
Examples:
  meshvet verify -n shop blue-5d9c7b-xk2lq            one pod, through the API server's port-forward
  meshvet verify -n shop -l app=blue                  the proxies of some pods
  meshvet verify -A -o json --fail-on warn            the whole mesh, for CI
  meshvet verify --url http://127.0.0.1:9901          a proxy whose admin interface can be reached
  meshvet verify -n shop --over 30s                   what happens now: counters go back to the proxy's start
  meshvet verify -n shop --admin-port 9000 --timeout 3s
                                                      where the controller sets another admin port
  meshvet verify -A --expiring-days 60                renewals to come
  meshvet verify -A --kubeconfig ~/.kube/prod --context blue
  meshvet verify -n shop --color always | less -R

Pods take the rights to list pods and to get and create pods/portforward in their namespace.
Counters name the rules that find the cause; `meshvet explain MV104` tells of one. A proxy without TLS, or whose TLS nothing
has used yet, is a warning.

Exit codes: 0 sound, 1 something at or above --fail-on, 2 could not run or a proxy could not be read.";

/// Read the TLS counters of running proxies: whether TLS is in use, and what fails.
///
/// Asks the admin interface of each Envoy for /stats and /certs: handshakes and failures by listener and cluster, versions and
/// ciphers, and when the loaded certificates expire. It changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct VerifyArgs {
    /// Pods. Without any: all running ones with a container `envoy`, of the namespace or by --selector.
    #[arg(value_name = "POD", conflicts_with_all = ["selector", "all_namespaces"])]
    pods: Vec<String>,

    /// The pods' namespace. Without it: the kubeconfig context's.
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespace: Option<String>,

    /// Pods with these labels: app=blue, or any label selector.
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    selector: Option<String>,

    /// Pods of all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// The admin interface of a proxy, reached directly. Can be given several times.
    #[arg(long = "url", value_name = "URL")]
    urls: Vec<AdminUrl>,

    /// The port of the admin interface in pods (the controller sets another with --envoy-admin-access-port).
    #[arg(long, value_name = "PORT", default_value = "9901", value_parser = clap::value_parser!(u16).range(1..))]
    admin_port: u16,

    /// Count only what happens in this time: reads twice, and reports the difference.
    #[arg(long, value_name = "DURATION", value_parser = lasting)]
    over: Option<Duration>,

    /// How long to wait for a proxy.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = lasting)]
    timeout: Duration,

    /// Warn of certificates with fewer days left.
    #[arg(long, value_name = "DAYS", default_value = "30")]
    expiring_days: u16,

    /// The format of the report.
    #[arg(short, long, value_enum, ignore_case = true, value_name = "FORMAT", default_value = "text")]
    output: Output,

    /// The least severity that makes the exit code 1: `warn` for no TLS, unused TLS and certificates that expire soon, too.
    #[arg(long, value_enum, ignore_case = true, value_name = "SEVERITY", default_value = "deny")]
    fail_on: FailOn,

    #[command(flatten)]
    connection: ConnectArgs,

    /// When to colour the output.
    #[arg(long, value_enum, ignore_case = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people: by proxy, listener and cluster.
    Text,
    /// For programs: one JSON object.
    Json,
}

/// One line for all proxies that the same rights are lacking for.
fn refused(lacking: Vec<(String, Box<Lacking>)>) -> Vec<Unread> {
    let mut lines: Vec<(Unread, usize)> = Vec::new();
    for (proxy, rights) in lacking {
        let message = FetchError::Lacking(rights).to_string();
        match lines.iter_mut().find(|(line, _)| line.message == message) {
            Some((_, more)) => *more += 1,
            None => lines.push((Unread { proxy, message }, 0)),
        }
    }
    let told = lines.into_iter().map(|(line, more)| match more {
        0 => line,
        more => Unread { proxy: format!("{} and {more} more", line.proxy), ..line },
    });
    told.collect()
}

/// A proxy to be read.
enum Target {
    Url(AdminUrl),
    Pod(Client, ProxyPod),
}

impl Target {
    fn name(&self) -> String {
        match self {
            Target::Url(url) => url.to_string(),
            Target::Pod(_, pod) => format!("{}/{}", pod.namespace, pod.name),
        }
    }
}

impl VerifyArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(self.verify())
    }

    async fn verify(self) -> anyhow::Result<ExitCode> {
        let targets = self.targets().await?;
        let all = targets.len();
        let progress = Progress::of_proxies(all);
        let mut outcomes = futures::stream::iter(targets.into_iter().enumerate())
            .map(|(index, target)| {
                let this = &self;
                async move { (index, target.name(), this.read(&target).await) }
            })
            .buffer_unordered(AT_ONCE);
        let mut read = Vec::new();
        while let Some(outcome) = outcomes.next().await {
            read.push(outcome);
            progress.at(read.len(), all);
        }
        drop(outcomes);
        progress.clear();
        // As they were asked for, whichever came first.
        read.sort_by_key(|(index, ..)| *index);

        let now = Timestamp::now();
        let mut verification = Verification::default();
        let mut lacking = Vec::new();
        for (_, proxy, outcome) in read {
            match outcome {
                Ok(reading) => verification.proxies.push(self.judge(proxy, reading, now)),
                Err(FetchError::Lacking(rights)) => lacking.push((proxy, rights)),
                Err(error) => verification.errors.push(Unread { proxy, message: error.to_string() }),
            }
        }
        let roles = lacking.first().map(|(_, rights)| rights.role());
        verification.errors.extend(refused(lacking));
        super::print(&match self.output {
            Output::Text => verify::text(&verification, now, super::style(self.color)),
            Output::Json => verify::json(&verification, now).context("the report could not be written as JSON")?,
        })?;
        if let Some(role) = roles {
            super::tell(&format!("{TO_APPLY}\n{role}"));
        }
        Ok(if !verification.errors.is_empty() {
            ExitCode::from(super::COULD_NOT_RUN)
        } else if verification.fails(self.fail_on.into()) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }

    fn judge(&self, proxy: String, reading: Reading, now: Timestamp) -> ProxyReport {
        verify::judge(proxy, reading, now, i64::from(self.expiring_days))
    }

    async fn targets(&self) -> anyhow::Result<Vec<Target>> {
        let mut targets: Vec<Target> = self.urls.iter().cloned().map(Target::Url).collect();
        let by_label = self.all_namespaces || self.selector.is_some();
        if self.pods.is_empty() && self.namespace.is_none() && !by_label {
            if targets.is_empty() {
                bail!("which proxy? Give -n NAMESPACE [POD], -l SELECTOR, -A for all, or --url http://HOST:9901");
            }
            return Ok(targets);
        }
        let options = self.connection.options();
        let (client, origin) = connect_told(&options).await?;
        answers(&client, &origin).await?;
        let namespace = self.namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned());
        let found: Vec<ProxyPod> = if self.pods.is_empty() {
            let within = (!self.all_namespaces).then_some(namespace.as_str());
            let listed =
                tokio::time::timeout(self.timeout, pods::find(&client, within, self.selector.as_deref())).await;
            let listed = listed.with_context(|| {
                format!(
                    "the API server listed no pods within {} s; a longer --timeout waits longer",
                    self.timeout.as_secs_f64()
                )
            })?;
            if let Err(pods::ListError::Lacking(lacking)) = &listed {
                super::tell(&format!("{TO_APPLY}\n{}", lacking.role()));
            }
            listed?
        } else {
            self.pods.iter().map(|name| ProxyPod { namespace: namespace.clone(), name: name.clone() }).collect()
        };
        if found.is_empty() {
            let within =
                if self.all_namespaces { "in any namespace".to_owned() } else { format!("in namespace {namespace}") };
            let labels = self.selector.as_ref().map(|selector| format!(" with labels {selector}")).unwrap_or_default();
            bail!("no running pod {within}{labels} has a container `envoy`; is the namespace labelled for injection?");
        }
        targets.extend(found.into_iter().map(|pod| Target::Pod(client.clone(), pod)));
        Ok(targets)
    }

    async fn read(&self, target: &Target) -> Result<Reading, FetchError> {
        let reading = async {
            match target {
                Target::Url(url) => fetch::read(fetch::connect(url).await?, url, self.over).await,
                Target::Pod(client, pod) => pods::read(client, pod, self.admin_port, self.over).await,
            }
        };
        let limit = self.timeout.saturating_add(self.over.unwrap_or_default());
        tokio::time::timeout(limit, reading).await.unwrap_or(Err(FetchError::TimedOut(self.timeout)))
    }
}
