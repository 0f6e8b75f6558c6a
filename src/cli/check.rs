//! `meshvet check`

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use crate::aws::{AwsFacts, Question};
use crate::cli::aws::{AwsArgs, not_asked, notes};
use crate::cli::baseline::BaselineArgs;
use crate::cli::comments;
use crate::cli::files::{FilesArg, mount};
use crate::cli::output::ReportArgs;
use crate::cli::progress::Progress;
use crate::finding::Finding;
use crate::k8s::ObjectRef;
use crate::mesh::View;
use crate::policy::Policy;
use crate::report;
use crate::report::html::About;
use crate::rules::{self, Surface};
use crate::sources::manifests::{self, Input, Manifests, Mark, Site};
use crate::survey::Collector;
use crate::survey::fixes as mend;
use crate::survey::map::MapBuilder;
use crate::survey::{Place, Report, Reported, Unread};
use crate::text::plural;

const EXAMPLES: &str = "\
Examples:
  meshvet check mesh.yaml deploy/                     files and folders
  helm template ./chart | meshvet check -             what a chart renders
  kubectl get -A virtualnodes,virtualgateways,deployments,secrets -o yaml | meshvet check -
  meshvet check deploy/ --files /certs=./certs        certificates that are in no Secret yet
  meshvet check deploy/ --files shop/blue:/certs=./blue-certs
  meshvet check deploy/ -o json --fail-on warn        for CI
  meshvet check deploy/ -o html > mesh.html           a map of who calls whom, to look at in a browser
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

    #[command(flatten)]
    telling: ReportArgs,

    #[command(flatten)]
    aws: AwsArgs,

    /// Print the patch that mends what can be mended by the letter, instead of the report.
    #[arg(long, conflicts_with_all = ["output", "update_baseline"])]
    diff: bool,

    #[command(flatten)]
    baseline: BaselineArgs,
}

impl CheckArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let policy = self.telling.policy()?;
        let inputs: Vec<Input> = self.paths.iter().cloned().map(Input::from).collect();
        let progress = Progress::of_files(self.telling.color);
        let mut manifests = manifests::load_telling(&inputs, &self.namespace, &mut |read, all| progress.at(read, all));
        progress.clear();
        mount(&self.files, &mut manifests)?;
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
        let now = self.telling.now();
        let mut report = judge(&manifests, view, &policy, now);
        report.not_asked = not_asked(&unknown_at_aws(&manifests, view, &policy));
        let unplaced =
            manifests.objects.iter().filter(|located| rules::is_unplaced(&located.reviewed, view, &policy)).count();
        manifests.notes.extend(notes(&facts, unplaced));
        if report.objects == 0 && manifests.found > 0 {
            manifests.notes.push(format!(
                "nothing to judge: {} read, none of them an App Mesh object or a workload",
                plural(manifests.found, "object")
            ));
        }
        let updated = self.baseline.apply(&mut report)?;
        if self.diff {
            super::print(&diff(&manifests, &report)?)?;
        } else {
            self.telling.print(&report, || self.page(&manifests, &policy, &report, &facts, now))?;
        }
        for note in manifests.notes.iter().chain(&comments::stray(&manifests)) {
            super::tell(&format!("note: {note}"));
        }
        // What was just written into the baseline is known.
        Ok(if updated && report.errors.is_empty() { ExitCode::SUCCESS } else { self.telling.exit_code(&report) })
    }

    /// What AWS says of everything that the manifests name there; nothing without `--aws`.
    fn ask_aws(&self, manifests: &Manifests, policy: &Policy) -> anyhow::Result<AwsFacts> {
        if !self.aws.aws {
            return Ok(AwsFacts::new());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let unknown = |facts: &AwsFacts| unknown_at_aws(manifests, View::new(&manifests.world).answered(facts), policy);
        let facts = runtime.block_on(self.aws.ask(policy, unknown));
        runtime.shutdown_background();
        facts
    }

    /// The page: the report with a map of the mesh.
    fn page(
        &self,
        manifests: &Manifests,
        policy: &Policy,
        report: &Report,
        facts: &AwsFacts,
        now: Timestamp,
    ) -> anyhow::Result<String> {
        let map = MapBuilder::map(report, View::new(&manifests.world).answered(facts), policy);
        let paths: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
        let source = format!("manifests: {}", paths.join(", "));
        let about = About { source, judged_at: now, notes: manifests.notes.clone() };
        Ok(report::html::html(report, &map, &about).context("the report could not be written as a page")?.text)
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
            "{} by the letter, for {}; apply with `patch -p1` or `git apply`, and check again",
            plural(made, "change"),
            plural(told, "finding"),
        ),
    });
    Ok(text)
}

/// Judges everything that rules judge.
pub(super) fn judge(manifests: &Manifests, view: View<'_>, policy: &Policy, now: Timestamp) -> Report {
    let mut report = Report {
        objects: manifests.objects.len() + manifests.undecodable.len(),
        errors: manifests.problems.iter().map(unread).collect(),
        judged: judged(manifests),
        ..Report::default()
    };
    let mut told = Collector::default();
    for broken in &manifests.undecodable {
        if let Some(finding) = rules::undecodable(&broken.error, policy, &manifests.world) {
            let place = place(manifests, &broken.site, &finding);
            told.add(Reported { place: Some(place), finding }, true);
        }
    }
    for located in &manifests.objects {
        for finding in rules::judge(&located.reviewed, view, policy, now, Surface::Check).findings {
            let own = finding.object == located.reviewed.object;
            let site = if own { Some(&located.site) } else { manifests.site(&finding.object) };
            let place = site.map(|site| place(manifests, site, &finding));
            told.add(Reported { finding, place }, own);
        }
    }
    report.findings = told.findings;
    comments::apply(manifests, policy, &mut report);
    report
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
    let mend = finding.problem.mend.as_ref().zip(manifests.source(site.source));
    let edit = mend.and_then(|(mend, source)| mend::edit(mend, finding.field(), &site.positions, source));
    Place { edit, ..place_of(manifests, site, mark) }
}

/// The place of a mark in an object's file.
pub(super) fn place_of(manifests: &Manifests, site: &Site, mark: Mark) -> Place {
    let source = manifests.source(site.source);
    Place {
        file: source.map(|source| source.name.clone()).unwrap_or_default(),
        line: mark.line,
        column: mark.column,
        width: mark.width,
        text: source.and_then(|source| source.line(mark.line)).map(str::to_owned),
        template: source.filter(|source| source.piped).and(site.template.clone()),
        edit: None,
    }
}
