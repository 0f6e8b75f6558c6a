//! A mesh of any size: each node serves STRICT TLS, calls the next one, and verifies it.

#![allow(dead_code, reason = "no benchmark uses all of it")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use meshvet::apis::{Entry, decode_object};
use meshvet::mesh::World;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};

/// The authority that everything is issued by.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // rcgen gives everything one name: a leaf named like its issuer passes for self-signed, in Envoy too.
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a root"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }
}

/// Adds one object to a world.
pub(crate) fn learn(world: &mut World, object: Value) {
    match decode_object(object, "shop").expect("it can be read") {
        Entry::Subject(reviewed) => world.extend(reviewed.facts.iter().cloned()),
        Entry::Fact(fact) => world.learn(fact),
        other => panic!("nothing to learn: {other:?}"),
    }
}

/// A mesh of this many nodes, with all that they touch.
pub(crate) fn world(nodes: usize) -> World {
    world_of(nodes, &Authority::new("bench root"))
}

/// A mesh of this many nodes, so many of which call the first one: each with a trust bundle of its own.
pub(crate) fn hub(nodes: usize, clients: usize, authority: &Authority) -> World {
    let mut world = world_of(nodes, authority);
    for index in 1..=clients {
        let mut client = node(index);
        client["spec"]["backends"] = json!([{"virtualService": {"virtualServiceRef": {"name": "node-0"}}}]);
        client["spec"]["backendDefaults"]["clientPolicy"]["tls"]["validation"]["trust"]["file"]["certificateChain"] =
            "/trust/ca.crt".into();
        learn(&mut world, client);
        let mut deployment = deployment(index);
        let mounts = format!("node-{index}-tls:/certs, trust-{index}:/trust");
        deployment["spec"]["template"]["metadata"]["annotations"]["appmesh.k8s.aws/secretMounts"] = mounts.into();
        learn(&mut world, deployment);
        learn(&mut world, trust(index, authority));
    }
    world
}

/// The Secret of one client's trust bundle: the authority, and another one that is minted for it.
pub(crate) fn trust(index: usize, authority: &Authority) -> Value {
    let other = Authority::new(&format!("root {index}"));
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("trust-{index}"), "namespace": "shop"},
        "stringData": {"ca.crt": format!("{}{}", other.pem(), authority.pem())}})
}

fn world_of(nodes: usize, authority: &Authority) -> World {
    let mut world = World::default();
    objects(nodes, authority, |object| learn(&mut world, object));
    world
}

/// Everything that such a mesh is made of.
pub(crate) fn objects(nodes: usize, authority: &Authority, mut learn: impl FnMut(Value)) {
    learn(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": "shop",
        "labels": {"mesh": "bench", "appmesh.k8s.aws/sidecarInjectorWebhook": "enabled"},
    }}));
    learn(json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "Mesh", "metadata": {"name": "bench"}, "spec": {
        "namespaceSelector": {"matchLabels": {"mesh": "bench"}},
    }}));
    let key = KeyPair::generate().expect("a key");
    for index in 0..nodes {
        learn(secret(index, &key, authority));
        learn(deployment(index));
        learn(service(index));
        learn(node(index));
    }
}

/// The Secret of a node, with a leaf of its own.
pub(crate) fn secret(index: usize, key: &KeyPair, authority: &Authority) -> Value {
    let mut params = CertificateParams::new(vec![host(index)]).expect("a name");
    params.use_authority_key_identifier_extension = true;
    let now = std::time::SystemTime::now();
    params.not_before = now.into();
    params.not_after = (now + std::time::Duration::from_secs(90 * 24 * 60 * 60)).into();
    let leaf = params.signed_by(key, &authority.0).expect("a leaf");
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("node-{index}-tls"), "namespace": "shop"},
        "stringData": {"tls.crt": leaf.pem(), "tls.key": key.serialize_pem(), "ca.crt": authority.pem()}})
}

fn host(index: usize) -> String {
    format!("node-{index}.shop.svc.cluster.local")
}

pub(crate) fn deployment(index: usize) -> Value {
    let labels = json!({"app": format!("node-{index}"), "team": "shop", "version": "v1"});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": format!("node-{index}"), "namespace": "shop"}, "spec": {
        "template": {
            "metadata": {
                "labels": labels,
                "annotations": {"appmesh.k8s.aws/secretMounts": format!("node-{index}-tls:/certs")},
            },
            "spec": {"containers": [{"name": "app", "image": "app:1"}]},
        },
    }})
}

/// The service by which its neighbour calls a node.
pub(crate) fn service(index: usize) -> Value {
    json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualService",
        "metadata": {"name": format!("node-{index}"), "namespace": "shop"},
        "spec": {"provider": {"virtualNode": {"virtualNodeRef": {"name": format!("node-{index}")}}}}})
}

/// A sound node that calls its neighbour.
pub(crate) fn node(index: usize) -> Value {
    json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": "VirtualNode",
        "metadata": {"name": format!("node-{index}"), "namespace": "shop", "labels": {"team": "shop"}},
        "spec": {
            "podSelector": {"matchLabels": {"app": format!("node-{index}")}},
            "listeners": [{
                "portMapping": {"port": 8443, "protocol": "http"},
                "healthCheck": {"protocol": "http", "path": "/ping", "healthyThreshold": 2, "unhealthyThreshold": 2,
                    "timeoutMillis": 2000, "intervalMillis": 5000, "port": 8443},
                "tls": {"mode": "STRICT", "certificate": {"file": {
                    "certificateChain": "/certs/tls.crt", "privateKey": "/certs/tls.key"}}},
            }],
            "backends": [{"virtualService": {"virtualServiceRef": {"name": format!("node-{}", index + 1)}}}],
            "backendDefaults": {"clientPolicy": {"tls": {"validation": {
                "trust": {"file": {"certificateChain": "/certs/ca.crt"}}}}}},
            "serviceDiscovery": {"dns": {"hostname": host(index)}},
        },
    })
}

/// The same with a hostname that its certificate doesn't have.
pub(crate) fn misnamed_node(index: usize) -> Value {
    let mut node = node(index);
    node["spec"]["serviceDiscovery"]["dns"]["hostname"] = "elsewhere.shop.svc.cluster.local".into();
    node
}

/// A review of about 4 KiB, as the API server sends one: managed fields and all.
pub(crate) fn review(mut object: Value, old: Option<Value>) -> Bytes {
    let managed = json!([{
        "manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "appmesh.k8s.aws/v1beta2",
        "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/last-applied-configuration": {}}},
            "f:spec": {".": {}, "f:backendDefaults": {}, "f:backends": {}, "f:listeners": {}, "f:podSelector": {}}},
    }]);
    let applied = object.to_string();
    object["metadata"]["uid"] = "0f5a9a6e-6f5b-4e1a-9a55-000000000001".into();
    object["metadata"]["generation"] = 1.into();
    object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
    object["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
    object["metadata"]["managedFields"] = managed;
    let plural = format!("{}s", object["kind"].as_str().expect("a kind").to_lowercase());
    let kind = json!({"group": "appmesh.k8s.aws", "version": "v1beta2", "kind": object["kind"]});
    let resource = json!({"group": "appmesh.k8s.aws", "version": "v1beta2", "resource": plural});
    let review = json!({
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource,
        "name": object["metadata"]["name"],
        "namespace": "shop",
        "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
        "userInfo": {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]},
        "object": object,
        "oldObject": old,
        "dryRun": false,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-client-side-apply"},
    });
    in_order(&review)
}

/// The review of a Secret's change.
pub(crate) fn review_of_secret(new: Value, old: Value) -> Bytes {
    let kind = json!({"group": "", "version": "v1", "kind": "Secret"});
    let data = |mut secret: Value| {
        for (_, text) in secret["stringData"].as_object_mut().expect("data") {
            *text = STANDARD.encode(text.as_str().expect("text")).into();
        }
        secret["data"] = secret["stringData"].take();
        secret
    };
    in_order(&json!({
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "kind": kind, "requestKind": kind,
        "resource": {"group": "", "version": "v1", "resource": "secrets"},
        "name": new["metadata"]["name"], "namespace": "shop", "operation": "UPDATE",
        "userInfo": {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]},
        "object": data(new), "oldObject": data(old), "dryRun": false,
    }))
}

/// A review with this request, its fields in the order of an API server.
fn in_order(request: &Value) -> Bytes {
    let fields = [
        "uid",
        "kind",
        "resource",
        "requestKind",
        "requestResource",
        "name",
        "namespace",
        "operation",
        "userInfo",
        "object",
        "oldObject",
        "dryRun",
        "options",
    ];
    let fields = fields.iter().filter_map(|field| Some(format!("\"{field}\":{}", request.get(field)?)));
    let request = fields.collect::<Vec<_>>().join(",");
    format!("{{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{{{request}}}}}").into()
}
