//! The policy file, as written.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::apis::plane_of;
use crate::aws::{account_of_role, is_account, is_region};
use crate::finding::Severity;
use crate::k8s::LabelSelector;
use crate::mesh::{Plane, clean_path};
use crate::pki::HashAlgorithm;
use crate::policy::answers::{Answers, Changes, Enforcement};
use crate::policy::backends::BackendFile;
use crate::policy::error::PolicyError;
use crate::policy::issuers::IssuersFile;
use crate::policy::workloads::Workload;
use crate::policy::{groups, plain};
use crate::text::suggest;

/// meshvet's policy file. All keys are optional.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PolicyFile {
    /// The severity of rules: `deny`, `warn` or `off`. By code (`MV101`) or name (`hostname-mismatch`); by group (`names`, `files`,
    /// `issuers`, `acm`, `objects`, `appmesh`, `gateway`, `promises`), by hundred (`MV4xx`), or `all`. If several match a rule, the most
    /// specific counts. Groups don't turn on rules that are off by default.
    #[schemars(extend("propertyNames" = groups::names()))]
    pub severities: BTreeMap<String, Severity>,
    /// `deny` (default), or `warn`: what would be refused at admission is admitted, with a warning that says so.
    pub enforcement: Option<Enforcement>,
    /// The highest severity, `deny`, `warn` or `off`, when a change of a workload, Secret, Service, namespace or Mesh breaks a node. A
    /// deletion and a change by a ServiceAccount are never refused.
    pub changes: Changes,
    /// The severity of what isn't known (MV201, MV202 for Secrets that don't exist, MV203, MV408), unless
    /// `severities` names the rule. Default: each rule's own.
    pub unknown: Option<Severity>,
    /// Thresholds of the rules.
    pub thresholds: Thresholds,
    /// What MV213 accepts.
    pub profile: Profile,
    /// Envoy's Secret Discovery Service.
    pub sds: Sds,
    /// App Mesh's backend groups.
    #[serde(rename = "backendGroups")]
    pub service_groups: ServiceGroups,
    /// The image of the proxies.
    pub proxy_image: ProxyImage,
    /// The controllers of GatewayClasses that aren't among the checked objects, as in a repository: the class's name, and its
    /// controller, such as `gateway.envoyproxy.io/gatewayclass-controller`.
    #[serde(rename = "gatewayClasses")]
    pub classes: BTreeMap<String, String>,
    /// For Services whose pods are in no mesh, the Secret with their certificate, which is compared with what BackendTLSPolicies require.
    /// By `NAMESPACE/SERVICE`, or `NAMESPACE/SERVICE:PORT` for one port.
    pub backends: BTreeMap<String, BackendFile>,
    /// Objects that route callers to nodes: VirtualServices, VirtualRouters, GatewayRoutes and BackendGroups.
    pub routing: Routing,
    /// The `meshvet.dev/ignore` annotation.
    pub ignore: Ignore,
    /// How much detail the webhook gives to the user who applies an object.
    pub answers: Answers,
    /// Who may have issued a certificate (MV302). Default: anyone.
    pub issuers: Option<IssuersFile>,
    /// Where the mesh is in AWS, and the roles that meshvet uses.
    pub aws: Aws,
    /// What `meshvet serve` logs.
    pub log: Log,
    /// Kinds that own pods, besides Kubernetes' own and the built-in ones (Rollout, DeploymentConfig, Knative's Service, Kruise's
    /// kinds). A change needs a restart of `meshvet serve`, and the right to list and watch them.
    pub workloads: Vec<Workload>,
    /// Different settings for some namespaces. If several match, the later wins.
    pub scopes: Vec<Scope>,
}

impl PolicyFile {
    /// The control plane of each class that is given by name.
    pub(super) fn classes(&self) -> Vec<(String, &'static Plane)> {
        let planes = self.classes.iter().map(|(class, controller)| (class.clone(), plane_of(controller)));
        planes.collect()
    }
}

/// What `meshvet serve` logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace` or `off`; or by module, as in `info,kube=debug`. Overrides `--log-level` as soon as
    /// the policy is read.
    pub level: Option<String>,
}

impl Log {
    /// # Errors
    /// For what isn't a level.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let Some(level) = &self.level else { return Ok(()) };
        let wrong = |problem: String| PolicyError::Value { path: "log.level".to_owned(), problem };
        EnvFilter::try_new(level).map_err(|error| wrong(format!("{level:?} can't be read: {error}")))?;
        // A word that is no level is read as a module, for which everything would be logged.
        let mut words = level.split(',').map(str::trim);
        match words.find(|word| !word.contains(['=', '[', ':']) && word.parse::<LevelFilter>().is_err()) {
            None => Ok(()),
            Some(word) => {
                let near = suggest::nearest(word, LEVELS.into_iter());
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                Err(wrong(format!("`{word}` is not a level{hint}; for a module write {word}=debug")))
            }
        }
    }
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Thresholds of the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Thresholds {
    /// MV209 warns when less than this many days are left, or less than a fifth of the certificate's lifetime,
    /// whichever is shorter. Default 30.
    #[schemars(range(max = 36500))]
    pub expiring_days: Option<u32>,
}

/// What MV213 accepts. Envoy loads a certificate outside it anyway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Profile {
    /// The smallest RSA key, in bits. Default 2048, which is also the smallest that Envoy loads.
    #[schemars(range(max = 65536))]
    pub rsa_bits: Option<u32>,
    /// Hash functions that a certificate may be signed with. Default: the SHA-2 family.
    pub signature_hashes: Option<Vec<SignatureHash>>,
    /// The longest lifetime of a leaf, in days. Default: none.
    #[schemars(range(max = 36500))]
    pub max_lifetime_days: Option<u32>,
}

/// The hash function of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum SignatureHash {
    /// SHA-1: broken for signatures since 2017.
    #[serde(rename = "SHA-1")]
    Sha1,
    /// SHA-256.
    #[serde(rename = "SHA-256")]
    Sha256,
    /// SHA-384.
    #[serde(rename = "SHA-384")]
    Sha384,
    /// SHA-512.
    #[serde(rename = "SHA-512")]
    Sha512,
}

impl SignatureHash {
    /// The same in the words of [`crate::pki`].
    pub fn algorithm(self) -> HashAlgorithm {
        match self {
            SignatureHash::Sha1 => HashAlgorithm::Sha1,
            SignatureHash::Sha256 => HashAlgorithm::Sha256,
            SignatureHash::Sha384 => HashAlgorithm::Sha384,
            SignatureHash::Sha512 => HashAlgorithm::Sha512,
        }
    }
}

/// Envoy's Secret Discovery Service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Sds {
    /// Whether the App Mesh controller runs with SDS enabled (`--enable-sds`). Default false, like the controller's.
    pub enabled: bool,
}

/// The key of the policy that names the controllers of classes.
pub(crate) const CLASSES_KEY: &str = "gatewayClasses";

/// The key of the policy that says whether groups of services count.
pub(crate) const GROUPS_KEY: &str = "backendGroups";

/// App Mesh's backend groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
// The name is in the schema and in errors, and stays.
#[serde(rename = "BackendGroups", expecting = "struct BackendGroups")]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ServiceGroups {
    /// Whether the App Mesh controller runs with backend groups enabled (`--enable-backend-groups`). Default false,
    /// like the controller's.
    pub enabled: bool,
}

/// The image of the proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ProxyImage {
    /// The files in it that a client policy may trust without a mount, by absolute path; a path that ends with `/` includes all below
    /// it. Default: where Amazon Linux, Debian, Ubuntu and Alpine keep trusted CAs, such as `/etc/pki/tls/cert.pem` and
    /// `/etc/ssl/certs/ca-certificates.crt`.
    pub files: Option<Vec<String>>,
}

impl ProxyImage {
    /// The files, with their paths normalized as the kernel resolves them.
    ///
    /// # Errors
    /// For a path that isn't absolute.
    pub(super) fn files(&self) -> Result<Option<Vec<String>>, PolicyError> {
        let Some(files) = &self.files else { return Ok(None) };
        let cleaned = files.iter().enumerate().map(|(index, file)| {
            if !file.starts_with('/') {
                let path = format!("proxyImage.files[{index}]");
                return Err(PolicyError::Value { path, problem: "a path in the image must start with /".to_owned() });
            }
            let folder = if file.len() > 1 && file.ends_with('/') { "/" } else { "" };
            Ok(format!("{}{folder}", clean_path(file)))
        });
        cleaned.collect::<Result<_, _>>().map(Some)
    }
}

/// Objects that route callers to nodes: VirtualServices, VirtualRouters, GatewayRoutes and BackendGroups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Routing {
    /// The highest severity at admission of a call that such an object creates and that can't work. Default `warn`: the object
    /// is admitted with a warning. `deny`: it is refused for what it makes worse. `off`: calls are checked only when one of their ends
    /// changes.
    pub severity: Option<Severity>,
}

/// The `meshvet.dev/ignore` annotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Ignore {
    /// Whether it can ignore denials too, not only warnings. Default false.
    pub denials: bool,
}

/// Different settings for some namespaces.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Scope {
    /// Which namespaces, by their labels (`kubernetes.io/metadata.name` is always there). Empty: all.
    pub namespace_selector: LabelSelector,
    /// Whether denials refuse objects there.
    pub enforcement: Option<Enforcement>,
    /// The severity of changes that break nodes there.
    pub changes: Changes,
    /// The severity of rules there.
    #[schemars(extend("propertyNames" = groups::names()))]
    pub severities: BTreeMap<String, Severity>,
    /// The severity of what isn't known there.
    pub unknown: Option<Severity>,
    /// Thresholds of the rules there.
    pub thresholds: Thresholds,
    /// What MV213 accepts there.
    pub profile: Profile,
    /// Who may have issued a certificate there, in place of the list above.
    pub issuers: Option<IssuersFile>,
    /// Objects there that route callers to nodes.
    pub routing: Routing,
    /// How much detail the webhook gives about objects there.
    pub answers: Answers,
}

/// Where the mesh is in AWS, and the roles that meshvet uses. meshvet asks AWS only with `--aws`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Aws {
    /// The Region of the mesh (MV402), for nodes that have no ARN yet. Default: the Region that meshvet runs in.
    pub region: Option<String>,
    /// The account of the mesh (MV403), likewise: twelve digits, in quotes.
    pub account: Option<String>,
    /// Roles to assume for certificates and authorities of other accounts.
    pub accounts: Vec<AwsAccount>,
    /// Checks of the roles of proxies and of the controller (MV409, MV410, MV412).
    pub roles: AwsRoles,
}

/// Which roles are checked, by IAM's policy simulator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AwsRoles {
    /// Whether they are checked. Default false: it needs another permission, `iam:SimulatePrincipalPolicy`.
    pub enabled: bool,
    /// The cluster's name in EKS, if ServiceAccounts get their roles by EKS Pod Identity. Default: only the
    /// annotation `eks.amazonaws.com/role-arn` counts.
    pub cluster: Option<String>,
    /// The ARN of the role that the App Mesh controller creates nodes as (MV412).
    pub controller: Option<String>,
}

/// A role to assume for one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["account", "roleArn"]))]
pub struct AwsAccount {
    /// The account: twelve digits, in quotes.
    pub account: String,
    /// The ARN of the role there.
    pub role_arn: String,
    /// The external id that the role asks for, where it does.
    pub external_id: Option<String>,
}

impl Aws {
    /// # Errors
    /// For a Region, an account or a role that can't be one, with the place.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let wrong = |path: String, problem: &str| Err(PolicyError::Value { path, problem: problem.to_owned() });
        let account = "an account ID has twelve digits, in quotes so that YAML reads a string";
        if self.region.as_deref().is_some_and(|region| !is_region(region)) {
            return wrong("aws.region".to_owned(), "a Region is written as eu-west-1");
        }
        if self.account.as_deref().is_some_and(|text| !is_account(text)) {
            return wrong("aws.account".to_owned(), account);
        }
        for (index, other) in self.accounts.iter().enumerate() {
            if !is_account(&other.account) {
                return wrong(format!("aws.accounts[{index}].account"), account);
            }
            if account_of_role(&other.role_arn).is_none() {
                return wrong(format!("aws.accounts[{index}].roleArn"), ROLE);
            }
        }
        if self.roles.controller.as_deref().is_some_and(|role| account_of_role(role).is_none()) {
            return wrong("aws.roles.controller".to_owned(), ROLE);
        }
        let of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if self.roles.cluster.as_deref().is_some_and(|name| name.is_empty() || !name.chars().all(of_a_name)) {
            return wrong("aws.roles.cluster".to_owned(), "a cluster's name has only letters, digits, - and _");
        }
        Ok(())
    }
}

const ROLE: &str = "a role is written as arn:aws:iam::ACCOUNT:role/NAME";

impl PolicyFile {
    /// Reads YAML (JSON is YAML too). An empty file is the default policy.
    ///
    /// # Errors
    /// With the place, when a key is unknown (and the nearest valid one), or a value has another type.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        // As in YAML 1.2, `off` is a word and not a boolean: it is a severity here.
        let options = serde_saphyr::options! { strict_booleans: true };
        let value: serde_json::Value =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| plain::syntax(&error.to_string()))?;
        if value.is_null() {
            return Ok(Self::default());
        }
        let schema = json_schema();
        reject_unknown_keys(&value, schema.as_value(), schema.as_value(), "")?;
        serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            PolicyError::Value { path, problem: plain::value(&error.into_inner().to_string()) }
        })
    }

    /// Puts the files that the policy names (`certificateFile`) in place of their names. `read` gives a file's text, or
    /// says why it can't.
    ///
    /// # Errors
    /// The error of `read`, with the file's place in the policy.
    pub(crate) fn read_files(
        &mut self,
        mut read: impl FnMut(&str) -> Result<String, String>,
    ) -> Result<(), PolicyError> {
        if let Some(issuers) = &mut self.issuers {
            issuers.read_files("issuers", &mut read)?;
        }
        for (index, scope) in self.scopes.iter_mut().enumerate() {
            if let Some(issuers) = &mut scope.issuers {
                issuers.read_files(&format!("scopes[{index}].issuers"), &mut read)?;
            }
        }
        Ok(())
    }
}

/// The JSON Schema of the policy file, for editors and for `meshvet schema`.
pub(crate) fn json_schema() -> Schema {
    schemars::schema_for!(PolicyFile)
}

/// Walks the value beside the schema, so that a misspelt key is reported with the key that was meant.
fn reject_unknown_keys(
    value: &serde_json::Value,
    schema: &serde_json::Value,
    root: &serde_json::Value,
    path: &str,
) -> Result<(), PolicyError> {
    let schema = resolve(schema, root);
    match value {
        serde_json::Value::Object(members) => {
            let properties = schema.get("properties").and_then(|properties| properties.as_object());
            let Some(properties) = properties else { return Ok(()) };
            for (key, member) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match properties.get(key) {
                    Some(schema) => reject_unknown_keys(member, schema, root, &path)?,
                    None => {
                        let nearest = suggest::nearest(key, properties.keys().map(String::as_str));
                        return Err(PolicyError::UnknownKey { path, nearest: nearest.map(str::to_owned) });
                    }
                }
            }
            Ok(())
        }
        // A derived decoder would accept a list for a map, its values in the order of the fields.
        serde_json::Value::Array(_) if schema.get("properties").is_some() => {
            let path = if path.is_empty() { "the policy" } else { path };
            Err(PolicyError::Value { path: path.to_owned(), problem: "expected a mapping, found a list".to_owned() })
        }
        serde_json::Value::Array(items) => match schema.get("items") {
            None => Ok(()),
            Some(schema) => items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| reject_unknown_keys(item, schema, root, &format!("{path}[{index}]"))),
        },
        _ => Ok(()),
    }
}

fn resolve<'a>(schema: &'a serde_json::Value, root: &'a serde_json::Value) -> &'a serde_json::Value {
    let reference = |schema: &'a serde_json::Value| {
        let pointer = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        root.pointer(pointer)
    };
    let of_option = || schema.get("anyOf")?.as_array()?.iter().find_map(reference);
    reference(schema).or_else(of_option).unwrap_or(schema)
}
