//! What was seen with the real programs, as recorded in the repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The controller that configured Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    Istio,
    Contour,
}

/// A record: the versions of the programs, and what was seen in each case.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) cases: BTreeMap<String, Seen>,
}

/// What was seen in a case.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Of what was applied, so that a case that has changed is recorded again.
    pub(crate) fingerprint: String,
    /// What the controller reports for each object.
    pub(crate) conditions: BTreeMap<String, String>,
    /// Whether the proxy was ready, in each of its starts. One that isn't ready gets no connections in a cluster.
    #[serde(default)]
    pub(crate) ready: Vec<bool>,
    /// What each client saw, in each start of the proxy.
    pub(crate) clients: BTreeMap<String, Vec<String>>,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The version of a Go module that a program is built from.
fn of_module(part: &str, module: &str) -> String {
    let text =
        std::fs::read_to_string(repository().join("scripts/parts.d").join(part).join("go.mod")).expect("a go.mod");
    let version = text.lines().find_map(|line| {
        let mut words = line.trim().trim_start_matches("require ").split_whitespace();
        (words.next() == Some(module)).then(|| words.next()).flatten()
    });
    version.unwrap_or_else(|| panic!("{part} doesn't require {module}")).to_owned()
}

fn of_file(part: &str) -> String {
    std::fs::read_to_string(repository().join("scripts/parts.d").join(part)).expect("a version").trim().to_owned()
}

impl Controller {
    fn file(self) -> PathBuf {
        let name = match self {
            Controller::Istio => "istio.json",
            Controller::Contour => "contour.json",
        };
        repository().join("tests/dataplanes").join(name)
    }

    /// The versions that scripts/parts would fetch.
    fn versions(self) -> BTreeMap<String, String> {
        let own = match self {
            Controller::Istio => ("istiod", of_module("istiod", "istio.io/istio")),
            Controller::Contour => ("contour", of_module("contour", "github.com/projectcontour/contour")),
        };
        let all = [own, ("envoy", of_file("envoy")), ("gateway-crds", of_file("gateway-crds"))];
        all.map(|(part, version)| (part.to_owned(), version)).into()
    }
}

/// Writes what was seen just now.
pub(crate) fn write(controller: Controller, cases: &BTreeMap<String, Seen>) {
    let page = serde_json::json!({"versions": controller.versions(), "cases": cases});
    let text = serde_json::to_string_pretty(&page).expect("JSON");
    std::fs::write(controller.file(), text + "\n").expect("a file");
}

/// What was seen, with the current versions of the programs.
pub(crate) fn read(controller: Controller) -> Record {
    let text = std::fs::read_to_string(controller.file()).expect("a record");
    let record: Record = serde_json::from_str(&text).expect("a record");
    assert_eq!(record.versions, controller.versions(), "other versions than were recorded: scripts/test gateway");
    record
}
