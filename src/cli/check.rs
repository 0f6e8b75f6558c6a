//! `meshvet check`

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use arc_swap::ArcSwap;
use clap::ColorChoice;
use jiff::Timestamp;

use crate::aws::{Answer, AwsFacts, Question};
use crate::cli::aws::AwsArgs;
use crate::cli::baseline::BaselineArgs;
use crate::cli::comments;
use crate::cli::files::FilesArg;
use crate::cli::output::{FailOn, Output};
use crate::cli::progress::Progress;
use crate::field::FieldPath;
use crate::finding::{Finding, Severity};
use crate::mend;
use crate::mesh::{CallKey, ObjectRef, View};
use crate::policy::Policy;
use crate::report::{Place, Report, Reported, Unread};
use crate::rules::{self, Surface};
use crate::sources::manifests::{self, Input, Manifests, Site};

const EXAMPLES: &str = "\
Examples:
  meshvet check mesh.yaml deploy/                     files and folders
  helm template ./chart | meshvet check -             what a chart renders
  kubectl get -A virtualnodes,virtualgateways,deployments,secrets -o yaml | meshvet check -
  meshvet check deploy/ --files /certs=./certs        certificates that are in no Secret yet
  meshvet check deploy/ --files shop/blue:/certs=./blue-certs
  meshvet check deploy/ -o json --fail-on warn        for CI
  meshvet check deploy/ --aws                         with what AWS says of ACM certificates
  meshvet check deploy/ --now 2027-01-01T00:00:00Z    what will have expired by then
  meshvet check deploy/ -n shop                       where objects are that name no namespace
  meshvet check deploy/ --config policy.yaml          under your policy
  meshvet check deploy/ -o sarif > meshvet.sarif      for code scanning; also junit, github
  meshvet check deploy/ --diff | git apply            mend what can be mended by the letter
  meshvet check deploy/ --baseline old.json --update-baseline
  meshvet check deploy/ --baseline old.json           from then on only what is new
  meshvet check deploy/ --color always | less -R

Exit codes: 0 clean, 1 findings at or above --fail-on, 2 could not run or a file could not be read.";

/// Questions to AWS and those that their answers lead to.
const MOST_ROUNDS: usize = 4;
/// How long AWS may take for all that it is asked at a time.
const AWS_PATIENCE: Duration = Duration::from_secs(120);

/// Judge manifests without a cluster.
///
/// The manifests themselves are the world: App Mesh objects, the workloads they select, Secrets and ConfigMaps with their
/// certificates, namespaces with their labels. YAML with several documents, JSON, and Lists are read as kubectl reads them.
/// Give everything that belongs together in one call: a Secret that isn't among the manifests doesn't exist.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CheckArgs {
    /// Files, folders (all their .yaml, .yml and .json files, hidden folders left out), or `-` for the standard input.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// A local folder that stands in for a mount path of the proxies: of all of them, or of one virtual node or gateway.
    #[arg(long = "files", value_name = "[NAMESPACE/NODE:]/PATH=FOLDER")]
    files: Vec<FilesArg>,

    /// The namespace of objects that don't name one.
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default")]
    namespace: String,

    /// How to tell what was found.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Output,

    /// The least severity that makes the exit code 1.
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "deny")]
    fail_on: FailOn,

    /// Judge as of this time instead of now (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<Timestamp>,

    /// The policy file: what each rule weighs, and where (`meshvet schema`).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    aws: AwsArgs,

    /// Print the patch that mends what can be mended by the letter, instead of the report.
    #[arg(long, conflicts_with_all = ["output", "update_baseline"])]
    diff: bool,

    #[command(flatten)]
    baseline: BaselineArgs,

    /// When to colour the output, and to tell progress.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "not a time of RFC 3339, such as 2027-01-01T00:00:00Z".to_owned())
}

impl CheckArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let policy = super::policy::read(self.config.as_deref())?;
        let folders = self.files.iter().map(FilesArg::read).collect::<anyhow::Result<Vec<_>>>()?;
        let inputs: Vec<Input> = self.paths.iter().cloned().map(Input::from).collect();
        let mut progress = Progress::new("reading", self.color);
        let mut manifests =
            manifests::load_telling(&inputs, &self.namespace, &mut |read, all| progress.tell(read, all));
        progress.end();
        for (mount, key, store) in folders {
            if let Some(note) = unused(&manifests, &mount.member) {
                manifests.notes.push(note);
            }
            manifests.world.learn(crate::mesh::Fact::Store(key, store));
            manifests.world.mount_folder(mount);
        }
        if manifests.found == 0 && manifests.problems.is_empty() {
            let paths: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
            bail!(
                "no Kubernetes object in {}\n\
                 meshvet reads .yaml, .yml and .json files with objects that have apiVersion and kind",
                paths.join(", ")
            );
        }
        let facts = self.ask_aws(&manifests, &policy)?;
        let view = View::new(&manifests.world).answered(&facts);
        let mut report = judge(&manifests, view, &policy, self.now.unwrap_or_else(Timestamp::now));
        report.not_asked = unknown_at_aws(&manifests, view, &policy)
            .iter()
            .filter(|question| matches!(question, Question::Certificate(_) | Question::Authority(_)))
            .count();
        if let Some(why) = facts.iter().find_map(|(question, answer)| match answer {
            Answer::Unanswered(why) if question.is_about_roles() => Some(why),
            _ => None,
        }) {
            manifests.notes.push(format!("the roles of proxies and the controller were not all checked: {why}"));
        }
        let unplaced =
            manifests.objects.iter().filter(|located| rules::is_unplaced(&located.reviewed, view, &policy)).count();
        if unplaced > 0 {
            manifests.notes.push(format!(
                "the Region or the account of {} is not known: ACM references were not compared with it \
                 (the policy's aws.region and aws.account say it)",
                if unplaced == 1 { "1 object".to_owned() } else { format!("{unplaced} objects") }
            ));
        }
        if report.objects == 0 && manifests.found > 0 {
            manifests.notes.push(format!(
                "nothing to judge: {} read, none of them an App Mesh object or a workload",
                if manifests.found == 1 { "1 object".to_owned() } else { format!("{} objects", manifests.found) }
            ));
        }
        let updated = self.baseline.apply(&mut report)?;
        if self.diff {
            super::print(&diff(&manifests, &report)?)?;
        } else {
            super::print(&self.output.render(&report, self.fail_on, self.color)?)?;
        }
        for note in manifests.notes.iter().chain(&comments::stray(&manifests)) {
            super::tell(&format!("note: {note}"));
        }
        Ok(if !report.errors.is_empty() {
            ExitCode::from(super::COULD_NOT_RUN)
        } else if report.fails(self.fail_on.into()) && !updated {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }

    /// What AWS says of everything that the manifests name there; nothing without `--aws`.
    fn ask_aws(&self, manifests: &Manifests, policy: &Policy) -> anyhow::Result<AwsFacts> {
        let mut facts = AwsFacts::new();
        if !self.aws.aws {
            return Ok(facts);
        }
        let aws = self.aws.reader(&Arc::new(ArcSwap::from_pointee(policy.clone())))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        // One answer leads to the next question: from a certificate to its authority.
        for _ in 0..MOST_ROUNDS {
            let wanted = unknown_at_aws(manifests, View::new(&manifests.world).answered(&facts), policy);
            if wanted.is_empty() {
                break;
            }
            let deadline = tokio::time::Instant::now() + AWS_PATIENCE;
            facts.extend(runtime.block_on(aws.ask(wanted.into_iter().collect(), deadline)));
        }
        runtime.shutdown_background();
        Ok(facts)
    }
}

/// What isn't known yet of what the manifests name at AWS, each once.
fn unknown_at_aws(manifests: &Manifests, view: View<'_>, policy: &Policy) -> BTreeSet<Question> {
    let objects = manifests.objects.iter();
    objects.flat_map(|located| rules::questions_to_ask(&located.reviewed, view, policy)).collect()
}

/// The patch of all that can be mended by the letter; how much that is goes to the standard error, out of the patch's way.
fn diff(manifests: &Manifests, report: &Report) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut made = 0;
    for source in &manifests.sources {
        let here = report.findings.iter().filter(|reported| reported.finding.suppressed.is_none());
        let places = here.filter_map(|reported| reported.place.as_ref()).filter(|place| place.file == source.name);
        let (patch, edits) = mend::unified(source, &mend::sorted(places.filter_map(|place| place.edit.clone())));
        text.push_str(&patch);
        made += edits;
    }
    let told = report.findings.len() - report.suppressed();
    super::tell(&match (told, made) {
        (0, _) => "nothing to mend".to_owned(),
        (_, 0) => "nothing that can be mended by the letter: without --diff meshvet says what to do".to_owned(),
        (_, made) => format!(
            "{made} change{} by the letter, for {}; apply with `patch -p1` or `git apply`, and check again",
            if made == 1 { "" } else { "s" },
            if told == 1 { "1 finding".to_owned() } else { format!("{told} findings") },
        ),
    });
    Ok(text)
}

/// What to say of `--files` for a member that isn't there.
fn unused(manifests: &Manifests, member: &Option<(String, String)>) -> Option<String> {
    let (namespace, name) = member.as_ref()?;
    let known = manifests.world.members().any(|it| it.object.namespace() == namespace && it.object.name == *name);
    (!known)
        .then(|| format!("--files {namespace}/{name}: no virtual node or gateway of that name is among the manifests"))
}

/// Judges everything that rules judge.
fn judge(manifests: &Manifests, view: View<'_>, policy: &Policy, now: Timestamp) -> Report {
    let mut report = Report {
        objects: manifests.objects.len() + manifests.undecodable.len(),
        errors: manifests.problems.iter().map(unread).collect(),
        judged: judged(manifests),
        ..Report::default()
    };
    let mut told = Told::default();
    for broken in &manifests.undecodable {
        if let Some(finding) = rules::undecodable(&broken.error, policy, &manifests.world) {
            let place = place(manifests, &broken.site, &finding);
            told.add(&mut report, Reported { place: Some(place), finding }, true);
        }
    }
    for located in &manifests.objects {
        for finding in rules::judge(&located.reviewed, view, policy, now, Surface::Check).findings {
            let own = finding.object == located.reviewed.object;
            let site = if own { Some(&located.site) } else { manifests.site(&finding.object) };
            let place = site.map(|site| place(manifests, site, &finding));
            told.add(&mut report, Reported { finding, place }, own);
        }
    }
    comments::apply(manifests, policy, &mut report);
    report
}

/// What was reported already: a workload's annotation is seen from each member that selects it, a call from both its ends.
/// Each with its place in the report, and whether its own object was under review.
#[derive(Default)]
struct Told(HashMap<Known, (usize, bool)>);

/// What makes two findings one.
#[derive(PartialEq, Eq, Hash)]
enum Known {
    /// The same, said of the same field.
    Field(&'static str, ObjectRef, FieldPath, String),
    /// The same, said of the same call.
    Call(&'static str, CallKey, String, Option<String>),
}

impl Known {
    fn of(Finding { rule, object, problem, .. }: &Finding) -> Self {
        let site = &problem.site;
        match &site.call {
            Some(call) => Self::Call(rule.code, (**call).clone(), site.anchor.clone(), problem.found.clone()),
            None => Self::Field(rule.code, object.clone(), site.field.clone(), problem.message.clone()),
        }
    }
}

fn weight(finding: &Finding) -> (bool, Severity) {
    (finding.suppressed.is_none(), finding.severity)
}

/// Each object that is judged, with its file.
fn judged(manifests: &Manifests) -> Vec<(ObjectRef, Option<String>)> {
    let file = |site: &Site| {
        let source = manifests.source(site.source)?;
        Some(site.template.clone().filter(|_| source.piped).unwrap_or_else(|| source.name.clone()))
    };
    let broken = manifests.undecodable.iter().map(|it| (it.error.object.clone(), file(&it.site)));
    broken.chain(manifests.objects.iter().map(|it| (it.reviewed.object.clone(), file(&it.site)))).collect()
}

impl Told {
    fn add(&mut self, report: &mut Report, reported: Reported, own: bool) {
        let finding = &reported.finding;
        let key = Known::of(finding);
        match self.0.get_mut(&key) {
            // What the owner of the object says of it counts; else one who looks at it doesn't ignore it, and the stricter of two
            // policies holds.
            Some((index, known_own)) => {
                let known = report.findings.get_mut(*index);
                let counts = |known: &Reported| {
                    if own == *known_own { weight(&known.finding) < weight(finding) } else { own }
                };
                if let Some(known) = known.filter(|known| counts(known)) {
                    *known_own = own;
                    *known = reported;
                }
            }
            None => {
                self.0.insert(key, (report.findings.len(), own));
                report.findings.push(reported);
            }
        }
    }
}

fn unread(problem: &manifests::LoadProblem) -> Unread {
    Unread { file: problem.file.clone(), line: problem.line, column: problem.column, message: problem.message.clone() }
}

/// The place of a finding's field in its file. Of a field that shouldn't be there, its name is what counts.
fn place(manifests: &Manifests, site: &Site, finding: &Finding) -> Place {
    let by_key = finding.rule.code == "MV001";
    let mark = Some(finding.field())
        .filter(|_| by_key)
        .and_then(|field| site.positions.key(field))
        .unwrap_or_else(|| site.positions.nearest(finding.field()));
    let source = manifests.source(site.source);
    let mend = finding.problem.mend.as_ref().zip(source);
    Place {
        file: source.map(|source| source.name.clone()).unwrap_or_default(),
        line: mark.line,
        column: mark.column,
        width: mark.width,
        text: source.and_then(|source| source.line(mark.line)).map(str::to_owned),
        template: source.filter(|source| source.piped).and(site.template.clone()),
        edit: mend.and_then(|(mend, source)| mend::edit(mend, finding.field(), &site.positions, source)),
    }
}
