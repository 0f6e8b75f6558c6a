//! `meshvet tree`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{ColorChoice, ValueEnum};
use jiff::Timestamp;

use crate::apis;
use crate::cli::cluster::ClusterArgs;
use crate::cli::files::{FilesArg, mount};
use crate::cli::output::{FailOn, time};
use crate::policy::Policy;
use crate::report::tree::{Charset, tree, tree_json};
use crate::sources::cluster::TO_APPLY;
use crate::sources::manifests::{self, Input};
use crate::survey::Surveyor;
use crate::survey::map::{Map, State};

const EXAMPLES: &str = "\
Examples:
  meshvet tree shop/blue                              in the cluster of the current context
  meshvet tree blue -n shop --context prod            the same, of another cluster
  meshvet tree shop/blue manifests/                   in manifests, without a cluster
  meshvet tree blue manifests/ -n shop --files /certs=./certs --config policy.yaml
  helm template . | meshvet tree shop/blue - -o json
  meshvet tree shop/blue --ascii --color never        for a terminal or a log without Unicode
  meshvet tree shop/blue --now 2027-01-01             as it will be then
  meshvet tree shop/blue -f manifests/ --fail-on warn
                                                      for CI: 1 if anything is wrong with it
  meshvet tree shop/blue --kubeconfig ./admin.conf --secrets none --aws

Exit codes: 0 TLS works there, 1 something is broken (or at risk, with --fail-on warn), 2 there is no such node, or meshvet could not run.";

/// Show who calls a node and whom it calls, and whether TLS works there.
///
/// Each call with what both ends present, trust and ask for: names, issuers, and when certificates expire. The worst calls come first.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TreeArgs {
    /// A virtual node or gateway.
    #[arg(value_name = "[NAMESPACE/]NODE")]
    node: String,

    /// Manifests instead of a cluster: files, folders, or `-` for the standard input.
    #[arg(value_name = "PATH", conflicts_with_all = ["kubeconfig", "context", "aws"])]
    paths: Vec<PathBuf>,

    /// The same, as kubectl takes them.
    #[arg(
        short = 'f',
        long = "filename",
        value_name = "PATH",
        value_delimiter = ',',
        conflicts_with_all = ["kubeconfig", "context", "aws"]
    )]
    filenames: Vec<PathBuf>,

    /// The node's namespace, where its name doesn't say; in manifests, that of objects that don't name one too. Without it:
    /// the kubeconfig context's, or `default`.
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,

    #[command(flatten)]
    cluster: ClusterArgs,

    /// A local folder that stands in for a mount path of the proxies, in manifests.
    #[arg(long = "files", value_name = "[NAMESPACE/NODE:]/PATH=FOLDER")]
    files: Vec<FilesArg>,

    /// The format.
    #[arg(short, long, value_enum, ignore_case = true, value_name = "FORMAT", default_value = "text")]
    output: TreeOutput,

    /// Draw in ASCII only. The default where the locale isn't UTF-8.
    #[arg(long)]
    ascii: bool,

    /// The lowest severity at the node or its calls that makes the exit code 1.
    #[arg(long, value_enum, ignore_case = true, value_name = "SEVERITY", default_value = "deny")]
    fail_on: FailOn,

    /// Judge as of this time instead of now: a date, or a time of RFC 3339.
    #[arg(long, visible_alias = "at", value_name = "TIME", value_parser = time)]
    now: Option<Timestamp>,

    /// The policy file: the severity of each rule, and where it holds (`meshvet schema`).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// When to colour the output.
    #[arg(long, value_enum, ignore_case = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TreeOutput {
    /// For people: a tree.
    Text,
    /// For programs: one JSON object.
    Json,
}

impl TreeArgs {
    pub(super) fn run(mut self) -> anyhow::Result<ExitCode> {
        self.paths.append(&mut self.filenames);
        if self.paths.is_empty() && !self.files.is_empty() {
            bail!(
                "--files replaces the mounts of manifests: name the manifests too, as in meshvet tree NODE PATH --files …"
            );
        }
        let policy = crate::serve::policy::adopt(self.config.as_deref())?;
        let now = self.now.unwrap_or_else(Timestamp::now);
        let (map, default_namespace) =
            if self.paths.is_empty() { self.of_cluster(&policy, now)? } else { self.of_manifests(&policy, now)? };
        let (namespace, name) = match self.node.split_once('/') {
            Some((namespace, name)) => (namespace, name),
            None => (default_namespace.as_str(), self.node.as_str()),
        };
        let found = match map.find(namespace, name) {
            Ok(found) => found,
            Err(nearest) => {
                let member = apis::words(|names| names.member);
                let hint = match nearest {
                    Some(near) => format!("; did you mean {near}?"),
                    None if map.nodes.is_empty() => format!("; there is no {member} at all"),
                    None => String::new(),
                };
                bail!("there is no {member} {namespace}/{name}{hint}");
            }
        };
        super::print(&match self.output {
            TreeOutput::Json => tree_json(&map, &found).context("the tree could not be written as JSON")?,
            TreeOutput::Text => tree(&map, &found, now, super::style(self.color), self.charset()),
        })?;
        let least = if self.fail_on == FailOn::Warn { State::AtRisk } else { State::Broken };
        Ok(if map.worst(&found) >= least { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn of_manifests(&self, policy: &Policy, now: Timestamp) -> anyhow::Result<(Map, String)> {
        let namespace = self.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let inputs: Vec<Input> = self.paths.iter().cloned().map(Input::from).collect();
        let mut manifests = manifests::load(&inputs, &namespace);
        mount(&self.files, &mut manifests)?;
        let (survey, map) = Surveyor::new(&manifests, policy, Some(now)).survey_with_map();
        for error in &survey.report.errors {
            super::tell(&format!("note: {}: {}", error.file, error.message));
        }
        Ok((map, namespace))
    }

    fn of_cluster(&self, policy: &Policy, now: Timestamp) -> anyhow::Result<(Map, String)> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let cluster = self.cluster.open().await?;
            let named = self.node.split_once('/').map(|(namespace, _)| namespace);
            let namespace = named.or(self.namespace.as_deref()).unwrap_or_else(|| cluster.default_namespace());
            let world = cluster.world();
            let mut surveyor = Surveyor::new(&world, policy, Some(now));
            let gaps = cluster.read(&world, &mut surveyor, &self.cluster.aws, Some(namespace), policy).await?;
            for note in gaps.problems.iter().chain(&gaps.notes) {
                super::tell(&format!("note: {note}"));
            }
            if let Some(role) = &gaps.role {
                super::tell(&format!("{TO_APPLY}\n{role}"));
            }
            Ok((surveyor.survey_with_map().1, namespace.to_owned()))
        })
    }

    fn charset(&self) -> Charset {
        if self.ascii || !utf8() { Charset::Ascii } else { Charset::Unicode }
    }
}

/// Whether the locale is UTF-8: the first of these that is set decides (POSIX, Base Definitions, 8.2).
fn utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
