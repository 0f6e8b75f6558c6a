//! `meshvet audit`

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::apis;
use crate::cli::baseline::BaselineArgs;
use crate::cli::cluster::{Cluster, ClusterArgs, Reading};
use crate::cli::output::{Output, ReportArgs};
use crate::policy::Policy;
use crate::report;
use crate::report::html::About;
use crate::sources::SharedWorld;
use crate::sources::cluster::{Readiness, TO_APPLY, WatchStats, lacking_to_watch, spawn};
use crate::survey::{Read, Report, Survey, Surveyor, Unread};
use crate::text::plural;

/// After a change, wait so long for those that come with it.
const SETTLE: Duration = Duration::from_millis(400);
/// Secrets that aren't watched are read again after this long; certificates come nearer to their end meanwhile too.
const AGAIN: Duration = Duration::from_secs(30);
/// So long a watch may take to list everything.
const LISTED_WITHIN: Duration = Duration::from_secs(60);

const EXAMPLES: &str = "\
Examples:
  meshvet audit                                       the namespace of the current context
  meshvet audit -n shop                               one namespace, with all that calls it or is called by it
  meshvet audit -A --context prod -o json --fail-on warn
  meshvet audit -A -o html > mesh.html                a map of who calls whom, for a browser
  meshvet audit -A --kubeconfig ./admin.conf --secrets none
                                                      without reading any Secret
  meshvet audit -A --now 2027-01-01 --config policy.yaml
  meshvet audit -A --statistics --allow-empty         how many findings each rule has, where there may be no mesh yet
  meshvet audit -A --baseline old.json --update-baseline
  meshvet audit -A --baseline old.json                from then on, only what is new
  meshvet audit -A --aws                              with what AWS says of ACM certificates
  meshvet audit -n shop --watch --secrets list        the same, again whenever something changes
  meshvet audit -A --color always | less -R

Exit codes: 0 clean, 1 findings at or above --fail-on, 2 could not run, not everything could be read, or no mesh object
is there to judge.";

/// Judge what is in a cluster, by the same rules as `check` and the webhook.
///
/// Lists the mesh's objects, the workloads and what they mount, and reads the Secrets that proxies load. It changes nothing.
/// Everything that you may read is used, whatever the namespace: a call has two ends.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AuditArgs {
    /// Report the objects of this namespace. Without it: the kubeconfig context's.
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespace: Option<String>,

    /// Report all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    #[command(flatten)]
    cluster: ClusterArgs,

    #[command(flatten)]
    telling: ReportArgs,

    #[command(flatten)]
    baseline: BaselineArgs,

    /// Keep running, and report again whenever something changes; Ctrl-C ends it. Needs list and watch in all namespaces.
    #[arg(short, long)]
    watch: bool,
}

impl AuditArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        if self.watch && self.telling.output != Output::Text {
            bail!("--watch shows text only; leave out -o, or leave out --watch for a single report");
        }
        if self.watch && self.baseline.is_updated() {
            bail!("--watch keeps running, and a baseline is written once: leave out --watch or --update-baseline");
        }
        let policy = self.telling.policy()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let cluster = self.cluster.open().await?;
            let namespace = match (&self.namespace, self.all_namespaces) {
                (_, true) => None,
                (Some(namespace), false) => Some(namespace.clone()),
                (None, false) => Some(cluster.default_namespace().to_owned()),
            };
            match self.watch {
                false => self.once(&cluster, namespace.as_deref(), &policy).await,
                true => self.live(&cluster, namespace.as_deref(), &policy).await,
            }
        })
    }

    async fn once(&self, cluster: &Cluster, namespace: Option<&str>, policy: &Policy) -> anyhow::Result<ExitCode> {
        let world = cluster.world();
        let mut surveyor = Surveyor::new(&world, policy, self.telling.as_of()).within(namespace);
        let gaps = cluster.read(&world, &mut surveyor, &self.cluster.aws, namespace, policy).await?;
        let (Survey { mut report, not_asked, notes: of_aws, judged_at }, mut map) = surveyor.survey_with_map();
        report.not_asked = not_asked;
        report.errors = gaps.problems.into_iter().map(|message| unread(cluster, message)).collect();
        let mut notes = gaps.notes;
        notes.extend(of_aws);
        let updated = self.baseline.apply(&mut report)?;
        if !report.known.is_empty() && self.telling.output == Output::Html {
            // What the baseline knows is not on it.
            map = surveyor.map_of(&report);
        }
        let source = match namespace {
            None => cluster.name.clone(),
            Some(namespace) => format!("{}, namespace {namespace}", cluster.name),
        };
        let page = || {
            let about = About { source, judged_at, notes: notes.clone() };
            let page = report::html::html(&report, &map, &about);
            Ok(page.context("the report could not be written as a page")?.text)
        };
        self.telling.print(&report, page)?;
        for note in &notes {
            super::tell(&format!("note: {note}"));
        }
        if let Some(role) = &gaps.role {
            super::tell(&format!("{TO_APPLY}\n{role}"));
        }
        let nothing = report.mesh_objects() == 0;
        if nothing && report.errors.is_empty() && !self.telling.allow_empty {
            super::tell(&format!("error: {}", nothing_judged(&report, namespace)));
        }
        // What was just written into the baseline is known.
        Ok(if updated && !nothing { ExitCode::SUCCESS } else { self.telling.exit_code(&report) })
    }

    /// Reports again and again what is wrong.
    async fn live(&self, cluster: &Cluster, namespace: Option<&str>, policy: &Policy) -> anyhow::Result<ExitCode> {
        if let Some(lacking) = lacking_to_watch(&cluster.client, cluster.options).await {
            bail!(
                "--watch lists and watches all namespaces: {}; without --watch, what may be read is judged\n{TO_APPLY}\n{}",
                lacking.told(),
                lacking.role()
            );
        }
        let world = cluster.world();
        let readiness = Readiness::default();
        let mut watches =
            spawn(cluster.client.clone(), cluster.options, world.clone(), readiness.clone(), &WatchStats::default());
        listed(&readiness).await?;
        let mut changes = world.changes();
        // From now on: one that comes while the report is made counts too.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut view = LiveView::default();
        loop {
            changes.mark_unchanged();
            view.show(self, cluster, &world, namespace, policy).await?;
            if view.unseen {
                return Ok(self.telling.exit_code(&view.report));
            }
            tokio::select! {
                _ = interrupt.recv() => return Ok(self.telling.exit_code(&view.report)),
                () = watches.broken() => bail!("a watch of the cluster broke: this is a bug of meshvet"),
                () = tokio::time::sleep(AGAIN) => {}
                _ = changes.changed() => tokio::time::sleep(SETTLE).await,
            }
        }
    }
}

/// Why there is no verdict where no mesh object is.
fn nothing_judged(report: &Report, namespace: Option<&str>) -> String {
    let object = apis::words(|names| names.object);
    let workloads = match report.objects {
        0 => String::new(),
        count => format!(" among {}", plural(count, "object")),
    };
    match namespace {
        None => format!(
            "the cluster has no mesh object{workloads} ({object} is one): nothing was judged (--allow-empty accepts that)"
        ),
        Some(namespace) => format!(
            "namespace {namespace} has no mesh object{workloads} ({object} is one): nothing was judged; -A judges all \
             (--allow-empty accepts that)"
        ),
    }
}

/// What the person sees.
#[derive(Default)]
struct LiveView {
    report: Report,
    read: Read,
    read_at: Option<Instant>,
    text: Option<String>,
    /// Whether the reader has gone (`| head`).
    unseen: bool,
}

impl LiveView {
    /// Shows the report, unless it says the same as before.
    async fn show(
        &mut self,
        args: &AuditArgs,
        cluster: &Cluster,
        world: &SharedWorld,
        namespace: Option<&str>,
        policy: &Policy,
    ) -> anyhow::Result<()> {
        let old = self.read_at.is_none_or(|at| at.elapsed() >= AGAIN);
        let known = if old { Read::default() } else { std::mem::take(&mut self.read) };
        if old {
            self.read_at = Some(Instant::now());
        }
        let mut surveyor = Surveyor::new(world, policy, args.telling.as_of()).within(namespace).knowing(known);
        let progress = Reading::start();
        let notes = cluster.read_stores(&mut surveyor, &progress).await;
        if old {
            surveyor.ask(&*args.cluster.aws.reader_under(policy)?).await;
        }
        progress.clear();
        self.report = surveyor.survey().report;
        args.baseline.apply(&mut self.report)?;
        self.read = surveyor.into_read();
        let mut text = report::text_within(&self.report, super::style(args.telling.color), super::width());
        notes.iter().for_each(|note| text.push_str(&format!("note: {note}\n")));
        if self.text.as_ref() == Some(&text) {
            return Ok(());
        }
        let at = Timestamp::now().strftime("%H:%M:%S UTC");
        let head = if io::stdout().is_terminal() {
            // Home, and clear all that is below: nothing flickers as it would after clearing first.
            format!("\x1b[H\x1b[J{} at {at}; Ctrl-C ends\n\n", cluster.name)
        } else {
            format!("--- {at}\n")
        };
        self.unseen = !super::print_to_reader(&format!("{head}{text}"))?;
        self.text = Some(text);
        Ok(())
    }
}

/// Waits until the watches have listed everything.
async fn listed(readiness: &Readiness) -> anyhow::Result<()> {
    let progress = Reading::start();
    let begun = Instant::now();
    while !readiness.ready() {
        let missing = readiness.missing().join(", ");
        if begun.elapsed() > LISTED_WITHIN {
            progress.clear();
            bail!(
                "could not list and watch {missing} in all namespaces within a minute; `meshvet audit` without --watch reports why, \
                 and judges what it can read"
            );
        }
        progress.say(format!("waiting for {missing}"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    progress.clear();
    Ok(())
}

fn unread(cluster: &Cluster, message: String) -> Unread {
    Unread { file: cluster.name.clone(), line: None, column: None, message }
}
