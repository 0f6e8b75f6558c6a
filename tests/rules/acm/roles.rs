//! MV409, MV410, MV412: what IAM says of roles.

use super::*;

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

pub(crate) fn cases() -> Vec<Case> {
    roles()
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
            &["every virtual node", "can impersonate any of them"],
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

/// Roles that rest on ServiceAccounts and meshes which nobody could list.
pub(crate) fn hidden() -> Vec<Case> {
    vec![
        good("MV409", "ServiceAccounts may not be listed: Pod Identity isn't asked in their place", |s| {
            with_roles(s);
            s.others.retain(|other| other["kind"] != "ServiceAccount");
            s.policy = "aws: {roles: {enabled: true, cluster: prod}}".to_owned();
            s.hide("serviceaccounts", Sort::ServiceAccounts, None);
            assert!(s.questions().iter().all(|question| !matches!(question, Question::PodIdentity { .. })));
        }),
        good("MV410", "the ARN isn't guessed where no mesh may be listed", |s| {
            with_roles(s);
            may(s, ROLE, STREAM_CONFIGURATION, NODE, false);
            s.unset("/status");
            s.set("/spec/meshRef", json!({"name": "apps"}));
            s.policy = "aws: {region: eu-west-1, account: '111122223333', roles: {enabled: true}}".to_owned();
            s.hide("meshes", Sort::Classes, None);
        }),
        warns(
            "MV410",
            "the same, where meshes are listed and this one isn't among them",
            |s| {
                with_roles(s);
                may(s, ROLE, STREAM_CONFIGURATION, NODE, false);
                s.unset("/status");
                s.set("/spec/meshRef", json!({"name": "apps"}));
                s.policy = "aws: {region: eu-west-1, account: '111122223333', roles: {enabled: true}}".to_owned();
            },
            "spec.podSelector",
            &["may not fetch the configuration"],
        ),
    ]
}
