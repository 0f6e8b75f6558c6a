//! What comes of each value of values.yaml, and that none is forgotten here.

use std::collections::BTreeSet;
use std::time::Duration;

use meshvet::operate::metrics::Metrics;
use serde_json::Value;

use crate::helm::{chart, of_kind, render, try_render};

const DEPLOYMENT: &str = "Deployment";
const POD: &str = "/spec/template/spec";
const CONTAINER: &str = "/spec/template/spec/containers/0";
const HOOKS: &str = "ValidatingWebhookConfiguration";
const CERT_MANAGER: &str = "certificate.mode=cert-manager";
const FILES: &str = "certificate.mode=files";
/// A certificate that meshvet doesn't manage.
const OWN: &[&str] = &[FILES, "certificate.files.secretName=mine", "certificate.files.caBundle=YQ=="];
const PATH_SECRET: &str = "webhook.pathSecret=0123456789abcdef012345";

/// All that is off by default.
pub(crate) const EVERYTHING: &[&str] = &[
    "networkPolicy.enabled=true",
    "serviceMonitor.enabled=true",
    "prometheusRule.enabled=true",
    "dashboard.enabled=true",
    "aws.enabled=true",
    "reports.enabled=true",
];

/// A value, what else has to be set, the kind of object and the place in it where it shows, and how.
type Case = (&'static str, &'static [&'static str], &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    ("image.repository=shop/meshvet", &[], DEPLOYMENT, "/image", "\"shop/meshvet:0.1.0\""),
    ("image.tag=v2", &[], DEPLOYMENT, "/image", "\"meshvet:v2\""),
    (
        "image.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        &[],
        DEPLOYMENT,
        "/image",
        "\"meshvet:0.1.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
    ),
    (
        "tracing.endpoint=http://collector.monitoring:4318",
        &[],
        DEPLOYMENT,
        "/args",
        "--otlp-endpoint=http://collector.monitoring:4318",
    ),
    (
        "tracing.headersSecret=otlp",
        &["tracing.endpoint=http://collector.monitoring:4318"],
        DEPLOYMENT,
        "/env",
        r#"{"name":"OTEL_EXPORTER_OTLP_HEADERS","valueFrom":{"secretKeyRef":{"key":"headers","name":"otlp"}}}"#,
    ),
    ("image.pullPolicy=Always", &[], DEPLOYMENT, "/imagePullPolicy", "\"Always\""),
    ("image.pullSecrets=[\"mine\"]", &[], DEPLOYMENT, "pod/imagePullSecrets", r#"[{"name":"mine"}]"#),
    ("replicas=3", &[], DEPLOYMENT, "/spec/replicas", "3"),
    ("secrets.mode=get", &[], DEPLOYMENT, "/args", "--secrets=get"),
    ("webhook.failurePolicy=Fail", &[], DEPLOYMENT, "/args", "--overload=refuse"),
    ("reports.enabled=true", &[], DEPLOYMENT, "/args", "--open-reports"),
    ("events.enabled=false", &[], DEPLOYMENT, "/args", "\"serve\""),
    ("secrets.namespaces=[\"shop\",\"till\"]", &[], DEPLOYMENT, "/args", "--secret-namespaces=shop,till"),
    ("extraArgs=[\"--report\"]", &[], DEPLOYMENT, "/args", "\"--report\""),
    ("extraEnv=[{\"name\":\"A\",\"value\":\"b\"}]", &[], DEPLOYMENT, "/env", r#"{"name":"A","value":"b"}]"#),
    ("policy={\"severities\":{\"MV209\":\"off\"}}", &[], "ConfigMap", "/data/config.yaml", "MV209: \\\"off\\\""),
    (
        CERT_MANAGER,
        &["certificate.certManager.issuerName=a"],
        DEPLOYMENT,
        "/args",
        "--tls-cert=/etc/meshvet/tls/tls.crt",
    ),
    ("certificate.managed.certificateLife=24h", &[], DEPLOYMENT, "/args", "--certificate-life=24h"),
    ("certificate.managed.authorityLife=240h", &[], DEPLOYMENT, "/args", "--authority-life=240h"),
    (
        "certificate.certManager.issuerKind=Issuer",
        &[CERT_MANAGER, "certificate.certManager.issuerName=a"],
        "Certificate",
        "/spec/issuerRef/kind",
        "Issuer",
    ),
    ("certificate.certManager.issuerName=mine", &[CERT_MANAGER], "Certificate", "/spec/issuerRef/name", "mine"),
    (
        "certificate.files.secretName=mine",
        &[FILES, "certificate.files.caBundle=YQ=="],
        DEPLOYMENT,
        "pod/volumes",
        r#""secretName":"mine""#,
    ),
    (
        "certificate.files.caBundle=YQ==",
        &[FILES, "certificate.files.secretName=mine"],
        HOOKS,
        "/webhooks/1/clientConfig/caBundle",
        "YQ==",
    ),
    ("apis.appmesh=false", &[], HOOKS, "/webhooks/0/name", "gateways.meshvet.dev"),
    ("apis.gateway=false", &[], HOOKS, "/webhooks/2/name", "ingresses.meshvet.dev"),
    ("apis.ingress=false", &[], HOOKS, "/webhooks/4/name", "deletions.meshvet.dev"),
    ("webhook.failurePolicy=Fail", &[], HOOKS, "/webhooks/0/failurePolicy", "Fail"),
    ("webhook.routesFailurePolicy=Fail", &[], HOOKS, "/webhooks/1/failurePolicy", "Fail"),
    ("webhook.failurePolicy=Fail", OWN, HOOKS, "/webhooks/0/clientConfig/service/path", "/validate"),
    ("webhook.routesFailurePolicy=Fail", OWN, HOOKS, "/webhooks/1/clientConfig/service/path", "/validate"),
    (PATH_SECRET, OWN, HOOKS, "/webhooks/0/clientConfig/service/path", "/validate/ignore/0123456789abcdef012345"),
    (PATH_SECRET, OWN, DEPLOYMENT, "/env", r#""secretKeyRef":{"key":"path","name":"meshvet-path"}"#),
    (PATH_SECRET, OWN, "Secret", "/stringData/path", "0123456789abcdef012345"),
    ("clientCa.secretName=mine", &[], DEPLOYMENT, "/args", "--client-ca=/etc/meshvet/client-ca/ca.crt"),
    ("clientCa.secretName=mine", &[], DEPLOYMENT, "pod/volumes", r#""secretName":"mine""#),
    ("webhook.timeoutSeconds=9", &[], HOOKS, "/webhooks/0/timeoutSeconds", "9"),
    (
        "webhook.namespaceSelector={\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[]}",
        &[],
        HOOKS,
        "/webhooks/0/namespaceSelector/matchLabels",
        r#"{"a":"b"}"#,
    ),
    (
        "webhook.objectSelector={\"matchLabels\":{\"a\":\"b\"}}",
        &[],
        HOOKS,
        "/webhooks/1/objectSelector/matchLabels",
        r#"{"a":"b"}"#,
    ),
    (
        "webhook.matchConditions=[{\"name\":\"mine\",\"expression\":\"true\"}]",
        &[],
        HOOKS,
        "/webhooks/0/matchConditions/2",
        r#""name":"mine""#,
    ),
    ("port=9443", &[], DEPLOYMENT, "/args", "--listen=0.0.0.0:9443"),
    ("probePort=9081", &[], "Service", "/spec/ports/1/port", "9081"),
    ("hostNetwork=true", &[], DEPLOYMENT, "pod/hostNetwork", "true"),
    ("aws.enabled=true", &[], DEPLOYMENT, "/args", "--aws"),
    ("aws.region=eu-west-1", &[], DEPLOYMENT, "/env", r#"{"name":"AWS_REGION","value":"eu-west-1"}]"#),
    ("aws.roleArn=arn:r", &[], "ServiceAccount", "/metadata/annotations", r#""eks.amazonaws.com/role-arn":"arn:r""#),
    ("log.level=debug", &[], DEPLOYMENT, "/args", "--log-level=debug"),
    ("log.format=text", &[], DEPLOYMENT, "/args", "--log-format=text"),
    ("drainGrace=9s", &[], DEPLOYMENT, "/args", "--drain-grace=9s"),
    ("resources.requests.cpu=2", &[], DEPLOYMENT, "/resources/requests/cpu", "2"),
    ("resources.requests.memory=1Gi", &[], DEPLOYMENT, "/resources/requests/memory", "1Gi"),
    ("resources.limits.memory=2Gi", &[], DEPLOYMENT, "/resources/limits/memory", "2Gi"),
    ("priorityClassName=mine", &[], DEPLOYMENT, "pod/priorityClassName", "mine"),
    ("nodeSelector={\"a\":\"b\"}", &[], DEPLOYMENT, "pod/nodeSelector", r#"{"a":"b"}"#),
    ("tolerations=[{\"key\":\"a\"}]", &[], DEPLOYMENT, "pod/tolerations", r#"[{"key":"a"}]"#),
    ("affinity={\"nodeAffinity\":{}}", &[], DEPLOYMENT, "pod/affinity", r#"{"nodeAffinity":{}}"#),
    ("labels={\"a\":\"b\"}", &[], DEPLOYMENT, "/spec/template/metadata/labels", r#""a":"b""#),
    ("podAnnotations={\"a\":\"b\"}", &[], DEPLOYMENT, "/spec/template/metadata/annotations", r#""a":"b""#),
    ("serviceAccountAnnotations={\"a\":\"b\"}", &[], "ServiceAccount", "/metadata/annotations", r#"{"a":"b"}"#),
    ("networkPolicy.enabled=true", &[], "NetworkPolicy", "/spec/ingress/0/ports", r#"[{"port":"https"}]"#),
    (
        "networkPolicy.apiServerCidrs=[\"192.0.2.0/24\"]",
        &["networkPolicy.enabled=true"],
        "NetworkPolicy",
        "/spec/ingress/0/from",
        r#"[{"ipBlock":{"cidr":"192.0.2.0/24"}}]"#,
    ),
    ("serviceMonitor.enabled=true", &[], "ServiceMonitor", "/spec/endpoints/0/port", "probes"),
    (
        "serviceMonitor.interval=9s",
        &["serviceMonitor.enabled=true"],
        "ServiceMonitor",
        "/spec/endpoints/0/interval",
        "9s",
    ),
    ("prometheusRule.enabled=true", &[], "PrometheusRule", "/spec/groups/0/rules", "MeshvetCertificateNotRenewed"),
];

/// Values whose effect is that something is there or not, or is in a test's objects: each has a test below.
const ELSEWHERE: &[&str] = &[
    "podDisruptionBudget.enabled",
    "dashboard.enabled",
    "test.image",
    // In `entries`.
    "webhook.workloads.enabled",
    "webhook.secrets.enabled",
    "webhook.services.enabled",
    "webhook.namespaces.enabled",
];

#[test]
fn every_value_shows_where_it_should() {
    for (value, more, kind, place, shows) in CASES {
        let objects = render(&[more, &[*value][..]].concat());
        let place = match place.strip_prefix("pod/") {
            Some(rest) => format!("{POD}/{rest}"),
            None if *kind == DEPLOYMENT && !place.starts_with("/spec") => format!("{CONTAINER}{place}"),
            None => (*place).to_owned(),
        };
        let found = of_kind(&objects, kind).pointer(&place).unwrap_or_else(|| panic!("{value}: no {kind} {place}"));
        assert!(found.to_string().contains(shows), "{value}: {kind} {place} is {found}");
        let without = try_render(more).unwrap_or_default();
        let before = without.iter().find(|object| object["kind"] == *kind).and_then(|object| object.pointer(&place));
        assert_ne!(before, Some(found), "{value} changes nothing");
    }
}

#[test]
fn what_can_be_left_out_is_left_out() {
    let kinds = |values: &[&str]| {
        render(values).iter().map(|object| object["kind"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let has = |values: &[&str], kind: &str| kinds(values).iter().any(|found| found == kind);
    assert!(has(&[], "PodDisruptionBudget") && !has(&["podDisruptionBudget.enabled=false"], "PodDisruptionBudget"));
    for kind in ["NetworkPolicy", "ServiceMonitor", "PrometheusRule"] {
        assert!(!has(&[], kind) && has(EVERYTHING, kind), "{kind}");
    }
    let maps = |values: &[&str]| kinds(values).iter().filter(|kind| *kind == "ConfigMap").count();
    assert_eq!((maps(&[]), maps(&["dashboard.enabled=true"])), (1, 2));
    let without = [CERT_MANAGER, "certificate.certManager.issuerName=a", "events.enabled=false"];
    assert!(has(&without[..2], "Lease") && !has(&without, "Lease"));
}

/// Every figure that there is: those of docs/metrics.md, which a test of the registry keeps fresh, and the series of its histogram.
fn figures() -> BTreeSet<String> {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md")).expect("docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let metrics = Metrics::default();
    metrics.reviewed("VirtualNode", "denied", Duration::ZERO);
    let text = metrics.encode();
    let series = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(['{', ' ']).next());
    rows.chain(series).map(str::to_owned).collect()
}

/// The figures that an expression names.
fn named(expression: &str) -> Vec<&str> {
    let words = expression.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    words.filter(|word| word.starts_with("meshvet_")).collect()
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_figures_that_there_are() {
    let objects = render(&["dashboard.enabled=true", "prometheusRule.enabled=true"]);
    let dashboard = objects.iter().find_map(|object| object["data"]["meshvet.json"].as_str()).expect("a dashboard");
    let dashboard: Value = serde_json::from_str(dashboard).expect("JSON");
    let expressions = |list: &Value, place: &str| {
        let all = list.as_array().expect("a list").iter();
        all.map(|one| one.pointer(place).and_then(Value::as_str).expect("an expression").to_owned()).collect::<Vec<_>>()
    };
    let asked = expressions(&dashboard["panels"], "/targets/0/expr");
    let alerts = expressions(&of_kind(&objects, "PrometheusRule")["spec"]["groups"][0]["rules"], "/expr");
    assert!(asked.len() > 3 && alerts.len() > 3);
    let figures = figures();
    for expression in asked.iter().chain(&alerts) {
        let named = named(expression);
        assert!(!named.is_empty(), "{expression}");
        for name in named {
            assert!(figures.contains(name), "{expression}: {name} is not among {figures:?}");
        }
    }
    for alert in &alerts {
        assert!(alert.contains(r#"namespace="meshvet-system""#), "{alert}: another release's would ring too");
    }
}

#[test]
fn the_test_pod_runs_the_image_that_is_set() {
    let objects = render(&["test.image=mine:1"]);
    let pod = objects.iter().find(|object| object["kind"] == "Pod").expect("a pod");
    assert_eq!(pod["spec"]["containers"][0]["image"], "mine:1");
    assert_eq!(pod["metadata"]["annotations"]["helm.sh/hook"], "test");
    assert!(pod["metadata"]["labels"]["app.kubernetes.io/name"].is_null(), "the Service would send reviews to it");
}

/// The path of each value that can be set: of maps with keys, their values; of anything else, itself.
fn paths(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value.as_object().filter(|map| !map.is_empty() && path != "policy" && path != "webhook.namespaceSelector") {
        Some(map) => {
            for (key, value) in map {
                paths(value, &if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, into);
            }
        }
        None => {
            into.insert(path.to_owned());
        }
    }
}

fn documented() -> BTreeSet<String> {
    let text = std::fs::read_to_string(format!("{}/values.yaml", chart())).unwrap();
    let values: Value = serde_saphyr::from_str(&text).expect("YAML");
    let mut documented = BTreeSet::new();
    paths(&values, "", &mut documented);
    documented
}

#[test]
fn no_value_is_without_a_test() {
    let tested = CASES.iter().filter_map(|(value, ..)| Some(value.split_once('=')?.0));
    let tested: BTreeSet<String> = tested.chain(ELSEWHERE.iter().copied()).map(str::to_owned).collect();
    assert_eq!(tested, documented());
}

#[test]
fn a_misspelt_value_is_refused() {
    // Free-form: what stands in these is Kubernetes' or the policy's own to check.
    let free = ["resources.requests.cpu", "resources.requests.memory", "resources.limits.memory"];
    for path in documented().iter().filter(|path| !free.contains(&path.as_str())) {
        let told = try_render(&[&format!("{path}s=1")]).expect_err(path);
        let misspelt = format!("{}s", path.rsplit('.').next().unwrap_or(path));
        assert!(told.contains("additional properties") && told.contains(&misspelt), "{told}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_its_name() {
    for (value, name) in [
        ("secrets.mode=all", "secrets"),
        ("secrets.namespaces=[\"Shop\"]", "namespaces"),
        ("secrets=none", "secrets"),
        ("certificate.mode=none", "certificate"),
        ("webhook.failurePolicy=Maybe", "failurePolicy"),
        ("webhook.timeoutSeconds=31", "timeoutSeconds"),
        ("port=0", "port"),
        ("drainGrace=soon", "drainGrace"),
        ("replicas=none", "replicas"),
        (CERT_MANAGER, "certificate.certManager.issuerName"),
        (FILES, "certificate.files."),
    ] {
        let told = try_render(&[value]).expect_err(value);
        assert!(told.contains(name), "{told}");
    }
}

#[test]
fn secrets_of_some_namespaces_while_none_is_read_is_a_contradiction() {
    let told = try_render(&["secrets.mode=none", r#"secrets.namespaces=["shop"]"#]).expect_err("a contradiction");
    assert!(told.contains("leave secrets.namespaces empty"), "{told}");
}

#[test]
fn every_webhook_calls_the_service_on_its_port() {
    let objects = render(&[]);
    let service = of_kind(&objects, "Service");
    for hook in of_kind(&objects, HOOKS)["webhooks"].as_array().expect("webhooks") {
        let called = &hook["clientConfig"]["service"];
        assert_eq!(called["name"], service["metadata"]["name"]);
        assert_eq!(called["port"], service["spec"]["ports"][0]["port"]);
        assert!(called["path"].is_null(), "meshvet writes it: an upgrade must not undo it");
    }
    for hook in of_kind(&render(OWN), HOOKS)["webhooks"].as_array().expect("webhooks") {
        let name = hook["name"].as_str().expect("a name");
        let path = meshvet::admission::entries::path_of(name, hook["failurePolicy"].as_str());
        assert_eq!(hook["clientConfig"]["service"]["path"], path, "{name}");
    }
}

#[test]
fn a_secret_of_the_paths_is_for_those_whom_meshvet_keeps_none() {
    let told = try_render(&[PATH_SECRET]).expect_err("managed");
    assert!(told.contains("leave webhook.pathSecret empty"), "{told}");
    let told = try_render(&[OWN, &["webhook.pathSecret=short"]].concat()).expect_err("too short");
    assert!(told.contains("pathSecret"), "{told}");
}
