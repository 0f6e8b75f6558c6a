//! The rights of meshvet's ServiceAccount: those of the mode that was chosen, and not one more.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::helm::render;

/// What follows the mesh and its workloads, in any mode.
const ALWAYS: &[&str] = &[
    "cluster appmesh.k8s.aws/backendgroups get,list,watch",
    "cluster appmesh.k8s.aws/gatewayroutes get,list,watch",
    "cluster appmesh.k8s.aws/meshes get,list,watch",
    "cluster appmesh.k8s.aws/virtualgateways get,list,watch",
    "cluster appmesh.k8s.aws/virtualnodes get,list,watch",
    "cluster appmesh.k8s.aws/virtualrouters get,list,watch",
    "cluster appmesh.k8s.aws/virtualservices get,list,watch",
    "cluster apps/daemonsets get,list,watch",
    "cluster apps/deployments get,list,watch",
    "cluster apps/replicasets get,list,watch",
    "cluster apps/statefulsets get,list,watch",
    "cluster batch/cronjobs get,list,watch",
    "cluster batch/jobs get,list,watch",
    "cluster /configmaps get,list,watch",
    "cluster /namespaces get,list,watch",
    "cluster /pods get,list,watch",
    // That a policy can't be used.
    "namespace events.k8s.io/events create",
];
/// What the managed certificate writes, each by name.
const MANAGED: &[&str] = &[
    "cluster admissionregistration.k8s.io/validatingwebhookconfigurations:meshvet get,update",
    "namespace /secrets:meshvet-authority get,update",
    "namespace coordination.k8s.io/leases:meshvet-authority get,update",
];
const CERT_MANAGER: &[&str] = &["certificate.mode=cert-manager", "certificate.certManager.issuerName=mine"];

/// Every right of the roles that are bound to the ServiceAccount, one line each.
fn rights(values: &[&str]) -> BTreeSet<String> {
    let objects = render(values);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().map(|all| all.iter().map(text).collect::<Vec<_>>()).unwrap_or_default();
    let mut rights = BTreeSet::new();
    for binding in &objects {
        let bound = binding["subjects"].as_array().is_some_and(|subjects| {
            subjects.iter().any(|subject| subject["name"] == "meshvet" && subject["namespace"] == "meshvet-system")
        });
        if !bound {
            continue;
        }
        let of = &binding["roleRef"];
        let role = objects.iter().find(|role| role["kind"] == of["kind"] && role["metadata"]["name"] == of["name"]);
        let scope = if binding["kind"] == "ClusterRoleBinding" { "cluster" } else { "namespace" };
        for rule in role.expect("the role that is bound")["rules"].as_array().expect("rules") {
            let mut names = list(&rule["resourceNames"]);
            let verbs = list(&rule["verbs"]).join(",");
            for group in list(&rule["apiGroups"]) {
                for resource in list(&rule["resources"]) {
                    let name = names.pop().map(|name| format!(":{name}")).unwrap_or_default();
                    assert!(names.is_empty(), "one name a rule");
                    rights.insert(format!("{scope} {group}/{resource}{name} {verbs}"));
                }
            }
        }
    }
    rights
}

#[test]
fn each_mode_has_its_rights_and_not_one_more() {
    let secrets = |verbs: &str| format!("cluster /secrets {verbs}");
    let [watch, get] = ["get,list,watch", "get"].map(secrets);
    for (values, more) in [
        (&[][..], [MANAGED, &[watch.as_str()]].concat()),
        (&["secrets=get"], [MANAGED, &[get.as_str()]].concat()),
        (&["secrets=none"], MANAGED.to_vec()),
        (&["secrets=none", "aws.enabled=true"], [MANAGED, &["cluster /serviceaccounts get,list,watch"]].concat()),
        (CERT_MANAGER, vec![watch.as_str()]),
        (&["secrets=none", CERT_MANAGER[0], CERT_MANAGER[1]], vec![]),
    ] {
        let expected: BTreeSet<String> = ALWAYS.iter().chain(&more).map(|right| (*right).to_owned()).collect();
        assert_eq!(rights(values), expected, "{values:?}");
    }
}

#[test]
fn what_may_be_written_is_named_as_the_arguments_name_it() {
    let objects = render(&[]);
    let deployment = crate::helm::of_kind(&objects, "Deployment");
    let arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    for argument in [
        "--managed-certificate=meshvet-authority",
        "--webhook-configuration=meshvet",
        "--service=meshvet-system/meshvet",
    ] {
        assert!(arguments.contains(argument), "{argument} is not in {arguments}");
    }
    for kind in ["Secret", "Lease"] {
        assert_eq!(crate::helm::of_kind(&objects, kind)["metadata"]["name"], "meshvet-authority");
    }
}
