//! The policy as the engine reads it: names resolved, scopes laid over one another.

use std::borrow::Cow;
use std::sync::Arc;

use crate::apis::WorkloadKind;
use crate::aws::AccountRole;
use crate::finding::{RULES, Rule, Severity, Trait};
use crate::k8s::LabelSelector;
use crate::mesh::{Member, Plane, Settings, View, image_files};
use crate::pki::HashAlgorithm;
use crate::policy::answers::{Answers, Changes, Detail, Enforcement};
use crate::policy::backends;
use crate::policy::error::PolicyError;
use crate::policy::file::{Aws, AwsAccount, PolicyFile, Profile, Routing, SignatureHash, Thresholds};
use crate::policy::groups::resolve;
use crate::policy::issuers::{AllowedIssuers, IssuersFile};
use crate::policy::workloads;

/// The label that Kubernetes sets on every namespace.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// A policy whose rules are looked up and whose selectors are sound.
#[derive(Clone, Debug)]
pub struct Policy {
    base: Effective,
    log_level: Option<String>,
    workloads: Vec<WorkloadKind>,
    scopes: Vec<Layer>,
}

#[derive(Clone, Debug)]
struct Layer {
    selector: LabelSelector,
    severities: Vec<Option<Severity>>,
    unknown: Option<Severity>,
    enforcement: Option<Enforcement>,
    changes: Changes,
    thresholds: Thresholds,
    profile: Profile,
    issuers: Option<Arc<AllowedIssuers>>,
    routing: Routing,
    answers: Answers,
}

/// What holds in one namespace.
#[derive(Clone, Debug)]
pub struct Effective {
    severities: Vec<Option<Severity>>,
    unknown: Option<Severity>,
    /// MV209's days.
    pub expiring_days: u32,
    /// MV213's least RSA key, in bits.
    pub rsa_bits: u32,
    /// MV213's hash functions.
    pub signature_hashes: Vec<HashAlgorithm>,
    /// MV213's longest lifetime, in days.
    pub max_lifetime_days: Option<u32>,
    /// Whether SDS is enabled in the App Mesh controller.
    pub sds_enabled: bool,
    /// Whether backend groups are enabled in the App Mesh controller.
    pub groups_enabled: bool,
    /// The files of the proxy's own image.
    pub image_files: Vec<String>,
    /// Of classes of gateways, by name, who hands certificates to their proxies.
    pub classes: Vec<(String, &'static Plane)>,
    /// What is behind Services whose pods are in no mesh.
    pub backends: Arc<[Member]>,
    /// The highest severity of a broken call on an object that routes callers to nodes.
    pub routing: Severity,
    /// Whether `meshvet.dev/ignore` holds for denials too.
    pub ignore_denials: bool,
    /// Whether the webhook refuses what would break.
    pub enforcement: Enforcement,
    /// What becomes of changes to what members rest on.
    pub changes: Changes,
    /// How much detail the webhook gives to the user who applies an object.
    pub detail: Detail,
    /// MV302's allowed issuers; None: anybody.
    pub allowed_issuers: Option<Arc<AllowedIssuers>>,
    /// Where the mesh is in AWS, and whom meshvet asks as.
    pub aws: Arc<Aws>,
}

impl Default for Policy {
    fn default() -> Self {
        let base = Effective {
            severities: vec![None; RULES.len()],
            unknown: None,
            expiring_days: 30,
            rsa_bits: 2048,
            signature_hashes: [SignatureHash::Sha256, SignatureHash::Sha384, SignatureHash::Sha512]
                .map(SignatureHash::algorithm)
                .to_vec(),
            max_lifetime_days: None,
            sds_enabled: false,
            groups_enabled: false,
            image_files: image_files().to_vec(),
            classes: Vec::new(),
            backends: Arc::default(),
            routing: Severity::Warn,
            ignore_denials: false,
            enforcement: Enforcement::Deny,
            changes: Changes::default(),
            detail: Detail::Full,
            allowed_issuers: None,
            aws: Arc::default(),
        };
        Self { base, log_level: None, workloads: Vec::new(), scopes: Vec::new() }
    }
}

impl Policy {
    /// Reads and resolves a policy file's text.
    ///
    /// # Errors
    /// As [`PolicyFile::parse`]; and for a rule that doesn't exist or a selector that can't match.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Self::new(PolicyFile::parse(text)?)
    }

    /// Resolves a policy file.
    ///
    /// # Errors
    /// For a rule that doesn't exist, or a selector that can't match.
    pub fn new(file: PolicyFile) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        let severities = resolve(&file.severities, "severities")?;
        policy.base.lay(&severities, file.unknown, file.thresholds, &file.profile, file.routing);
        policy.base.sds_enabled = file.sds.enabled;
        policy.base.groups_enabled = file.service_groups.enabled;
        if let Some(files) = file.proxy_image.files()? {
            policy.base.image_files = files;
        }
        policy.base.classes = file.classes();
        policy.base.backends = backends::resolve(&file.backends)?.into();
        policy.base.ignore_denials = file.ignore.denials;
        policy.base.changes = file.changes;
        policy.base.enforcement = file.enforcement.unwrap_or_default();
        policy.base.detail = file.answers.detail.unwrap_or_default();
        policy.base.allowed_issuers = allowed(file.issuers.as_ref(), "issuers")?;
        file.log.check()?;
        policy.log_level = file.log.level;
        policy.workloads = workloads::resolve(&file.workloads)?;
        file.aws.check()?;
        policy.base.aws = Arc::new(file.aws);
        for (index, scope) in file.scopes.into_iter().enumerate() {
            let path = format!("scopes[{index}]");
            if let Some(problem) = scope.namespace_selector.problems().first() {
                let path = format!("{path}.namespaceSelector");
                return Err(PolicyError::Selector { path, problem: problem.to_string() });
            }
            policy.scopes.push(Layer {
                severities: resolve(&scope.severities, &format!("{path}.severities"))?,
                unknown: scope.unknown,
                enforcement: scope.enforcement,
                changes: scope.changes,
                selector: scope.namespace_selector,
                thresholds: scope.thresholds,
                profile: scope.profile,
                issuers: allowed(scope.issuers.as_ref(), &format!("{path}.issuers"))?,
                routing: scope.routing,
                answers: scope.answers,
            });
        }
        Ok(policy)
    }

    /// What is logged, in place of what the command line says.
    pub(crate) fn log_level(&self) -> Option<&str> {
        self.log_level.as_deref()
    }

    /// The kinds that own pods, besides those that are listed without a policy.
    pub fn workloads(&self) -> &[WorkloadKind] {
        &self.workloads
    }

    /// Where the mesh is in AWS, and whom meshvet asks as.
    pub fn aws(&self) -> &Arc<Aws> {
        &self.base.aws
    }

    /// The role that meshvet takes on for what belongs to an account; None where it asks as itself.
    pub fn role_in(&self, account: &str) -> Option<AccountRole> {
        let AwsAccount { role_arn, external_id, .. } = self.aws().accounts.iter().find(|it| it.account == account)?;
        Some(AccountRole { arn: role_arn.clone(), external_id: external_id.clone() })
    }

    /// What holds in a namespace, by its labels.
    pub(crate) fn effective(&self, namespace: &str, view: View<'_>) -> Cow<'_, Effective> {
        let mut effective = Cow::Borrowed(&self.base);
        if self.scopes.is_empty() {
            return effective;
        }
        let mut labels = view.namespace(namespace).cloned().unwrap_or_default();
        labels.insert(NAME_LABEL.to_owned(), namespace.to_owned());
        for layer in self.scopes.iter().filter(|layer| layer.selector.matches(&labels)) {
            let effective = effective.to_mut();
            effective.lay(&layer.severities, layer.unknown, layer.thresholds, &layer.profile, layer.routing);
            effective.enforcement = layer.enforcement.unwrap_or(effective.enforcement);
            effective.changes = layer.changes.over(effective.changes);
            effective.detail = layer.answers.detail.unwrap_or(effective.detail);
            effective.allowed_issuers = layer.issuers.clone().or(effective.allowed_issuers.take());
        }
        effective
    }
}

impl Effective {
    /// Whether a rule is off in all cases, so that it need not run.
    pub(crate) fn is_off(&self, rule: &Rule) -> bool {
        self.named(rule).unwrap_or(rule.default) == Severity::Off
    }

    /// What of it the mesh itself has to know.
    pub fn settings(&self) -> Settings<'_> {
        Settings {
            groups: self.groups_enabled,
            image_files: &self.image_files,
            classes: &self.classes,
            backends: &self.backends,
            told_to: None,
        }
    }

    /// The severity of a rule's case: the policy's, else the rule's own for this case.
    pub fn severity(&self, rule: &Rule, natural: Severity) -> Severity {
        let unknown = || self.unknown.filter(|_| natural == Severity::Warn && rule.has(Trait::Unknown));
        self.named(rule).or_else(unknown).unwrap_or(natural)
    }

    /// What the policy says of the rule by its name.
    fn named(&self, rule: &Rule) -> Option<Severity> {
        self.severities.get(rule.index).copied().flatten()
    }

    fn lay(
        &mut self,
        severities: &[Option<Severity>],
        unknown: Option<Severity>,
        thresholds: Thresholds,
        profile: &Profile,
        routing: Routing,
    ) {
        self.unknown = unknown.or(self.unknown);
        self.routing = routing.severity.unwrap_or(self.routing);
        for (mine, other) in self.severities.iter_mut().zip(severities) {
            *mine = other.or(*mine);
        }
        self.expiring_days = thresholds.expiring_days.unwrap_or(self.expiring_days);
        self.rsa_bits = profile.rsa_bits.unwrap_or(self.rsa_bits);
        if let Some(hashes) = &profile.signature_hashes {
            self.signature_hashes = hashes.iter().map(|hash| hash.algorithm()).collect();
        }
        self.max_lifetime_days = profile.max_lifetime_days.or(self.max_lifetime_days);
    }
}

fn allowed(issuers: Option<&IssuersFile>, path: &str) -> Result<Option<Arc<AllowedIssuers>>, PolicyError> {
    issuers.map(|issuers| issuers.resolve(path).map(Arc::new)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::{Fact, World};

    fn severity(policy: &Policy, namespace: &str, code: &str) -> Severity {
        let mut world = World::default();
        world.learn(Fact::Namespace("prod".to_owned(), [("env".to_owned(), "prod".to_owned())].into()));
        let rule = Rule::find(code).expect("a rule");
        policy.effective(namespace, View::new(&world)).severity(rule, rule.default)
    }

    #[track_caller]
    fn rejects(text: &str, words: &[&str]) {
        let error = Policy::parse(text).expect_err("an error").to_string();
        for word in words {
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_rule_is_named_by_code_or_name_and_scopes_lay_over() {
        let policy = Policy::parse(
            "severities: {MV101: warn, key-mismatch: off}\nunknown: deny\nscopes:\n\
             - namespaceSelector: {matchLabels: {env: prod}}\n  severities: {MV307: deny, MV203: warn}\n",
        )
        .expect("a policy");
        assert_eq!(severity(&policy, "dev", "MV101"), Severity::Warn);
        assert_eq!(severity(&policy, "dev", "MV206"), Severity::Off);
        assert_eq!(severity(&policy, "dev", "MV203"), Severity::Deny);
        assert_eq!(severity(&policy, "dev", "MV307"), Severity::Off);
        assert_eq!(severity(&policy, "prod", "MV307"), Severity::Deny);
        assert_eq!(severity(&policy, "prod", "MV203"), Severity::Warn);
        assert_eq!(severity(&policy, "prod", "MV101"), Severity::Warn);
    }

    #[test]
    fn groups_of_rules_are_weighed_under_one_name_and_the_narrowest_counts() {
        let policy =
            Policy::parse("severities: {all: warn, MV4xx: off, acm: deny, MV401: deny, names: off, MV104: deny}")
                .expect("a policy");
        let weighs = |code| severity(&policy, "shop", code);
        assert_eq!(weighs("MV206"), Severity::Warn);
        assert_eq!((weighs("MV101"), weighs("MV104")), (Severity::Off, Severity::Deny));
        assert_eq!((weighs("MV401"), weighs("MV402")), (Severity::Deny, Severity::Off));
        assert_eq!(weighs("MV307"), Severity::Off, "what is off by default stays so");
        rejects("severities: {MV9xx: warn}", &["MV9xx"]);
        rejects("severities: {name: warn}", &["name"]);
    }

    #[test]
    fn enforcement_is_set_for_all_and_by_scope() {
        let text = "enforcement: warn\nscopes:\n- namespaceSelector: {matchLabels: {env: prod}}\n  enforcement: deny\n";
        let policy = Policy::parse(text).expect("a policy");
        let mut world = World::default();
        world.learn(Fact::Namespace("prod".to_owned(), [("env".to_owned(), "prod".to_owned())].into()));
        let enforcement = |namespace| policy.effective(namespace, View::new(&world)).enforcement;
        assert_eq!((enforcement("dev"), enforcement("prod")), (Enforcement::Warn, Enforcement::Deny));
        assert_eq!(Policy::default().effective("dev", View::new(&world)).enforcement, Enforcement::Deny);
        rejects("enforcement: audit", &["enforcement", "audit", "deny"]);
    }

    #[test]
    fn a_namespace_is_selected_by_name_even_when_its_labels_are_unknown() {
        let policy = Policy::parse(
            "scopes:\n- namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}\n  severities: {MV101: warn}\n",
        )
        .expect("a policy");
        assert_eq!(severity(&policy, "shop", "MV101"), Severity::Warn);
        assert_eq!(severity(&policy, "other", "MV101"), Severity::Deny);
    }

    #[test]
    fn routing_objects_warn_unless_the_policy_says_otherwise() {
        let routing = |text: &str, namespace: &str| {
            let policy = Policy::parse(text).expect("a policy");
            let mut world = World::default();
            world.learn(Fact::Namespace("prod".to_owned(), [("env".to_owned(), "prod".to_owned())].into()));
            policy.effective(namespace, View::new(&world)).routing
        };
        assert_eq!(routing("", "prod"), Severity::Warn);
        let scoped = "routing: {severity: off}\nscopes:\n- namespaceSelector: {matchLabels: {env: prod}}\n  routing: {severity: deny}\n";
        assert_eq!(routing(scoped, "dev"), Severity::Off);
        assert_eq!(routing(scoped, "prod"), Severity::Deny);
        rejects("routing: {severity: error}", &["routing.severity", "error"]);
        rejects("scopes: [{routing: {severty: deny}}]", &["scopes[0].routing.severty", "`severity`"]);
    }

    #[test]
    fn answers_are_full_unless_the_policy_keeps_them_brief() {
        let detail = |text: &str, namespace: &str| {
            Policy::parse(text).expect("a policy").effective(namespace, View::new(&World::default())).detail
        };
        assert_eq!(detail("", "shop"), Detail::Full);
        let scoped = "answers: {detail: brief}\nscopes:\n- namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dev}}\n  answers: {detail: full}\n";
        assert_eq!(detail(scoped, "shop"), Detail::Brief);
        assert_eq!(detail(scoped, "dev"), Detail::Full);
        rejects("answers: {detail: short}", &["answers.detail", "short", "brief"]);
        rejects("answers: {details: brief}", &["answers.details", "`detail`"]);
    }

    #[test]
    fn unknown_keys_and_rules_are_named_with_the_nearest() {
        rejects("severitys: {}", &["severitys", "did you mean `severities`"]);
        rejects(
            "scopes: [{severities: {MV101: warn}}, {thresholds: {expiringDay: 3}}]",
            &["scopes[1].thresholds.expiringDay", "`expiringDays`"],
        );
        rejects("severities: {hostname-missmatch: warn}", &["hostname-missmatch", "`hostname-mismatch`"]);
        rejects("severities: {MV101: error}", &["severities.MV101", "error", "deny"]);
        rejects("scopes: [{namespaceSelector: {matchExpressions: [{key: a, operator: Is}]}}]", &["scopes[0]", "Is"]);
        rejects("severities: [", &["unclosed bracket"]);
        rejects("aws: {region: Ireland}", &["aws.region", "eu-west-1"]);
        rejects("aws: {account: '12'}", &["aws.account", "twelve digits"]);
        rejects("aws: {account: 111122223333}", &["aws.account", "a string"]);
        rejects(
            "aws: {accounts: [{account: '111122223333', roleArn: meshvet}]}",
            &["aws.accounts[0].roleArn", "role/NAME"],
        );
        rejects("aws: {roles: {controller: 'arn:aws:iam::1:role/x'}}", &["aws.roles.controller", "role/NAME"]);
        rejects("aws: {roles: {cluster: 'a/b'}}", &["aws.roles.cluster", "letters"]);
        rejects("aws: {role: {}}", &["aws.role", "`roles`"]);
        rejects("- a", &["the policy: expected a mapping"]);
        rejects("thresholds: [3]", &["thresholds: expected a mapping"]);
    }

    #[test]
    fn an_issuer_that_cannot_be_used_is_told_with_its_place() {
        rejects("issuers: {allowed: []}", &["issuers.allowed: the list is empty"]);
        rejects("issuers: {allowd: []}", &["issuers.allowd", "`allowed`"]);
        rejects("issuers: {allowed: [{certificat: x}]}", &["issuers.allowed[0].certificat", "`certificate`"]);
        rejects("issuers: {allowed: [{certificate: x}]}", &["issuers.allowed[0].certificate: "]);
        rejects("issuers: {allowed: [{certificateFile: x}]}", &["with the PEM itself"]);
        rejects("issuers: {allowed: [{spkiSha256: abc}]}", &["issuers.allowed[0].spkiSha256: not a SHA-256 digest"]);
        rejects("issuers: {allowed: [{subject: mesh}]}", &["not a distinguished name such as CN="]);
        rejects("issuers: {allowed: [{authorityArn: arn:aws:acm}]}", &["issuers.allowed[0].authorityArn: "]);
        rejects("issuers: {allowed: [{}]}", &["issuers.allowed[0]: exactly one of certificate"]);
        rejects(
            "scopes: [{issuers: {allowed: [{subject: CN=a, spkiSha256: b}]}}]",
            &["scopes[0].issuers.allowed[0]: exactly one"],
        );
    }

    #[test]
    fn a_log_level_is_one_or_is_told() {
        for level in ["info", "INFO", "warn,kube=debug", "info,meshvet::admission=trace", "off"] {
            let policy = Policy::parse(&format!("log: {{level: '{level}'}}")).expect(level);
            assert_eq!(policy.log_level(), Some(level));
        }
        assert_eq!(Policy::default().log_level(), None);
        rejects("log: {level: debgu}", &["log.level", "`debgu` is not a level", "did you mean `debug`?"]);
        rejects("log: {level: 'info,kube=loud'}", &["log.level", "can't be read"]);
        rejects("log: {levl: info}", &["log.levl", "did you mean `level`?"]);
    }

    #[test]
    fn an_empty_file_is_the_default_policy() {
        for text in ["", "# nothing\n", "---\n", "{}"] {
            assert!(Policy::parse(text).is_ok(), "{text:?}");
        }
    }
}
