//! `meshvet try`: the real admission server on loopback, asked about an example mesh or about your own manifests.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::apis::{self, Part};
use crate::example::{self, Expected};
use crate::k8s::ObjectRef;
use crate::mesh::World;
use crate::policy::Policy;
use crate::serve;
use crate::serve::rehearsal::{Rehearsal, Submission, Told, submissions};
use crate::sources::manifests::{self, Input};

const EXAMPLES: &str = "\
Examples:
  meshvet try                  an example mesh: three sound nodes, and one for each common mistake
  meshvet try manifests/       your own
  meshvet try -f manifests/ -n shop --config policy.yaml

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

    /// The same, as kubectl takes them.
    #[arg(short = 'f', long = "filename", value_name = "PATH", value_delimiter = ',')]
    filenames: Vec<PathBuf>,

    /// The namespace of objects that don't name one.
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default")]
    namespace: String,

    /// The policy, in YAML.
    #[arg(long, env = "MESHVET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
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
    pub(super) fn run(mut self) -> anyhow::Result<ExitCode> {
        self.paths.append(&mut self.filenames);
        let policy = serve::policy::adopt(self.config.as_deref())?;
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
            let kinds = apis::rows().filter(|row| row.part == Part::Member).map(|row| format!("no {}", row.kind.kind));
            let none = kinds.collect::<Vec<_>>().join(" and ");
            bail!(
                "{none} in {from}: there is nothing to submit; give manifests that hold one, or no path for the example mesh"
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

/// Serves, asks, and stops serving.
async fn submit(
    submissions: &[Submission],
    world: World,
    policy: Policy,
    example: bool,
    from: &str,
) -> anyhow::Result<Tally> {
    let rehearsal = Rehearsal::start(world, policy).await?;
    let address = rehearsal.address();
    super::print(&format!(
        "meshvet answers admission reviews at https://{address}/validate, with a certificate of its own.\n\
         In its cluster: {from}.\n\n$ kubectl apply -f {}\n",
        if example { "examples/mesh" } else { from }
    ))?;
    let mut api_server = rehearsal.api_server().await?;
    let mut tally = Tally::default();
    for submission in submissions {
        let told = api_server.create(submission.row, &submission.manifest, &submission.file).await?;
        super::print(&told.text)?;
        tally.add(submission, &told, example);
    }
    super::print(&tally.summary(example))?;
    drop(api_server);
    rehearsal.end().await?;
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
        Some(Expected::Warned(rule)) => {
            told.created && told.warnings.iter().any(|line| line.contains(&format!(" {}", rule.code)))
        }
        Some(Expected::Refused(rule)) => !told.created && told.text.contains(&format!("\n{} ", rule.code)),
        None => false,
    }
}
