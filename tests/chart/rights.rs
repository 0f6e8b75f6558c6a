//! The rights of meshvet's ServiceAccount: those of the mode that was chosen, and not one more.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::helm::render;

/// What follows the mesh and its workloads, in any mode.
const ALWAYS: &[&str] = &[
    "cluster appmesh.k8s.aws/backendgroups list,watch",
    "cluster appmesh.k8s.aws/gatewayroutes list,watch",
    "cluster appmesh.k8s.aws/meshes list,watch",
    "cluster appmesh.k8s.aws/virtualgateways list,watch",
    "cluster appmesh.k8s.aws/virtualnodes list,watch",
    "cluster appmesh.k8s.aws/virtualrouters list,watch",
    "cluster appmesh.k8s.aws/virtualservices list,watch",
    "cluster gateway.envoyproxy.io/envoyproxies list,watch",
    "cluster gateway.networking.k8s.io/backendtlspolicies list,watch",
    "cluster gateway.networking.k8s.io/gatewayclasses list,watch",
    "cluster gateway.networking.k8s.io/gateways list,watch",
    "cluster gateway.networking.k8s.io/grpcroutes list,watch",
    "cluster gateway.networking.k8s.io/httproutes list,watch",
    "cluster gateway.networking.k8s.io/listenersets list,watch",
    "cluster gateway.networking.k8s.io/referencegrants list,watch",
    "cluster gateway.networking.k8s.io/tlsroutes list,watch",
    "cluster networking.k8s.io/ingressclasses list,watch",
    "cluster networking.k8s.io/ingresses list,watch",
    "cluster apps/daemonsets list,watch",
    "cluster apps/deployments list,watch",
    "cluster apps/replicasets get,list,watch",
    "cluster apps/statefulsets list,watch",
    "cluster batch/cronjobs list,watch",
    "cluster batch/jobs get,list,watch",
    // Workloads of other kinds.
    "cluster /replicationcontrollers list,watch",
    "cluster apps.kruise.io/advancedcronjobs list,watch",
    "cluster apps.kruise.io/broadcastjobs list,watch",
    "cluster apps.kruise.io/clonesets list,watch",
    "cluster apps.kruise.io/daemonsets list,watch",
    "cluster apps.kruise.io/statefulsets list,watch",
    "cluster apps.kruise.io/uniteddeployments list,watch",
    "cluster apps.openshift.io/deploymentconfigs list,watch",
    "cluster argoproj.io/rollouts list,watch",
    "cluster serving.knative.dev/configurations list,watch",
    "cluster serving.knative.dev/services list,watch",
    "cluster /configmaps get,list,watch",
    "cluster /namespaces list,watch",
    "cluster /pods get,list,watch",
    "cluster /services get,list,watch",
    // What makes Secrets and ConfigMaps.
    "cluster bitnami.com/sealedsecrets list,watch",
    "cluster cert-manager.io/certificates list,watch",
    "cluster external-secrets.io/clusterexternalsecrets list,watch",
    "cluster external-secrets.io/externalsecrets list,watch",
    "cluster secrets-store.csi.x-k8s.io/secretproviderclasses list,watch",
    "cluster trust.cert-manager.io/bundles list,watch",
    // That a policy can't be used.
    "meshvet-system events.k8s.io/events create",
];
/// What reports problems of the mesh.
const EVENTS: &[&str] = &[
    "cluster events.k8s.io/events create,patch",
    "meshvet-system coordination.k8s.io/leases:meshvet-watcher get,update",
];
/// What the managed certificate writes, each by name.
const MANAGED: &[&str] = &[
    "cluster admissionregistration.k8s.io/validatingwebhookconfigurations:meshvet get,update",
    "meshvet-system /secrets:meshvet-authority create,get,patch,update",
    "meshvet-system coordination.k8s.io/leases:meshvet-authority create,get,patch,update",
];
const SOME: &str = r#"secrets.namespaces=["shop","till"]"#;
const CERT_MANAGER: &[&str] = &["certificate.mode=cert-manager", "certificate.certManager.issuerName=mine"];

/// Every right of the roles that are bound to the ServiceAccount, one line each.
pub(crate) fn rights(values: &[&str]) -> BTreeSet<String> {
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
        let scope = binding["metadata"]["namespace"].as_str();
        let role = objects.iter().find(|role| {
            let metadata = &role["metadata"];
            role["kind"] == of["kind"] && metadata["name"] == of["name"] && metadata["namespace"].as_str() == scope
        });
        assert_eq!(scope.is_none(), binding["kind"] == "ClusterRoleBinding");
        let scope = scope.unwrap_or("cluster");
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
        (&["secrets.mode=get"], [MANAGED, &[get.as_str()]].concat()),
        (&["secrets.mode=none"], MANAGED.to_vec()),
        (&["secrets.mode=none", "aws.enabled=true"], [MANAGED, &["cluster /serviceaccounts list,watch"]].concat()),
        (&[SOME], [MANAGED, &["shop /secrets get,list,watch", "till /secrets get,list,watch"]].concat()),
        (&["secrets.mode=get", SOME], [MANAGED, &["shop /secrets get", "till /secrets get"]].concat()),
        (CERT_MANAGER, vec![watch.as_str()]),
        (&["secrets.mode=none", CERT_MANAGER[0], CERT_MANAGER[1]], vec![]),
    ] {
        let expected: BTreeSet<String> =
            ALWAYS.iter().chain(EVENTS).chain(&more).map(|right| (*right).to_owned()).collect();
        assert_eq!(rights(values), expected, "{values:?}");
    }
    let reports: Vec<String> = rights(&["reports.enabled=true"]).difference(&rights(&[])).cloned().collect();
    assert_eq!(reports, ["cluster openreports.io/reports create,patch"]);
    let lost: Vec<String> = rights(&[]).difference(&rights(&["events.enabled=false"])).cloned().collect();
    assert_eq!(lost, EVENTS);
}

#[test]
fn an_api_that_is_left_out_asks_for_no_right() {
    for (value, group, count) in [
        ("apis.appmesh=false", &["appmesh.k8s.aws"][..], 7),
        ("apis.gateway=false", &["gateway.networking.k8s.io", "gateway.envoyproxy.io"], 9),
        ("apis.ingress=false", &["networking.k8s.io"], 2),
    ] {
        let lost: Vec<String> = rights(&[]).difference(&rights(&[value])).cloned().collect();
        let is_of = |right: &&String| group.iter().any(|group| right.starts_with(&format!("cluster {group}/")));
        assert_eq!((lost.iter().filter(is_of).count(), lost.len()), (count, count), "{value}: {lost:?}");
    }
}

#[test]
fn every_kind_that_facts_come_from_may_be_listed_and_watched() {
    let rights = rights(&["aws.enabled=true"]);
    for row in meshvet::apis::rows().filter(|row| row.group != "extensions") {
        let right = format!("cluster {}/{} ", row.group, row.plural);
        let found = rights.iter().find(|known| known.starts_with(&right));
        assert!(found.is_some_and(|right| right.ends_with("list,watch")), "{right}");
    }
}

#[test]
fn a_kind_of_the_policy_gets_its_right_and_other_pods() {
    const FLEET: &str = r#"policy.workloads=[{"apiVersion":"example.com/v1","kind":"Fleet","plural":"fleets","template":"/spec/template"},{"apiVersion":"example.com/v1","kind":"Squad"}]"#;
    let usual = rights(&[]);
    let more: Vec<String> = rights(&[FLEET]).difference(&usual).cloned().collect();
    assert_eq!(more, ["cluster example.com/fleets list,watch"]);
    let annotation = |values: &[&str]| {
        let objects = render(values);
        let template = &crate::helm::of_kind(&objects, "Deployment")["spec"]["template"];
        template["metadata"]["annotations"]["meshvet.dev/workloads"].clone()
    };
    assert!(annotation(&[]).is_null() && annotation(&[FLEET]).is_string());
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
        "--watcher-lease=meshvet-system/meshvet-watcher",
    ] {
        assert!(arguments.contains(argument), "{argument} is not in {arguments}");
    }
    assert_eq!(crate::helm::of_kind(&objects, "Secret")["metadata"]["name"], "meshvet-authority");
    let leases = objects.iter().filter(|object| object["kind"] == "Lease").map(|lease| &lease["metadata"]["name"]);
    assert_eq!(leases.collect::<Vec<_>>(), ["meshvet-authority", "meshvet-watcher"]);
}
