//! Other tools' files among the manifests: each is named, with the command that builds manifests from it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::text::plural;

use super::node::{Node, NodeKind};
use super::{LoadProblem, Loader};

/// The most files named in one sentence.
const SHOWN: usize = 4;

/// A tool whose files aren't manifests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tool {
    /// A Helm chart: its folder, if known.
    Helm(Option<PathBuf>),
    /// A folder's kustomize patches.
    Patch(Option<PathBuf>),
    /// Any other tool: its name, and the command that prints manifests, if it has one.
    Other(&'static str, Option<&'static str>),
}

const SKAFFOLD: Tool = Tool::Other("Skaffold", Some("skaffold render"));
const HELMFILE: Tool = Tool::Other("Helmfile", Some("helmfile template"));
const COMPOSE: Tool = Tool::Other("Docker Compose", Some("kompose convert --stdout"));
const KUBECONFIG: Tool = Tool::Other("kubectl (a kubeconfig, which --kubeconfig takes)", None);

/// The groups of files that look like objects, but that no API server serves.
const GROUPS: [(&str, Tool); 8] = [
    ("skaffold", SKAFFOLD),
    ("kind.x-k8s.io", Tool::Other("kind", None)),
    ("k3d.io", Tool::Other("k3d", None)),
    ("eksctl.io", Tool::Other("eksctl", None)),
    ("kubeadm.k8s.io", Tool::Other("kubeadm", None)),
    ("kubelet.config.k8s.io", Tool::Other("the kubelet", None)),
    ("audit.k8s.io", Tool::Other("the API server", None)),
    ("apiserver.config.k8s.io", Tool::Other("the API server", None)),
];

impl Tool {
    /// The tool that a document belongs to, if it isn't a Kubernetes object.
    pub(super) fn of(document: &Node, path: Option<&Path>) -> Option<Self> {
        let text = |key: &str| document.get(key).and_then(Node::text);
        let has = |key: &str| document.get(key).is_some();
        let name = path.and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        if let (Some(version), Some(kind)) = (text("apiVersion"), text("kind")) {
            let group = version.split_once('/').map_or("", |(group, _)| group);
            let known = GROUPS.into_iter().find(|(known, _)| *known == group).map(|(_, tool)| tool);
            return known.or_else(|| (version == "v1" && kind == "Config" && has("clusters")).then_some(KUBECONFIG));
        }
        if is_json_patch(document) {
            return Some(Self::Patch(None));
        }
        if !document.is_map() || has("kind") {
            return None;
        }
        let folder = path.map(|path| path.parent().unwrap_or(Path::new("")));
        match text("apiVersion") {
            Some("v1" | "v2") if name == "Chart.yaml" => return Some(Self::Helm(folder.map(whole))),
            Some(_) => return None,
            None => {}
        }
        if name.starts_with("values") && !has("metadata") {
            let chart = folder.filter(|folder| is_chart(folder)).map(whole);
            return Some(Self::Helm(chart));
        }
        let compose = name.contains("compose") && document.get("services").is_some_and(Node::is_map);
        let helmfile = name.starts_with("helmfile") && (has("releases") || has("helmfiles"));
        compose.then_some(COMPOSE).or_else(|| helmfile.then_some(HELMFILE))
    }

    /// The tool's name, and the command that builds manifests.
    fn described(&self) -> (String, Option<String>) {
        match self {
            Self::Helm(chart) => {
                let chart = chart.as_deref().map_or_else(|| "CHART".to_owned(), shown);
                (
                    format!("Helm (the chart in {chart})").replace(" (the chart in CHART)", ""),
                    Some(format!("helm template {chart}")),
                )
            }
            Self::Patch(folder) => {
                let folder = folder.as_deref().map_or_else(|| "FOLDER".to_owned(), shown);
                ("kustomize, which lays it over objects".to_owned(), Some(format!("kustomize build {folder}")))
            }
            Self::Other(name, command) => ((*name).to_owned(), command.map(str::to_owned)),
        }
    }

    /// The sentence about the tool's files.
    fn told(&self, files: &str, many: bool) -> String {
        let (tool, command) = self.described();
        let (are, manifests, what) = if many {
            ("are files of", "not manifests", "they build")
        } else {
            ("is a file of", "not a manifest", "it builds")
        };
        let what = if matches!(self, Self::Patch(_)) { "is applied" } else { what };
        let next = command.map(|it| format!("; to judge what {what}: {it} | meshvet check -")).unwrap_or_default();
        format!("{files} {are} {tool}, {manifests}{next}")
    }
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { ".".to_owned() } else { folder.display().to_string() }
}

fn is_chart(folder: &Path) -> bool {
    folder.join("Chart.yaml").is_file()
}

/// The chart that a file is a template of: the outermost one, which is the one to render.
pub(super) fn chart_of(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let templates = path.ancestors().skip(1).find(|folder| folder.ends_with("templates"))?;
    let chart = templates.parent().filter(|folder| is_chart(folder))?;
    let outer = chart.ancestors().skip(1).filter(|folder| is_chart(folder)).last();
    Some(from_here(outer.unwrap_or(chart)))
}

/// A chart's folder, as [`chart_of`] returns it.
fn whole(folder: &Path) -> PathBuf {
    std::path::absolute(folder).map_or_else(|_| folder.to_owned(), |folder| from_here(&folder))
}

/// An absolute folder relative to the current one, where that is shorter.
pub(super) fn from_here(folder: &Path) -> PathBuf {
    const MOST_UP: usize = 3;
    let Ok(here) = std::env::current_dir() else { return folder.to_owned() };
    for (up, above) in here.ancestors().take(MOST_UP + 1).enumerate() {
        if let Ok(below) = folder.strip_prefix(above) {
            return std::iter::repeat_n(Path::new(".."), up).collect::<PathBuf>().join(below);
        }
    }
    folder.to_owned()
}

/// Whether a document is a list of JSON patches.
fn is_json_patch(document: &Node) -> bool {
    match &document.resolved().kind {
        NodeKind::List(items) => {
            !items.is_empty() && items.iter().all(|item| item.get("op").is_some() && item.get("path").is_some())
        }
        _ => false,
    }
}

/// The tools' files found so far.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// Those in folders.
    found: BTreeMap<Tool, Vec<String>>,
    /// Each chart's templates, each with its first marker: they can't be judged before they are rendered.
    templates: BTreeMap<PathBuf, Vec<(String, u32, u32)>>,
}

impl Tools {
    /// Notes a chart's template, and where its first marker is.
    pub(super) fn template(&mut self, chart: PathBuf, file: &str, text: &str) {
        let at = super::text::lines(text).zip(1_u32..).find_map(|(line, number)| {
            let before = line.get(..line.find("{{")?)?.chars().count();
            Some((number, u32::try_from(before).unwrap_or(0).saturating_add(1)))
        });
        let (line, column) = at.unwrap_or((1, 1));
        self.templates.entry(chart).or_default().push((file.to_owned(), line, column));
    }

    /// What to report of files in folders, one sentence for each tool.
    fn notes(&self) -> Vec<String> {
        let told = self.found.iter().filter(|(tool, _)| match tool {
            // Already reported with its templates.
            Tool::Helm(Some(chart)) => !self.templates.contains_key(chart),
            _ => true,
        });
        told.map(|(tool, files)| {
            let more = files.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let names = files.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            tool.told(&format!("{names}{more}"), files.len() > 1)
        })
        .collect()
    }

    /// The templates that couldn't be judged: one problem for each chart.
    fn problems(&self) -> Vec<LoadProblem> {
        let problems = self.templates.iter().filter_map(|(chart, files)| {
            let (file, line, column) = files.first()?;
            let (chart, more) = (shown(chart), files.len() - 1);
            let more = match more {
                0 => String::new(),
                1 => ", as is 1 more file there".to_owned(),
                more => format!(", as are {more} more files there"),
            };
            Some(LoadProblem {
                file: file.clone(),
                line: Some(*line),
                column: Some(*column),
                message: format!(
                    "this is a template of the Helm chart in {chart}{more}; to judge what it renders: \
                     helm template {chart} | meshvet check -"
                ),
            })
        });
        problems.collect()
    }
}

impl Loader {
    /// Notes a document that belongs to a tool: a problem if its file was named on the command line.
    pub(super) fn of_tool(&mut self, tool: Tool, file: &str, by_name: Option<(u32, u32)>) {
        match by_name {
            Some((line, column)) => {
                let message = tool.told("this", false);
                self.out.problems.push(LoadProblem {
                    file: file.to_owned(),
                    line: Some(line),
                    column: Some(column),
                    message,
                });
            }
            None => {
                let files = self.tools.found.entry(tool).or_default();
                if files.last().is_none_or(|last| last != file) {
                    files.push(file.to_owned());
                }
            }
        }
    }

    /// Reports the tools' files, combining equal problems of several files.
    pub(super) fn tell_of_tools(&mut self) {
        self.out.notes.extend(self.tools.notes());
        self.out.problems.extend(self.tools.problems());
        let mut first: HashMap<String, usize> = HashMap::new();
        let mut counts: Vec<(usize, usize)> = Vec::new();
        let mut kept: Vec<LoadProblem> = Vec::new();
        let mut last_file: HashMap<usize, String> = HashMap::new();
        for problem in std::mem::take(&mut self.out.problems) {
            if problem.message != super::text::RENDER_FIRST {
                kept.push(problem);
                counts.push((0, 0));
                continue;
            }
            match first.get(&problem.message) {
                None => {
                    first.insert(problem.message.clone(), kept.len());
                    last_file.insert(kept.len(), problem.file.clone());
                    kept.push(problem);
                    counts.push((0, 0));
                }
                Some(at) => {
                    let new_file = last_file.get(at).is_none_or(|file| *file != problem.file);
                    if let Some((places, files)) = counts.get_mut(*at) {
                        *places += 1;
                        *files += usize::from(new_file);
                    }
                    last_file.insert(*at, problem.file);
                }
            }
        }
        for (problem, (places, files)) in kept.iter_mut().zip(counts) {
            if places > 0 {
                let of = if files > 0 { format!(", in {}", plural(files, "other file")) } else { String::new() };
                problem.message.push_str(&format!(" (and at {}{of})", plural(places, "more place")));
            }
        }
        self.out.problems = kept;
    }

    /// Learns which files are patches from the kustomizations in or above a path.
    pub(super) fn patches_above(&mut self, path: &Path) {
        const LEVELS: usize = 3;
        let Ok(real) = path.canonicalize() else { return };
        for folder in real.ancestors().skip(usize::from(real.is_file())).take(LEVELS) {
            for name in ["kustomization.yaml", "kustomization.yml", "Kustomization"] {
                if let Some(value) = description(&folder.join(name)) {
                    self.kustomized.learn_patches(value, folder);
                }
            }
        }
    }
}

/// The contents of a kustomization file.
fn description(file: &Path) -> Option<Value> {
    const MOST: u64 = 1 << 20;
    let size = file.metadata().ok().filter(|it| it.is_file())?.len();
    let text = (size <= MOST).then(|| std::fs::read(file).ok()).flatten()?;
    let text = super::text::decode(text).ok()?;
    let mut budget = super::Budget::new(super::node::EXPANSION);
    let document = super::text::read(&text, &mut budget).documents.into_iter().next()?;
    document.split(&mut budget).ok().map(|(value, _)| value)
}
