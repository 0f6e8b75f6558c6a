//! The webhook's entries for what a mesh rests on: which there are under each value, and that all of them fail open.

use meshvet::admission::entries::{ENTRIES, TIMEOUT_SECONDS, VALIDATE, entry, path_of};
use meshvet::apis::Part;
use serde_json::{Value, json};

use crate::helm::{DEFAULTS, of_kind, render, try_render};

const SOME: &str = r#"secrets.namespaces=["shop","till"]"#;
const FLEET: &str = r#"policy.workloads=[{"apiVersion":"example.com/v1","kind":"Fleet","plural":"fleets","template":"/spec/a~1b/0/c"},{"apiVersion":"v1","kind":"Crew","plural":"crews","template":"/spec/pod"},{"apiVersion":"example.com/v1","kind":"Squad"}]"#;

/// The webhooks that go elsewhere than objects of a mesh do, by name.
fn entries(values: &[&str]) -> Vec<Value> {
    let objects = render(values);
    let all = of_kind(&objects, "ValidatingWebhookConfiguration")["webhooks"].as_array().expect("webhooks").clone();
    all.into_iter()
        .filter(|hook| !path_of(hook["name"].as_str().expect("a name"), None).starts_with(VALIDATE))
        .collect()
}

fn names(values: &[&str]) -> Vec<String> {
    entries(values).iter().map(|hook| hook["name"].as_str().expect("a name").replace(".meshvet.dev", "")).collect()
}

#[track_caller]
fn named(values: &[&str], name: &str) -> Value {
    let found = entries(values).into_iter().find(|hook| hook["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn each_mode_and_each_switch_has_its_entries() {
    let all = ["deletions", "meshes", "workloads", "secrets", "configmaps", "services", "namespaces"];
    for (values, expected) in [
        (DEFAULTS, &all[..]),
        (&[SOME], &all[..]),
        (
            &["webhook.workloads.enabled=false"],
            &["deletions", "meshes", "secrets", "configmaps", "services", "namespaces"],
        ),
        (&["webhook.secrets.enabled=false"], &["deletions", "meshes", "workloads", "services", "namespaces"]),
        (
            &["webhook.services.enabled=false"],
            &["deletions", "meshes", "workloads", "secrets", "configmaps", "namespaces"],
        ),
        (
            &["webhook.namespaces.enabled=false"],
            &["deletions", "meshes", "workloads", "secrets", "configmaps", "services"],
        ),
        // Where Secrets aren't watched, too little is known to tell what such a change breaks.
        (&["secrets.mode=get"], &["deletions"]),
        (&["secrets.mode=none"], &["deletions"]),
    ] {
        assert_eq!(names(values), expected, "{values:?}");
    }
}

#[test]
fn each_api_has_entries_of_its_own() {
    let hooks = |values: &[&str]| -> Vec<String> {
        let objects = render(values);
        let all = of_kind(&objects, "ValidatingWebhookConfiguration")["webhooks"].as_array().expect("webhooks").clone();
        all.iter().map(|hook| hook["name"].as_str().expect("a name").replace(".meshvet.dev", "")).collect()
    };
    let usual = hooks(DEFAULTS);
    for (value, lost) in [
        ("apis.appmesh=false", &["virtualnodes", "routes", "meshes"][..]),
        ("apis.gateway=false", &["gateways", "gateway-routes"]),
        ("apis.ingress=false", &["ingresses"]),
    ] {
        let left = hooks(&[value]);
        let gone: Vec<&str> = usual.iter().filter(|name| !left.contains(name)).map(String::as_str).collect();
        assert_eq!(gone, lost, "{value}");
        let deletions = named(&[value], "deletions.meshvet.dev");
        assert_eq!(deletions["rules"].as_array().expect("rules").len(), 2, "{value}");
    }
}

#[test]
fn what_is_left_out_is_not_watched_either() {
    let arguments = |values: &[&str]| {
        let objects = render(values);
        let arguments = of_kind(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"].clone();
        let arguments = arguments.as_array().expect("arguments").clone();
        arguments
            .into_iter()
            .filter_map(|it| it.as_str()?.strip_prefix("--apis=").map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert!(arguments(DEFAULTS).is_empty());
    assert_eq!(arguments(&["apis.appmesh=false"]), ["gateway,ingress"]);
    assert_eq!(arguments(&["apis.gateway=false", "apis.ingress=false"]), ["appmesh"]);
    let none = try_render(&["apis.appmesh=false", "apis.gateway=false", "apis.ingress=false"]);
    assert!(none.is_err_and(|told| told.contains("leave one of them true")));
}

#[test]
fn each_entry_fails_open_soon_and_by_one_condition_alone() {
    let fail = ["webhook.failurePolicy=Fail", "webhook.routesFailurePolicy=Fail", "webhook.timeoutSeconds=30"];
    let conditions = r#"webhook.matchConditions=[{"name":"mine","expression":"object.metadata.name != ''"}]"#;
    let objects = r#"webhook.objectSelector={"matchLabels":{"a":"b"}}"#;
    let files = ["certificate.mode=files", "certificate.files.secretName=mine", "certificate.files.caBundle=YQ=="];
    let entries = entries(&[&fail[..], &files, &[conditions, objects]].concat());
    assert_eq!(entries.len(), ENTRIES.len());
    for (hook, entry) in entries.iter().zip(ENTRIES) {
        assert_eq!(hook["name"], entry.name);
        assert_eq!(hook["clientConfig"]["service"]["path"], entry.path, "{hook}");
        assert_eq!(hook["failurePolicy"], "Ignore", "{hook}");
        assert_eq!(hook["timeoutSeconds"], TIMEOUT_SECONDS, "{hook}");
        assert_eq!(hook["sideEffects"], "None", "{hook}");
        assert_eq!(hook["matchPolicy"], "Equivalent", "{hook}");
        assert!(hook["objectSelector"].is_null(), "{hook}");
        let conditions = hook["matchConditions"].as_array().expect("conditions");
        assert_eq!(conditions.len(), 1, "each is evaluated, whatever the others say: {hook}");
        let expression = conditions[0]["expression"].as_str().expect("an expression");
        assert_eq!(expression, entry.condition.trim(), "{}", entry.name);
    }
}

#[test]
fn no_entry_looks_where_the_clusters_own_parts_are() {
    let admission = json!({"key": "meshvet.dev/admission", "operator": "NotIn", "values": ["disabled"]});
    let apart = json!({
        "key": "kubernetes.io/metadata.name",
        "operator": "NotIn",
        "values": ["kube-node-lease", "kube-public", "kube-system", "meshvet-system"],
    });
    for hook in entries(DEFAULTS) {
        // A Mesh is in no namespace.
        let expected = match hook["name"] == "meshes.meshvet.dev" {
            true => Value::Null,
            false => json!({"matchExpressions": [admission, apart]}),
        };
        assert_eq!(hook["namespaceSelector"], expected, "{hook}");
    }
    let only = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["shop", "till"]});
    for hook in entries(&[SOME]).iter().filter(|hook| hook["name"] != "meshes.meshvet.dev") {
        let expressions = hook["namespaceSelector"]["matchExpressions"].as_array().expect("expressions");
        assert_eq!(expressions.contains(&only), hook["name"] == "secrets.meshvet.dev", "{hook}");
    }
    let labels = r#"webhook.namespaceSelector={"matchLabels":{"a":"b"},"matchExpressions":[]}"#;
    let selector = &named(&[labels], "workloads.meshvet.dev")["namespaceSelector"];
    assert_eq!(*selector, json!({"matchLabels": {"a": "b"}, "matchExpressions": [apart]}));
}

/// Whether a rule of an entry has this group, version and resource.
fn asks_for(hook: &Value, group: &str, version: &str, plural: &str) -> bool {
    let has = |list: &Value, wanted: &str| list.as_array().is_some_and(|list| list.iter().any(|it| it == wanted));
    hook["rules"].as_array().expect("rules").iter().any(|rule| {
        has(&rule["apiGroups"], group) && has(&rule["apiVersions"], version) && has(&rule["resources"], plural)
    })
}

#[test]
fn every_workload_that_meshvet_reads_is_reviewed_at_its_template() {
    let hook = named(DEFAULTS, "workloads.meshvet.dev");
    let expression = hook["matchConditions"][0]["expression"].as_str().expect("an expression");
    for row in meshvet::apis::rows() {
        let Part::Workload(pods) = row.part else { continue };
        // Former versions are sent as the present one.
        let is_former = row.group == "extensions" || (row.optional && matches!(row.group, "apps" | "batch"));
        assert!(is_former || asks_for(&hook, row.group, row.version, row.plural), "{:?}", row.kind);
        // A pod is its own template, and only its creation counts.
        for template in pods.templates.iter().filter(|template| !template.is_empty()) {
            // What stands deeper in a template is compared with it.
            let place = if template.starts_with("/spec/template") { "/spec/template" } else { template };
            let place = place.replace('/', ".?");
            let compared = format!("object{place}.orValue({{}}) != oldObject{place}.orValue({{}})");
            assert!(expression.contains(&compared), "{compared}");
        }
        if let Some(takes) = pods.takes {
            assert!(expression.contains(&format!("object{}.orValue", takes.replace('/', ".?"))), "{takes}");
        }
    }
}

#[test]
fn every_object_of_a_mesh_is_reviewed_when_it_is_deleted() {
    let hook = named(DEFAULTS, "deletions.meshvet.dev");
    for row in meshvet::apis::rows().filter(|row| matches!(row.part, Part::Member | Part::Hop | Part::Grant)) {
        assert!(asks_for(&hook, row.group, row.version, row.plural), "{:?}", row.kind);
    }
    assert_eq!(hook["rules"][0]["operations"], json!(["DELETE"]));
}

#[test]
fn a_kind_of_the_policy_is_reviewed_at_its_own_template() {
    let hook = named(&[FLEET], "workloads.meshvet.dev");
    assert!(asks_for(&hook, "example.com", "v1", "fleets") && asks_for(&hook, "", "v1", "crews"), "{hook}");
    let usual = named(DEFAULTS, "workloads.meshvet.dev")["rules"].as_array().expect("rules").len();
    assert_eq!(hook["rules"].as_array().expect("rules").len(), usual + 2, "a kind without a template isn't reviewed");
    let expression = hook["matchConditions"][0]["expression"].as_str().expect("an expression");
    for compared in [
        // The list as a whole.
        r#"(request.kind.kind == "Fleet" && object[?"spec"][?"a/b"].orValue({}) != oldObject[?"spec"][?"a/b"].orValue({}))"#,
        r#"(request.kind.kind == "Crew" && object[?"spec"][?"pod"].orValue({}) != oldObject[?"spec"][?"pod"].orValue({}))"#,
    ] {
        assert!(expression.contains(compared), "{compared} is not in\n{expression}");
    }
    assert!(entry("workloads.meshvet.dev").expect("an entry").is_condition(expression), "doctor knows it too");
}

#[test]
fn an_entry_needs_no_right() {
    let switches = ["webhook.workloads.enabled", "webhook.secrets.enabled", "webhook.namespaces.enabled"];
    let off: Vec<String> = switches.iter().map(|value| format!("{value}=false")).collect();
    let off: Vec<&str> = off.iter().map(String::as_str).collect();
    assert_eq!(crate::rights::rights(DEFAULTS), crate::rights::rights(&off));
}
