//! `meshvet try`: the real admission server on loopback, asked about an example mesh or about your own manifests.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::admission::certificate::self_issued::self_issue;
use crate::admission::drain::{Drain, Phase};
use crate::admission::listener::{Limits, Server, tls_config};
use crate::admission::server::router;
use crate::admission::service::Admission;
use crate::apis::appmesh::Kind;
use crate::cli::api_server::{ApiServer, Told};
use crate::example::{self, Expected};
use crate::k8s::ObjectRef;
use crate::mesh::World;
use crate::operate::metrics::Metrics;
use crate::policy::Policy;
use crate::sources::manifests::{self, Input, Manifests};
use crate::sources::{NoReader, SharedWorld};

/// The name that the self-issued certificate holds for: the Service's.
const HOST: &str = "meshvet.meshvet-system.svc";

const EXAMPLES: &str = "\
Examples:
  meshvet try                  an example mesh: three sound nodes, and one for each common mistake
  meshvet try manifests/       your own
  meshvet try manifests/ -n shop --config policy.yaml

Exit codes: 0 nothing refused (or the example behaves as it should), 1 something was refused, 2 could not run.";

/// Try the webhook without a cluster.
///
/// Starts the real admission server on loopback, with a certificate of its own. Takes the manifests for what is in a cluster, submits
/// each of their virtual nodes and gateways to it over TLS as kube-apiserver would, and prints each verdict as kubectl would. Without
/// a folder: an example mesh, whose certificates are minted on the spot. No cluster is touched.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TryArgs {
    /// Files or folders with manifests: virtual nodes, workloads, Secrets.
    #[arg(value_name = "DIR")]
    paths: Vec<PathBuf>,

    /// The namespace of objects that don't name one.
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default")]
    namespace: String,

    /// The policy, in YAML.
    #[arg(long, env = "MESHVET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// A virtual node or gateway to submit.
struct Submission {
    kind: Kind,
    object: ObjectRef,
    manifest: Value,
    file: String,
    line: u32,
}

/// What came of all of it.
#[derive(Default)]
struct Tally {
    created: usize,
    warned: usize,
    refused: usize,
    /// Where the example did not behave as it should.
    surprises: Vec<String>,
}

impl TryArgs {
    /// Submits everything and tells what came of it.
    ///
    /// # Errors
    /// When there is nothing to submit; give manifests that hold one, or no path for the example mesh, or the server can't be started.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let policy = super::policy::read(self.config.as_deref())?;
        let example = self.paths.is_empty();
        let (manifests, from) = if example {
            let secrets = example::secrets().context("the example's certificates")?;
            let minted = [("certificates minted just now", secrets.as_str())];
            let manifests = manifests::load_texts(example::FILES.into_iter().chain(minted), &self.namespace);
            (manifests, "examples/mesh (built in), its certificates minted just now".to_owned())
        } else {
            let inputs: Vec<Input> = self.paths.iter().cloned().map(Input::from).collect();
            let from: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
            (manifests::load(&inputs, &self.namespace), from.join(", "))
        };
        for problem in &manifests.problems {
            super::tell(&format!("error: {}: {}", place(problem.file.as_str(), problem.line), problem.message));
        }
        let broken = !manifests.problems.is_empty();
        let (submissions, world) = submissions(manifests);
        if submissions.is_empty() {
            bail!(
                "no VirtualNode and no VirtualGateway in {from}: there is nothing to submit; give manifests that hold one, or no path for the example mesh"
            );
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let tally = runtime.block_on(submit(&submissions, world, policy, example, &from))?;
        for surprise in &tally.surprises {
            super::tell(&format!("error: {surprise}"));
        }
        Ok(match (broken, example, tally.refused) {
            (true, ..) => ExitCode::from(super::COULD_NOT_RUN),
            (_, true, _) if tally.surprises.is_empty() => ExitCode::SUCCESS,
            (_, false, 0) => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        })
    }
}

fn place(file: &str, line: Option<u32>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}

/// The virtual nodes and gateways in the order of their files, those that can't be read among them; and the world.
fn submissions(manifests: Manifests) -> (Vec<Submission>, World) {
    let name =
        |site: &manifests::Site| manifests.source(site.source).map(|source| source.name.clone()).unwrap_or_default();
    let judged = manifests.objects.iter().map(|it| (&it.reviewed.object, &it.raw, &it.site));
    let unreadable = manifests.undecodable.iter().map(|it| (&it.error.object, &it.raw, &it.site));
    let mut found: Vec<Submission> = judged
        .chain(unreadable)
        .filter_map(|(object, raw, site)| {
            let kind: Kind = object.kind.parse().ok()?;
            let mut manifest = raw.clone().filter(|_| matches!(kind, Kind::VirtualNode | Kind::VirtualGateway))?;
            let metadata = manifest.get_mut("metadata")?.as_object_mut()?;
            // As kubectl fills it in.
            metadata.entry("namespace").or_insert_with(|| object.namespace().into());
            Some(Submission { kind, object: object.clone(), manifest, file: name(site), line: site.line })
        })
        .collect();
    let files: Vec<String> = manifests.sources.iter().map(|source| source.name.clone()).collect();
    found.sort_by_key(|it| (files.iter().position(|file| *file == it.file), it.line));
    (found, manifests.world)
}

/// Serves, asks, and stops serving.
async fn submit(
    submissions: &[Submission],
    world: World,
    policy: Policy,
    example: bool,
    from: &str,
) -> anyhow::Result<Tally> {
    let issued = self_issue(&[HOST.to_owned()])?;
    let (metrics, drain) = (Arc::new(Metrics::default()), Drain::default());
    let policy = Arc::new(ArcSwap::from_pointee(policy));
    let world = SharedWorld::new(world);
    let admission = Admission::new(world, Arc::new(NoReader), policy, Arc::new(Timestamp::now), Arc::clone(&metrics));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("could not listen on loopback")?;
    let address = listener.local_addr()?;
    let server = Server {
        router: router(Arc::new(admission), drain.clone()),
        tls: Arc::new(tls_config(Arc::new(issued.certificate))?),
        drain: drain.clone(),
        metrics,
        limits: Limits::default(),
    };
    let serving = tokio::spawn(server.serve(listener));
    super::print(&format!(
        "meshvet answers admission reviews at https://{address}/validate, with a certificate of its own.\n\
         In its cluster: {from}.\n\n$ kubectl apply -f {}\n",
        if example { "examples/mesh" } else { from }
    ))?;
    let mut api_server = ApiServer::connect(address, HOST, &issued.authority_pem).await?;
    let mut tally = Tally::default();
    for submission in submissions {
        let told = api_server.create(submission.kind, &submission.manifest, &submission.file).await?;
        super::print(&told.text)?;
        tally.add(submission, &told, example);
    }
    super::print(&tally.summary(example))?;
    drop(api_server);
    drain.advance(Phase::Stopping);
    serving.await?;
    Ok(tally)
}

impl Tally {
    fn add(&mut self, submission: &Submission, told: &Told, example: bool) {
        match (told.created, told.warnings.is_empty()) {
            (false, _) => self.refused += 1,
            (true, false) => self.warned += 1,
            (true, true) => self.created += 1,
        }
        if example && !as_expected(&submission.object, told) {
            self.surprises.push(format!("{} did not fare as the example says it should", submission.object));
        }
    }

    fn summary(&self, example: bool) -> String {
        let Self { created, warned, refused, surprises } = self;
        let verdict = match (example, surprises.is_empty()) {
            (true, true) => ", each as it should be",
            (true, false) => ", and not as it should be",
            (false, _) => "",
        };
        format!(
            "\n{} submitted: {created} created, {warned} created with a warning, {refused} refused{verdict}.\n",
            created + warned + refused
        )
    }
}

fn as_expected(object: &ObjectRef, told: &Told) -> bool {
    let expected = example::EXPECTED.iter().find(|(name, _)| *name == object.name).map(|(_, expected)| *expected);
    match expected {
        Some(Expected::Created) => told.created && told.warnings.is_empty(),
        Some(Expected::Warned(rule)) => told.created && told.warnings.iter().any(|line| line.starts_with(rule.code)),
        Some(Expected::Refused(rule)) => !told.created && told.text.contains(&format!("\n{} ", rule.code)),
        None => false,
    }
}
