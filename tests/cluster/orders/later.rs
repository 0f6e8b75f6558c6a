//! Changes of a sound mesh, one a line: one that breaks it, which is reported at that change, and its sound sibling, which is not.

use serde_json::{Value, json};

use crate::orders::case::{Case, Expected, Step};
use crate::orders::shop::{OTHER, ROOT, Shop};
use crate::orders::writes::Write::{self, Apply, Delete};
use crate::support::manifests::{
    deployment, file_certificate, gateway_deployment, secret, tls_secret, virtual_gateway, virtual_node,
};
use crate::support::mint::Issued;

/// A change of the mesh of [`Shop::sound`], and more that has to be there before.
type Change = (&'static str, fn(&Shop) -> (Vec<Write>, Write), Wanted);

/// What has to be reported: the rule and the member, as [`Shop::member`] has it, or the call.
enum Wanted {
    Nothing,
    Of(&'static str, &'static str),
    /// By an Event alone: it is never sent for review.
    EventOf(&'static str, &'static str),
    /// By a warning alone: it is no state that lasts.
    WarningOf(&'static str, &'static str),
}

use Wanted::{EventOf, Nothing, Of, WarningOf};

const CALL: &str = "front → blue";

#[rustfmt::skip]
const CHANGES: &[Change] = &[
    ("the_annotation_that_mounts_is_removed", |it| alone(Apply(it.deployment("blue", ""))), Of("MV201", "blue")),
    ("another_annotation_is_removed", |it| (vec![Apply(annotated(it, "team"))], Apply(it.deployment("blue", MOUNTS))), Nothing),
    ("the_annotation_that_mounts_is_misspelt", |it| alone(Apply(misspelt(it))), Of("MV201", "blue")),
    ("the_annotation_names_no_secret", |it| alone(Apply(it.deployment("blue", "blue-tsl:/certs"))), Of("MV202", "blue")),
    ("the_annotation_mounts_elsewhere", |it| alone(Apply(it.deployment("blue", "blue-tls:/cert"))), Of("MV201", "blue")),
    ("the_annotation_mounts_one_more", |it| (vec![Apply(more(it))], Apply(it.deployment("blue", "blue-tls:/certs,more:/more"))), Nothing),
    ("the_annotation_is_written_otherwise", |it| alone(Apply(it.deployment("blue", " blue-tls:/certs/ "))), Nothing),
    ("the_image_of_a_deployment_changes", |it| alone(Write::Patch(it.deployment("blue", ""), image())), Nothing),

    ("a_certificate_of_another_name_comes", |it| alone(rotated(it, &ROOT.leaf(&["elsewhere.local"]).issue())), Of("MV101", "blue")),
    ("a_certificate_of_one_name_more_comes", |it| alone(rotated(it, &ROOT.leaf(&[&it.host(), "elsewhere.local"]).issue())), Nothing),
    ("a_certificate_of_another_issuer_comes", |it| alone(rotated(it, &OTHER.leaf(&[&it.host()]).issue())), Of("MV301", CALL)),
    ("a_certificate_of_the_same_issuer_comes", |it| alone(rotated(it, &it.leaf())), Nothing),
    ("an_expired_certificate_comes", |it| alone(rotated(it, &ROOT.leaf(&[&it.host()]).valid(-90, -1).issue())), Of("MV207", "blue")),
    ("a_certificate_that_isn_t_valid_yet_comes", |it| alone(rotated(it, &ROOT.leaf(&[&it.host()]).valid(2, 90).issue())), Of("MV208", "blue")),
    ("another_key_comes", |it| alone(rotated(it, &Issued { key: it.leaf().key, ..it.leaf() })), Of("MV206", "blue")),
    ("the_key_goes", |it| alone(Apply(keyless(it))), Of("MV202", "blue")),
    ("a_key_that_nobody_reads_goes", |it| (vec![Apply(with_one_more(it))], Apply(it.server_secret(&it.leaf()))), Nothing),
    ("what_is_no_pem_comes", |it| alone(Apply(garbage(it, "blue-tls"))), Of("MV204", "blue")),
    ("a_secret_of_no_pem_comes_last", |it| (vec![Delete(it.server_secret(&it.leaf()))], Apply(garbage(it, "blue-tls"))), EventOf("MV204", "blue")),
    ("a_secret_of_many_keys_is_rotated", |it| (vec![Apply(of_many_keys(it, &it.host()))], Apply(of_many_keys(it, "elsewhere.local"))), EventOf("MV101", "blue")),
    ("a_secret_of_many_keys_is_renewed", |it| (vec![Apply(of_many_keys(it, &it.host()))], Apply(of_many_keys(it, &it.host()))), Nothing),
    ("the_secret_goes", |it| alone(Delete(it.server_secret(&it.leaf()))), Of("MV202", "blue")),
    ("a_secret_that_nobody_reads_goes", |it| (vec![Apply(more(it))], Delete(more(it))), Nothing),
    ("a_secret_that_nobody_reads_is_broken", |it| (vec![Apply(more(it))], Apply(garbage(it, "more"))), Nothing),
    ("a_label_of_the_secret_changes", |it| alone(Write::Patch(it.server_secret(&it.leaf()), json!({"metadata": {"labels": {"a": "b"}}}))), Nothing),

    ("a_bundle_without_the_root_comes", |it| alone(Apply(it.client_secret(&OTHER.pem(), &ROOT))), Of("MV301", CALL)),
    ("a_bundle_of_both_roots_comes", |it| alone(Apply(it.client_secret(&both(), &ROOT))), Nothing),
    ("the_bundle_is_emptied", |it| alone(Apply(it.client_secret("", &ROOT))), Of("MV303", "front")),
    ("a_comment_comes_to_the_bundle", |it| alone(Apply(it.client_secret(&format!("# ours\n{}", ROOT.pem()), &ROOT))), Nothing),
    ("the_secret_of_the_bundle_goes", |it| alone(Delete(it.client_secret("", &ROOT))), Of("MV202", "front")),

    ("the_namespace_loses_its_injection", |it| alone(Write::Patch(it.namespace(), unlabelled("appmesh.k8s.aws/sidecarInjectorWebhook"))), Of("MV218", "blue")),
    ("the_namespace_loses_another_label", |it| (vec![labelled(it, "team")], Write::Patch(it.namespace(), unlabelled("team"))), Nothing),

    ("a_node_selects_nothing_any_more", |it| alone(Apply(selecting(it, "bleu"))), Of("MV203", "blue")),
    ("a_node_selects_the_pods_of_another", |it| alone(Apply(selecting(it, "front"))), Of("MV101", "blue")),
    ("the_pods_lose_the_label_of_their_node", |it| (vec![Apply(versioned(it, "1")), Apply(selecting_version(it, "1"))], Apply(versioned(it, "2"))), Of("MV203", "blue")),
    ("the_pods_get_a_label_that_no_node_selects", |it| (vec![Apply(versioned(it, "1"))], Apply(versioned(it, "2"))), Nothing),
    ("a_node_gets_another_host", |it| alone(Apply(virtual_node(&it.name, "blue", "elsewhere.local"))), Of("MV101", "blue")),
    ("a_deployment_goes", |it| alone(Delete(it.deployment("blue", ""))), EventOf("MV203", "blue")),

    ("a_service_leads_to_a_node_of_another_issuer", |it| (green(it, false), Apply(service_to(it, "green"))), Of("MV301", "front → green")),
    ("a_service_leads_to_a_sound_node", |it| (green(it, true), Apply(service_to(it, "green"))), Nothing),
    ("a_service_goes", |it| alone(Delete(it.service())), WarningOf("MV308", "front")),
    ("a_server_goes", |it| alone(Delete(it.server())), Nothing),
    ("a_client_goes", |it| alone(Delete(it.client())), Nothing),

    ("the_volume_of_a_gateway_goes", |it| (gateway(it), Apply(unmounted(it))), Of("MV201", "edge")),
    ("a_gateway_gets_one_more_volume", |it| (gateway(it), Apply(with_cache(it))), Nothing),
    ("the_volume_of_a_gateway_moves", |it| (gateway(it), Apply(gateway_deployment(&it.name, "edge", "edge-tls", "/tls"))), Of("MV201", "edge")),
    ("the_volume_of_a_gateway_names_another_secret", |it| (gateway(it), Apply(gateway_deployment(&it.name, "edge", "edge-two", "/certs"))), Of("MV206", "edge")),
    ("the_volume_of_a_gateway_names_a_sound_secret", |it| (gateway(it), Apply(gateway_deployment(&it.name, "edge", "edge-three", "/certs"))), Nothing),
    ("an_item_of_a_projected_volume_goes", |it| (gateway(it), Apply(projecting(it, &["tls.crt"]))), Of("MV202", "edge")),
    ("an_item_of_a_projected_volume_that_nobody_reads_goes", |it| (projected(it), Apply(projecting(it, &["tls.crt", "tls.key"]))), Nothing),

    ("the_annotation_of_a_stateful_set_goes", |it| (owned(it, STATEFUL), Apply(owner(it, STATEFUL, ""))), Of("MV201", "kept")),
    ("a_stateful_set_is_scaled", |it| (owned(it, STATEFUL), Write::Patch(owner(it, STATEFUL, ""), json!({"spec": {"replicas": 3}}))), Nothing),
    ("the_annotation_of_a_daemon_set_goes", |it| (owned(it, DAEMON), Apply(owner(it, DAEMON, ""))), Of("MV201", "kept")),
    ("a_daemon_set_is_updated_otherwise", |it| (owned(it, DAEMON), Write::Patch(owner(it, DAEMON, ""), json!({"spec": {"minReadySeconds": 3}}))), Nothing),
    ("the_annotation_of_a_cron_job_goes", |it| (owned(it, CRON), Apply(owner(it, CRON, ""))), Of("MV201", "kept")),
    ("the_schedule_of_a_cron_job_changes", |it| (owned(it, CRON), Write::Patch(owner(it, CRON, ""), json!({"spec": {"schedule": "1 0 * * *"}}))), Nothing),

    ("a_config_map_without_the_root_comes", |it| (trusting(it), Apply(config_map(it, &OTHER.pem()))), Of("MV301", "edge → blue")),
    ("a_config_map_of_both_roots_comes", |it| (trusting(it), Apply(config_map(it, &both()))), Nothing),
    ("a_config_map_goes", |it| (trusting(it), Delete(config_map(it, ""))), Of("MV202", "edge")),
];

const MOUNTS: &str = "blue-tls:/certs";

/// A change for which nothing more has to be there.
fn alone(write: Write) -> (Vec<Write>, Write) {
    (Vec::new(), write)
}

fn rotated(it: &Shop, leaf: &Issued) -> Write {
    Apply(it.server_secret(leaf))
}

fn both() -> String {
    format!("{}{}", OTHER.pem(), ROOT.pem())
}

fn annotated(it: &Shop, key: &str) -> Value {
    let mut deployment = it.deployment("blue", MOUNTS);
    deployment["spec"]["template"]["metadata"]["annotations"][key] = "shop".into();
    deployment
}

fn misspelt(it: &Shop) -> Value {
    let mut deployment = it.deployment("blue", "");
    deployment["spec"]["template"]["metadata"]["annotations"] = json!({"appmesh.k8s.aws/secretMount": MOUNTS});
    deployment
}

fn image() -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}}})
}

/// A Secret that no node reads.
fn more(it: &Shop) -> Value {
    tls_secret(&it.name, "more", &OTHER.leaf(&["more.local"]).issue())
}

fn garbage(it: &Shop, name: &str) -> Value {
    secret(&it.name, name, &[("tls.crt", "garbage"), ("tls.key", "garbage"), ("ca.crt", "garbage")])
}

/// With more keys than the API server looks through for PEM.
fn of_many_keys(it: &Shop, name: &str) -> Value {
    let mut secret = it.server_secret(&ROOT.leaf(&[name]).issue());
    for number in 0..65 {
        secret["stringData"][format!("key-{number}")] = "hush".into();
    }
    secret
}

fn keyless(it: &Shop) -> Value {
    secret(&it.name, "blue-tls", &[("tls.crt", &it.leaf().certificate), ("ca.crt", &ROOT.pem())])
}

fn with_one_more(it: &Shop) -> Value {
    let mut with = it.server_secret(&it.leaf());
    with["stringData"]["more.crt"] = OTHER.pem().into();
    with
}

fn labelled(it: &Shop, label: &str) -> Write {
    Write::Patch(it.namespace(), json!({"metadata": {"labels": {label: "yes"}}}))
}

fn unlabelled(label: &str) -> Value {
    json!({"metadata": {"labels": {label: null}}})
}

fn selecting(it: &Shop, app: &str) -> Value {
    let mut node = it.server();
    node["spec"]["podSelector"]["matchLabels"]["app"] = app.into();
    node
}

fn selecting_version(it: &Shop, version: &str) -> Value {
    let mut node = it.server();
    node["spec"]["podSelector"]["matchLabels"]["version"] = version.into();
    node
}

fn versioned(it: &Shop, version: &str) -> Value {
    let mut deployment = it.deployment("blue", MOUNTS);
    deployment["spec"]["template"]["metadata"]["labels"]["version"] = version.into();
    deployment
}

/// Node `green`, and what it rests on, of an authority that `front` trusts or not.
fn green(it: &Shop, trusted: bool) -> Vec<Write> {
    let host = format!("green.{}.svc.cluster.local", it.name);
    let authority = if trusted { &ROOT } else { &OTHER };
    let leaf = authority.leaf(&[&host]).issue();
    let objects = [
        tls_secret(&it.name, "green-tls", &leaf),
        it.deployment("green", "green-tls:/certs"),
        virtual_node(&it.name, "green", &host),
    ];
    objects.map(Apply).into()
}

fn service_to(it: &Shop, node: &str) -> Value {
    crate::support::manifests::virtual_service(&it.name, "blue", node)
}

/// Gateway `edge`, and what it rests on: Secret `edge-tls`, and beside it one whose key is another's and one that is sound.
fn gateway(it: &Shop) -> Vec<Write> {
    let leaf = || ROOT.leaf(&["edge.local"]).issue();
    let objects = [
        tls_secret(&it.name, "edge-tls", &leaf()),
        tls_secret(&it.name, "edge-two", &Issued { key: leaf().key, ..leaf() }),
        tls_secret(&it.name, "edge-three", &leaf()),
        gateway_deployment(&it.name, "edge", "edge-tls", "/certs"),
        virtual_gateway(&it.name, "edge", file_certificate("tls.crt", "tls.key")),
    ];
    objects.map(Apply).into()
}

fn edge(it: &Shop) -> Value {
    gateway_deployment(&it.name, "edge", "edge-tls", "/certs")
}

fn unmounted(it: &Shop) -> Value {
    let mut edge = edge(it);
    let spec = &mut edge["spec"]["template"]["spec"];
    spec["volumes"] = json!([]);
    spec["containers"][0]["volumeMounts"] = json!([]);
    edge
}

fn with_cache(it: &Shop) -> Value {
    let mut edge = edge(it);
    let spec = &mut edge["spec"]["template"]["spec"];
    spec["volumes"].as_array_mut().expect("volumes").push(json!({"name": "cache", "emptyDir": {}}));
    let mounts = spec["containers"][0]["volumeMounts"].as_array_mut().expect("mounts");
    mounts.push(json!({"name": "cache", "mountPath": "/cache"}));
    edge
}

/// The gateway's Deployment with a projected volume of these keys.
fn projecting(it: &Shop, keys: &[&str]) -> Value {
    let mut edge = edge(it);
    let items: Vec<Value> = keys.iter().map(|key| json!({"key": key, "path": key})).collect();
    let sources = json!([{"secret": {"name": "edge-tls", "items": items}}]);
    edge["spec"]["template"]["spec"]["volumes"] = json!([{"name": "certificates", "projected": {"sources": sources}}]);
    edge
}

/// The gateway with a projected volume of more than it reads.
fn projected(it: &Shop) -> Vec<Write> {
    let mut writes = gateway(it);
    let leaf = ROOT.leaf(&["edge.local"]).issue();
    let data = [("tls.crt", leaf.chain.as_str()), ("tls.key", &leaf.key), ("ca.crt", &OTHER.pem())];
    writes.push(Apply(secret(&it.name, "edge-tls", &data)));
    writes.push(Apply(projecting(it, &["tls.crt", "tls.key", "ca.crt"])));
    writes
}

/// A kind of workload, and where its template is.
type Kind = (&'static str, &'static str, &'static str);

const STATEFUL: Kind = ("apps/v1", "StatefulSet", "/spec/template");
const DAEMON: Kind = ("apps/v1", "DaemonSet", "/spec/template");
const CRON: Kind = ("batch/v1", "CronJob", "/spec/jobTemplate/spec/template");

/// Workload `kept` of this kind.
fn owner(it: &Shop, (api_version, kind, template): Kind, mounts: &str) -> Value {
    let from = deployment(&it.name, "kept", mounts);
    let mut owner = json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": from["metadata"],
        "spec": match kind {
            "CronJob" => json!({"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": {}}}}),
            _ => json!({"selector": from["spec"]["selector"], "template": {}}),
        },
    });
    if kind == "StatefulSet" {
        owner["spec"]["serviceName"] = "kept".into();
    }
    let mut pods = from["spec"]["template"].clone();
    if kind == "CronJob" {
        pods["spec"]["restartPolicy"] = "Never".into();
    }
    *owner.pointer_mut(template).expect("a template") = pods;
    owner
}

/// Node `kept` with a workload of this kind.
fn owned(it: &Shop, kind: Kind) -> Vec<Write> {
    let host = format!("kept.{}.svc.cluster.local", it.name);
    let objects = [
        tls_secret(&it.name, "kept-tls", &ROOT.leaf(&[&host]).issue()),
        owner(it, kind, "kept-tls:/certs"),
        virtual_node(&it.name, "kept", &host),
    ];
    objects.map(Apply).into()
}

fn config_map(it: &Shop, bundle: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": it.name, "name": "trust"},
        "data": {"ca.crt": bundle},
    })
}

/// Gateway `edge`, which calls `blue` and trusts what is in ConfigMap `trust`.
fn trusting(it: &Shop) -> Vec<Write> {
    let mut edge = edge(it);
    edge["spec"]["template"]["spec"]["volumes"][0] = json!({"name": "certificates", "configMap": {"name": "trust"}});
    let mut gateway = virtual_gateway(&it.name, "edge", json!({}));
    gateway["spec"] = json!({
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {"app": "edge"}},
        "listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}],
        "backendDefaults": {"clientPolicy": crate::support::manifests::client_policy()},
    });
    // It takes the routes of its own namespace alone.
    gateway["spec"]["namespaceSelector"] = json!({"matchLabels": {"kubernetes.io/metadata.name": it.name}});
    let route = crate::support::manifests::gateway_route(&it.name, "blue", "blue");
    [config_map(it, &ROOT.pem()), edge, gateway, route].map(Apply).into()
}

/// Each change of a mesh that is there and sound.
pub(crate) fn cases() -> Vec<Case> {
    let case = |(name, make, wanted): &'static Change| Case {
        name: (*name).to_owned(),
        steps: Box::new(move |shop| {
            let (more, change) = make(shop);
            let writes = shop.sound().into_iter().chain(more).collect();
            let who = |who: &str| if who.contains('→') { who.to_owned() } else { shop.member(who) };
            let expected = match wanted {
                Nothing => Expected::Silence,
                Of(rule, name) => Expected::Report(rule, who(name)),
                EventOf(rule, name) => Expected::Event(rule, who(name)),
                WarningOf(rule, name) => Expected::Warning(rule, who(name)),
            };
            // What nobody reviews may come after what was reviewed.
            let before = if matches!(wanted, EventOf(..)) { Expected::Anything } else { Expected::Soundness };
            vec![Step { writes, expected: before }, Step { writes: vec![change], expected }]
        }),
    };
    CHANGES.iter().map(case).collect()
}
