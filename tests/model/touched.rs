//! Whom a change touches: nobody else is judged otherwise after it.
//!
//! Random meshes, and random changes of one object: a certificate renewed or broken, a route led elsewhere, a label taken off.
//! Everybody is judged before and after; who is judged otherwise must have been named, by the view before or the one after.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::Timestamp;
use meshvet::apis::{Entry, Subject, decode_object};
use meshvet::k8s::ObjectRef;
use meshvet::mesh::{Fact, FactId, Settings, View, World};
use meshvet::policy::Policy;
use meshvet::rules::{Surface, judge};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::entrance;
use crate::support::manifests;
use crate::support::mint::{Authority, Issued};

const APP_MESH: &str = "appmesh.k8s.aws/v1beta2";

/// One object in all the forms that it may take; the first: it isn't there.
pub(crate) struct Slot(pub(crate) Vec<Option<Value>>);

pub(crate) fn slot(forms: impl IntoIterator<Item = Value>) -> Slot {
    Slot([None].into_iter().chain(forms.into_iter().map(Some)).collect())
}

pub(crate) static ROOTS: LazyLock<[Authority; 2]> = LazyLock::new(|| ["one root", "other root"].map(Authority::new));
/// One time for all: a second later a message may say so.
pub(crate) static NOW: LazyLock<Timestamp> = LazyLock::new(Timestamp::now);
pub(crate) static SLOTS: LazyLock<Vec<Slot>> = LazyLock::new(slots);

fn object(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": APP_MESH, "kind": kind, "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

fn namespace(name: &str) -> Slot {
    let labelled =
        |labels: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    slot([
        labelled(json!({"appmesh.k8s.aws/sidecarInjectorWebhook": "enabled", "mesh": "apps"})),
        labelled(json!({"appmesh.k8s.aws/sidecarInjectorWebhook": "disabled", "mesh": "apps"})),
        labelled(json!({})),
    ])
}

fn secret(namespace: &str, name: &str, issued: &Issued, root: &Authority) -> Value {
    let data = [("tls.crt", issued.chain.as_str()), ("tls.key", &issued.key), ("ca.crt", &root.pem())];
    manifests::secret(namespace, name, &data)
}

fn certificate(namespace: &str, name: &str) -> Slot {
    let host = format!("{name}.{namespace}.local");
    let [one, other] = &*ROOTS;
    let sound = one.leaf(&[&host]).issue();
    slot([
        secret(namespace, name, &sound, one),
        secret(namespace, name, &sound, other),
        secret(namespace, name, &other.leaf(&[&host]).issue(), other),
        secret(namespace, name, &one.leaf(&["else.local"]).issue(), one),
        secret(namespace, name, &one.leaf(&[&host]).valid(-9, -1).issue(), one),
        manifests::secret(namespace, name, &[("tls.crt", "no certificate")]),
    ])
}

/// A cert-manager Certificate: for the Secret that is read, for one of a like name, for one in another namespace.
fn promise(name: &str) -> Slot {
    let of = |secret: &str, host: &str| {
        json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"namespace": "shop", "name": name},
            "spec": {"secretName": secret, "dnsNames": [host]}})
    };
    slot([
        of("blue", "blue.shop.local"),
        of("blue", "else.local"),
        of("blues", "blue.shop.local"),
        of("green", "else.local"),
    ])
}

/// A Secret that is promised to all namespaces, to one, or to those with a label.
fn promise_to_many() -> Slot {
    let of = |fields: Value| {
        let data = json!([{"secretKey": "tls.crt"}, {"secretKey": "tls.key"}]);
        let mut spec = json!({"externalSecretName": "green", "externalSecretSpec": {"data": data}});
        spec.as_object_mut().expect("a spec").extend(fields.as_object().expect("fields").clone());
        json!({"apiVersion": "external-secrets.io/v1", "kind": "ClusterExternalSecret", "metadata": {"name": "many"}, "spec": spec})
    };
    slot([
        of(json!({"namespaceSelectors": [{}]})),
        of(json!({"namespaces": ["shop"]})),
        of(json!({"namespaceSelectors": [{"matchLabels": {"mesh": "apps"}}]})),
    ])
}

fn workload(namespace: &str, name: &str, app: &str) -> Slot {
    let of = |mounts: &str, app: &str| {
        let mut deployment = manifests::deployment(namespace, name, mounts);
        deployment["spec"]["template"]["metadata"]["labels"]["app"] = app.into();
        deployment
    };
    let mounted = format!("{name}:/certs");
    let mut opted_out = of(&mounted, app);
    opted_out["spec"]["template"]["metadata"]["annotations"]["appmesh.k8s.aws/sidecarInjectorWebhook"] =
        "disabled".into();
    let mut at_rest = of(&mounted, app);
    at_rest["spec"]["replicas"] = 0.into();
    slot([
        of(&mounted, app),
        of("", app),
        of("blue:/certs", app),
        of(&mounted, "nobody"),
        of(&mounted, "blue"),
        opted_out,
        at_rest,
    ])
}

/// A workload of another kind: with a template of its own, or with that of a Deployment.
fn rollout(namespace: &str, name: &str) -> Slot {
    let of = |spec: Value| json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"namespace": namespace, "name": name}, "spec": spec});
    let takes = |name: &str| of(json!({"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}}));
    let template = manifests::deployment(namespace, name, "red:/certs")["spec"].clone();
    slot([takes("blue"), takes("red"), of(template)])
}

fn client(names: &[&str]) -> Value {
    let mut validation = json!({"trust": {"file": {"certificateChain": "/certs/ca.crt"}}});
    if !names.is_empty() {
        validation["subjectAlternativeNames"] = json!({"match": {"exact": names}});
    }
    json!({"tls": {"validation": validation, "certificate": manifests::file_certificate("tls.crt", "tls.key")}})
}

fn to(name: &str, namespace: Option<&str>) -> Value {
    match namespace {
        Some(namespace) => json!({"name": name, "namespace": namespace}),
        None => json!({"name": name}),
    }
}

fn node(namespace: &str, name: &str) -> Slot {
    let base = manifests::virtual_node(namespace, name, &format!("{name}.{namespace}.local"));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut node = base.clone();
        change(&mut node["spec"]);
        node
    };
    let backend = |service: Value| json!({"virtualService": {"virtualServiceRef": service}});
    let calls = |spec: &mut Value, service: Value, policy: Value| {
        spec["backendDefaults"] = json!({"clientPolicy": policy});
        spec["backends"] = json!([backend(service)]);
    };
    let validated = |spec: &mut Value| {
        spec["listeners"][0]["tls"]["validation"] = json!({"trust": {"file": {"certificateChain": "/certs/ca.crt"}}});
    };
    slot([
        base.clone(),
        with(&|spec| calls(spec, to("red", Some("shop")), client(&[]))),
        with(&|spec| calls(spec, to("blue", None), client(&["blue.shop.local"]))),
        with(&|spec| {
            spec["backendDefaults"] = json!({"clientPolicy": client(&[])});
            spec["backendGroups"] = json!([to("all", Some("shop"))]);
        }),
        with(&|spec| {
            calls(spec, to("red", Some("shop")), client(&[]));
            validated(spec);
        }),
        with(&validated),
        with(&|spec| {
            drop(spec["listeners"][0].as_object_mut().expect("a listener").remove("tls"));
        }),
        with(&|spec| {
            let again = spec["listeners"][0].clone();
            spec["listeners"] = json!([again.clone(), again]);
            spec["listeners"][1]["portMapping"]["port"] = 9443.into();
        }),
        with(&|spec| spec["podSelector"]["matchLabels"]["app"] = "blue".into()),
        with(&|spec| found_by(spec, &format!("{name}.{namespace}.svc.cluster.local"))),
        with(&|spec| found_by(spec, name)),
        with(&|spec| found_by(spec, &format!("{name}.till"))),
    ])
}

fn found_by(spec: &mut Value, hostname: &str) {
    spec["serviceDiscovery"]["dns"]["hostname"] = hostname.into();
}

/// A Service before pods: before those of its name by either port, or headless; before others, before nobody's; and with a load balancer.
fn front(namespace: &str, name: &str) -> Slot {
    let of = |spec: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": namespace, "name": name}, "spec": spec});
    let before = |app: &str, port: Value| json!({"selector": {"app": app}, "ports": [port]});
    let mut balanced = of(before(name, json!({"port": 443, "targetPort": 8443})));
    balanced["spec"]["type"] = "LoadBalancer".into();
    balanced["metadata"]["annotations"] = json!({"service.beta.kubernetes.io/aws-load-balancer-ssl-cert": "arn:aws:acm:eu-west-1:111122223333:certificate/a"});
    let mut headless = of(before(name, json!({"port": 80})));
    headless["spec"]["clusterIP"] = "None".into();
    slot([
        of(before(name, json!({"port": 8443}))),
        of(before(name, json!({"port": 8443, "targetPort": 80}))),
        of(before(name, json!({"port": 8443, "targetPort": "web"}))),
        of(before("nobody", json!({"port": 8443}))),
        of(before("blue", json!({"port": 8443}))),
        of(json!({"ports": [{"port": 8443}]})),
        headless,
        balanced,
    ])
}

fn service(namespace: &str, name: &str) -> Slot {
    let of = |provider: Value| object("VirtualService", namespace, name, json!({"provider": provider}));
    let node = |name: &str, there: Option<&str>| json!({"virtualNode": {"virtualNodeRef": to(name, there)}});
    slot([
        of(node("blue", Some("shop"))),
        of(node("green", Some("till"))),
        of(json!({"virtualRouter": {"virtualRouterRef": to("split", Some("shop"))}})),
        of(json!({})),
    ])
}

fn slots() -> Vec<Slot> {
    let target = |name: &str, namespace: &str, port: Option<u16>, weight: u8| {
        let mut target = json!({"virtualNodeRef": to(name, Some(namespace)), "weight": weight});
        if let Some(port) = port {
            target["port"] = port.into();
        }
        target
    };
    let router = |targets: Vec<Value>| {
        let route =
            json!({"name": "all", "httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": targets}}});
        let listeners = json!([{"portMapping": {"port": 8443, "protocol": "http"}}]);
        object("VirtualRouter", "shop", "split", json!({"listeners": listeners, "routes": [route]}))
    };
    let group = |services: Value| object("BackendGroup", "shop", "all", json!({"virtualservices": services}));
    let gateway = |selector: Value| {
        let mut spec = json!({
            "podSelector": {"matchLabels": {"app": "edge"}},
            "listeners": [{"portMapping": {"port": 443, "protocol": "http"}}],
            "backendDefaults": {"clientPolicy": client(&[])},
        });
        if !selector.is_null() {
            spec["namespaceSelector"] = selector;
        }
        object("VirtualGateway", "till", "edge", spec)
    };
    let mut strict = gateway(Value::Null);
    let files = manifests::file_certificate("tls.crt", "tls.key");
    strict["spec"]["listeners"] =
        json!([{"portMapping": {"port": 8443, "protocol": "http"}, "tls": {"mode": "STRICT", "certificate": files}}]);
    let route = |named: bool, service: &str, port: Option<u16>| {
        let mut target = json!({"virtualService": {"virtualServiceRef": to(service, Some("shop"))}});
        if let Some(port) = port {
            target["port"] = port.into();
        }
        let mut spec = json!({"httpRoute": {"match": {"prefix": "/"}, "action": {"target": target}}});
        if named {
            spec["virtualGatewayRef"] = json!({"name": "edge", "namespace": "till", "uid": "u"});
        }
        object("GatewayRoute", "shop", "in", spec)
    };
    let mesh = |name: &str, selector: Value| json!({"apiVersion": APP_MESH, "kind": "Mesh", "metadata": {"name": name}, "spec": {"namespaceSelector": selector}});
    let mut slots = vec![
        namespace("shop"),
        namespace("till"),
        certificate("shop", "blue"),
        certificate("shop", "red"),
        certificate("till", "green"),
        certificate("till", "edge"),
        workload("shop", "blue", "blue"),
        workload("shop", "red", "red"),
        workload("till", "green", "green"),
        workload("till", "edge", "edge"),
        rollout("shop", "blue"),
        node("shop", "blue"),
        node("shop", "red"),
        node("till", "green"),
        service("shop", "red"),
        service("shop", "blue"),
        slot([
            router(vec![target("blue", "shop", None, 1), target("green", "till", Some(9443), 1)]),
            router(vec![target("red", "shop", Some(8443), 0)]),
        ]),
        slot([
            group(json!([to("red", None)])),
            group(json!([to("*", Some("shop"))])),
            group(json!([to("blue", Some("shop")), to("*", None)])),
        ]),
        slot([gateway(Value::Null), gateway(json!({})), gateway(json!({"matchLabels": {"mesh": "apps"}})), strict]),
        front("shop", "blue"),
        front("shop", "red"),
        front("till", "blue"),
        front("till", "edge"),
        slot([route(true, "red", None), route(false, "red", Some(9443)), route(false, "blue", None)]),
        promise("blue"),
        promise("other"),
        promise_to_many(),
        slot([mesh("apps", json!({})), mesh("apps", json!({"matchLabels": {"mesh": "apps"}}))]),
    ];
    slots.extend(entrance::slots());
    slots
}

/// A world, with the objects that rules judge.
#[derive(Default)]
struct Mesh {
    world: World,
    subjects: BTreeMap<ObjectRef, Subject>,
}

impl Mesh {
    /// Gives one slot another form; what that is called.
    fn set(&mut self, slot: usize, form: usize) -> FactId {
        let forms = &SLOTS[slot].0;
        let sample = forms.iter().flatten().next().expect("a form").clone();
        let (id, _) = facts(sample);
        self.world.forget(&id);
        if let FactId::Object(object) = &id {
            self.subjects.remove(object);
        }
        if let Some(value) = forms[form % forms.len()].clone() {
            let (id, subject) = facts(value.clone());
            match subject {
                Some(subject) => {
                    self.world.replace(&id, subject.facts.iter().cloned());
                    self.subjects.insert(subject.object.clone(), subject);
                }
                None => match decode_object(value, "shop").expect("it can be read") {
                    Entry::Fact(fact) => self.world.learn(fact),
                    other => panic!("nothing to learn: {other:?}"),
                },
            }
        }
        id
    }

    fn view(&self) -> View<'_> {
        View::new(&self.world).under(Settings { groups: true, ..Settings::default() })
    }

    /// What is found on each member and each policy that is an object of its own, in words.
    fn judged(&self) -> BTreeMap<ObjectRef, Vec<String>> {
        let policy = Policy::parse("backendGroups: {enabled: true}\n").expect("a policy");
        let by_calls = |subject: &&Subject| {
            let attached = |fact: &Fact| matches!(fact, Fact::Attached(_));
            subject.member().is_some() || subject.facts.iter().any(attached)
        };
        let members = self.subjects.values().filter(by_calls);
        let judged = members.map(|subject| {
            let findings = judge(subject, View::new(&self.world), &policy, *NOW, Surface::Check).findings;
            let words =
                findings.iter().map(|it| format!("{} {:?} {} {:?}", it.rule.code, it.severity, it.field(), it.problem));
            (subject.object.clone(), words.collect())
        });
        judged.collect()
    }
}

pub(crate) fn facts(value: Value) -> (FactId, Option<Subject>) {
    match decode_object(value, "shop").expect("it can be read") {
        Entry::Subject(subject) => (FactId::Object(subject.object.clone()), Some(*subject)),
        Entry::Fact(fact) => (fact.id(), None),
        other => panic!("nothing to learn: {other:?}"),
    }
}

pub(crate) fn cases() -> u32 {
    std::env::var("MESHVET_CHANGES").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_else_is_judged_otherwise(
        forms in proptest::collection::vec(0..14_usize, SLOTS.len()),
        changes in proptest::collection::vec((0..SLOTS.len(), 0..14_usize), 1..4),
    ) {
        let mut mesh = Mesh::default();
        for (slot, form) in forms.into_iter().enumerate() {
            mesh.set(slot, form);
        }
        let mut before = mesh.judged();
        for (slot, form) in changes {
            let (id, _) = facts(SLOTS[slot].0.iter().flatten().next().expect("a form").clone());
            let mut touched: BTreeSet<ObjectRef> = mesh.view().touched_by(&id).into_iter().cloned().collect();
            mesh.set(slot, form);
            touched.extend(mesh.view().touched_by(&id).into_iter().cloned());
            let after = mesh.judged();
            for (object, found) in &after {
                let same = before.get(object) == Some(found);
                prop_assert!(same || touched.contains(object), "{object} changed by {id:?}, which touches {touched:?}: {:?} then {found:?}", before.get(object));
            }
            before = after;
        }
    }

    /// A world that has seen many changes is the one that has seen only the last of them.
    #[test]
    fn nothing_is_left_of_what_was_forgotten(
        changes in proptest::collection::vec((0..SLOTS.len(), 0..14_usize), 1..60),
    ) {
        let mut lived = Mesh::default();
        let mut last = BTreeMap::new();
        for (slot, form) in changes {
            lived.set(slot, form);
            last.insert(slot, form);
        }
        let mut fresh = Mesh::default();
        for (slot, form) in last {
            fresh.set(slot, form);
        }
        prop_assert_eq!(lived.judged(), fresh.judged());
        let ids = |mesh: &Mesh| mesh.world.ids().collect::<BTreeSet<_>>();
        prop_assert_eq!(ids(&lived), ids(&fresh));
    }
}
