//! `deploy/` in a cluster, by the commands of its README, and copies of it that look at one namespace alone.

use std::path::{Path, PathBuf};

use meshvet::admission::entries::{VALIDATE, path_of};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::kubectl::Outcome;
use crate::replica::{NAMESPACE, Pod, Replica};
use crate::sandbox;
use crate::support::mint::{Authority, Issued};
use crate::volume::Files;

/// meshvet in a cluster: a webhook configuration, a Service, and the replicas that are started for it.
pub(crate) struct Installation<'a> {
    plane: &'a ControlPlane,
    /// The Service's name; the webhook configuration's too.
    name: String,
    /// The Deployment whose pods the replicas are: its namespace and its name.
    deployment: (String, String),
    /// Who issues the serving certificate of a copy; that of `deploy/` is its own keeper.
    authority: Option<Authority>,
    /// Of the ServiceAccount that the Deployment names.
    token: String,
    /// The arguments of replicas that keep their certificate by themselves.
    managed: Vec<String>,
}

/// The block of commands that deploy/README.md calls `name`: it stands between a line "```sh NAME" and "```".
pub(crate) fn readme(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let fence = format!("```sh {name}");
    let block: Vec<&str> =
        text.lines().skip_while(|line| *line != fence).skip(1).take_while(|line| *line != "```").collect();
    assert!(!block.is_empty(), "deploy/README.md has no block {fence}");
    block.join("\n")
}

/// The folder in which a reader follows deploy/README.md: one with the folder `deploy` in it.
pub(crate) fn reader(plane: &ControlPlane) -> PathBuf {
    let folder = plane.folder().join("reader");
    std::fs::create_dir_all(&folder).unwrap();
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    if !folder.join("deploy").exists() {
        std::os::unix::fs::symlink(deploy, folder.join("deploy")).unwrap();
    }
    folder
}

/// Runs a block of deploy/README.md as a reader would.
#[track_caller]
pub(crate) fn follow_readme(plane: &ControlPlane, block: &str) -> Outcome {
    plane.kubectl.script(&readme(block), &reader(plane))
}

/// The path of a webhook before a secret is added to it.
pub(crate) fn plain_path(webhook: &Value) -> &'static str {
    path_of(webhook["name"].as_str().expect("a name"), webhook["failurePolicy"].as_str())
}

/// Puts this `caBundle` (base64 of PEM) into every webhook of a configuration, with the path that isn't secret; None takes the bundle out.
#[track_caller]
pub(crate) fn set_bundles(plane: &ControlPlane, configuration: &str, bundle: Option<&str>) {
    let webhooks = plane.kubectl.get(&["validatingwebhookconfiguration", configuration])["webhooks"].clone();
    let places = webhooks.as_array().expect("webhooks").iter().enumerate();
    let patch = places.flat_map(|(hook, webhook)| {
        let at = |field: &str| format!("/webhooks/{hook}/clientConfig/{field}");
        match bundle {
            None => vec![json!({"op": "remove", "path": at("caBundle")})],
            Some(bundle) => vec![
                json!({"op": "add", "path": at("caBundle"), "value": bundle}),
                json!({"op": "add", "path": at("service/path"), "value": plain_path(webhook)}),
            ],
        }
    });
    let patch = patch.collect::<Value>().to_string();
    let arguments = ["patch", "validatingwebhookconfiguration", configuration, "--type=json", "-p", &patch];
    plane.kubectl.run(&arguments, "").succeeds();
}

impl<'a> Installation<'a> {
    /// Installs `deploy/`, whose replicas keep their certificate by themselves.
    #[track_caller]
    pub(crate) fn of_deploy(plane: &'a ControlPlane) -> Self {
        follow_readme(plane, "install").succeeds_silently();
        Self::found(plane)
    }

    /// `deploy/` as it stands in the cluster already.
    #[track_caller]
    pub(crate) fn found(plane: &'a ControlPlane) -> Self {
        Self::of_deployment(plane, NAMESPACE, "meshvet")
    }

    /// meshvet as a release of its chart: everything is called as the Deployment.
    #[track_caller]
    pub(crate) fn of_deployment(plane: &'a ControlPlane, namespace: &str, name: &str) -> Self {
        Self {
            plane,
            name: name.to_owned(),
            deployment: (namespace.to_owned(), name.to_owned()),
            authority: None,
            token: token(plane, namespace, name),
            managed: Vec::new(),
        }
    }

    /// A copy of the Service and of the webhook configuration for `namespace` alone, which the original no longer looks at.
    /// `failure_policy` is what holds for objects of a mesh when no replica answers.
    #[track_caller]
    pub(crate) fn copy_for(plane: &'a ControlPlane, namespace: &str, failure_policy: &str) -> Self {
        let name = format!("meshvet-{namespace}");
        let kubectl = &plane.kubectl;
        kubectl.run(&["label", "namespace", namespace, "meshvet.dev/admission=disabled"], "").succeeds();
        let authority = Authority::new(&name);
        let mut service = kubectl.get(&["-n", NAMESPACE, "service", "meshvet"]);
        service["metadata"] = json!({"name": name, "namespace": NAMESPACE});
        let spec = service["spec"].as_object_mut().expect("a spec");
        spec.retain(|field, _| field == "ports");
        let mut webhook = kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
        webhook["metadata"] = json!({"name": name});
        let hooks = webhook["webhooks"].as_array_mut().expect("webhooks");
        // Meshes are in no namespace: the original looks at them.
        hooks.retain(|hook| hook["name"] != "meshes.meshvet.dev");
        for hook in hooks {
            hook["clientConfig"]["service"]["name"] = name.as_str().into();
            hook["clientConfig"]["caBundle"] = base64(&authority.pem()).into();
            if plain_path(hook).starts_with(VALIDATE) {
                hook["failurePolicy"] = failure_policy.into();
            }
            hook["clientConfig"]["service"]["path"] = plain_path(hook).into();
            hook["namespaceSelector"] = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
        }
        kubectl.apply(&service, &[]).succeeds();
        kubectl.apply(&webhook, &[]).succeeds();
        Self { name, authority: Some(authority), ..Self::found(plane) }
    }

    /// A copy whose replicas keep their certificate by themselves, with these lives, in a Secret called as the copy. They may get
    /// and update the Secret and the Lease by name; with `create` they make them, otherwise both are there, empty, and are made again.
    #[track_caller]
    pub(crate) fn managed_for(plane: &'a ControlPlane, namespace: &str, lives: [&str; 2], create: bool) -> Self {
        let mut copy = Self::copy_for(plane, namespace, "Fail");
        let (kubectl, name) = (&plane.kubectl, copy.name.clone());
        copy.authority = None;
        set_bundles(plane, &name, None);
        let rule = |group: &str, resource: &str, verbs: &[&str]| {
            let names = if verbs == ["create"] { json!([]) } else { json!([name]) };
            json!({"apiGroups": [group], "resources": [resource], "resourceNames": names, "verbs": verbs})
        };
        // As the chart has it, where they are there; else as whoever has the right to create alone.
        let kept: &[&str] = if create { &["get", "update"] } else { &["create", "get", "patch", "update"] };
        let mut rules = vec![rule("", "secrets", kept), rule("coordination.k8s.io", "leases", kept)];
        if create {
            rules.extend([rule("", "secrets", &["create"]), rule("coordination.k8s.io", "leases", &["create"])]);
        } else {
            let metadata = json!({"namespace": NAMESPACE, "name": name});
            for (version, kind) in [("v1", "Secret"), ("coordination.k8s.io/v1", "Lease")] {
                let object = json!({"apiVersion": version, "kind": kind, "metadata": metadata});
                kubectl.create(&object, &[]).succeeds();
            }
        }
        let metadata = json!({"namespace": NAMESPACE, "name": name});
        let bound = |kind: &str, role: &str| {
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": kind,
                "metadata": metadata,
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name},
                "subjects": [{"kind": "ServiceAccount", "namespace": NAMESPACE, "name": "meshvet"}],
            })
        };
        let role = |kind: &str, rules: Value| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "rules": rules});
        let configurations =
            rule("admissionregistration.k8s.io", "validatingwebhookconfigurations", &["get", "update"]);
        for object in [
            role("Role", json!(rules)),
            bound("RoleBinding", "Role"),
            role("ClusterRole", json!([configurations])),
            bound("ClusterRoleBinding", "ClusterRole"),
        ] {
            kubectl.apply(&object, &[]).succeeds();
        }
        let [certificate, authority] = lives;
        copy.managed = vec![
            format!("--managed-certificate={name}"),
            format!("--webhook-configuration={name}"),
            format!("--service={NAMESPACE}/{name}"),
            format!("--certificate-life={certificate}"),
            format!("--authority-life={authority}"),
        ];
        copy
    }

    /// The Service's name; the webhook configuration's too.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Another serving certificate for a copy.
    pub(crate) fn certificate(&self) -> Option<Issued> {
        let name = format!("{}.{NAMESPACE}.svc", self.name);
        let authority = self.authority.as_ref()?;
        Some(authority.leaf(&[&name]).issue())
    }

    /// Starts a replica and waits until it is ready. No request comes to it yet.
    #[track_caller]
    pub(crate) fn start(&self, name: &str) -> Replica {
        let mut replica = self.start_unready(name);
        replica.wait_until_ready();
        replica
    }

    /// Starts a replica.
    #[track_caller]
    pub(crate) fn start_unready(&self, name: &str) -> Replica {
        self.start_with(name, None, None)
    }

    /// Starts a replica that asks AWS at this address, and waits until it is ready.
    #[track_caller]
    pub(crate) fn start_asking(&self, name: &str, endpoint: &str) -> Replica {
        // The first of the two commands: the argument is this replica's alone.
        let commands = readme("aws");
        let grant = commands.split("\nkubectl ").next().expect("a command");
        self.plane.kubectl.script(grant, &reader(self.plane)).succeeds();
        let mut replica = self.start_with(name, Some(endpoint.to_owned()), None);
        replica.wait_until_ready();
        replica
    }

    /// Starts a replica that reaches the API server by this port, and waits until it is ready.
    #[track_caller]
    pub(crate) fn start_through(&self, name: &str, api_port: u16) -> Replica {
        let mut replica = self.start_unready_through(name, api_port);
        replica.wait_until_ready();
        replica
    }

    /// Starts a replica that reaches the API server by this port.
    #[track_caller]
    pub(crate) fn start_unready_through(&self, name: &str, api_port: u16) -> Replica {
        self.start_with(name, None, Some(api_port))
    }

    fn start_with(&self, name: &str, aws: Option<String>, api_port: Option<u16>) -> Replica {
        Replica::start(
            self.plane,
            Pod {
                name: format!("{}-{name}", self.name),
                of: (&self.deployment.0, &self.deployment.1),
                token: &self.token,
                tls: self.certificate().as_ref().map(tls_files),
                aws,
                managed: &self.managed,
                api_port,
            },
        )
    }

    /// Sends the API server to these replicas, as the controller of EndpointSlices does for pods that are ready.
    #[track_caller]
    pub(crate) fn route_to(&self, replicas: &[&Replica]) {
        let (namespace, name) = &self.deployment;
        let deployment = self.plane.kubectl.get(&["-n", namespace, "deployment", name]);
        let ports = &deployment["spec"]["template"]["spec"]["containers"][0]["ports"];
        let https = ports.as_array().and_then(|ports| ports.iter().find(|port| port["name"] == "https"));
        let https = https.expect("a port named https")["containerPort"].clone();
        let endpoints: Vec<Value> = replicas
            .iter()
            .map(|replica| json!({"addresses": [replica.address], "conditions": {"ready": true}}))
            .collect();
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "namespace": namespace,
                "name": self.name,
                "labels": {"kubernetes.io/service-name": self.name},
            },
            "addressType": "IPv4",
            "ports": [{"name": "https", "port": https, "protocol": "TCP"}],
            "endpoints": endpoints,
        });
        self.plane.kubectl.apply(&slice, &[]).succeeds();
    }

    /// Waits until a node that can't be good, whatever else there is, is refused in `namespace`: from then on the API
    /// server knows the webhook, and meshvet answers it.
    #[track_caller]
    pub(crate) fn wait_until_judging(&self, namespace: &str) {
        let node = json!({
            "apiVersion": "appmesh.k8s.aws/v1beta2",
            "kind": "VirtualNode",
            "metadata": {"namespace": namespace, "name": "is-meshvet-there"},
            "spec": {"listeners": [{
                "portMapping": {"port": 8443, "protocol": "http"},
                "tls": {"mode": "STRICT", "certificate": {}},
            }]},
        });
        sandbox::eventually("meshvet judges", || {
            let outcome = self.plane.kubectl.create(&node, &["--dry-run=server"]);
            if outcome.stderr.contains("denied the request") { Ok(()) } else { Err(outcome.to_string()) }
        });
    }
}

/// A token of the ServiceAccount of a Deployment's pods.
#[track_caller]
fn token(plane: &ControlPlane, namespace: &str, deployment: &str) -> String {
    let deployment = plane.kubectl.get(&["-n", namespace, "deployment", deployment]);
    let account = deployment["spec"]["template"]["spec"]["serviceAccountName"].as_str().expect("an account");
    let token = plane.kubectl.run(&["-n", namespace, "create", "token", account], "").succeeds();
    token.stdout.trim().to_owned()
}

/// The files of a Secret of type kubernetes.io/tls.
pub(crate) fn tls_files(issued: &Issued) -> Files {
    vec![
        ("tls.crt".to_owned(), issued.chain.clone().into_bytes()),
        ("tls.key".to_owned(), issued.key.clone().into_bytes()),
    ]
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
