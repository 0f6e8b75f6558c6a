//! `meshvet check`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use crate::apis::{self, Part};
use crate::cli::aws::AwsArgs;
use crate::cli::baseline::BaselineArgs;
use crate::cli::files::{FilesArg, mount};
use crate::cli::output::ReportArgs;
use crate::cli::progress::Progress;
use crate::policy::Policy;
use crate::report;
use crate::report::html::About;
use crate::sources::manifests::{self, Input, Manifests};
use crate::survey::fixes as mend;
use crate::survey::map::{Map, MapBuilder};
use crate::survey::{Report, Survey, Surveyor, stray_comments};
use crate::text::plural;

const EXAMPLES: &str = "\
Examples:
  meshvet check mesh.yaml deploy/                     files and folders
  helm template ./chart | meshvet check -             what a chart renders
  kubectl get -A MEMBERS,deployments,secrets -o yaml | meshvet check -
  meshvet check deploy/ --files /certs=./certs        certificates that are in no Secret yet
  meshvet check deploy/ --files shop/blue:/certs=./blue-certs
  meshvet check deploy/ -o json --fail-on warn        for CI
  meshvet check deploy/ -o html > mesh.html           a map of who calls whom, to look at in a browser
  meshvet check deploy/ --aws                         with what AWS says of ACM certificates
  meshvet check deploy/ --now 2027-01-01              what will have expired by then
  meshvet check -f deploy/ -f secrets.yaml            files as kubectl takes them
  meshvet check deploy/ --statistics                  how many findings each rule has
  meshvet check $CHANGED --allow-empty                where it may be that no file holds a mesh object
  meshvet check deploy/ -n shop                       where objects are that name no namespace
  meshvet check deploy/ --config policy.yaml          under your policy
  meshvet check deploy/ -o sarif > meshvet.sarif      for code scanning; also junit, github
  meshvet check deploy/ --diff | git apply            fix what can be fixed automatically
  meshvet check deploy/ --baseline old.json --update-baseline
  meshvet check deploy/ --baseline old.json           from then on only what is new
  meshvet check deploy/ --color always | less -R

Exit codes: 0 clean, 1 findings at or above --fail-on, 2 could not run, a file could not be read, or no mesh object is
there to judge.";

fn examples() -> String {
    // What a cluster may lack kubectl may not be able to list.
    let members = apis::rows().filter(|row| row.part == Part::Member && !row.optional).map(|row| row.plural);
    EXAMPLES.replace("MEMBERS", &members.collect::<Vec<_>>().join(","))
}

/// Judge manifests without a cluster.
///
/// The manifests are all there is: the mesh's objects, the workloads they select, Secrets and ConfigMaps with their
/// certificates, namespaces with their labels. YAML with several documents, JSON, and Lists are read as kubectl reads them.
/// Give everything that belongs together in one call: a Secret that isn't among the manifests doesn't exist.
#[derive(Debug, clap::Args)]
#[command(after_help = examples())]
pub(super) struct CheckArgs {
    /// Files, folders (all their .yaml, .yml and .json files, hidden folders left out), or `-` for the standard input.
    #[arg(required_unless_present = "filenames", value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The same, as kubectl takes them.
    #[arg(short = 'f', long = "filename", value_name = "PATH", value_delimiter = ',')]
    filenames: Vec<PathBuf>,

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

    /// Print the patch for what can be fixed automatically, instead of the report.
    #[arg(long, conflicts_with_all = ["output", "update_baseline"])]
    diff: bool,

    #[command(flatten)]
    baseline: BaselineArgs,
}

impl CheckArgs {
    pub(super) fn run(mut self) -> anyhow::Result<ExitCode> {
        self.paths.append(&mut self.filenames);
        let policy = self.telling.policy()?;
        let inputs: Vec<Input> = self.paths.iter().cloned().map(Input::from).collect();
        let progress = Progress::of_files(self.telling.color);
        let mut manifests = manifests::load_telling(&inputs, &self.namespace, &mut |read, all| progress.at(read, all));
        progress.clear();
        mount(&self.files, &mut manifests)?;
        if manifests.found == 0 && manifests.problems.is_empty() && !self.telling.allow_empty {
            manifests.notes.iter().for_each(|note| super::tell(&format!("note: {note}")));
            let paths: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
            bail!(
                "no Kubernetes object in {}\n\
                 meshvet reads .yaml, .yml and .json files with objects that have apiVersion and kind",
                paths.join(", ")
            );
        }
        let mut notes = std::mem::take(&mut manifests.notes);
        let mut surveyor = Surveyor::new(&manifests, &policy, self.telling.as_of());
        self.ask_aws(&mut surveyor, &policy)?;
        let Survey { mut report, not_asked, notes: of_aws, judged_at } = surveyor.survey();
        report.not_asked = not_asked;
        notes.extend(of_aws);
        let updated = self.baseline.apply(&mut report)?;
        if self.diff {
            super::print(&diff(&manifests, &report)?)?;
        } else {
            let page = || {
                // What the baseline knows is not on it.
                let map = MapBuilder::map(&report, surveyor.read().view(&manifests.world), &policy);
                self.page(&report, &map, judged_at, &notes)
            };
            self.telling.print(&report, page)?;
        }
        for note in notes.iter().chain(&stray_comments(&manifests)) {
            super::tell(&format!("note: {note}"));
        }
        let nothing = report.mesh_objects() == 0;
        if nothing && report.errors.is_empty() && !self.telling.allow_empty {
            super::tell(&format!(
                "error: no mesh object among {}: nothing was judged that TLS depends on (--allow-empty accepts that)",
                plural(manifests.found, "object")
            ));
        }
        // What was just written into the baseline is known.
        Ok(if updated && report.errors.is_empty() && !nothing {
            ExitCode::SUCCESS
        } else {
            self.telling.exit_code(&report)
        })
    }

    /// Asks AWS of everything that the manifests name there; nothing without `--aws`.
    fn ask_aws(&self, surveyor: &mut Surveyor<'_>, policy: &Policy) -> anyhow::Result<()> {
        if !self.aws.aws {
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let asked = runtime.block_on(async {
            let aws = self.aws.reader_under(policy)?;
            surveyor.ask(&*aws).await;
            Ok(())
        });
        runtime.shutdown_background();
        asked
    }

    /// The page: the report with a map of the mesh.
    fn page(&self, report: &Report, map: &Map, judged_at: Timestamp, notes: &[String]) -> anyhow::Result<String> {
        let paths: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
        let source = format!("manifests: {}", paths.join(", "));
        let about = About { source, judged_at, notes: notes.to_vec() };
        Ok(report::html::html(report, map, &about).context("the report could not be written as a page")?.text)
    }
}

/// The patch for all that can be fixed automatically; how much that is goes to the standard error, out of the patch's way.
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
        (0, _) => "nothing to fix".to_owned(),
        (_, 0) => "nothing can be fixed automatically: without --diff the report says what to do".to_owned(),
        (_, made) => format!(
            "{} made automatically, for {}; apply with `patch -p1` or `git apply`, and check again",
            plural(made, "change"),
            plural(told, "finding"),
        ),
    });
    Ok(text)
}
