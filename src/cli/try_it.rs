//! `meshvet try`: the real admission server on loopback, asked about an example mesh or about your own manifests.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::apis::{self, Part};
use crate::example::{self, Expected};
use crate::finding::catalogue::WORKLOAD_UNKNOWN;
use crate::finding::{Rule, Severity};
use crate::k8s::ObjectRef;
use crate::policy::Policy;
use crate::serve;
use crate::serve::rehearsal::{Rehearsal, Told};
use crate::sources::manifests::{self, Input, Manifests};
use crate::text::{one_line, plural};
use crate::watch::Seen;

const EXAMPLES: &str = "\
Examples:
  meshvet try                  an example mesh: three sound nodes, and one for each common mistake
  meshvet try --example gateway
                               Gateways: a sound one, and one for each common mistake
  meshvet try manifests/       your own
  meshvet try -f manifests/ -n shop --config policy.yaml

Exit codes: 0 nothing is refused or broken (or the example behaves as it should), 1 something is, 2 could not run.";

/// Try the webhook without a cluster.
///
/// Starts the real admission server on loopback, with a certificate of its own, over an empty cluster. Submits each object of the
/// manifests to it, in their order, over TLS as kube-apiserver does, and prints what kubectl would print. The next review knows the
/// objects before it. The output ends with what the watcher reports about the result. Without a folder: an example mesh, with
/// certificates issued on the spot. No cluster is touched.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TryArgs {
    /// Files or folders with manifests: virtual nodes, workloads, Secrets.
    #[arg(value_name = "DIR")]
    paths: Vec<PathBuf>,

    /// The same, as kubectl takes them.
    #[arg(short = 'f', long = "filename", value_name = "PATH", value_delimiter = ',')]
    filenames: Vec<PathBuf>,

    /// Which example to submit, where no manifests are given.
    #[arg(long, value_enum, value_name = "EXAMPLE", default_value_t = Example::Mesh, conflicts_with = "paths")]
    example: Example,

    /// The namespace of objects that don't name one.
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default")]
    namespace: String,

    /// The policy, in YAML.
    #[arg(long, env = "MESHVET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// An example that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Example {
    /// A mesh of virtual nodes.
    Mesh,
    /// Gateways, their routes and their Secrets.
    Gateway,
}

/// What came of all of it.
#[derive(Default)]
struct Tally {
    reviewed: usize,
    created: usize,
    warned: usize,
    refused: usize,
    /// Whether what is stored in the end doesn't work.
    broken: bool,
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
        let example = self.paths.is_empty().then_some(self.example);
        let (manifests, from) = if let Some(example) = example {
            let from = format!("{} (built in), with certificates issued just now", example.path());
            (example.manifests(&self.namespace)?, from)
        } else {
            let inputs: Vec<Input> = self.paths.iter().cloned().map(Input::from).collect();
            let from: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
            (manifests::in_order(&inputs, &self.namespace), from.join(", "))
        };
        for problem in &manifests.problems {
            super::tell(&format!("error: {}: {}", place(problem.file.as_str(), problem.line), problem.message));
        }
        let broken = !manifests.problems.is_empty();
        if !manifests.documents.iter().any(|document| document.row.part == Part::Member) {
            // Of several versions of a kind one is named.
            let members = apis::rows().filter(|row| row.part == Part::Member && row.kind.api_version == row.known_as);
            let kinds: Vec<&str> = members.map(|row| row.kind.kind).collect();
            let kinds = match kinds.as_slice() {
                [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
                kinds => kinds.concat(),
            };
            bail!(
                "no {kinds} in {from}: there is nothing to submit; give manifests with one, or no path for the example mesh"
            );
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let tally = runtime.block_on(submit(manifests, policy, example, &from))?;
        for surprise in &tally.surprises {
            super::tell(&format!("error: {surprise}"));
        }
        Ok(match (broken, example) {
            (true, _) => ExitCode::from(super::COULD_NOT_RUN),
            (_, Some(_)) if tally.surprises.is_empty() => ExitCode::SUCCESS,
            (_, None) if tally.refused == 0 && !tally.broken => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        })
    }
}

fn place(file: &str, line: Option<u32>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}

/// Serves, asks, and stops serving.
async fn submit(manifests: Manifests, policy: Policy, example: Option<Example>, from: &str) -> anyhow::Result<Tally> {
    let Manifests { documents, promised, sources, .. } = manifests;
    let rehearsal = Rehearsal::start(promised, policy).await?;
    let address = rehearsal.address();
    super::print(&format!(
        "meshvet answers admission reviews at https://{address}, with a certificate of its own, over an empty cluster.\n\n\
         $ kubectl apply -f {}\n",
        example.map_or(from, |example| example.path())
    ))?;
    let mut cluster = rehearsal.cluster().await?;
    let mut tally = Tally::default();
    for document in documents {
        let file = document.source.of(&sources).map_or("", |source| source.name.as_str());
        let told = cluster.apply(&document, file).await?;
        super::print(&told.text)?;
        tally.add(&document.object, document.row.part == Part::Member, &told, example);
    }
    drop(cluster);
    let watched = rehearsal.watched();
    tally.broken = watched.iter().any(|seen| seen.finding.severity == Severity::Deny);
    super::print(&events(&watched))?;
    if example.is_some_and(|example| !example.is_watched(&watched)) {
        tally.surprises.push("the watcher reports something else than the example expects".to_owned());
    }
    super::print(&tally.summary(example.is_some()))?;
    rehearsal.end().await?;
    Ok(tally)
}

/// What the watcher reports by Events of what is stored.
fn events(watched: &[Seen]) -> String {
    let problems = watched.iter().filter(|seen| seen.finding.suppressed.is_none());
    let lines: Vec<String> = problems
        .map(|seen| {
            let (finding, field) = (&seen.finding, seen.finding.field().kubernetes());
            let field = if field.is_empty() { String::new() } else { format!(" ({field})") };
            let message = one_line(&finding.problem.message);
            format!("  {}: {} {}: {message}{field}\n", finding.object, finding.severity, finding.rule.code)
        })
        .collect();
    match lines.len() {
        0 => "\nThe watcher finds nothing wrong with the result.\n".to_owned(),
        count => {
            let problems = plural(count, "problem");
            format!("\nThe watcher reports {problems} of the result, each by an Event:\n{}", lines.concat())
        }
    }
}

impl Tally {
    fn add(&mut self, object: &ObjectRef, is_member: bool, told: &Told, example: Option<Example>) {
        if told.asked {
            self.reviewed += 1;
        }
        match (told.created, told.warnings.is_empty()) {
            (false, _) => self.refused += 1,
            (true, false) => self.warned += 1,
            (true, true) => self.created += 1,
        }
        if example.is_some_and(|example| !example.expects(object, is_member, told)) {
            self.surprises.push(format!("{object} got another answer than the example expects"));
        }
    }

    fn summary(&self, example: bool) -> String {
        let Self { reviewed, created, warned, refused, surprises, .. } = self;
        let verdict = match (example, surprises.is_empty()) {
            (true, true) => ", each as expected",
            (true, false) => ", not all as expected",
            (false, _) => "",
        };
        format!(
            "\n{} submitted ({reviewed} reviewed by meshvet): {created} created, {warned} created with a warning, {refused} \
             refused{verdict}.\n",
            created + warned + refused
        )
    }
}

impl Example {
    /// Where its manifests are in the repository.
    fn path(self) -> &'static str {
        match self {
            Self::Mesh => "examples/mesh",
            Self::Gateway => "examples/gateway",
        }
    }

    /// Its manifests, with certificates that are minted for them.
    fn manifests(self, namespace: &str) -> anyhow::Result<Manifests> {
        const CERTIFICATES: &str = "the example's certificates";
        Ok(match self {
            Self::Mesh => {
                let secrets = example::secrets().context(CERTIFICATES)?;
                let minted = ("certificates minted just now", secrets.as_str());
                manifests::in_order_of_texts(example::in_order(minted), namespace)
            }
            Self::Gateway => {
                let [first, last] = example::gateway::secrets().context(CERTIFICATES)?;
                manifests::in_order_of_texts(example::gateway::in_order(&first, &last), namespace)
            }
        })
    }

    /// Whether an object fared as it should.
    fn expects(self, object: &ObjectRef, is_member: bool, told: &Told) -> bool {
        match self {
            Self::Mesh => as_expected(object, is_member, told),
            Self::Gateway => {
                let warns = |rule: &Rule| told.warnings.iter().any(|line| line.contains(&format!(" {}", rule.code)));
                match example::gateway::expected(&object.kind, &object.name) {
                    Expected::Created => told.created && told.warnings.is_empty(),
                    Expected::Warned(rule) | Expected::Late(rule) => told.created && warns(rule),
                    Expected::Refused(rule) => !told.created && told.text.contains(rule.code),
                }
            }
        }
    }

    /// Whether the watcher reports what it should.
    fn is_watched(self, watched: &[Seen]) -> bool {
        match self {
            Self::Mesh => watched_as_expected(watched),
            Self::Gateway => {
                let is_expected =
                    |seen: &Seen| example::gateway::is_watched(&seen.finding.object.name, seen.finding.rule);
                !watched.is_empty() && watched.iter().all(is_expected)
            }
        }
    }
}

fn as_expected(object: &ObjectRef, is_member: bool, told: &Told) -> bool {
    let expected = example::EXPECTED.iter().find(|(name, _)| *name == object.name).map(|(_, expected)| *expected);
    let warns = |rule: &Rule| told.warnings.iter().any(|line| line.contains(&format!(" {}", rule.code)));
    match (expected, is_member) {
        (Some(Expected::Warned(rule)), true) => told.created && warns(rule),
        (Some(Expected::Refused(rule)), true) => !told.created && told.text.contains(&format!("\n{} ", rule.code)),
        (Some(Expected::Late(_)), true) => told.created && warns(WORKLOAD_UNKNOWN),
        (Some(Expected::Late(rule)), false) if object.kind == "Deployment" => told.created && warns(rule),
        (Some(_), _) | (None, false) => told.created && told.warnings.is_empty(),
        (None, true) => false,
    }
}

/// Whether the watcher reports of the example what it should: what came too late to be refused, and what is only warned of.
fn watched_as_expected(watched: &[Seen]) -> bool {
    let is_expected = |seen: &Seen| {
        example::EXPECTED.iter().any(|(name, expected)| {
            let rule = match expected {
                Expected::Late(rule) | Expected::Warned(rule) => *rule,
                Expected::Created | Expected::Refused(_) => return false,
            };
            seen.finding.object.name == *name && seen.finding.rule.code == rule.code
        })
    };
    !watched.is_empty() && watched.iter().all(is_expected)
}
