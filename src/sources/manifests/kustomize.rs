//! `kustomization.yaml`: not built here, but read for what its generators make.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use crate::apis::core::store_of_files;
use crate::k8s::ObjectRef;
use crate::mesh::{Fact, FactId, Namespaces, Promise, PromisedStore, Store, StoreFields, StoreKey, StoreKind};
use crate::pki::FileForm;
use crate::text::plural;

use super::{Loader, Seen, later};

const API_VERSION: &str = "kustomize.config.k8s.io/v1beta1";
const KIND: &str = "Kustomization";
const GROUP: &str = "kustomize.config.k8s.io/";
/// The largest generated file: a Secret or ConfigMap holds at most one mebibyte.
const MAX_BYTES: u64 = 1 << 20;

const SECRET_FIELDS: StoreFields = StoreFields { name: "secretGenerator[].name", keys: "secretGenerator[].files" };
const MAP_FIELDS: StoreFields = StoreFields { name: "configMapGenerator[].name", keys: "configMapGenerator[].files" };

/// Whether kustomize takes a file with this name for a folder's kustomization, whatever type it declares.
pub(super) fn is_by_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization")
}

/// The type of such a file if it doesn't declare one; None for other files.
pub(super) fn type_by_name(path: Option<&Path>) -> Option<(String, String)> {
    path.filter(|path| is_by_name(path)).map(|_| (API_VERSION.to_owned(), KIND.to_owned()))
}

/// Whether an object is a kustomization.
pub(super) fn is_one(object: &Value) -> bool {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    text("apiVersion").starts_with(GROUP) && matches!(text("kind"), "Kustomization" | "Component")
}

/// The parts of it that are read.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Kustomization {
    namespace: Option<String>,
    secret_generator: Option<Vec<Generator>>,
    config_map_generator: Option<Vec<Generator>>,
    resources: Option<Vec<String>>,
    components: Option<Vec<String>>,
    bases: Option<Vec<String>>,
    patches: Option<Vec<Patch>>,
    patches_json6902: Option<Vec<Patch>>,
    patches_strategic_merge: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Patch {
    path: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Generator {
    name: String,
    namespace: Option<String>,
    behavior: Option<String>,
    files: Option<Vec<String>>,
    literals: Option<Vec<Literal>>,
    envs: Option<Vec<String>>,
    env: Option<String>,
}

/// `key=value`; the value may be a key or password.
#[derive(Deserialize)]
#[serde(transparent)]
struct Literal(String);

impl Drop for Literal {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What one generator makes: a complete store if all of its files exist.
pub(super) enum Made {
    Store(StoreKey, Store),
    Promise(PromisedStore),
}

impl Kustomization {
    pub(super) fn read(object: Value) -> Option<Self> {
        Self::deserialize(object).ok()
    }

    /// What its generators make. `folder`: where it is; None for standard input. Objects without a namespace
    /// are in `default`, and get the kustomization's namespace only when they are built: so there is a promise in each.
    pub(super) fn made(&self, by: &ObjectRef, folder: Option<&Path>, default: &str) -> Vec<Made> {
        let generators =
            [(StoreKind::Secret, &self.secret_generator), (StoreKind::ConfigMap, &self.config_map_generator)];
        let all = generators.into_iter().flat_map(|(kind, all)| all.iter().flatten().map(move |one| (kind, one)));
        let mut made = Vec::new();
        for (kind, generator) in all.filter(|(_, generator)| !generator.name.is_empty()) {
            let fields = if kind == StoreKind::Secret { &SECRET_FIELDS } else { &MAP_FIELDS };
            let content = generator.content(folder);
            let promise = |namespace: &str| PromisedStore {
                by: by.clone(),
                kind,
                namespaces: Namespaces::One(namespace.to_owned()),
                name: generator.name.clone(),
                keys: content.keys.clone(),
                certificate: None,
                fields,
                filled_in_by: None,
            };
            let own = self.namespace.as_deref().or(generator.namespace.as_deref()).unwrap_or(default);
            if own != default {
                made.push(Made::Promise(promise(default)));
            }
            made.push(match content.files {
                Some(files) => {
                    let files = files.into_iter().map(|(key, mut bytes)| (key, std::mem::take(&mut *bytes)));
                    let key = StoreKey::new(kind, own, &generator.name);
                    Made::Store(key, store_of_files(files))
                }
                None => Made::Promise(promise(own)),
            });
        }
        made
    }

    /// The folders that are built as part of this one.
    pub(super) fn parts(&self, folder: &Path) -> Vec<PathBuf> {
        let lists = [&self.resources, &self.components, &self.bases];
        lists.into_iter().flat_map(|list| list.iter().flatten()).map(|part| joined(folder, part)).collect()
    }

    /// Files that patch others, and aren't objects themselves.
    pub(super) fn patches(&self, folder: &Path) -> Vec<PathBuf> {
        let named =
            self.patches.iter().chain(&self.patches_json6902).flatten().filter_map(|patch| patch.path.as_deref());
        let merged = self.patches_strategic_merge.iter().flatten().map(String::as_str);
        // An entry may be the patch itself.
        let paths = named.chain(merged.filter(|patch| !patch.contains('\n')));
        paths.filter_map(|path| folder.join(path).canonicalize().ok()).collect()
    }
}

/// The contents of what a generator makes.
struct Content {
    /// Its keys, if known.
    keys: Option<BTreeMap<String, FileForm>>,
    /// All of its files, if every one exists.
    files: Option<Vec<(String, Zeroizing<Vec<u8>>)>>,
}

impl Generator {
    fn content(&self, folder: Option<&Path>) -> Content {
        // The store that it is merged with isn't known here.
        if self.behavior.as_deref() == Some("merge") {
            return Content { keys: None, files: None };
        }
        let mut keys = BTreeSet::new();
        let mut files = Some(Vec::new());
        let mut take = |key: &str, bytes: Option<Zeroizing<Vec<u8>>>| {
            keys.insert(key.to_owned());
            let bytes = bytes.filter(|bytes| !later::is_filled_in(bytes));
            match (bytes, &mut files) {
                (Some(bytes), Some(files)) => files.push((key.to_owned(), bytes)),
                _ => files = None,
            }
        };
        for entry in self.files.iter().flatten() {
            let (key, path) = entry.split_once('=').unwrap_or((entry.rsplit('/').next().unwrap_or(entry), entry));
            take(key, folder.and_then(|folder| read(folder, path)));
        }
        for Literal(literal) in self.literals.iter().flatten() {
            let (key, value) = literal.split_once('=').unwrap_or((literal, ""));
            take(key, Some(unquoted(value).as_bytes().to_vec().into()));
        }
        for path in self.envs.iter().flatten().chain(&self.env) {
            let Some(bytes) = folder.and_then(|folder| read(folder, path)) else {
                return Content { keys: None, files: None };
            };
            for line in String::from_utf8_lossy(&bytes).lines().map(str::trim_start) {
                match line.split_once('=') {
                    _ if line.is_empty() || line.starts_with('#') => {}
                    Some((key, value)) => take(key, Some(value.as_bytes().to_vec().into())),
                    // The value comes from the environment of the build.
                    None => take(line, None),
                }
            }
        }
        Content { keys: Some(keys.into_iter().map(|key| (key, FileForm::Unknown)).collect()), files }
    }
}

/// A file in the folder. kustomize doesn't read files outside it either.
fn read(folder: &Path, path: &str) -> Option<Zeroizing<Vec<u8>>> {
    let folder = Path::new(".").join(folder).canonicalize().ok()?;
    let path = folder.join(path).canonicalize().ok()?;
    let size = path.starts_with(&folder).then(|| path.metadata().ok())??;
    if !size.is_file() || size.len() > MAX_BYTES {
        return None;
    }
    std::fs::read(path).ok().map(Zeroizing::new)
}

/// Strips one pair of quotes, as kustomize does.
fn unquoted(value: &str) -> &str {
    let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    quoted('"').or_else(|| quoted('\'')).unwrap_or(value)
}

/// Joins a folder and a relative part: `overlays/prod` and `../../base` give `base`.
fn joined(folder: &Path, part: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for component in folder.join(part).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if path.file_name().is_some() => drop(path.pop()),
            component => path.push(component),
        }
    }
    path
}

/// The kustomizations found so far.
#[derive(Debug, Default)]
pub(super) struct Kustomized {
    /// Their folders, as named.
    folders: Vec<PathBuf>,
    /// The folders that are built as part of others.
    parts: HashSet<PathBuf>,
    patches: HashSet<PathBuf>,
    /// The patches of kustomizations in and above the inputs, each with its folder.
    above: HashMap<PathBuf, PathBuf>,
    /// How many files were skipped because they are patches.
    left_out: usize,
    /// What generators have made so far.
    stores: HashSet<StoreKey>,
}

impl Kustomized {
    /// Whether a file is a patch, and so not an object: then it is skipped.
    pub(super) fn leaves_out(&mut self, path: Option<&Path>) -> bool {
        let path = path.filter(|_| !self.patches.is_empty()).and_then(|path| path.canonicalize().ok());
        let is_patch = path.is_some_and(|path| self.patches.contains(&path));
        self.left_out += usize::from(is_patch);
        is_patch
    }

    /// Learns which files are patches from a kustomization that isn't among the inputs.
    pub(super) fn learn_patches(&mut self, description: Value, folder: &Path) {
        if let Some(read) = Kustomization::read(description) {
            let of_folder = |patch: PathBuf| (patch, folder.to_owned());
            self.above.extend(read.patches(folder).into_iter().map(of_folder));
        }
    }

    /// The folder whose kustomization lists a file as a patch.
    pub(super) fn patch_of(&self, path: &Path) -> Option<PathBuf> {
        let folder = self.above.get(&path.canonicalize().ok()?)?;
        Some(super::tools::from_here(folder))
    }

    /// The note about kustomizations for the user.
    pub(super) fn note(&self) -> Option<String> {
        const SHOWN: usize = 4;
        let roots = self.folders.iter().filter(|folder| !self.parts.contains(*folder));
        let mut roots: Vec<_> = roots.map(|folder| shown(folder)).collect();
        if roots.is_empty() {
            roots = self.folders.iter().map(|folder| shown(folder)).collect();
        }
        let first = roots.first()?;
        let them = match roots.as_slice() {
            [_] => "This folder is built by kustomize".to_owned(),
            all => {
                let more = all.len().saturating_sub(SHOWN);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!(
                    "{} are built by kustomize: {}{more}",
                    plural(all.len(), "folder"),
                    all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ")
                )
            }
        };
        let patches = match self.left_out {
            0 => String::new(),
            count => format!(", without {}", plural(count, "patch file")),
        };
        Some(format!(
            "{them}. Its files were judged as they are{patches}; to judge what is applied: kustomize build {first} | meshvet check -"
        ))
    }
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { ".".to_owned() } else { folder.display().to_string() }
}

impl Loader {
    /// Learns what generators make, and which files aren't objects.
    pub(super) fn kustomize(&mut self, object: Value, seen: Seen) {
        let folder = self.path.as_ref().map(|path| joined(path.parent().unwrap_or(Path::new("")), ""));
        let Some(read) = Kustomization::read(object) else { return };
        let name = folder.as_deref().map_or_else(|| "DIR".to_owned(), shown);
        let by = ObjectRef::cluster_scoped(API_VERSION, KIND, &name);
        let mut promised = Vec::new();
        for made in read.made(&by, folder.as_deref(), &self.namespace) {
            match made {
                Made::Promise(store) => promised.push(store.into()),
                Made::Store(key, store) => {
                    let id = FactId::Store(key.clone());
                    if self.kustomized.stores.insert(key.clone()) {
                        self.see(id, seen);
                        let fact = Fact::Store(key, store.into());
                        self.keep_promised(Some(&fact));
                        self.out.world.learn(fact);
                        continue;
                    }
                    // Several overlays make it, each its own: which one is intended is unknown.
                    self.out.world.forget(&id);
                    promised.push(unknown(&by, &key).into());
                }
            }
        }
        let promise = Fact::Promise(Promise { object: by, stores: promised }.into());
        self.keep_promised(Some(&promise));
        self.out.world.learn(promise);
        if let Some(folder) = folder {
            self.kustomized.parts.extend(read.parts(&folder));
            self.kustomized.patches.extend(read.patches(&folder));
        }
        self.kustomized.folders.push(PathBuf::from(name));
    }
}

fn unknown(by: &ObjectRef, key: &StoreKey) -> PromisedStore {
    PromisedStore {
        by: by.clone(),
        kind: key.kind,
        namespaces: Namespaces::One(key.namespace.to_string()),
        name: key.name.to_string(),
        keys: None,
        certificate: None,
        fields: if key.kind == StoreKind::Secret { &SECRET_FIELDS } else { &MAP_FIELDS },
        filled_in_by: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn made(object: Value, folder: Option<&Path>) -> Vec<String> {
        let by = ObjectRef::cluster_scoped(API_VERSION, KIND, "prod");
        let made = Kustomization::read(object).expect("one").made(&by, folder, "default");
        let told = made.into_iter().map(|made| match made {
            Made::Store(key, store) => format!("{key} {:?}", store.files.keys().collect::<Vec<_>>()),
            Made::Promise(made) => {
                let keys = made.keys.map(|keys| keys.into_keys().collect::<Vec<_>>());
                format!("promised {:?} {} {keys:?}", made.namespaces, made.name)
            }
        });
        told.collect()
    }

    #[test]
    fn generators_make_what_their_files_hold() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [("a.crt", "a"), ("tls.env", "# none\nA=1\n\nB=two=2\n")] {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        let generator = json!([{"name": "tls", "files": ["tls.crt=a.crt", "a.crt"], "literals": ["mode='x'"], "envs": ["tls.env"]}]);
        let whole = json!({"secretGenerator": generator});
        assert_eq!(
            made(whole.clone(), Some(folder.path())),
            [r#"Secret default/tls ["A", "B", "a.crt", "mode", "tls.crt"]"#]
        );
        // Standard input has no folder: the contents of an env file are unknown then.
        assert_eq!(made(whole, None), [r#"promised One("default") tls None"#]);
        let elsewhere = json!({"namespace": "shop", "configMapGenerator": [{"name": "ca", "files": ["../ca.crt"]}]});
        let keys = r#"ca Some(["ca.crt"])"#;
        let both = [format!(r#"promised One("default") {keys}"#), format!(r#"promised One("shop") {keys}"#)];
        assert_eq!(made(elsewhere, Some(folder.path())), both);
        let merged = json!({"secretGenerator": [{"name": "tls", "behavior": "merge", "literals": ["a=b"]}]});
        assert_eq!(made(merged, Some(folder.path())), [r#"promised One("default") tls None"#]);
    }

    #[test]
    fn parts_are_named_from_where_they_are_looked_at() {
        let object = json!({"resources": ["../../base", "node.yaml"], "components": ["./c"]});
        let parts = Kustomization::read(object).expect("one").parts(Path::new("overlays/prod"));
        assert_eq!(parts, ["base", "overlays/prod/node.yaml", "overlays/prod/c"].map(PathBuf::from));
    }
}
