//! `expect.yaml`: what is right to say of a folder.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A folder's `expect.yaml`.
#[derive(Deserialize)]
pub(crate) struct Expectation {
    /// What it shows, for readers.
    #[expect(dead_code, reason = "for readers")]
    about: String,
    /// What `check` is given; the folder if it says nothing.
    #[serde(default)]
    pub(crate) arguments: Vec<String>,
    #[serde(flatten)]
    pub(crate) told: Told,
    #[serde(flatten)]
    pub(crate) material: Recipes,
    #[serde(default)]
    pub(crate) siblings: Vec<Sibling>,
    /// What is misspelt.
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

impl Expectation {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parsed: Self = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let siblings = parsed.siblings.iter().flat_map(|sibling| sibling.unknown.keys());
        match parsed.unknown.keys().chain(siblings).next() {
            Some(key) => Err(format!("{key} means nothing")),
            None => Ok(parsed),
        }
    }
}

/// The same folder with a change, and what is right to say then.
#[derive(Deserialize)]
pub(crate) struct Sibling {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) change: Vec<Change>,
    #[serde(flatten)]
    pub(crate) told: Told,
    /// In the place of the case's of the same name.
    #[serde(flatten)]
    pub(crate) material: Recipes,
    /// What is misspelt.
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

/// What has to be said.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    /// Who will make it right, where it isn't yet.
    pub(crate) known: Option<String>,
    /// Each a severity, a code and an object, or `*` for any object: `deny MV301 VirtualNode shop/front`. Exactly these.
    pub(crate) findings: Vec<String>,
    /// Whether others may stand beside them; the exit code is then theirs.
    pub(crate) others: bool,
    /// Words of the findings, errors and notes.
    pub(crate) says: Vec<String>,
    /// Words that none of them has.
    pub(crate) never: Vec<String>,
    /// The exit code; if it says nothing, 1 where something is denied, else 0.
    pub(crate) exit: Option<i32>,
    /// At least so many objects are judged.
    pub(crate) judged: u64,
}

/// One change of a folder: of `replace`, `remove`, `add` and `write`, one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// The document that `replace` means, by kind and name: `VirtualNode ledger`. All of them if it says nothing.
    #[serde(rename = "in")]
    pub(crate) within: Option<String>,
    /// A text that stands there once, or as often as `times` says.
    pub(crate) replace: Option<String>,
    #[serde(default)]
    pub(crate) with: String,
    pub(crate) times: Option<usize>,
    /// A document to be left out, by kind and name.
    pub(crate) remove: Option<String>,
    /// Documents to be put at the end of the first file.
    pub(crate) add: Option<String>,
    /// The file that `content` is written to.
    pub(crate) write: Option<String>,
    #[serde(default)]
    pub(crate) content: String,
}

/// What is minted.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Recipes {
    pub(crate) certificates: BTreeMap<String, Recipe>,
    pub(crate) revocations: BTreeMap<String, Revocation>,
}

/// A certificate.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// Subject alternative names: DNS names, or `URI:…`, `IP:…`.
    #[serde(default)]
    pub(crate) names: Vec<String>,
    /// Its authority, which is made up by its name; `root/intermediate` for one below another.
    #[serde(default = "depot")]
    pub(crate) by: String,
    /// `server` and `client`, or some of them.
    #[serde(default = "usages")]
    pub(crate) usages: Vec<String>,
    /// From when to when, in days from now.
    #[serde(default = "days")]
    pub(crate) days: (i64, i64),
    /// `p256`, `p384`, `rsa2048` and so on.
    #[serde(default = "key")]
    pub(crate) key: String,
}

/// A revocation list.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revocation {
    pub(crate) by: String,
    /// The certificates that it revokes.
    #[serde(default)]
    pub(crate) revokes: Vec<String>,
    /// From when to when, in days from now.
    #[serde(default = "days")]
    pub(crate) days: (i64, i64),
}

fn depot() -> String {
    "depot".to_owned()
}

fn usages() -> Vec<String> {
    vec!["server".to_owned(), "client".to_owned()]
}

fn days() -> (i64, i64) {
    (-10, 180)
}

fn key() -> String {
    "p256".to_owned()
}
