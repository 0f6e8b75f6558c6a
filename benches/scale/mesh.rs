//! A mesh in the cluster: nodes that call one another, each with its service, its Deployment and its Secret, as Helm and cert-manager
//! write them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt, stream};
use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::mint::{Authorities, Files};

/// The nodes of one namespace.
const IN_NAMESPACE: usize = 100;
/// Connections, and requests at a time.
const CLIENTS: usize = 4;
const AT_ONCE: usize = 64;

/// The kinds of a node's objects, by the paths of their lists.
const NODES: &str = "appmesh.k8s.aws/v1beta2/namespaces/{}/virtualnodes";
const SERVICES: &str = "appmesh.k8s.aws/v1beta2/namespaces/{}/virtualservices";
const DEPLOYMENTS: &str = "apps/v1/namespaces/{}/deployments";
const SECRETS: &str = "v1/namespaces/{}/secrets";

pub(crate) struct Mesh {
    nodes: usize,
    authorities: Authorities,
    runtime: Runtime,
    clients: Vec<Client>,
}

impl Mesh {
    pub(crate) fn new(kubeconfig: &Path, nodes: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let clients = runtime.block_on(async {
            let mut clients = Vec::new();
            for _ in 0..CLIENTS {
                clients.push(client(kubeconfig).await);
            }
            clients
        });
        Self { nodes, authorities: Authorities::new(), runtime, clients }
    }

    /// Creates everything.
    pub(crate) fn fill(&self) {
        let mesh = json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "Mesh", "metadata": {"name": "shop"},
            "spec": {"namespaceSelector": {"matchLabels": {"mesh": "shop"}}}});
        let meshes = [("POST", "/apis/appmesh.k8s.aws/v1beta2/meshes".to_owned(), mesh)];
        self.send(meshes.into_iter());
        let namespaces = (0..self.nodes).step_by(IN_NAMESPACE).map(|number| {
            let labels = json!({"mesh": "shop", "appmesh.k8s.aws/sidecarInjectorWebhook": "enabled"});
            let metadata = json!({"name": namespace(number), "labels": labels});
            ("POST", "/api/v1/namespaces".to_owned(), json!({"metadata": metadata}))
        });
        self.send(namespaces);
        let objects = (0..self.nodes).flat_map(|number| {
            let files = self.authorities.issue(number, &host(number));
            [
                (SECRETS, secret(number, &files)),
                (DEPLOYMENTS, deployment(number)),
                (SERVICES, service(number)),
                (NODES, node(number, self.nodes)),
            ]
            .map(|(list, object)| ("POST", path(list, number), object))
        });
        self.send(objects);
    }

    /// Gives every Secret a new leaf and key, as cert-manager does.
    pub(crate) fn rotate(&self) {
        self.send((0..self.nodes).map(|number| {
            let files = self.authorities.issue(number, &host(number));
            let at = format!("{}/{}-tls", path(SECRETS, number), name(number));
            ("PATCH", at, json!({"data": data(&files)}))
        }));
    }

    /// Deletes so many nodes with all that belongs to them.
    pub(crate) fn delete(&self, nodes: usize) {
        self.send((0..nodes).flat_map(|number| {
            [(NODES, ""), (SERVICES, ""), (DEPLOYMENTS, ""), (SECRETS, "-tls")]
                .map(|(list, suffix)| ("DELETE", format!("{}/{}{suffix}", path(list, number), name(number)), json!({})))
        }));
    }

    /// Sends requests, several at a time; each has to succeed.
    fn send(&self, requests: impl Iterator<Item = (&'static str, String, Value)>) {
        let sent = requests.enumerate().map(|(number, (method, path, body))| {
            let client = self.clients[number % self.clients.len()].clone();
            let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
            let request = axum::http::Request::builder().method(method).uri(format!("{path}?fieldManager=helm"));
            let request = request.header("Content-Type", kind).body(body.to_string().into_bytes()).expect("a request");
            async move {
                let text = client.request_text(request).await;
                text.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
            }
        });
        self.runtime.block_on(stream::iter(sent).buffer_unordered(AT_ONCE).collect::<()>());
    }
}

/// A client with a connection of its own.
pub(crate) async fn client(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Client::try_from(config.expect("a configuration")).expect("a client")
}

fn path(list: &str, number: usize) -> String {
    let group = if list == SECRETS { "api" } else { "apis" };
    format!("/{group}/{}", list.replace("{}", &namespace(number)))
}

fn namespace(number: usize) -> String {
    format!("team-{}", number / IN_NAMESPACE)
}

fn name(number: usize) -> String {
    format!("node-{number}")
}

fn host(number: usize) -> String {
    format!("{}.{}.svc.cluster.local", name(number), namespace(number))
}

/// Metadata as Helm writes it.
fn metadata(number: usize, name: &str) -> Value {
    json!({
        "name": name,
        "namespace": namespace(number),
        "labels": {
            "app.kubernetes.io/name": format!("node-{number}"),
            "app.kubernetes.io/instance": format!("node-{number}"),
            "app.kubernetes.io/version": "1.4.2",
            "app.kubernetes.io/managed-by": "Helm",
            "helm.sh/chart": "service-3.1.0",
        },
        "annotations": {
            "meta.helm.sh/release-name": format!("node-{number}"),
            "meta.helm.sh/release-namespace": namespace(number),
        },
    })
}

fn secret(number: usize, files: &Files) -> Value {
    let mut metadata = metadata(number, &format!("node-{number}-tls"));
    metadata["annotations"] = json!({
        "cert-manager.io/alt-names": host(number),
        "cert-manager.io/certificate-name": format!("node-{number}"),
        "cert-manager.io/common-name": host(number),
        "cert-manager.io/issuer-group": "cert-manager.io",
        "cert-manager.io/issuer-kind": "ClusterIssuer",
        "cert-manager.io/issuer-name": "mesh",
    });
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls", "data": data(files)})
}

fn data(files: &Files) -> Value {
    let [chain, key, authority] = [&files.chain, &files.key, &files.authority].map(|text| STANDARD.encode(text));
    json!({"tls.crt": chain, "tls.key": key, "ca.crt": authority})
}

fn deployment(number: usize) -> Value {
    let labels = json!({"app": name(number), "app.kubernetes.io/name": name(number), "version": "v1"});
    // On a port that the proxy doesn't take: of a sound mesh nothing is found.
    let probe = |path: &str| json!({"httpGet": {"path": path, "port": "metrics"}, "periodSeconds": 10});
    let container = json!({
        "name": "app",
        "image": "registry.example.com/shop/app:1.4.2",
        "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "database", "key": "url"}}},
        ],
        "livenessProbe": probe("/healthz"),
        "readinessProbe": probe("/readyz"),
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    });
    let mounts = format!("{}-tls:/certs", name(number));
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(number, &name(number)),
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name(number)}},
            "template": {
                "metadata": {"labels": labels, "annotations": {"appmesh.k8s.aws/secretMounts": mounts}},
                "spec": {
                    "serviceAccountName": name(number),
                    "containers": [container],
                    "volumes": [{"name": "tmp", "emptyDir": {}}],
                },
            },
        },
    })
}

fn service(number: usize) -> Value {
    json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": "VirtualService",
        "metadata": metadata(number, &name(number)),
        "spec": {"awsName": host(number), "provider": {"virtualNode": {"virtualNodeRef": {"name": name(number)}}}},
    })
}

/// A node that calls its neighbour of the same namespace, and verifies it.
fn node(number: usize, nodes: usize) -> Value {
    let first = number - number % IN_NAMESPACE;
    let neighbour = first + (number - first + 1) % IN_NAMESPACE.min(nodes - first);
    let trust = json!({"file": {"certificateChain": "/certs/ca.crt"}});
    let certificate = json!({"file": {"certificateChain": "/certs/tls.crt", "privateKey": "/certs/tls.key"}});
    json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": "VirtualNode",
        "metadata": metadata(number, &name(number)),
        "spec": {
            "awsName": format!("{}_{}", name(number), namespace(number)),
            "podSelector": {"matchLabels": {"app": name(number)}},
            "listeners": [{
                "portMapping": {"port": 8080, "protocol": "http"},
                "healthCheck": {"protocol": "http", "path": "/ping", "healthyThreshold": 2, "unhealthyThreshold": 2,
                    "timeoutMillis": 2000, "intervalMillis": 5000, "port": 8080},
                "tls": {"mode": "STRICT", "certificate": certificate},
            }],
            "backends": [{"virtualService": {"virtualServiceRef": {"name": name(neighbour)}}}],
            "backendDefaults": {"clientPolicy": {"tls": {"enforce": true, "validation": {"trust": trust}}}},
            "serviceDiscovery": {"dns": {"hostname": host(number)}},
        },
    })
}
