//! Gateways and Ingresses: the rules on their own fields, and what the other rules report for their certificates with each controller.

use meshvet::rules::Surface;
use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose};
use serde_json::{Value, json};

use crate::cases::{Case, denies, good, warns};
use crate::scene::{AUTHORITY, OTHER, Scene, put};
use crate::support::manifests;
use crate::support::mint::{Issued, Key};

pub(crate) const ENVOY_GATEWAY: &str = "gateway.envoyproxy.io/gatewayclass-controller";
pub(crate) const ISTIO: &str = "istio.io/gateway-controller";
pub(crate) const CONTOUR: &str = "projectcontour.io/gateway-controller";
pub(crate) const NGINX: &str = "gateway.nginx.org/nginx-gateway-controller";
const REF: &str = "spec.listeners[0].tls.certificateRefs[0]";
const SECRET: &str = "spec.tls[0].secretName";

pub(crate) fn gateway_object(kind: &str, name: &str, spec: Value) -> Value {
    let api_version = "gateway.networking.k8s.io/v1";
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"namespace": "shop", "name": name}, "spec": spec})
}

/// A Secret of type kubernetes.io/tls.
pub(crate) fn tls_secret(name: &str, issued: &Issued) -> Value {
    let mut secret = manifests::tls_secret("shop", name, issued);
    secret["type"] = "kubernetes.io/tls".into();
    secret
}

fn class(controller: &str) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "class"},
        "spec": {"controllerName": controller}})
}

fn listener(name: &str, host: &str, secret: &str) -> Value {
    json!({"name": name, "port": 443, "protocol": "HTTPS", "hostname": host,
        "tls": {"certificateRefs": [{"name": secret}]}})
}

fn route(name: &str, hosts: &[&str]) -> Value {
    gateway_object("HTTPRoute", name, json!({"parentRefs": [{"name": "web"}], "hostnames": hosts}))
}

/// Replaces everything with a Gateway `web` of this controller, whose listener `web` serves `*.example.com` with the Secret `web`; and a
/// route for `a.example.com`.
pub(crate) fn gateway(scene: &mut Scene, controller: &str) {
    scene.node = Value::Null;
    scene.deployment = Value::Null;
    scene.secret = None;
    scene.subject = ("Gateway", "web");
    let spec = json!({"gatewayClassName": "class", "listeners": [listener("web", "*.example.com", "web")]});
    scene.others = vec![
        gateway_object("Gateway", "web", spec),
        class(controller),
        route("a", &["a.example.com"]),
        tls_secret("web", &AUTHORITY.leaf(&["*.example.com"]).issue()),
    ];
}

/// Changes one field of one of the objects.
pub(crate) fn set(scene: &mut Scene, kind: &str, name: &str, pointer: &str, value: Value) {
    let is_it = |object: &&mut Value| object["kind"] == kind && object["metadata"]["name"] == name;
    put(scene.others.iter_mut().find(is_it).expect("the object"), pointer, value);
}

pub(crate) fn without(scene: &mut Scene, kind: &str, name: &str) {
    scene.others.retain(|object| object["kind"] != kind || object["metadata"]["name"] != name);
}

/// With other contents of Secret `web`.
fn with(controller: &str, scene: &mut Scene, issued: &Issued) {
    gateway(scene, controller);
    without(scene, "Secret", "web");
    scene.others.push(tls_secret("web", issued));
}

/// With a key that Envoy refuses, and a second Gateway of the class, whose settings say whether all of it get the same proxies.
fn merged(scene: &mut Scene, merge: Value) {
    with(ENVOY_GATEWAY, scene, &AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(1024)).issue());
    let listeners = [listener("b", "b.example.org", "b"), listener("c", "c.example.org", "b")];
    let spec = json!({"gatewayClassName": "class", "listeners": listeners});
    scene.others.push(gateway_object("Gateway", "other", spec));
    let settings =
        json!({"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "namespace": "shop", "name": "merged"});
    set(scene, "GatewayClass", "class", "/spec/parametersRef", settings);
    scene.others.push(json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyProxy",
        "metadata": {"namespace": "shop", "name": "merged"}, "spec": {"mergeGateways": merge}}));
}

fn with_keys(controller: &str, scene: &mut Scene, of_type: &str, keys: &[(&str, &str)]) {
    gateway(scene, controller);
    without(scene, "Secret", "web");
    let mut secret = manifests::secret("shop", "web", keys);
    secret["type"] = of_type.into();
    scene.others.push(secret);
}

fn pair() -> Issued {
    AUTHORITY.leaf(&["*.example.com"]).issue()
}

/// A certificate with the key of another.
fn mismatch() -> Issued {
    Issued { key: AUTHORITY.leaf(&["*.example.com"]).issue().key, ..pair() }
}

/// An Ingress `web` for `a.example.com`, with the Secret `web`.
pub(crate) fn ingress(scene: &mut Scene, issued: &Issued) {
    with(NGINX, scene, issued);
    scene.subject = ("Ingress", "web");
    scene.others.push(json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"tls": [{"hosts": ["a.example.com"], "secretName": "web"}]}}));
}

/// A ListenerSet `more` with a listener of its own, and a Gateway that allows sets of these namespaces.
fn listener_set(scene: &mut Scene, from: &str, issued: &Issued) {
    gateway(scene, ENVOY_GATEWAY);
    set(scene, "Gateway", "web", "/spec/allowedListeners", json!({"namespaces": {"from": from}}));
    let spec = json!({"parentRef": {"name": "web"}, "listeners": [listener("more", "b.example.org", "more")]});
    scene.others.push(gateway_object("ListenerSet", "more", spec));
    scene.others.push(tls_secret("more", issued));
    scene.subject = ("ListenerSet", "more");
}

fn elsewhere(scene: &mut Scene, issued: &Issued) {
    gateway(scene, ENVOY_GATEWAY);
    set(scene, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs/0/namespace", "certs".into());
    let mut secret = tls_secret("web", issued);
    secret["metadata"]["namespace"] = "certs".into();
    scene.others.push(secret);
}

fn grant(scene: &mut Scene, kind: &str) {
    scene.others.push(json!({"apiVersion": "gateway.networking.k8s.io/v1beta1", "kind": "ReferenceGrant",
        "metadata": {"namespace": "certs", "name": "grant"},
        "spec": {"from": [{"group": "gateway.networking.k8s.io", "kind": kind, "namespace": "shop"}],
            "to": [{"group": "", "kind": "Secret", "name": "web"}]}}));
}

/// Worlds without findings.
pub(crate) fn sound_ones() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = [ENVOY_GATEWAY, ISTIO, CONTOUR, NGINX]
        .map(|controller| {
            let mut scene = Scene::sound();
            gateway(&mut scene, controller);
            scene
        })
        .into();
    let more: [fn(&mut Scene); 4] = [
        |s| ingress(s, &AUTHORITY.leaf(&["a.example.com"]).issue()),
        |s| listener_set(s, "Same", &AUTHORITY.leaf(&["b.example.org"]).issue()),
        |s| {
            elsewhere(s, &pair());
            grant(s, "Gateway");
        },
        |s| {
            gateway(s, ENVOY_GATEWAY);
            s.subject = ("HTTPRoute", "a");
            s.surface = Surface::Admission;
        },
    ];
    scenes.extend(more.map(|change| {
        let mut scene = Scene::sound();
        change(&mut scene);
        scene
    }));
    scenes
}

pub(crate) fn cases() -> Vec<Case> {
    [
        listeners(),
        references(),
        names(),
        routes(),
        pairs(),
        keys(),
        absent(),
        ingresses(),
        sets(),
        issued(),
        shared(),
        policies(),
    ]
    .concat()
}

fn listeners() -> Vec<Case> {
    vec![
        denies(
            "MV501",
            "HTTPS without tls on Istio",
            |s| {
                gateway(s, ISTIO);
                set(s, "Gateway", "web", "/spec/listeners/0/tls", Value::Null);
            },
            "spec.listeners[0].tls",
            &["no tls", "Istio closes every connection to port 443"],
        ),
        denies(
            "MV501",
            "options alone on Envoy Gateway",
            |s| {
                gateway(s, ENVOY_GATEWAY);
                set(s, "Gateway", "web", "/spec/listeners/0/tls", json!({"options": {"example.com/x": "y"}}));
            },
            "spec.listeners[0].tls",
            &["options without certificateRefs"],
        ),
        good("MV501", "options alone on Istio", |s| {
            gateway(s, ISTIO);
            set(s, "Gateway", "web", "/spec/listeners/0/tls", json!({"options": {"example.com/x": "y"}}));
        }),
        good("MV501", "HTTPS without tls elsewhere", |s| {
            gateway(s, "networking.gke.io/gateway");
            set(s, "Gateway", "web", "/spec/listeners/0/tls", Value::Null);
        }),
        good("MV501", "HTTPS without tls, and the class isn't known", |s| {
            gateway(s, ISTIO);
            without(s, "GatewayClass", "class");
            set(s, "Gateway", "web", "/spec/listeners/0/tls", Value::Null);
        }),
        denies(
            "MV501",
            "the policy says whose the class is",
            |s| {
                gateway(s, ISTIO);
                without(s, "GatewayClass", "class");
                s.policy = format!("gatewayClasses: {{class: {ISTIO}}}");
                set(s, "Gateway", "web", "/spec/listeners/0/tls", Value::Null);
            },
            "spec.listeners[0].tls",
            &["Istio"],
        ),
        denies(
            "MV513",
            "certificates under Passthrough on Envoy Gateway",
            |s| {
                gateway(s, ENVOY_GATEWAY);
                set(s, "Gateway", "web", "/spec/listeners/0/tls/mode", "Passthrough".into());
            },
            "spec.listeners[0].tls.certificateRefs",
            &["Envoy Gateway refuses the listener"],
        ),
        warns(
            "MV513",
            "certificates under Passthrough elsewhere",
            |s| {
                gateway(s, NGINX);
                set(s, "Gateway", "web", "/spec/listeners/0/tls/mode", "Passthrough".into());
            },
            "spec.listeners[0].tls.certificateRefs",
            &["ignored"],
        ),
        good("MV513", "Passthrough without certificates", |s| {
            gateway(s, ENVOY_GATEWAY);
            set(s, "Gateway", "web", "/spec/listeners/0/tls", json!({"mode": "Passthrough"}));
        }),
    ]
}

fn references() -> Vec<Case> {
    vec![
        denies(
            "MV503",
            "an Opaque Secret on Envoy Gateway",
            |s| {
                let pair = pair();
                with_keys(ENVOY_GATEWAY, s, "Opaque", &[("tls.crt", &pair.chain), ("tls.key", &pair.key)]);
            },
            REF,
            &["Secret of type Opaque (Secret shop/web)", "type kubernetes.io/tls"],
        ),
        good("MV503", "an Opaque Secret on Contour", |s| {
            let pair = pair();
            with_keys(CONTOUR, s, "Opaque", &[("tls.crt", &pair.chain), ("tls.key", &pair.key)]);
        }),
        good("MV503", "an Opaque Secret on Istio", |s| {
            let pair = pair();
            with_keys(ISTIO, s, "Opaque", &[("cert", &pair.chain), ("key", &pair.key)]);
        }),
        good("MV503", "an Opaque Secret elsewhere", |s| {
            let pair = pair();
            with_keys(NGINX, s, "Opaque", &[("tls.crt", &pair.chain), ("tls.key", &pair.key)]);
        }),
        denies(
            "MV503",
            "a ConfigMap",
            |s| {
                gateway(s, ENVOY_GATEWAY);
                set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs/0/kind", "ConfigMap".into());
            },
            REF,
            &["accepts no ConfigMap"],
        ),
        warns(
            "MV503",
            "a ConfigMap beside a Secret",
            |s| {
                gateway(s, ENVOY_GATEWAY);
                let refs = json!([{"name": "x", "kind": "ConfigMap"}, {"name": "web"}]);
                set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs", refs);
            },
            REF,
            &["accepts no ConfigMap"],
        ),
        good("MV503", "another kind, of another controller", |s| {
            gateway(s, "networking.gke.io/gateway");
            set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs/0/kind", "Whatever".into());
        }),
        good("MV204", "Envoy Gateway's own type of Secret", |s| {
            with_keys(ENVOY_GATEWAY, s, "gateway.envoyproxy.io/sds", &[("url", "unix:///run/sds")]);
        }),
        good("MV202", "Envoy Gateway's own type of Secret", |s| {
            with_keys(ENVOY_GATEWAY, s, "gateway.envoyproxy.io/sds", &[("url", "unix:///run/sds")]);
        }),
        warns(
            "MV505",
            "another namespace without a grant",
            |s| elsewhere(s, &pair()),
            "spec.listeners[0].tls.certificateRefs[0].namespace",
            &["no ReferenceGrant lets a Gateway of shop name Secret certs/web"],
        ),
        warns(
            "MV505",
            "a grant for another kind",
            |s| {
                elsewhere(s, &pair());
                grant(s, "ListenerSet");
            },
            "spec.listeners[0].tls.certificateRefs[0].namespace",
            &["from Gateway of shop"],
        ),
        good("MV505", "granted", |s| {
            elsewhere(s, &pair());
            grant(s, "Gateway");
        }),
        good("MV505", "grants can't be listed", |s| {
            elsewhere(s, &pair());
            s.hide("referencegrants.gateway.networking.k8s.io", meshvet::mesh::Sort::Grants, None);
        }),
        good("MV206", "nothing is told of a Secret that isn't granted", |s| elsewhere(s, &mismatch())),
        denies(
            "MV206",
            "a Secret that is granted is read",
            |s| {
                elsewhere(s, &mismatch());
                grant(s, "Gateway");
            },
            REF,
            &["Secret certs/web"],
        ),
    ]
}

fn names() -> Vec<Case> {
    vec![
        warns(
            "MV504",
            "a route two labels below the star",
            |s| {
                gateway(s, ENVOY_GATEWAY);
                s.others.push(route("b", &["a.b.example.com"]));
            },
            REF,
            &["a.b.example.com", "HTTPRoute shop/b", "DNS:*.example.com"],
        ),
        warns(
            "MV504",
            "a route without hostnames needs what the listener is for",
            |s| {
                with(NGINX, s, &AUTHORITY.leaf(&["*.example.org"]).issue());
                set(s, "HTTPRoute", "a", "/spec/hostnames", json!([]));
            },
            REF,
            &["*.example.com", "DNS:*.example.org"],
        ),
        good("MV504", "a host with a star and a certificate for one below it", |s| {
            with(NGINX, s, &AUTHORITY.leaf(&["www.example.com"]).issue());
            set(s, "HTTPRoute", "a", "/spec/hostnames", json!([]));
        }),
        good("MV504", "a listener without routes", |s| {
            with(NGINX, s, &AUTHORITY.leaf(&["else.example.org"]).issue());
            without(s, "HTTPRoute", "a");
        }),
        good("MV504", "a route for a host of no listener", |s| {
            gateway(s, ENVOY_GATEWAY);
            s.others.push(route("b", &["b.example.org"]));
        }),
        good("MV504", "a route of a namespace that isn't taken", |s| {
            gateway(s, ENVOY_GATEWAY);
            let mut route = route("b", &["a.b.example.com"]);
            route["metadata"]["namespace"] = "till".into();
            route["spec"]["parentRefs"][0]["namespace"] = "shop".into();
            s.others.push(route);
        }),
        good("MV504", "a route to another section", |s| {
            gateway(s, ENVOY_GATEWAY);
            let mut route = route("b", &["a.b.example.com"]);
            route["spec"]["parentRefs"][0]["sectionName"] = "plain".into();
            s.others.push(route);
        }),
        good("MV504", "a route to another port", |s| {
            gateway(s, ENVOY_GATEWAY);
            let mut route = route("b", &["a.b.example.com"]);
            route["spec"]["parentRefs"][0]["port"] = 8443.into();
            s.others.push(route);
        }),
        good("MV504", "a more specific listener has it", |s| {
            gateway(s, ENVOY_GATEWAY);
            set(s, "Gateway", "web", "/spec/listeners/1", listener("b", "*.b.example.com", "b"));
            s.others.push(route("b", &["a.b.example.com"]));
        }),
        good("MV504", "one of several certificates has it", |s| {
            gateway(s, ENVOY_GATEWAY);
            set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs/1", json!({"name": "b"}));
            s.others.push(tls_secret("b", &AUTHORITY.leaf(&["a.b.example.com"]).issue()));
            s.others.push(route("b", &["a.b.example.com"]));
        }),
        good("MV504", "one of several certificates isn't there yet", |s| {
            gateway(s, ENVOY_GATEWAY);
            set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs/1", json!({"name": "b"}));
            s.others.push(route("b", &["a.b.example.com"]));
        }),
        good("MV101", "is asked of no gateway", |s| {
            with(NGINX, s, &AUTHORITY.leaf(&["else.example.org"]).issue());
        }),
    ]
}

fn routes() -> Vec<Case> {
    vec![
        warns(
            "MV504",
            "the route under review is told",
            |s| {
                gateway(s, ENVOY_GATEWAY);
                s.others.push(route("b", &["b.example.com", "a.b.example.com"]));
                s.subject = ("HTTPRoute", "b");
                s.surface = Surface::Admission;
            },
            "spec.hostnames[1]",
            &["listener web of Gateway shop/web has no certificate for a.b.example.com"],
        ),
        good("MV504", "another route is at fault", |s| {
            gateway(s, ENVOY_GATEWAY);
            s.others.push(route("b", &["a.b.example.com"]));
            s.subject = ("HTTPRoute", "a");
            s.surface = Surface::Admission;
        }),
        warns(
            "MV504",
            "a route of an older version",
            |s| {
                gateway(s, ENVOY_GATEWAY);
                let mut route = route("b", &["a.b.example.com"]);
                route["apiVersion"] = "gateway.networking.k8s.io/v1beta1".into();
                s.others.push(route);
            },
            REF,
            &["a.b.example.com"],
        ),
    ]
}

fn pairs() -> Vec<Case> {
    vec![
        denies(
            "MV206",
            "the key of another certificate on Envoy Gateway",
            |s| with(ENVOY_GATEWAY, s, &mismatch()),
            REF,
            &["Envoy Gateway refuses the reference", "store the certificate and its own key together"],
        ),
        denies("MV206", "on Contour", |s| with(CONTOUR, s, &mismatch()), REF, &["connections to this host are closed"]),
        denies("MV206", "elsewhere", |s| with(NGINX, s, &mismatch()), REF, &["the listener can't serve TLS with it"]),
        warns(
            "MV206",
            "beside another certificate",
            |s| {
                with(ISTIO, s, &mismatch());
                set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs/1", json!({"name": "b"}));
            },
            REF,
            &["Istio refuses the reference"],
        ),
        good("MV206", "its own key", |s| gateway(s, ISTIO)),
        denies(
            "MV207",
            "ended",
            |s| with(NGINX, s, &AUTHORITY.leaf(&["*.example.com"]).valid(-30, -1).issue()),
            REF,
            &["clients refuse the connection: certificate has expired"],
        ),
        warns(
            "MV207",
            "ended, beside another certificate that Envoy Gateway goes on serving",
            |s| {
                with(ENVOY_GATEWAY, s, &AUTHORITY.leaf(&["*.example.com"]).valid(-30, -1).issue());
                set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs/1", json!({"name": "b"}));
            },
            REF,
            &["Envoy Gateway refuses the reference"],
        ),
        warns(
            "MV212",
            "for anything",
            |s| {
                let usages = [ExtendedKeyUsagePurpose::Any];
                with(ENVOY_GATEWAY, s, &AUTHORITY.leaf(&["*.example.com"]).extended_usages(&usages).issue());
            },
            REF,
            &["anyExtendedKeyUsage"],
        ),
        denies(
            "MV212",
            "for clients alone",
            |s| {
                let usages = [ExtendedKeyUsagePurpose::ClientAuth];
                with(NGINX, s, &AUTHORITY.leaf(&["*.example.com"]).extended_usages(&usages).issue());
            },
            REF,
            &["clients refuse the connection"],
        ),
        denies(
            "MV211",
            "the authority first, under an Envoy",
            |s| {
                let pair = pair();
                let chain = format!("{}{}", AUTHORITY.pem(), pair.chain);
                with(ISTIO, s, &Issued { chain, ..pair });
            },
            REF,
            &["Istio refuses the reference"],
        ),
        warns(
            "MV211",
            "the authority first, elsewhere",
            |s| {
                let pair = pair();
                let chain = format!("{}{}", AUTHORITY.pem(), pair.chain);
                with(NGINX, s, &Issued { chain, ..pair });
            },
            REF,
            &["the leaf before its issuers"],
        ),
        good("MV301", "nothing is claimed of who trusts whom", |s| {
            with(NGINX, s, &OTHER.leaf(&["*.example.com"]).issue())
        }),
    ]
}

fn keys() -> Vec<Case> {
    vec![
        denies(
            "MV502",
            "a key that Envoy Gateway lets pass, beside another listener",
            |s| {
                with(ENVOY_GATEWAY, s, &AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(1024)).issue());
                set(s, "Gateway", "web", "/spec/listeners/1", listener("b", "b.example.org", "b"));
            },
            REF,
            &[
                "1 other listener of the same proxy",
                "RSA 1024; beside it b.example.org",
                "only RSA certificates with 2048-bit",
            ],
        ),
        denies(
            "MV502",
            "a key that Envoy Gateway lets pass, beside another Gateway with the same proxies",
            |s| merged(s, json!(true)),
            REF,
            &["2 other listeners of the same proxy", "RSA 1024; beside it b.example.org, c.example.org"],
        ),
        denies(
            "MV502",
            "a key that Envoy Gateway lets pass, beside a Gateway with proxies of its own",
            |s| merged(s, json!(false)),
            REF,
            &[
                "RSA 1024",
                "listener web then closes every connection\nRSA of 2048",
                "until then, keep the Secret as it was",
            ],
        ),
        denies(
            "MV502",
            "a certificate without a name on Istio",
            |s| with(ISTIO, s, &AUTHORITY.leaf(&[]).common_name("").issue()),
            REF,
            &["without any name"],
        ),
        denies(
            "MV502",
            "a certificate that must be stapled",
            |s| with(ENVOY_GATEWAY, s, &AUTHORITY.leaf(&["*.example.com"]).must_staple().issue()),
            REF,
            &["must-staple", "OCSP response is required for must-staple certificate"],
        ),
        denies(
            "MV502",
            "a key that Envoy Gateway lets pass, beside another certificate of the listener",
            |s| {
                with(ENVOY_GATEWAY, s, &AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(1024)).issue());
                set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs/1", json!({"name": "b"}));
            },
            REF,
            &["RSA 1024"],
        ),
        good("MV502", "a key that Envoy Gateway leaves out, since the first certificate has its name and kind", |s| {
            with(ENVOY_GATEWAY, s, &AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(2048)).issue());
            set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs/1", json!({"name": "b"}));
            s.others.push(tls_secret("b", &AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(1024)).issue()));
        }),
        denies(
            "MV502",
            "a key of another name that Envoy Gateway gives to the proxy beside the first",
            |s| {
                with(ENVOY_GATEWAY, s, &AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(2048)).issue());
                set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs/1", json!({"name": "b"}));
                s.others.push(tls_secret("b", &AUTHORITY.leaf(&["*.example.org"]).key(Key::Rsa(1024)).issue()));
            },
            "spec.listeners[0].tls.certificateRefs[1]",
            &["RSA 1024"],
        ),
        good("MV502", "a key that Contour delivers apart", |s| {
            with(CONTOUR, s, &AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(1024)).issue());
        }),
        good("MV502", "a controller that nobody knows", |s| {
            with(NGINX, s, &AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(1024)).issue());
        }),
        good("MV502", "the control plane refuses the pair itself", |s| {
            let short = AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(1024)).issue();
            with(ENVOY_GATEWAY, s, &Issued { key: pair().key, ..short });
        }),
        denies(
            "MV215",
            "a curve that Envoy refuses",
            |s| with(ENVOY_GATEWAY, s, &AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(1024)).issue()),
            REF,
            &["no condition shows it", "this listener and others of the same proxy"],
        ),
        denies(
            "MV215",
            "a certificate that must be stapled",
            |s| with(ISTIO, s, &AUTHORITY.leaf(&["*.example.com"]).must_staple().issue()),
            REF,
            &["which must be stapled", "must-staple"],
        ),
        warns(
            "MV215",
            "a key that some clients take",
            |s| with(ENVOY_GATEWAY, s, &AUTHORITY.leaf(&["*.example.com"]).key(Key::Ed25519).issue()),
            REF,
            &["every connection of a browser fails"],
        ),
        warns(
            "MV215",
            "a key usage that some clients don't look at",
            |s| {
                let leaf = AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(2048));
                with(ENVOY_GATEWAY, s, &leaf.key_usages(&[KeyUsagePurpose::KeyEncipherment]).issue());
            },
            REF,
            &["others don't check"],
        ),
        good("MV215", "elsewhere", |s| with(NGINX, s, &AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(1024)).issue())),
        denies(
            "MV204",
            "no certificate",
            |s| with_keys(NGINX, s, "kubernetes.io/tls", &[("tls.crt", "nonsense"), ("tls.key", &pair().key)]),
            REF,
            &["not a certificate chain that a TLS server loads"],
        ),
        denies(
            "MV205",
            "a certificate in place of the key",
            |s| {
                let pair = pair();
                with_keys(NGINX, s, "kubernetes.io/tls", &[("tls.crt", &pair.chain), ("tls.key", &pair.chain)]);
            },
            REF,
            &["not a private key that a TLS server loads"],
        ),
        good("MV205", "a key", |s| gateway(s, NGINX)),
        denies(
            "MV202",
            "a Secret without its key on Envoy Gateway",
            |s| with_keys(ENVOY_GATEWAY, s, "kubernetes.io/tls", &[("tls.crt", &pair().chain)]),
            REF,
            &["Secret shop/web has no key tls.key"],
        ),
        warns(
            "MV202",
            "a Secret by other keys, elsewhere",
            |s| with_keys(NGINX, s, "Opaque", &[("cert", &pair().chain), ("key", &pair().key)]),
            REF,
            &["Secret shop/web has no key tls.crt"],
        ),
        denies(
            "MV206",
            "Istio's other keys",
            |s| {
                let mismatch = mismatch();
                with_keys(ISTIO, s, "Opaque", &[("cert", &mismatch.chain), ("key", &mismatch.key)]);
            },
            REF,
            &["key cert of Secret shop/web", "key key of Secret shop/web"],
        ),
    ]
}

fn absent() -> Vec<Case> {
    vec![
        warns(
            "MV202",
            "an absent Secret never denies",
            |s| {
                gateway(s, ENVOY_GATEWAY);
                without(s, "Secret", "web");
            },
            REF,
            &["Secret shop/web doesn't exist", "listener web"],
        ),
        good("MV202", "a Certificate will make it", |s| {
            gateway(s, ENVOY_GATEWAY);
            without(s, "Secret", "web");
            s.others.push(json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
                "metadata": {"namespace": "shop", "name": "web"},
                "spec": {"secretName": "web", "dnsNames": ["*.example.com"], "issuerRef": {"name": "ca"}}}));
        }),
        warns(
            "MV504",
            "a Certificate will make it for another name",
            |s| {
                gateway(s, ENVOY_GATEWAY);
                without(s, "Secret", "web");
                s.others.push(json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
                    "metadata": {"namespace": "shop", "name": "web"},
                    "spec": {"secretName": "web", "dnsNames": ["*.example.org"], "issuerRef": {"name": "ca"}}}));
            },
            REF,
            &["a.example.com", "promised by Certificate shop/web"],
        ),
    ]
}

fn ingresses() -> Vec<Case> {
    vec![
        warns(
            "MV504",
            "an Ingress for a host that its certificate lacks",
            |s| ingress(s, &AUTHORITY.leaf(&["b.example.com"]).issue()),
            "spec.tls[0].hosts[0]",
            &["host a.example.com", "the nearest is b.example.com"],
        ),
        good("MV504", "an Ingress for a host below a star", |s| ingress(s, &pair())),
        warns(
            "MV206",
            "an Ingress whose controller has a certificate of its own",
            |s| ingress(s, &mismatch()),
            SECRET,
            &["a certificate of its own"],
        ),
        good("MV504", "an Ingress without a Secret", |s| {
            ingress(s, &pair());
            set(s, "Ingress", "web", "/spec/tls/0/secretName", Value::Null);
        }),
    ]
}

fn sets() -> Vec<Case> {
    vec![
        denies(
            "MV206",
            "a ListenerSet that is taken",
            |s| listener_set(s, "Same", &mismatch()),
            REF,
            &["Envoy Gateway refuses the reference"],
        ),
        good("MV206", "a ListenerSet that isn't taken", |s| listener_set(s, "None", &mismatch())),
        warns(
            "MV206",
            "a ListenerSet whose Gateway isn't known",
            |s| {
                listener_set(s, "Same", &mismatch());
                without(s, "Gateway", "web");
            },
            REF,
            &["unknown whether it has any effect"],
        ),
        warns(
            "MV504",
            "a route to a ListenerSet",
            |s| {
                listener_set(s, "All", &AUTHORITY.leaf(&["c.example.org"]).issue());
                let parents = json!([{"kind": "ListenerSet", "name": "more"}]);
                set(s, "HTTPRoute", "a", "/spec", json!({"parentRefs": parents}));
            },
            REF,
            &["b.example.org"],
        ),
        good("MV504", "a route to the Gateway doesn't reach its listeners", |s| {
            listener_set(s, "All", &AUTHORITY.leaf(&["c.example.org"]).issue());
            set(s, "HTTPRoute", "a", "/spec", json!({"parentRefs": [{"name": "web"}]}));
        }),
    ]
}

const ISSUER: &str = "/metadata/annotations/cert-manager.io~1cluster-issuer";

fn asking(scene: &mut Scene) {
    gateway(scene, ENVOY_GATEWAY);
    without(scene, "Secret", "web");
    set(scene, "Gateway", "web", ISSUER, "public".into());
}

fn asking_ingress(scene: &mut Scene, blocks: Value) {
    ingress(scene, &pair());
    without(scene, "Secret", "web");
    set(scene, "Ingress", "web", ISSUER, "public".into());
    set(scene, "Ingress", "web", "/spec/tls", blocks);
}

fn certificate(name: &str) -> Value {
    json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"namespace": "shop", "name": name},
        "spec": {"secretName": "web", "dnsNames": ["*.example.com"], "issuerRef": {"name": "ca"}}})
}

fn issued() -> Vec<Case> {
    vec![
        good("MV202", "an annotation has the Secret made", asking),
        good("MV504", "an annotation has it made for the host", asking),
        good("MV701", "a listener with a hostname", asking),
        warns(
            "MV701",
            "a listener without a hostname",
            |s| {
                asking(s);
                set(s, "Gateway", "web", "/spec/listeners/0/hostname", Value::Null);
            },
            "spec.listeners[0]",
            &["cert-manager won't make Secret shop/web", "no hostname"],
        ),
        warns(
            "MV504",
            "an annotation has it made for the listener's host alone",
            |s| {
                asking(s);
                s.others.push(route("b", &["a.b.example.com"]));
            },
            REF,
            &["a.b.example.com", "promised by Gateway shop/web", "spec.listeners[].hostname"],
        ),
        good("MV701", "blocks with Secrets of their own", |s| {
            asking_ingress(s, json!([{"hosts": ["a.io"], "secretName": "a"}, {"hosts": ["b.io"], "secretName": "b"}]));
        }),
        warns(
            "MV701",
            "two blocks with one Secret",
            |s| {
                let blocks = json!([{"hosts": ["a.io"], "secretName": "a"}, {"hosts": ["b.io"], "secretName": "a"}]);
                asking_ingress(s, blocks);
            },
            "spec.tls[1]",
            &["another block names the same Secret"],
        ),
        good("MV702", "the Certificate of the annotation", |s| {
            asking(s);
            s.others.push(certificate("web"));
        }),
        warns(
            "MV702",
            "a Certificate beside the annotation's",
            |s| {
                asking(s);
                s.others.push(certificate("mine"));
            },
            REF,
            &["Certificate shop/mine and Gateway shop/web"],
        ),
        warns(
            "MV702",
            "two Certificates, and the Secret is there",
            |s| {
                gateway(s, NGINX);
                s.others.extend([certificate("web"), certificate("mine")]);
            },
            REF,
            &["Certificate shop/mine and Certificate shop/web"],
        ),
        denies(
            "MV207",
            "a certificate behind the leaf has ended, on Envoy Gateway",
            |s| {
                let ended = AUTHORITY.leaf(&["x"]).valid(-30, -1).issue().certificate;
                let chain = format!("{}{ended}", pair_once().certificate);
                with(ENVOY_GATEWAY, s, &Issued { chain, ..pair_once() });
            },
            REF,
            &["after the leaf has expired"],
        ),
        denies(
            "MV204",
            "the key in the chain, on Envoy Gateway",
            |s| {
                let chain = format!("{}{}", pair_once().chain, pair_once().key);
                with(ENVOY_GATEWAY, s, &Issued { chain, ..pair_once() });
            },
            REF,
            &["accepts only certificates in a chain"],
        ),
    ]
}

fn pair_once() -> Issued {
    static PAIR: std::sync::LazyLock<Issued> = std::sync::LazyLock::new(pair);
    PAIR.clone()
}

fn shared() -> Vec<Case> {
    vec![
        warns(
            "MV506",
            "a wildcard's certificate for two listeners",
            |s| two_hosts(s, ENVOY_GATEWAY, "web"),
            "spec.listeners[1].tls.certificateRefs[0]",
            &["covers a.example.com of listener a too", "404 for b.example.com"],
        ),
        good("MV506", "a certificate each", |s| {
            two_hosts(s, ENVOY_GATEWAY, "b");
            without(s, "Secret", "web");
            s.others.push(tls_secret("web", &AUTHORITY.leaf(&["a.example.com"]).issue()));
            s.others.push(tls_secret("b", &AUTHORITY.leaf(&["b.example.com"]).issue()));
        }),
        good("MV506", "a controller that nobody knows", |s| two_hosts(s, NGINX, "web")),
        warns(
            "MV511",
            "clients that fail validation get through",
            |s| frontend(s, json!({"default": {"validation": {"mode": "AllowInsecureFallback"}}})),
            "spec.tls.frontend.default.validation.mode",
            &["AllowInsecureFallback"],
        ),
        warns(
            "MV511",
            "a port that drops the default",
            |s| frontend(s, json!({"default": {"validation": {}}, "perPort": [{"port": 8443, "tls": {}}]})),
            "spec.tls.frontend.perPort[0].tls",
            &["port 8443 asks no client"],
        ),
        good("MV511", "each port validates", |s| {
            let validation = json!({"validation": {"mode": "AllowValidOnly"}});
            frontend(s, json!({"default": validation, "perPort": [{"port": 8443, "tls": validation}]}));
        }),
        warns(
            "MV512",
            "a certificate that no backend is shown",
            |s| backend(s, false),
            "spec.tls.backend.clientCertificateRef",
            &["Secret client is never presented"],
        ),
        good("MV512", "a policy for the Service", |s| backend(s, true)),
    ]
}

/// Listeners `a` and `b` on one port, the second with this Secret.
fn two_hosts(scene: &mut Scene, controller: &str, second: &str) {
    gateway(scene, controller);
    let both = json!([listener("a", "a.example.com", "web"), listener("b", "b.example.com", second)]);
    set(scene, "Gateway", "web", "/spec/listeners", both);
}

fn frontend(scene: &mut Scene, frontend: Value) {
    gateway(scene, NGINX);
    set(scene, "Gateway", "web", "/spec/tls", json!({"frontend": frontend}));
}

/// The Gateway has a certificate to present to the Service `api`, to which its route leads.
fn backend(scene: &mut Scene, with_policy: bool) {
    gateway(scene, NGINX);
    set(scene, "Gateway", "web", "/spec/tls", json!({"backend": {"clientCertificateRef": {"name": "client"}}}));
    set(scene, "HTTPRoute", "a", "/spec/rules", json!([{"backendRefs": [{"name": "api", "port": 443}]}]));
    if with_policy {
        scene.others.push(tls_policy("api"));
    }
}

/// A policy for the Service `api`, with the authorities of ConfigMap `ca`.
fn tls_policy(name: &str) -> Value {
    let authorities = json!([{"group": "", "kind": "ConfigMap", "name": "ca"}]);
    gateway_object(
        "BackendTLSPolicy",
        name,
        json!({
        "targetRefs": [{"group": "", "kind": "Service", "name": "api"}],
        "validation": {"hostname": "api.shop.svc", "caCertificateRefs": authorities}}),
    )
}

/// A route to the Service `api`, with a policy.
pub(crate) fn policed(scene: &mut Scene, controller: &str, authorities: &str) {
    gateway(scene, controller);
    set(scene, "HTTPRoute", "a", "/spec/rules", json!([{"backendRefs": [{"name": "api", "port": 443}]}]));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "ca"},
        "data": {"ca.crt": authorities}});
    scene.others.extend([tls_policy("api"), map]);
    scene.subject = ("BackendTLSPolicy", "api");
}

fn policies() -> Vec<Case> {
    const CA: &str = "spec.validation.caCertificateRefs[0]";
    vec![
        denies(
            "MV509",
            "a ConfigMap without a certificate",
            |s| policed(s, NGINX, "nonsense"),
            CA,
            &["key ca.crt of ConfigMap shop/ca holds no certificate"],
        ),
        good("MV509", "an authority", |s| policed(s, NGINX, &AUTHORITY.pem())),
        warns(
            "MV509",
            "a ConfigMap that isn't there",
            |s| {
                policed(s, NGINX, "");
                without(s, "ConfigMap", "ca");
            },
            CA,
            &["ConfigMap shop/ca doesn't exist"],
        ),
        warns(
            "MV510",
            "a name that Istio doesn't check",
            |s| policed(s, ISTIO, &AUTHORITY.pem()),
            "spec.validation.hostname",
            &["Istio doesn't check the name api.shop.svc"],
        ),
        good("MV510", "a name that Envoy Gateway checks", |s| policed(s, ENVOY_GATEWAY, &AUTHORITY.pem())),
        good("MV510", "names that Istio checks", |s| {
            policed(s, ISTIO, &AUTHORITY.pem());
            let names = json!([{"type": "Hostname", "hostname": "api.shop.svc"}]);
            set(s, "BackendTLSPolicy", "api", "/spec/validation/subjectAltNames", names);
        }),
        warns(
            "MV508",
            "another policy comes first by name",
            |s| {
                policed(s, NGINX, &AUTHORITY.pem());
                s.others.push(tls_policy("aaa"));
            },
            "spec.targetRefs[0]",
            &["BackendTLSPolicy shop/aaa is for Service shop/api too", "the first by name wins"],
        ),
        good("MV508", "another policy comes later", |s| {
            policed(s, NGINX, &AUTHORITY.pem());
            s.others.push(tls_policy("zzz"));
        }),
        good("MV508", "another policy for a port of the Service", |s| {
            policed(s, NGINX, &AUTHORITY.pem());
            s.others.push(tls_policy("aaa"));
            set(s, "BackendTLSPolicy", "aaa", "/spec/targetRefs/0/sectionName", "https".into());
        }),
        warns(
            "MV508",
            "an older one",
            |s| {
                policed(s, NGINX, &AUTHORITY.pem());
                s.others.push(tls_policy("zzz"));
                let times = [("api", "2026-02-01T00:00:00Z"), ("zzz", "2026-01-01T00:00:00Z")];
                for (name, time) in times {
                    set(s, "BackendTLSPolicy", name, "/metadata/creationTimestamp", time.into());
                }
            },
            "spec.targetRefs[0]",
            &["BackendTLSPolicy shop/zzz", "an older one"],
        ),
    ]
}
