//! MV401–MV413, and the rules on names, dates, keys and issuers for what ACM and AWS Private CA say.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use meshvet::aws::{
    Answer, Arn, ArnKind, AuthorityFacts, Call, CertificateFacts, DESCRIBE_AUTHORITY, DESCRIBE_CERTIFICATE,
    EXPORT_CERTIFICATE, GET_AUTHORITY_CERTIFICATE, Home, Question, RoleOf, STREAM_CONFIGURATION, Simulation,
    Unanswered, key_algorithm,
};
use meshvet::pki::{Certificate, Description, ExtendedKeyUsage, FileFacts};
use serde_json::{Value, json};

use crate::cases::{Case, denies, good, warns};
use crate::scene::{AUTHORITY, OTHER, Scene};
use crate::support::manifests;
use crate::support::mint::Authority;

const NODE: &str = "arn:aws:appmesh:eu-west-1:111122223333:mesh/apps/virtualNode/blue_shop";
const CERTIFICATE: &str = "arn:aws:acm:eu-west-1:111122223333:certificate/11111111-2222-3333-4444-555555555555";
/// The authority of everything that is sound.
const ROOT: &str = "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/aaaaaaaa-2222-3333-4444-555555555555";
/// Another one.
const STRANGER: &str =
    "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/bbbbbbbb-2222-3333-4444-555555555555";

const FIELD: &str = "spec.listeners[0].tls.certificate.acm.certificateARN";
const TRUST: &str = "spec.backendDefaults.clientPolicy.tls.validation.trust.acm.certificateAuthorityARNs[0]";

/// What ACM says of a certificate.
struct Acm {
    facts: CertificateFacts,
    description: Description,
}

impl Acm {
    fn new(names: &[&str]) -> Self {
        let now = Timestamp::now();
        let day = SignedDuration::from_hours(24);
        Self {
            facts: CertificateFacts {
                kind: "PRIVATE".to_owned(),
                status: "ISSUED".to_owned(),
                key_algorithm: "RSA_2048".to_owned(),
                authority: Some(ROOT.to_owned()),
                leaf: None,
            },
            description: Description {
                identity: CERTIFICATE.to_owned(),
                serial: "01".to_owned(),
                common_name: names.first().map(|name| (*name).to_owned()),
                dns_names: names.iter().map(|name| (*name).to_owned()).collect(),
                not_before: now - day,
                not_after: now + day * 390,
                key_algorithm: key_algorithm("RSA_2048"),
                signature_hash: None,
                key_usage: None,
                extended_key_usage: None,
                issuer: "scene root".to_owned(),
            },
        }
    }

    fn key(mut self, name: &str) -> Self {
        self.facts.key_algorithm = name.to_owned();
        self.description.key_algorithm = key_algorithm(name);
        self
    }

    /// Valid between two points in time, in days from now.
    fn valid(mut self, from: i64, to: i64) -> Self {
        let day = |days| Timestamp::now() + SignedDuration::from_hours(24 * days);
        (self.description.not_before, self.description.not_after) = (day(from), day(to));
        self
    }

    fn told(self, scene: &mut Scene) {
        let leaf = Some(Arc::new(Certificate::described(self.description)));
        let facts = CertificateFacts { leaf, ..self.facts };
        let arn = Arn::parse(CERTIFICATE, ArnKind::Certificate).expect("an ARN");
        scene.aws.insert(Question::Certificate(arn), Answer::Certificate(Arc::new(facts)));
    }
}

fn answer(scene: &mut Scene, arn: &str, answer: Answer) {
    let kind = if arn.contains(":acm:") { ArnKind::Certificate } else { ArnKind::Authority };
    scene.aws.insert(Question::of(Arn::parse(arn, kind).expect("an ARN")), answer);
}

/// What AWS Private CA says of an authority whose certificates are these.
fn authority(scene: &mut Scene, arn: &str, status: &str, is_root: bool, pem: &str) {
    let bundle = FileFacts::parse(pem.as_bytes()).bundle.ok().map(Arc::new);
    let facts = AuthorityFacts { status: status.to_owned(), is_root, bundle, bundle_unanswered: None };
    answer(scene, arn, Answer::Authority(Arc::new(facts)));
}

fn set_certificate(scene: &mut Scene, arn: &str) {
    scene.set("/spec/listeners/0/tls/certificate", json!({"acm": {"certificateARN": arn}}));
}

fn set_trust(scene: &mut Scene, arns: &[&str]) {
    let trust = json!({"acm": {"certificateAuthorityARNs": arns}});
    scene.set("/spec/backendDefaults/clientPolicy/tls", json!({"validation": {"trust": trust}}));
}

/// The sound node with a certificate of ACM, and trust in the authority that issued it.
pub(crate) fn sound(scene: &mut Scene) {
    scene.node["status"] = json!({"virtualNodeARN": NODE});
    set_certificate(scene, CERTIFICATE);
    set_trust(scene, &[ROOT]);
    Acm::new(&["blue.apps.local"]).told(scene);
    authority(scene, ROOT, "ACTIVE", true, &AUTHORITY.pem());
}

/// The same, described otherwise.
fn described(scene: &mut Scene, acm: Acm) {
    sound(scene);
    acm.told(scene);
}

/// The sound node by ACM, and a node `front` that calls it and trusts ROOT by ARN. The server is judged.
pub(crate) fn pair(scene: &mut Scene) {
    sound(scene);
    let trust = json!({"acm": {"certificateAuthorityARNs": [ROOT]}});
    called_by(scene, trust);
}

/// Adds a node `front` that calls blue with this trust.
fn called_by(scene: &mut Scene, trust: Value) {
    scene.others.push(json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualService",
        "metadata": {"namespace": "shop", "name": "blue"},
        "spec": {"provider": {"virtualNode": {"virtualNodeRef": {"name": "blue"}}}},
    }));
    let mut front = manifests::virtual_node("shop", "front", "front.apps.local");
    front["spec"]["listeners"] = json!([]);
    front["spec"]["backends"] = json!([{"virtualService": {"virtualServiceRef": {"name": "blue"}}}]);
    front["spec"]["backendDefaults"] = json!({"clientPolicy": {"tls": {"validation": {"trust": trust}}}});
    scene.others.push(front);
    scene.others.push(manifests::deployment("shop", "front", "front-trust:/trust"));
}

fn bundle(scene: &mut Scene, pem: &str) {
    scene.others.push(manifests::secret("shop", "front-trust", &[("ca.crt", pem)]));
}

pub(crate) fn cases() -> Vec<Case> {
    [shape(), place(), certificate(), authorities(), unanswered(), roles(), as_files(), pairs()].concat()
}

fn shape() -> Vec<Case> {
    vec![
        denies(
            "MV401",
            "a placeholder",
            |s| set_certificate(s, "${CERTIFICATE_ARN}"),
            FIELD,
            &["placeholder ${CERTIFICATE_ARN}", "listener 8443", "arn:aws:acm:REGION:ACCOUNT:certificate/UUID"],
        ),
        denies("MV401", "nothing", |s| set_certificate(s, ""), FIELD, &["empty"]),
        denies("MV401", "an authority's ARN", |s| set_certificate(s, ROOT), FIELD, &["\"acm-pca\"", "\"acm\""]),
        denies(
            "MV401",
            "a short account",
            |s| set_certificate(s, "arn:aws:acm:eu-west-1:1111:certificate/11111111-2222-3333-4444-555555555555"),
            FIELD,
            &["\"1111\"", "twelve digits"],
        ),
        denies("MV401", "a certificate as an authority", |s| set_trust(s, &[CERTIFICATE]), TRUST, &["acm-pca"]),
        denies(
            "MV401",
            "the second of two",
            |s| set_trust(s, &[ROOT, "<CA_ARN>"]),
            "spec.backendDefaults.clientPolicy.tls.validation.trust.acm.certificateAuthorityARNs[1]",
            &["<CA_ARN>"],
        ),
        warns(
            "MV401",
            "a partition of the future",
            |s| {
                set_certificate(
                    s,
                    "arn:aws-moon:acm:moon-north-1:111122223333:certificate/11111111-2222-3333-4444-555555555555",
                )
            },
            FIELD,
            &["aws-moon"],
        ),
        good("MV401", "certificate and authority", sound),
        good("MV401", "of a listener that is DISABLED", |s| {
            set_certificate(s, "<ARN>");
            s.set("/spec/listeners/0/tls/mode", "DISABLED".into());
        }),
        good("MV401", "China", |s| {
            set_certificate(
                s,
                "arn:aws-cn:acm:cn-north-1:111122223333:certificate/11111111-2222-3333-4444-555555555555",
            );
        }),
    ]
}

fn place() -> Vec<Case> {
    const ELSEWHERE: &str = "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-3333-4444-555555555555";
    const THEIRS: &str = "arn:aws:acm:eu-west-1:444455556666:certificate/11111111-2222-3333-4444-555555555555";
    const SHARED: &str =
        "arn:aws:acm-pca:eu-west-1:444455556666:certificate-authority/11111111-2222-3333-4444-555555555555";
    vec![
        denies(
            "MV402",
            "by the node's own ARN",
            |s| {
                sound(s);
                set_certificate(s, ELSEWHERE);
            },
            FIELD,
            &["us-east-1", "eu-west-1"],
        ),
        denies(
            "MV402",
            "by the policy",
            |s| {
                set_certificate(s, ELSEWHERE);
                s.policy = "aws: {region: eu-west-1}".to_owned();
            },
            FIELD,
            &["us-east-1"],
        ),
        denies(
            "MV402",
            "by where meshvet is",
            |s| {
                set_certificate(s, ELSEWHERE);
                let home = Home { region: Some("eu-west-1".to_owned()), account: None, unanswered: None };
                s.aws.insert(Question::Home, Answer::Home(home));
            },
            FIELD,
            &["us-east-1"],
        ),
        denies(
            "MV402",
            "an authority",
            |s| {
                sound(s);
                set_trust(s, &[&ROOT.replace("eu-west-1", "eu-central-1")]);
            },
            TRUST,
            &["the authority is in Region eu-central-1", "an authority in eu-west-1"],
        ),
        good("MV402", "the same Region", sound),
        good("MV402", "a Region that isn't known", |s| set_certificate(s, ELSEWHERE)),
        good("MV402", "the node's ARN beats the policy", |s| {
            sound(s);
            s.policy = "aws: {region: us-east-1}".to_owned();
        }),
        denies(
            "MV403",
            "by the node's own ARN",
            |s| {
                sound(s);
                set_certificate(s, THEIRS);
            },
            FIELD,
            &["444455556666", "111122223333"],
        ),
        denies(
            "MV403",
            "by the policy",
            |s| {
                set_certificate(s, THEIRS);
                s.policy = "aws: {account: '111122223333'}".to_owned();
            },
            FIELD,
            &["444455556666"],
        ),
        good("MV403", "an authority that is shared", |s| {
            sound(s);
            set_trust(s, &[SHARED]);
        }),
        good("MV403", "an account that isn't known", |s| set_certificate(s, THEIRS)),
    ]
}

fn certificate() -> Vec<Case> {
    vec![
        denies(
            "MV404",
            "a certificate",
            |s| {
                sound(s);
                answer(s, CERTIFICATE, Answer::NotFound);
            },
            FIELD,
            &["no such certificate", CERTIFICATE],
        ),
        denies(
            "MV404",
            "an authority",
            |s| {
                sound(s);
                answer(s, ROOT, Answer::NotFound);
            },
            TRUST,
            &["no such authority", ROOT],
        ),
        good("MV404", "there it is", sound),
        good("MV404", "not asked", |s| set_certificate(s, CERTIFICATE)),
        denies(
            "MV405",
            "a public one",
            |s| {
                sound(s);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.kind = "AMAZON_ISSUED".to_owned();
                acm.told(s);
            },
            FIELD,
            &["public", "AMAZON_ISSUED"],
        ),
        denies(
            "MV405",
            "an imported one",
            |s| {
                sound(s);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.kind = "IMPORTED".to_owned();
                acm.told(s);
            },
            FIELD,
            &["imported"],
        ),
        good("MV405", "a private one", sound),
        denies(
            "MV406",
            "pending",
            |s| {
                sound(s);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.status = "PENDING_VALIDATION".to_owned();
                acm.told(s);
            },
            FIELD,
            &["PENDING_VALIDATION", "wait until"],
        ),
        denies(
            "MV406",
            "revoked",
            |s| {
                sound(s);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.status = "REVOKED".to_owned();
                acm.told(s);
            },
            FIELD,
            &["REVOKED", "request another"],
        ),
        good("MV406", "issued", sound),
        warns(
            "MV413",
            "an EC key",
            |s| described(s, Acm::new(&["blue.apps.local"]).key("EC_prime256v1")),
            FIELD,
            &["EC_prime256v1"],
        ),
        good("MV413", "RSA of 4096 bits", |s| described(s, Acm::new(&["blue.apps.local"]).key("RSA_4096"))),
        good("MV413", "RSA as ACM also writes it", |s| described(s, Acm::new(&["blue.apps.local"]).key("RSA-2048"))),
    ]
}

fn authorities() -> Vec<Case> {
    vec![
        denies(
            "MV407",
            "deleted",
            |s| {
                sound(s);
                authority(s, ROOT, "DELETED", true, "");
            },
            TRUST,
            &["DELETED", "no trust bundle", "restore"],
        ),
        denies(
            "MV407",
            "pending",
            |s| {
                sound(s);
                authority(s, ROOT, "PENDING_CERTIFICATE", true, "");
            },
            TRUST,
            &["PENDING_CERTIFICATE", "install"],
        ),
        warns(
            "MV407",
            "disabled",
            |s| {
                sound(s);
                authority(s, ROOT, "DISABLED", true, &AUTHORITY.pem());
            },
            TRUST,
            &["DISABLED", "enable"],
        ),
        warns(
            "MV407",
            "behind a listener's certificate",
            |s| {
                sound(s);
                authority(s, ROOT, "DELETED", true, "");
            },
            FIELD,
            &["it issued the listener 8443's certificate", "can't renew"],
        ),
        denies(
            "MV407",
            "behind a listener's certificate, and gone",
            |s| {
                sound(s);
                set_trust(s, &[STRANGER]);
                answer(s, ROOT, Answer::NotFound);
            },
            FIELD,
            &["gone"],
        ),
        good("MV407", "active", sound),
        warns(
            "MV411",
            "a subordinate",
            |s| {
                sound(s);
                let below = AUTHORITY.intermediate("scene issuing", -10, 300);
                authority(s, ROOT, "ACTIVE", false, &format!("{}{}", below.pem(), AUTHORITY.pem()));
            },
            TRUST,
            &["subordinate", "the root, CN=scene root"],
        ),
        good("MV411", "a root", sound),
    ]
}

fn unanswered() -> Vec<Case> {
    vec![
        warns(
            "MV408",
            "denied",
            |s| {
                sound(s);
                let principal = Some("arn:aws:sts::111122223333:assumed-role/meshvet/pod".to_owned());
                let why = Unanswered::Denied { call: Call::DescribeCertificate, principal };
                answer(s, CERTIFICATE, Answer::Unanswered(why));
            },
            FIELD,
            &["acm:DescribeCertificate is denied to arn:aws:sts::111122223333:assumed-role/meshvet/pod", "deploy/iam"],
        ),
        warns(
            "MV408",
            "an authority behind a certificate",
            |s| {
                sound(s);
                set_trust(s, &[STRANGER]);
                let why = Unanswered::Throttled { call: Call::DescribeCertificateAuthority };
                answer(s, ROOT, Answer::Unanswered(why));
            },
            FIELD,
            &["acm-pca:DescribeCertificateAuthority was throttled"],
        ),
        warns(
            "MV408",
            "an authority's certificate",
            |s| {
                sound(s);
                let why = Unanswered::TimedOut { call: Call::GetCertificateAuthorityCertificate };
                let facts = AuthorityFacts {
                    status: "ACTIVE".to_owned(),
                    is_root: true,
                    bundle: None,
                    bundle_unanswered: Some(why),
                };
                answer(s, ROOT, Answer::Authority(Arc::new(facts)));
            },
            TRUST,
            &["acm-pca:GetCertificateAuthorityCertificate was not answered in time", "apply again"],
        ),
        warns(
            "MV408",
            "the account",
            |s| {
                set_certificate(s, CERTIFICATE);
                let why = Unanswered::NoCredentials { call: Call::GetCallerIdentity, why: "none".to_owned() };
                let home = Home { unanswered: Some(why), ..Home::default() };
                s.aws.insert(Question::Home, Answer::Home(home));
            },
            FIELD,
            &["account of the node is not known", "aws.account"],
        ),
        denies(
            "MV408",
            "where the unknown is to deny",
            |s| {
                sound(s);
                s.policy = "unknown: deny".to_owned();
                answer(s, CERTIFICATE, Answer::Unanswered(Unanswered::TimedOut { call: Call::DescribeCertificate }));
            },
            FIELD,
            &[],
        ),
        good("MV408", "answered", sound),
        good("MV408", "not asked", |s| set_certificate(s, CERTIFICATE)),
    ]
}

const ROLE: &str = "arn:aws:iam::111122223333:role/blue";
const CONTROLLER: &str = "arn:aws:iam::111122223333:role/appmesh-controller";

/// The sound node, its pods' ServiceAccount having ROLE, which may do everything that it has to and nothing else.
fn with_roles(scene: &mut Scene) {
    sound(scene);
    scene.policy = format!("aws: {{roles: {{enabled: true, controller: '{CONTROLLER}'}}}}");
    scene.others.push(json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"namespace": "shop", "name": "default", "annotations": {"eks.amazonaws.com/role-arn": ROLE}},
    }));
    for (role, action, resource) in [
        (ROLE, EXPORT_CERTIFICATE, CERTIFICATE),
        (ROLE, GET_AUTHORITY_CERTIFICATE, ROOT),
        (ROLE, STREAM_CONFIGURATION, NODE),
        (CONTROLLER, DESCRIBE_CERTIFICATE, CERTIFICATE),
        (CONTROLLER, DESCRIBE_AUTHORITY, ROOT),
    ] {
        may(scene, role, action, resource, true);
    }
}

/// What IAM says.
fn may(scene: &mut Scene, role: &str, action: &'static str, resource: &str, allowed: bool) {
    let simulation = Simulation { role: role.to_owned(), action, resource: resource.to_owned() };
    scene.aws.insert(Question::Simulation(simulation), Answer::May(allowed));
}

/// Whoever asks for what isn't known yet, and is told that everything is allowed.
fn everything_else_is_allowed(scene: &mut Scene) {
    for question in scene.questions() {
        scene.aws.insert(question, Answer::May(true));
    }
}

fn roles() -> Vec<Case> {
    const SELECTOR: &str = "spec.podSelector";
    vec![
        warns(
            "MV409",
            "the certificate",
            |s| {
                with_roles(s);
                may(s, ROLE, EXPORT_CERTIFICATE, CERTIFICATE, false);
            },
            FIELD,
            &["lacks acm:ExportCertificate", ROLE, "ServiceAccount shop/default", "proxy.json"],
        ),
        warns(
            "MV409",
            "an authority",
            |s| {
                with_roles(s);
                may(s, ROLE, GET_AUTHORITY_CERTIFICATE, ROOT, false);
            },
            TRUST,
            &["acm-pca:GetCertificateAuthorityCertificate", ROOT],
        ),
        good("MV409", "allowed", with_roles),
        good("MV409", "not enabled", |s| {
            with_roles(s);
            s.policy.clear();
            may(s, ROLE, EXPORT_CERTIFICATE, CERTIFICATE, false);
        }),
        warns(
            "MV409",
            "by EKS Pod Identity",
            |s| {
                with_roles(s);
                s.others.retain(|other| other["kind"] != "ServiceAccount");
                s.policy = "aws: {roles: {enabled: true, cluster: prod}}".to_owned();
                let role = Answer::Role(RoleOf::Role(ROLE.to_owned()));
                s.aws.insert(
                    Question::PodIdentity {
                        region: "eu-west-1".to_owned(),
                        cluster: "prod".to_owned(),
                        namespace: "shop".to_owned(),
                        service_account: "default".to_owned(),
                    },
                    role,
                );
                may(s, ROLE, EXPORT_CERTIFICATE, CERTIFICATE, false);
            },
            FIELD,
            &[ROLE],
        ),
        warns(
            "MV410",
            "a node with TLS by file",
            |s| {
                with_roles(s);
                s.set("/spec/listeners/0/tls/certificate", manifests::file_certificate("tls.crt", "tls.key"));
                s.template("/metadata/annotations", json!({"appmesh.k8s.aws/secretMounts": "blue-cert:/certs"}));
                may(s, ROLE, STREAM_CONFIGURATION, NODE, false);
            },
            SELECTOR,
            &["appmesh:StreamAggregatedResources", NODE, "no configuration"],
        ),
        warns(
            "MV410",
            "everybody's configuration",
            |s| {
                with_roles(s);
                everything_else_is_allowed(s);
            },
            SELECTOR,
            &["every virtual node", "can pose as any of them"],
        ),
        warns(
            "MV410",
            "a node that is yet to be created, in a shared mesh",
            |s| {
                with_roles(s);
                s.node["status"] = json!({});
                s.policy = "aws: {region: eu-west-1, account: '111122223333', roles: {enabled: true}}".to_owned();
                s.set("/spec/meshRef", json!({"name": "apps", "uid": "1"}));
                s.others.push(json!({
                    "apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "Mesh", "metadata": {"name": "apps"},
                    "spec": {"awsName": "shared", "meshOwner": "444455556666", "namespaceSelector": {}},
                }));
                let own = "arn:aws:appmesh:eu-west-1:111122223333:mesh/shared@444455556666/virtualNode/blue_shop";
                may(s, ROLE, STREAM_CONFIGURATION, own, false);
            },
            SELECTOR,
            &["mesh/shared@444455556666/virtualNode/blue_shop"],
        ),
        good("MV410", "its own alone", with_roles),
        good("MV410", "nobody answers", |s| {
            with_roles(s);
            for question in s.questions() {
                let why = Unanswered::Denied { call: Call::SimulatePrincipalPolicy, principal: None };
                s.aws.insert(question, Answer::Unanswered(why));
            }
        }),
        warns(
            "MV412",
            "the certificate",
            |s| {
                with_roles(s);
                may(s, CONTROLLER, DESCRIBE_CERTIFICATE, CERTIFICATE, false);
            },
            FIELD,
            &["the controller's role lacks acm:DescribeCertificate", CONTROLLER],
        ),
        warns(
            "MV412",
            "an authority",
            |s| {
                with_roles(s);
                may(s, CONTROLLER, DESCRIBE_AUTHORITY, ROOT, false);
            },
            TRUST,
            &["acm-pca:DescribeCertificateAuthority"],
        ),
        good("MV412", "allowed", with_roles),
    ]
}

/// The rules on files hold for what ACM says.
fn as_files() -> Vec<Case> {
    vec![
        denies(
            "MV101",
            "another name, by ACM",
            |s| described(s, Acm::new(&["green.apps.local"])),
            FIELD,
            &["ACM (certificate/11111111-2222-3333-4444-555555555555)", "DNS:green.apps.local", "blue.apps.local"],
        ),
        good("MV101", "a wildcard, by ACM", |s| described(s, Acm::new(&["*.apps.local"]))),
        good("MV101", "not asked", |s| set_certificate(s, CERTIFICATE)),
        warns(
            "MV103",
            "a foreign name, by ACM",
            |s| {
                described(s, Acm::new(&["internal.example.com"]));
                s.set(
                    "/spec/serviceDiscovery",
                    json!({"awsCloudMap": {"namespaceName": "apps.local", "serviceName": "azure"}}),
                );
            },
            FIELD,
            &["azure.apps.local"],
        ),
        denies(
            "MV207",
            "by ACM",
            |s| described(s, Acm::new(&["blue.apps.local"]).valid(-400, -5)),
            FIELD,
            &["certificate has expired"],
        ),
        denies("MV208", "by ACM", |s| described(s, Acm::new(&["blue.apps.local"]).valid(5, 400)), FIELD, &[]),
        warns(
            "MV209",
            "by ACM",
            |s| described(s, Acm::new(&["blue.apps.local"]).valid(-385, 10)),
            FIELD,
            &["ACM does so by itself"],
        ),
        denies(
            "MV212",
            "by ACM",
            |s| {
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.description.extended_key_usage =
                    Some(ExtendedKeyUsage { client_auth: true, ..ExtendedKeyUsage::default() });
                described(s, acm);
            },
            FIELD,
            &["serverAuth"],
        ),
        denies(
            "MV215",
            "by ACM",
            |s| described(s, Acm::new(&["blue.apps.local"]).key("RSA_1024")),
            FIELD,
            &["RSA 1024", "<inline>"],
        ),
        denies(
            "MV207",
            "an authority that is trusted by ARN",
            |s| {
                sound(s);
                let old = AUTHORITY.intermediate("old issuing", -300, -5);
                authority(s, ROOT, "EXPIRED", false, &old.pem());
            },
            TRUST,
            &["ACM (certificate-authority/aaaaaaaa-"],
        ),
    ]
}

/// Both ends, each by ACM or by file.
fn pairs() -> Vec<Case> {
    vec![
        good("MV301", "certificate and trust by ARN", pair),
        good("MV301", "a certificate by ARN, trust by file", |s| {
            sound(s);
            called_by(s, json!({"file": {"certificateChain": "/trust/ca.crt"}}));
            bundle(s, &AUTHORITY.pem());
        }),
        good("MV301", "a subordinate's certificate, and trust in its root", |s| {
            pair(s);
            s.others.retain(|other| other["metadata"]["name"] != "front-trust");
            let below = AUTHORITY.intermediate("scene issuing", -10, 300);
            let mut acm = Acm::new(&["blue.apps.local"]);
            acm.facts.authority = Some(STRANGER.to_owned());
            acm.told(s);
            authority(s, STRANGER, "ACTIVE", false, &format!("{}{}", below.pem(), AUTHORITY.pem()));
        }),
        denies(
            "MV301",
            "a certificate by ARN, and trust by a file of another authority",
            |s| {
                sound(s);
                called_by(s, json!({"file": {"certificateChain": "/trust/ca.crt"}}));
                bundle(s, &OTHER.pem());
            },
            FIELD,
            &["front → blue", "CN=other root", "CN=scene root"],
        ),
        denies(
            "MV301",
            "a certificate by file, and trust by the ARN of another authority",
            |s| {
                called_by(s, json!({"acm": {"certificateAuthorityARNs": [ROOT]}}));
                authority(s, ROOT, "ACTIVE", true, &OTHER.pem());
            },
            "spec.listeners[0].tls.certificate.file.certificateChain",
            &["front → blue", "ACM (certificate-authority/", "certificateAuthorityARNs"],
        ),
        denies(
            "MV301",
            "trust in another authority of the same name",
            |s| {
                sound(s);
                called_by(s, json!({"file": {"certificateChain": "/trust/ca.crt"}}));
                bundle(s, &Authority::new("scene root").pem());
            },
            FIELD,
            &["front → blue", "CN=scene root"],
        ),
        denies(
            "MV301",
            "both by ARN, of two authorities",
            |s| {
                pair(s);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.authority = Some(STRANGER.to_owned());
                acm.told(s);
                authority(s, STRANGER, "ACTIVE", true, &OTHER.pem());
            },
            FIELD,
            &["front → blue"],
        ),
        good("MV301", "one of two authorities isn't known", |s| {
            sound(s);
            called_by(s, json!({"acm": {"certificateAuthorityARNs": [STRANGER, ROOT]}}));
            authority(s, ROOT, "ACTIVE", true, &OTHER.pem());
        }),
        good("MV301", "the issuer isn't known", |s| {
            pair(s);
            authority(s, ROOT, "ACTIVE", true, &OTHER.pem());
            let mut acm = Acm::new(&["blue.apps.local"]);
            acm.facts.authority = Some(STRANGER.to_owned());
            acm.told(s);
        }),
        denies(
            "MV207",
            "the authority of a certificate by ARN",
            |s| {
                pair(s);
                let old = AUTHORITY.intermediate("old issuing", -300, -5);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.authority = Some(STRANGER.to_owned());
                acm.told(s);
                authority(s, STRANGER, "EXPIRED", false, &format!("{}{}", old.pem(), AUTHORITY.pem()));
            },
            FIELD,
            &["CN=old issuing", "has expired"],
        ),
        denies(
            "MV104",
            "a name that the certificate of ACM lacks",
            |s| {
                pair(s);
                let front = s.others.iter_mut().find(|other| other["metadata"]["name"] == "front");
                let validation =
                    front.and_then(|front| front.pointer_mut("/spec/backendDefaults/clientPolicy/tls/validation"));
                validation.expect("a validation")["subjectAlternativeNames"] =
                    json!({"match": {"exact": ["green.apps.local"]}});
            },
            FIELD,
            &["green.apps.local", "DNS:blue.apps.local"],
        ),
    ]
}
