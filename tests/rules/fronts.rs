//! MV220, MV221, MV223: what stands before a member's pods.

use meshvet::mesh::Sort;
use serde_json::{Value, json};

use crate::cases::{Case, good, warns};
use crate::scene::Scene;
use crate::support::manifests;

const HOSTNAME: &str = "spec.serviceDiscovery.dns.hostname";
const TARGET: &str = "spec.ports[0].targetPort";
const SELECTOR: &str = "spec.selector";
const PORTS: &str = "spec.ports";
const ANNOTATION: &str = "spec.template.metadata.annotations[appmesh.k8s.aws/ports]";
const CERT: &str = "metadata.annotations[service.beta.kubernetes.io/aws-load-balancer-ssl-cert]";
const PROBE: &str = "spec.template.spec.containers[0].readinessProbe.httpGet.port";

pub(crate) fn cases() -> Vec<Case> {
    [arriving(), unclaimed(), names(), balancers(), probes()].concat()
}

fn service(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": name}, "spec": spec})
}

/// Lets callers find the node by this name, behind which is a Service `blue` with these ports before its pods.
fn found_by(scene: &mut Scene, hostname: &str, ports: Value) {
    scene.set("/spec/serviceDiscovery/dns/hostname", hostname.into());
    scene.others.push(service("blue", json!({"selector": {"app": "blue"}, "ports": ports})));
}

fn behind(scene: &mut Scene, ports: Value) {
    found_by(scene, "blue.shop.svc.cluster.local", ports);
}

/// The same with another Service.
fn behind_one(scene: &mut Scene, spec: Value) {
    scene.set("/spec/serviceDiscovery/dns/hostname", "blue.shop.svc.cluster.local".into());
    scene.others.push(service("blue", spec));
}

/// Lets callers find the node by this name, in a namespace with a Service `green` alone.
fn beside(scene: &mut Scene, hostname: &str) {
    scene.set("/spec/serviceDiscovery/dns/hostname", hostname.into());
    scene.others.push(service("green", json!({"selector": {"app": "green"}, "ports": [{"port": 8443}]})));
}

fn containers(scene: &mut Scene, ports: Value) {
    scene.template("/spec/containers", json!([{"name": "app", "ports": ports}]));
}

/// What arrives elsewhere than at the proxy, and what arrives there.
fn arriving() -> Vec<Case> {
    const WORDS: &[&str] = &["Service shop/blue", "8443", "WRONG_VERSION_NUMBER"];
    vec![
        warns("MV220", "another targetPort", |s| behind(s, json!([{"port": 8443, "targetPort": 80}])), TARGET, WORDS),
        warns(
            "MV220",
            "by a port's name",
            |s| {
                behind(s, json!([{"port": 8443, "targetPort": "web"}]));
                containers(s, json!([{"name": "web", "containerPort": 80}]));
            },
            TARGET,
            WORDS,
        ),
        warns(
            "MV220",
            "by a name that no container has",
            |s| {
                behind(s, json!([{"port": 8443, "targetPort": "web"}]));
                containers(
                    s,
                    json!([{"name": "tls", "containerPort": 8443}, {"name": "web", "containerPort": 53, "protocol": "UDP"}]),
                );
            },
            TARGET,
            &["named web", "Deployment shop/blue"],
        ),
        warns(
            "MV220",
            "of the second listener",
            |s| {
                let mut second = s.node["spec"]["listeners"][0].clone();
                second["portMapping"]["port"] = 9443.into();
                s.set("/spec/listeners/1", second);
                behind(s, json!([{"port": 8443}, {"port": 9443, "targetPort": 90}]));
            },
            "spec.ports[1].targetPort",
            &["9443", "port 90"],
        ),
        warns(
            "MV220",
            "no such port",
            |s| behind(s, json!([{"port": 80, "targetPort": 8080}])),
            PORTS,
            &["8443", "80"],
        ),
        warns(
            "MV220",
            "the annotation",
            |s| s.annotate_pods("appmesh.k8s.aws/ports", "80, 9000:9100"),
            ANNOTATION,
            &["leaves out port 8443", "80, 9000-9100"],
        ),
        warns(
            "MV220",
            "an annotation without any",
            |s| s.annotate_pods("appmesh.k8s.aws/ports", ""),
            ANNOTATION,
            &["no port"],
        ),
        warns(
            "MV220",
            "an annotation, though the Service is headless",
            |s| {
                behind_one(s, json!({"clusterIP": "None", "selector": {"app": "blue"}}));
                s.annotate_pods("appmesh.k8s.aws/ports", "80");
            },
            ANNOTATION,
            &["8443"],
        ),
        warns(
            "MV220",
            "a selector for others",
            |s| behind_one(s, json!({"selector": {"app": "green"}, "ports": [{"port": 8443}]})),
            SELECTOR,
            &["selects none of its pods", "app=green", "Deployment shop/blue"],
        ),
        warns(
            "MV220",
            "a label that the pods lack",
            |s| behind_one(s, json!({"selector": {"app": "blue", "tier": "web"}, "ports": [{"port": 8443}]})),
            SELECTOR,
            &["tier=web"],
        ),
        good("MV220", "the same port", |s| behind(s, json!([{"port": 8443}]))),
        good("MV220", "with the same targetPort", |s| behind(s, json!([{"port": 8443, "targetPort": 8443}]))),
        good("MV220", "by the name of the right port", |s| {
            behind(s, json!([{"port": 8443, "targetPort": "tls"}]));
            containers(s, json!([{"name": "tls", "containerPort": 8443}]));
        }),
        good("MV220", "by the name of a sidecar's port", |s| {
            behind(s, json!([{"port": 8443, "targetPort": "tls"}]));
            let ports = json!([{"name": "tls", "containerPort": 8443}]);
            s.template("/spec/initContainers", json!([{"name": "side", "restartPolicy": "Always", "ports": ports}]));
        }),
        good("MV220", "another port to the listener's", |s| behind(s, json!([{"port": 443, "targetPort": 8443}]))),
        good("MV220", "another port beside it", |s| {
            behind(
                s,
                json!([{"port": 8443}, {"port": 9901, "targetPort": 80}, {"port": 8443, "protocol": "UDP", "targetPort": 1}]),
            );
        }),
        good("MV220", "to the port of another listener", |s| {
            let mut second = s.node["spec"]["listeners"][0].clone();
            second["portMapping"]["port"] = 9443.into();
            s.set("/spec/listeners/1", second);
            behind(s, json!([{"port": 8443, "targetPort": 9443}]));
        }),
        good("MV220", "to one that the annotation adds", |s| {
            behind(s, json!([{"port": 8443, "targetPort": 80}]));
            s.annotate_pods("appmesh.k8s.aws/ports", "80,8443");
        }),
        good("MV220", "headless", |s| {
            let ports = json!([{"port": 8443, "targetPort": 80}]);
            behind_one(s, json!({"clusterIP": "None", "selector": {"app": "blue"}, "ports": ports}));
        }),
        good("MV220", "a listener without TLS", |s| {
            behind(s, json!([{"port": 8443, "targetPort": 80}]));
            s.unset("/spec/listeners/0/tls");
        }),
        good("MV220", "a listener whose TLS is off", |s| {
            behind(s, json!([{"port": 8443, "targetPort": 80}]));
            s.set("/spec/listeners/0/tls/mode", "DISABLED".into());
        }),
    ]
}

/// What nobody can tell, and what others tell.
fn unclaimed() -> Vec<Case> {
    vec![
        good("MV220", "endpoints by hand", |s| behind_one(s, json!({"ports": [{"port": 8443, "targetPort": 80}]}))),
        good("MV220", "another name of a host", |s| {
            let ports = json!([{"port": 8443, "targetPort": 80}]);
            behind_one(s, json!({"type": "ExternalName", "externalName": "db.example.org", "ports": ports}));
        }),
        good("MV220", "a label that a controller gives", |s| {
            behind_one(
                s,
                json!({"selector": {"app": "blue", "rollouts-pod-template-hash": "7d9"}, "ports": [{"port": 8443, "targetPort": 80}]}),
            );
        }),
        good("MV220", "a label that a StatefulSet's controller gives", |s| {
            let selector = json!({"app": "blue", "statefulset.kubernetes.io/pod-name": "blue-0"});
            behind_one(s, json!({"selector": selector, "ports": [{"port": 8443}]}));
        }),
        good("MV220", "a label that a Rollout may give", |s| {
            s.deployment["apiVersion"] = "argoproj.io/v1alpha1".into();
            s.deployment["kind"] = "Rollout".into();
            behind_one(s, json!({"selector": {"app": "blue", "role": "stable"}, "ports": [{"port": 8443}]}));
        }),
        good("MV220", "a port of a container that Knative adds", |s| {
            s.deployment["apiVersion"] = "serving.knative.dev/v1".into();
            s.deployment["kind"] = "Service".into();
            behind(s, json!([{"port": 8443, "targetPort": "queue-port"}]));
        }),
        good("MV220", "pods that nobody knows", |s| {
            s.deployment = Value::Null;
            behind(s, json!([{"port": 8443, "targetPort": 80}]));
        }),
        good("MV220", "pods that nobody could list", |s| {
            s.hide("rollouts.argoproj.io", Sort::Workloads, None);
            behind_one(s, json!({"selector": {"app": "green"}, "ports": [{"port": 8443}]}));
        }),
        good("MV220", "pods without a proxy", |s| {
            s.annotate_pods("appmesh.k8s.aws/sidecarInjectorWebhook", "disabled");
            behind(s, json!([{"port": 8443, "targetPort": 80}]));
        }),
        good("MV220", "pods that bring their proxy", |s| {
            s.template("/spec/containers", json!([{"name": "envoy"}]));
            behind(s, json!([{"port": 8443, "targetPort": 80}]));
        }),
        good("MV220", "an annotation that is no list of ports", |s| {
            s.annotate_pods("appmesh.k8s.aws/ports", "http");
            behind(s, json!([{"port": 8443, "targetPort": 80}]));
        }),
        good("MV220", "a targetPort that is none", |s| behind(s, json!([{"port": 8443, "targetPort": "80"}]))),
        good("MV220", "some of the pods are others'", |s| {
            let mut other = manifests::deployment("shop", "other", "blue-cert:/certs");
            other["spec"]["template"]["metadata"]["labels"] = json!({"app": "blue", "version": "v2"});
            s.others.push(other);
            behind_one(s, json!({"selector": {"app": "blue", "version": "v2"}, "ports": [{"port": 8443}]}));
        }),
    ]
}

/// Names of Services that aren't there, and names that are none.
fn names() -> Vec<Case> {
    const WORDS: &[&str] = &["there is no Service shop/blue", "other Services in namespace shop"];
    vec![
        warns("MV220", "a Service that isn't there", |s| beside(s, "blue.shop.svc.cluster.local"), HOSTNAME, WORDS),
        warns("MV220", "by its short name", |s| beside(s, "blue"), HOSTNAME, WORDS),
        warns("MV220", "by its namespace", |s| beside(s, "blue.shop"), HOSTNAME, WORDS),
        warns("MV220", "without the domain", |s| beside(s, "blue.shop.svc"), HOSTNAME, WORDS),
        good("MV220", "a namespace without others", |s| {
            s.set("/spec/serviceDiscovery/dns/hostname", "blue.shop.svc.cluster.local".into());
            s.others.push(service("kubernetes", json!({"ports": [{"port": 443}]})));
        }),
        good("MV220", "where Services may not be listed", |s| {
            s.hide("services", Sort::Services, None);
            beside(s, "blue.shop.svc.cluster.local");
        }),
        good("MV220", "where only those of another namespace may be listed", |s| {
            s.hide("services", Sort::Services, Some("bank"));
            beside(s, "blue.shop.svc.cluster.local");
        }),
        warns(
            "MV220",
            "where those of this namespace may be listed",
            |s| {
                s.hide("services", Sort::Services, Some("shop"));
                beside(s, "blue.shop.svc.cluster.local");
            },
            HOSTNAME,
            WORDS,
        ),
        good("MV220", "where the node's pods aren't known", |s| {
            s.deployment = Value::Null;
            beside(s, "blue.shop.svc.cluster.local");
        }),
        good("MV220", "a host of a namespace that nobody knows", |s| beside(s, "blue.internal")),
        good("MV220", "a host", |s| beside(s, "blue.apps.local")),
        good("MV220", "a pod's own name", |s| beside(s, "blue-0.blue.shop.svc.cluster.local")),
        good("MV220", "a Service of several clusters", |s| beside(s, "blue.shop.svc.clusterset.local")),
        good("MV220", "a short name that a caller may know", |s| {
            beside(s, "blue");
            s.set("/spec/meshRef", json!({"name": "apps"}));
            s.others.extend([
                manifests::namespace("bank"),
                json!({
                    "apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode",
                    "metadata": {"namespace": "bank", "name": "caller"},
                    "spec": {
                        "meshRef": {"name": "apps"},
                        "backends": [{"virtualService": {"virtualServiceRef": {"namespace": "shop", "name": "blue"}}}],
                    },
                }),
                manifests::virtual_service("shop", "blue", "blue"),
            ]);
        }),
    ]
}

/// A STRICT gateway `front`, and before it a load balancer with these annotations.
fn balanced(scene: &mut Scene, annotations: &[(&str, &str)]) {
    let certificate = manifests::file_certificate("tls.crt", "tls.key");
    scene.others.push(manifests::virtual_gateway("shop", "front", certificate));
    let mut deployment = manifests::gateway_deployment("shop", "front", "blue-cert", "/certs");
    deployment["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([{"name": "tls", "containerPort": 8443}]);
    scene.others.push(deployment);
    let ports = json!([{"name": "https", "port": 443, "targetPort": "tls"}, {"name": "admin", "port": 9901}]);
    let mut before = service("lb", json!({"type": "LoadBalancer", "selector": {"app": "front"}, "ports": ports}));
    for (key, value) in annotations {
        before["metadata"]["annotations"][format!("service.beta.kubernetes.io/aws-load-balancer-{key}")] =
            (*value).into();
    }
    scene.others.push(before);
    scene.subject = ("VirtualGateway", "front");
}

/// Changes the gateway.
fn front(scene: &mut Scene, change: impl FnOnce(&mut Value)) {
    let gateway = scene.others.iter_mut().find(|object| object["kind"] == "VirtualGateway");
    change(&mut gateway.expect("a gateway")["spec"]["listeners"][0]["tls"]);
}

fn asks_clients(tls: &mut Value) {
    tls["validation"] = json!({"trust": {"file": {"certificateChain": "/certs/ca.crt"}}});
}

fn balancers() -> Vec<Case> {
    const SSL: (&str, &str) = ("ssl-cert", "arn:aws:acm:eu-west-1:111122223333:certificate/a");
    const PLAIN: &[&str] =
        &["Service shop/lb", "port 443", "plaintext", "VirtualGateway shop/front", "backend-protocol: ssl"];
    const NLB: (&str, &str) = ("type", "nlb");
    const CHECK: &str = "metadata.annotations[service.beta.kubernetes.io/aws-load-balancer-healthcheck-protocol]";
    const ANEW: &[&str] = &["no certificate to present", "VirtualGateway shop/front"];
    vec![
        warns("MV221", "plaintext to STRICT", |s| balanced(s, &[SSL]), CERT, PLAIN),
        warns("MV221", "by tcp", |s| balanced(s, &[SSL, ("backend-protocol", "tcp")]), CERT, PLAIN),
        warns(
            "MV221",
            "by http, on a port by name",
            |s| balanced(s, &[SSL, ("backend-protocol", "http"), ("ssl-ports", "https")]),
            CERT,
            PLAIN,
        ),
        warns(
            "MV221",
            "https, which a network load balancer doesn't know",
            |s| balanced(s, &[SSL, ("backend-protocol", "https"), ("type", "external")]),
            CERT,
            PLAIN,
        ),
        warns(
            "MV221",
            "TLS anew to a listener that asks clients",
            |s| {
                balanced(s, &[SSL, ("backend-protocol", "ssl")]);
                front(s, asks_clients);
            },
            CERT,
            ANEW,
        ),
        warns(
            "MV221",
            "TLS anew to a PERMISSIVE listener that asks clients",
            |s| {
                balanced(s, &[SSL, ("backend-protocol", "ssl")]);
                front(s, |tls| {
                    asks_clients(tls);
                    tls["mode"] = "PERMISSIVE".into();
                });
            },
            CERT,
            ANEW,
        ),
        warns(
            "MV221",
            "plaintext to a listener that asks clients",
            |s| {
                balanced(s, &[SSL]);
                front(s, asks_clients);
            },
            CERT,
            &["passed through"],
        ),
        warns(
            "MV221",
            "before a node",
            |s| {
                let annotations = json!({"service.beta.kubernetes.io/aws-load-balancer-ssl-cert": SSL.1});
                let mut before = service(
                    "lb",
                    json!({"type": "LoadBalancer", "selector": {"app": "blue"}, "ports": [{"port": 8443}]}),
                );
                before["metadata"]["annotations"] = annotations;
                s.others.push(before);
            },
            CERT,
            &["VirtualNode shop/blue"],
        ),
        warns(
            "MV221",
            "a health check by HTTP",
            |s| balanced(s, &[NLB, ("healthcheck-protocol", "http")]),
            CHECK,
            &["Service shop/lb", "health by HTTP", "VirtualGateway shop/front", "accepts TLS only", "unhealthy"],
        ),
        warns(
            "MV221",
            "a health check by HTTPS of a listener that asks clients",
            |s| {
                balanced(s, &[NLB, ("healthcheck-protocol", "HTTPS"), ("healthcheck-port", "traffic-port")]);
                front(s, asks_clients);
            },
            CHECK,
            &["health by HTTPS", "asks clients for a certificate"],
        ),
        warns(
            "MV221",
            "a health check at a port of the pods",
            |s| {
                balanced(s, &[("type", "nlb-ip"), ("healthcheck-protocol", "http"), ("healthcheck-port", "8443")]);
            },
            CHECK,
            &["health by HTTP at"],
        ),
        good("MV221", "a health check by TCP", |s| balanced(s, &[NLB, ("healthcheck-protocol", "tcp")])),
        good("MV221", "a health check by HTTPS", |s| balanced(s, &[NLB, ("healthcheck-protocol", "https")])),
        good("MV221", "a health check by HTTP of a PERMISSIVE listener", |s| {
            balanced(s, &[NLB, ("healthcheck-protocol", "http")]);
            front(s, |tls| tls["mode"] = "PERMISSIVE".into());
        }),
        good("MV221", "a health check at Envoy's admin port", |s| {
            balanced(s, &[("type", "nlb-ip"), ("healthcheck-protocol", "http"), ("healthcheck-port", "9901")]);
        }),
        good("MV221", "a health check at a port of the nodes", |s| {
            balanced(s, &[NLB, ("healthcheck-protocol", "http"), ("healthcheck-port", "30443")]);
        }),
        good("MV221", "a health check that each node answers by itself", |s| {
            balanced(s, &[NLB, ("healthcheck-protocol", "http")]);
            for object in s.others.iter_mut().filter(|object| object["kind"] == "Service") {
                object["spec"]["externalTrafficPolicy"] = "Local".into();
            }
        }),
        good("MV221", "TLS anew", |s| balanced(s, &[SSL, ("backend-protocol", "ssl")])),
        good("MV221", "TLS passed through", |s| {
            balanced(s, &[("type", "external")]);
            front(s, asks_clients);
        }),
        good("MV221", "PERMISSIVE", |s| {
            balanced(s, &[SSL]);
            front(s, |tls| tls["mode"] = "PERMISSIVE".into());
        }),
        good("MV221", "another port", |s| balanced(s, &[SSL, ("ssl-ports", "9901")])),
        good("MV221", "ports that one load balancer has and another hasn't", |s| {
            balanced(s, &[SSL, ("ssl-ports", "*")])
        }),
        good("MV221", "before other pods", |s| {
            balanced(s, &[SSL]);
            for object in s.others.iter_mut().filter(|object| object["kind"] == "Service") {
                object["spec"]["selector"] = json!({"app": "green"});
            }
        }),
        good("MV221", "a Service without a load balancer", |s| {
            balanced(s, &[SSL]);
            for object in s.others.iter_mut().filter(|object| object["kind"] == "Service") {
                object["spec"]["type"] = "ClusterIP".into();
            }
        }),
        good("MV221", "trust that App Mesh drops", |s| {
            balanced(s, &[SSL, ("backend-protocol", "ssl")]);
            let trust = json!({"trust": {"acm": {"certificateAuthorityARNs": ["arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/a"]}}});
            front(s, |tls| tls["validation"] = trust);
        }),
    ]
}

/// Probes the port by HTTPS at a listener that asks clients for a certificate.
fn probed(scene: &mut Scene, get: Value) {
    let ports = json!([{"name": "tls", "containerPort": 8443}]);
    let probe = json!({"httpGet": get});
    scene.template("/spec/containers", json!([{"name": "app", "ports": ports, "readinessProbe": probe}]));
    scene.set("/spec/listeners/0/tls/validation", json!({"trust": {"file": {"certificateChain": "/certs/ca.crt"}}}));
}

/// A gateway whose own envoy container is probed.
fn gateway_probed(scene: &mut Scene, get: &str, validates: bool) {
    balanced(scene, &[]);
    if validates {
        front(scene, asks_clients);
    }
    let is_front = |object: &&mut Value| object["kind"] == "Deployment" && object["metadata"]["name"] == "front";
    let deployment = scene.others.iter_mut().find(is_front).expect("the gateway's pods");
    let get: Value = serde_json::from_str(get).expect("a probe");
    deployment["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = json!({"httpGet": get});
}

fn probes() -> Vec<Case> {
    const HTTPS: &str = r#"{"port": 8443, "scheme": "HTTPS"}"#;
    const HTTP: &str = r#"{"port": 8443}"#;
    const ENVOY_PROBE: &str = "spec.template.spec.containers[0].readinessProbe.httpGet.port";
    const WORDS: &[&str] = &["readinessProbe of container app", "8443", "client certificate", "VirtualNode shop/blue"];
    vec![
        warns("MV223", "HTTPS", |s| probed(s, json!({"port": 8443, "scheme": "HTTPS"})), PROBE, WORDS),
        warns("MV223", "by the port's name", |s| probed(s, json!({"port": "tls", "scheme": "HTTPS"})), PROBE, WORDS),
        warns(
            "MV223",
            "PERMISSIVE",
            |s| {
                probed(s, json!({"port": 8443, "scheme": "HTTPS"}));
                s.set("/spec/listeners/0/tls/mode", "PERMISSIVE".into());
            },
            PROBE,
            WORDS,
        ),
        warns(
            "MV223",
            "startup and liveness",
            |s| {
                probed(s, json!({"port": 8443, "scheme": "HTTPS"}));
                let probe = json!({"httpGet": {"port": 8443, "scheme": "HTTPS"}});
                s.template("/spec/containers/0/startupProbe", probe);
            },
            "spec.template.spec.containers[0].startupProbe.httpGet.port",
            &["startupProbe"],
        ),
        warns(
            "MV223",
            "a gateway's envoy",
            |s| gateway_probed(s, HTTPS, true),
            ENVOY_PROBE,
            &["container envoy", "/ready"],
        ),
        good("MV223", "a gateway that asks nobody", |s| gateway_probed(s, HTTPS, false)),
        good("MV223", "a gateway's admin port", |s| gateway_probed(s, r#"{"port": 9901, "path": "/ready"}"#, true)),
        warns(
            "MV306",
            "a gateway's envoy",
            |s| gateway_probed(s, HTTP, false),
            ENVOY_PROBE,
            &["container envoy", "/ready"],
        ),
        good("MV306", "a gateway's admin port", |s| gateway_probed(s, r#"{"port": 9901}"#, false)),
        good("MV306", "a gateway by HTTPS", |s| gateway_probed(s, HTTPS, false)),
        good("MV306", "a PERMISSIVE gateway", |s| {
            gateway_probed(s, HTTP, false);
            front(s, |tls| tls["mode"] = "PERMISSIVE".into());
        }),
        good("MV223", "HTTP", |s| probed(s, json!({"port": 8443}))),
        good("MV223", "another port", |s| probed(s, json!({"port": 9000, "scheme": "HTTPS"}))),
        good("MV223", "another host", |s| probed(s, json!({"port": 8443, "scheme": "HTTPS", "host": "127.0.0.1"}))),
        good("MV223", "a listener that asks nobody", |s| {
            probed(s, json!({"port": 8443, "scheme": "HTTPS"}));
            s.unset("/spec/listeners/0/tls/validation");
        }),
        good("MV223", "a listener whose TLS is off", |s| {
            probed(s, json!({"port": 8443, "scheme": "HTTPS"}));
            s.set("/spec/listeners/0/tls/mode", "DISABLED".into());
        }),
        good("MV223", "a port that isn't intercepted", |s| {
            probed(s, json!({"port": 8443, "scheme": "HTTPS"}));
            s.annotate_pods("appmesh.k8s.aws/ports", "9000");
        }),
        good("MV223", "pods without a proxy", |s| {
            probed(s, json!({"port": 8443, "scheme": "HTTPS"}));
            s.annotate_pods("appmesh.k8s.aws/sidecarInjectorWebhook", "disabled");
        }),
    ]
}
