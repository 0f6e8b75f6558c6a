//! Manifests of gateways: each finding at its line, in every format, and left where their owner leaves it.

use serde_json::Value;

use crate::formats::{github, sarif};
use crate::run::{AUTHORITY, BLUE, Folder, codes, places, secret};

/// A Gateway whose first listener has the key of another certificate, and whose second has none for a host of the route.
const GATEWAY: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: edge
  namespace: shop
spec:
  gatewayClassName: eg
  listeners:
    - name: web
      port: 443
      protocol: HTTPS
      hostname: blue.apps.local
      tls:
        certificateRefs:
          - name: mixed-up
    - name: wild
      port: 443
      protocol: HTTPS
      hostname: \"*.deep.local\"
      tls:
        certificateRefs:
          - name: wild
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: deep, namespace: shop}
spec:
  parentRefs: [{name: edge}]
  hostnames: [a.b.deep.local]
";

const CLASS: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
";

/// Where the denial and the warning are.
const WEB: u64 = 15;
const WILD: u64 = 22;

fn named(name: &str, chain: &str, key: &str) -> String {
    secret(chain, key).replace("kind: Secret\n", "kind: Secret\ntype: kubernetes.io/tls\n").replace("blue-cert", name)
}

fn world(gateway: &str) -> Folder {
    let folder = Folder::empty();
    folder.write("edge/gateway.yaml", gateway);
    folder.write("class.yaml", CLASS);
    let wild = AUTHORITY.leaf(&["*.deep.local"]).issue();
    folder.write("secrets.yaml", named("mixed-up", &BLUE.chain, &wild.key));
    folder.write("wild.yaml", named("wild", &wild.chain, &wild.key));
    folder
}

#[test]
fn each_finding_stands_at_the_reference_that_it_is_about() {
    let (code, json) = world(GATEWAY).json(&[]);
    assert_eq!(code, Some(1));
    let found: Vec<_> = places(&json).into_iter().map(|(code, line, _)| (code, line)).collect();
    assert_eq!(found, [("MV206".to_owned(), WEB), ("MV504".to_owned(), WILD)], "{json:#}");
    let first = &json["findings"][0];
    assert_eq!((&first["file"], &first["object"]["kind"]), (&"edge/gateway.yaml".into(), &"Gateway".into()));
    assert_eq!(first["field"], "/spec/listeners/0/tls/certificateRefs/0");
    // Without the class the spec alone is certain, and that is said.
    let folder = world(GATEWAY);
    std::fs::remove_file(folder.path().join("class.yaml")).expect("it goes");
    let (code, json) = folder.json(&[]);
    assert_eq!((code, codes(&json)), (Some(1), vec!["MV206".to_owned(), "MV504".to_owned()]));
    assert!(!json.to_string().contains("Envoy Gateway"), "{json:#}");
    folder.write("policy.cfg", "gatewayClasses: {eg: gateway.envoyproxy.io/gatewayclass-controller}\n");
    let (_, json) = folder.json(&["--config", "policy.cfg"]);
    assert!(json["findings"][0].to_string().contains("Envoy Gateway refuses the reference"), "{json:#}");
}

#[test]
fn sarif_github_and_junit_have_it() {
    let folder = world(GATEWAY);
    let log = sarif(&folder, &[]);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let told: Vec<(&Value, &Value, Option<u64>)> = results
        .iter()
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            (&result["ruleId"], &result["level"], place["region"]["startLine"].as_u64())
        })
        .collect();
    let expected = [("MV206", "error", WEB), ("MV504", "warning", WILD)];
    for ((rule, level, line), (code, kind, at)) in told.iter().zip(expected) {
        assert_eq!((rule.as_str(), level.as_str(), *line), (Some(code), Some(kind), Some(at)), "{log:#}");
    }
    assert_eq!(told.len(), 2);
    let uri = &results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "edge/gateway.yaml");

    let ran = folder.run(&["check", ".", "-o", "github"]);
    let commands = github(&ran.out);
    let (level, place, message) = &commands[0];
    assert_eq!((level.as_str(), place["title"].as_str()), ("error", "MV206 key-mismatch"), "{}", ran.out);
    assert_eq!((place["file"].as_str(), place["line"].as_str()), ("edge/gateway.yaml", "15"));
    assert!(message.starts_with("Gateway shop/edge: ") && message.contains("\nfix: "), "{message}");
    assert_eq!(commands[1].0, "warning");
    assert!(commands[1].2.contains("a.b.deep.local for HTTPRoute shop/deep"), "{:?}", commands[1]);

    let ran = folder.run(&["check", ".", "-o", "junit"]);
    let document = roxmltree::Document::parse(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let root = document.root_element();
    assert_eq!(root.attribute("failures"), Some("1"), "{}", ran.out);
    let failed = document.descendants().find(|node| node.has_tag_name("failure")).and_then(|it| it.parent());
    let failed = failed.expect("a failure");
    assert_eq!(failed.attribute("classname"), Some("Gateway shop/edge"));
    assert_eq!((failed.attribute("file"), failed.attribute("line")), (Some("edge/gateway.yaml"), Some("15")));
    let strict = folder.run(&["check", ".", "-o", "junit", "--fail-on", "warn"]).out;
    assert!(strict.contains("failures=\"2\""), "{strict}");
}

#[test]
fn an_annotation_and_a_comment_leave_what_they_name() {
    let annotated = GATEWAY.replace(
        "  namespace: shop\nspec:\n",
        "  namespace: shop\n  annotations: {meshvet.dev/ignore: \"MV504=behind a network of others\"}\nspec:\n",
    );
    let (code, json) = world(&annotated).json(&[]);
    assert_eq!((code, &json["summary"]["suppressed"]), (Some(1), &1.into()), "{json:#}");
    let commented = GATEWAY
        .replace("          - name: wild\n", "          # meshvet: ignore MV504 on purpose\n          - name: wild\n");
    let (_, json) = world(&commented).json(&[]);
    assert_eq!(json["summary"]["suppressed"], 1, "{json:#}");
    // Of a scope.
    let folder = world(GATEWAY);
    folder.write(
        "policy.cfg",
        "scopes:\n  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}\n    severities: {MV504: deny, MV206: off}\n",
    );
    let (code, json) = folder.json(&["--config", "policy.cfg"]);
    assert_eq!((code, codes(&json)), (Some(1), vec!["MV504".to_owned()]), "{json:#}");
    assert_eq!(json["findings"][0]["severity"], "deny");
}

fn notes(folder: &Folder, arguments: &[&str]) -> Vec<String> {
    let ran = folder.run(&[&["check", "."], arguments].concat());
    ran.err.lines().filter_map(|line| line.strip_prefix("note: ")).map(str::to_owned).collect()
}

#[test]
fn a_class_that_nobody_knows_is_noted_once() {
    let folder = world(GATEWAY);
    assert_eq!(notes(&folder, &[]), Vec::<String>::new());
    folder.write("class.yaml", CLASS.replace("gateway.envoyproxy.io/gatewayclass-controller", "example.com/own"));
    let (gateway, _) = GATEWAY.split_once("---").expect("two documents");
    folder.write("edge/more.yaml", gateway.replace("name: edge", "name: more"));
    let text = "class eg isn't there, or meshvet doesn't know its controller: 2 gateways were judged by the specification alone \
                (gatewayClasses.eg in the policy can name the controller of a class that isn't there)";
    assert_eq!(notes(&folder, &[]), [text]);
    std::fs::remove_file(folder.path().join("class.yaml")).expect("it goes");
    assert_eq!(notes(&folder, &[]), [text]);
    folder.write("policy.cfg", "gatewayClasses: {eg: gateway.envoyproxy.io/gatewayclass-controler}\n");
    let [misspelt, unknown] = &notes(&folder, &["--config", "policy.cfg"])[..] else { panic!("two notes") };
    assert_eq!(
        (misspelt.as_str(), unknown.starts_with("gatewayClasses.eg in the policy names")),
        (text, true),
        "{unknown}"
    );
    folder.write("policy.cfg", "gatewayClasses: {eg: gateway.envoyproxy.io/gatewayclass-controller}\n");
    assert_eq!(notes(&folder, &["--config", "policy.cfg"]), Vec::<String>::new());
}

const POLICY: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: api, namespace: shop}
spec:
  targetRefs: [{group: '', kind: Service, name: api}]
  validation: {hostname: api.local, wellKnownCACertificates: System}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: api, namespace: shop}
spec:
  parentRefs: [{name: elsewhere}]
  rules: [{backendRefs: [{name: api, port: 443}]}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 443}]}
";

#[test]
fn what_has_its_gateway_elsewhere_is_noted() {
    let folder = Folder::empty();
    folder.write("api.yaml", POLICY);
    let route = "1 route was not compared with certificates: the gateways they name aren't there";
    let policy =
        "1 policy was not compared with certificates: no route of a gateway that is there leads to what they are for";
    assert_eq!(notes(&folder, &[]), [route, policy]);
    folder.write("policy.cfg", "backends: {shop/api: {secret: gone}, shop/apy: {secret: api}}\n");
    let service = "backends.shop/apy in the policy: there is no Service shop/apy";
    let secret = "backends.shop/api in the policy: there is no Secret shop/gone, so what policies require of Service shop/api wasn't \
                  compared with it";
    assert_eq!(notes(&folder, &["--config", "policy.cfg"]), [route, policy, secret, service]);
    folder.write(
        "gateway.yaml",
        GATEWAY.replace("name: edge", "name: elsewhere").replace("namespace: edge", "namespace: shop"),
    );
    folder.write("class.yaml", CLASS);
    assert_eq!(notes(&folder, &[]), Vec::<String>::new());
}
