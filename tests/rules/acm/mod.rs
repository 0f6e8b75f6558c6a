//! MV401–MV413, and the rules on names, dates, keys and issuers for what ACM and AWS Private CA say.

mod allowed;
mod answers;
mod certificates;
mod references;
mod roles;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use meshvet::apis::appmesh::STREAM_CONFIGURATION;
use meshvet::aws::{
    Answer, Arn, ArnKind, AuthorityFacts, Call, CertificateFacts, DESCRIBE_AUTHORITY, DESCRIBE_CERTIFICATE,
    EXPORT_CERTIFICATE, GET_AUTHORITY_CERTIFICATE, Home, Question, RoleOf, Simulation, Unanswered, key_algorithm,
};
use meshvet::mesh::Sort;
use meshvet::pki::{Certificate, Description, ExtendedKeyUsage, FileFacts, HashAlgorithm};
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
                signature_algorithm: "SHA256WITHRSA".to_owned(),
                signature_hash: Some(HashAlgorithm::Sha256),
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
    // Without any backend no proxy would be given the policy.
    scene.set("/spec/backends", json!([{"virtualService": {"virtualServiceRef": {"name": "elsewhere"}}}]));
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

pub(crate) use roles::hidden as hidden_roles;

pub(crate) fn cases() -> Vec<Case> {
    [allowed::cases(), references::cases(), answers::cases(), roles::cases(), certificates::cases()].concat()
}
