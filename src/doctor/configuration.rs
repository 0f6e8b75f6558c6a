//! The ValidatingWebhookConfiguration, judged. No I/O.

use k8s_openapi::api::admissionregistration::v1::{ValidatingWebhook, ValidatingWebhookConfiguration};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::admission::entries::{ENTRIES, Entry, TIMEOUT_SECONDS, VALIDATE, VALIDATE_IGNORE, entry, path_of};
use crate::admission::paths::{has_component, own_path};
use crate::apis::{Part, Row, reviewed_rows};
use crate::doctor::Diagnosis;

/// Below this a review has next to no time: the API server's own share is taken off.
const SHORT: i32 = 2;
/// Above this a user waits long for a replica that doesn't answer.
const LONG: i32 = 15;

/// What the API server calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Called {
    /// The Service's namespace and name.
    pub(super) service: (String, String),
    /// The Service's port.
    pub(super) port: i32,
    /// What each webhook trusts: its name, and the certificates.
    pub(super) trusted: Vec<(String, Vec<CertificateDer<'static>>)>,
    /// Where the first of them sends reviews.
    pub(super) path: String,
    /// Whether any webhook refuses what could not be judged.
    pub(super) fails_closed: bool,
}

/// Judges the configuration; None where it names no Service to go on with.
pub(super) fn judge(configuration: &ValidatingWebhookConfiguration, diagnosis: &mut Diagnosis) -> Option<Called> {
    let name = configuration.metadata.name.clone().unwrap_or_default();
    let webhooks = configuration.webhooks.clone().unwrap_or_default();
    let of_service = |webhook: &&ValidatingWebhook| webhook.client_config.service.is_some();
    let Some(service) = webhooks.iter().find(of_service).and_then(|webhook| webhook.client_config.service.clone())
    else {
        diagnosis.fail(
            "webhooks",
            format!("no webhook of ValidatingWebhookConfiguration {name} calls a Service"),
            "install the chart or deploy/ again; a webhook by url is not checked",
        );
        return None;
    };
    let place = (service.namespace.clone(), service.name.clone());
    let others: Vec<&str> = webhooks
        .iter()
        .filter(|webhook| {
            webhook.client_config.service.as_ref().is_none_or(|it| (&it.namespace, &it.name) != (&place.0, &place.1))
        })
        .map(|webhook| webhook.name.as_str())
        .collect();
    if others.is_empty() {
        diagnosis.ok("webhooks", format!("{} of {name} call Service {}/{}", names(&webhooks), place.0, place.1));
    } else {
        diagnosis.fail(
            "webhooks",
            format!("{} of {name} call another Service than {}/{}", others.join(", "), place.0, place.1),
            "let every webhook of the configuration call the same Service",
        );
    }
    path(&webhooks, diagnosis);
    rules(&webhooks, diagnosis);
    // What fails open, whatever happens, is judged by itself.
    let (entries, own): (Vec<_>, Vec<_>) = webhooks.iter().cloned().partition(|webhook| entry(&webhook.name).is_some());
    timeouts(&own, diagnosis);
    policies(&own, diagnosis);
    rests(&entries, diagnosis);
    let trusted = bundles(&webhooks, diagnosis);
    let fails_closed = webhooks.iter().any(|webhook| webhook.failure_policy.as_deref() != Some("Ignore"));
    let path = service.path.unwrap_or_default();
    Some(Called { service: place, port: service.port.unwrap_or(443), trusted, path, fails_closed })
}

fn names(webhooks: &[ValidatingWebhook]) -> String {
    webhooks.iter().map(|webhook| webhook.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn path(webhooks: &[ValidatingWebhook], diagnosis: &mut Diagnosis) {
    for webhook in webhooks {
        let Some(service) = &webhook.client_config.service else { continue };
        let path = service.path.clone().unwrap_or_default();
        let policy = webhook.failure_policy.as_deref().unwrap_or("Fail");
        let of_mesh = entry(&webhook.name).is_none();
        let right = path_of(&webhook.name, Some(policy));
        let set = format!("mode managed: see the log of meshvet, which writes the path; else set it to {right}");
        let called = own_path(&path).filter(|own| path == *own || has_component(&path));
        match called {
            Some(called) if called == right => {}
            // The others of its kind.
            Some(called) if of_mesh && [VALIDATE, VALIDATE_IGNORE].contains(&called) => {
                let passes = if called == VALIDATE { "without a warning" } else { "all the same" };
                let message = format!(
                    "{} has failurePolicy {policy} and calls {called}: while meshvet isn't ready, objects pass {passes}",
                    webhook.name
                );
                diagnosis.warn("path", message, set);
            }
            // A component isn't for a report.
            called => {
                let path = called.unwrap_or(&path);
                let message = format!("{} calls path {path:?}, but meshvet serves reviews at {right}", webhook.name);
                diagnosis.fail("path", message, set);
            }
        }
    }
    let paths = || webhooks.iter().filter_map(|webhook| webhook.client_config.service.as_ref()?.path.as_deref());
    if let Some(plain) = paths().find(|path| own_path(path) == Some(*path)) {
        let message = format!(
            "reviews go to {plain}: who else may send them is a matter of networkPolicy, --client-ca or webhook.pathSecret"
        );
        diagnosis.ok("path", message);
    }
}

/// Which of the mesh's kinds come to meshvet, both when they are created and when they are changed.
fn rules(webhooks: &[ValidatingWebhook], diagnosis: &mut Diagnosis) {
    let asked = |kind: &Row, operation: &str| {
        webhooks.iter().flat_map(|webhook| webhook.rules.iter().flatten()).any(|rule| {
            let has = |list: &Option<Vec<String>>, wanted: &str| {
                list.iter().flatten().any(|it| it == "*" || it.eq_ignore_ascii_case(wanted))
            };
            has(&rule.api_groups, kind.group)
                && has(&rule.api_versions, kind.version)
                && has(&rule.operations, operation)
                && has(&rule.resources, kind.plural)
        })
    };
    // A mesh has no TLS of its own.
    // The chart leaves out an API that isn't wanted.
    let wanted = |kind: &Row| {
        let rules = webhooks.iter().flat_map(|webhook| webhook.rules.iter().flatten());
        let groups = rules.flat_map(|rule| rule.api_groups.iter().flatten());
        groups.into_iter().any(|group| group == "*" || group == kind.group)
    };
    let any = reviewed_rows().any(wanted);
    let kinds = reviewed_rows().filter(|kind| kind.part != Part::Class && (wanted(kind) || !any && !kind.optional));
    let mut missing: Vec<&Row> = kinds.filter(|kind| !asked(kind, "CREATE") || !asked(kind, "UPDATE")).collect();
    missing.sort_by_key(|kind| kind.plural);
    let plurals = |wanted: &dyn Fn(&Row) -> bool| -> Vec<&str> {
        missing.iter().filter(|kind| wanted(kind)).map(|kind| kind.plural).collect()
    };
    let (nodes, ways) = (plurals(&|kind| kind.part == Part::Member), plurals(&|kind| kind.part != Part::Member));
    if nodes.is_empty() && ways.is_empty() {
        diagnosis.ok("rules", "every kind of the mesh is sent to meshvet when it is created and when it is changed");
    }
    let fix = "install the chart or deploy/ again, which have the rules";
    if !nodes.is_empty() {
        diagnosis.fail("rules", format!("{} are not sent to meshvet in full", nodes.join(" and ")), fix);
    }
    if !ways.is_empty() {
        let message =
            format!("{} are not sent to meshvet in full: calls that they create go unjudged", ways.join(", "));
        diagnosis.warn("rules", message, fix);
    }
}

fn timeouts(webhooks: &[ValidatingWebhook], diagnosis: &mut Diagnosis) {
    // What the API server takes where nothing is said.
    let seconds = |webhook: &ValidatingWebhook| webhook.timeout_seconds.unwrap_or(10);
    let (least, most) =
        (webhooks.iter().map(seconds).min().unwrap_or(10), webhooks.iter().map(seconds).max().unwrap_or(10));
    if least < SHORT {
        diagnosis.warn(
            "timeout",
            format!("a review has {least} s, of which meshvet answers in the first quarter"),
            "set timeoutSeconds to 5: Secrets that a denial depends on are read afresh in that time",
        );
    } else if most > LONG {
        diagnosis.warn(
            "timeout",
            format!("a review may take {most} s: users wait that long while no replica answers"),
            "set timeoutSeconds to 5",
        );
    } else {
        diagnosis.ok("timeout", format!("a review may take {most} s"));
    }
}

fn policies(webhooks: &[ValidatingWebhook], diagnosis: &mut Diagnosis) {
    let of = |policy: &str| {
        let such = webhooks.iter().filter(|webhook| webhook.failure_policy.as_deref().unwrap_or("Fail") == policy);
        such.map(|webhook| webhook.name.clone()).collect::<Vec<_>>().join(", ")
    };
    let message = match (of("Fail").as_str(), of("Ignore").as_str()) {
        ("", _) => "Ignore: while no replica answers, everything passes unjudged".to_owned(),
        (fail, "") => format!("Fail ({fail}): while no replica answers, the mesh can't be changed"),
        (fail, ignore) => format!("Fail for {fail}, Ignore for {ignore}"),
    };
    diagnosis.ok("failure-policy", message);
}

/// The entries for what a mesh rests on. Each stands in the way of writes that meshvet has no part in, so that it must fail open, soon,
/// and be asked for few of them.
fn rests(entries: &[ValidatingWebhook], diagnosis: &mut Diagnosis) {
    let again = "install the chart or deploy/ again, which have the right entry";
    let mut amiss = false;
    let mut warn = |message: String| {
        amiss = true;
        diagnosis.warn("entries", message, again);
    };
    for webhook in entries {
        let name = &webhook.name;
        let Some(entry) = entry(name) else { continue };
        if webhook.failure_policy.as_deref() != Some("Ignore") {
            warn(format!(
                "{name} has failurePolicy Fail: while no replica answers, writes of {} are refused",
                entry.what
            ));
        }
        let seconds = webhook.timeout_seconds.unwrap_or(10);
        if seconds > TIMEOUT_SECONDS {
            warn(format!("{name} waits {seconds} s for a replica that doesn't answer; {TIMEOUT_SECONDS} are enough"));
        }
        let conditions = webhook.match_conditions.as_deref().unwrap_or_default();
        if conditions.is_empty() {
            warn(format!("{name} has no matchConditions: every write of the kind is sent to meshvet, passwords too"));
        } else if !conditions.iter().any(|condition| entry.is_condition(&condition.expression)) {
            warn(format!("{name} has other matchConditions than this version of meshvet"));
        }
    }
    let absent = |entry: &&Entry| !entries.iter().any(|webhook| webhook.name == entry.name);
    for entry in ENTRIES.iter().filter(absent).filter(|entry| entry.value.is_none()) {
        warn(format!("there is no webhook {}: {} are judged only afterwards", entry.name, entry.what));
    }
    // Left out on purpose, most likely: a matter of the chart's values.
    let left_out = ENTRIES.iter().filter(absent).filter_map(|entry| Some((entry.what, entry.value?)));
    let left_out: Vec<String> = left_out.map(|(what, value)| format!("{what} ({value})")).collect();
    if !left_out.is_empty() {
        diagnosis.ok("entries", format!("not reviewed, and judged only after the change: {}", left_out.join(", ")));
    } else if !amiss {
        diagnosis
            .ok("entries", "workloads, Secrets, Services and the like are reviewed too, by entries that fail open");
    }
}

fn bundles(webhooks: &[ValidatingWebhook], diagnosis: &mut Diagnosis) -> Vec<(String, Vec<CertificateDer<'static>>)> {
    let mut all = Vec::new();
    for webhook in webhooks {
        let pem = webhook.client_config.ca_bundle.as_ref().map(|bytes| bytes.0.as_slice()).unwrap_or_default();
        let certificates: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap_or_default();
        if certificates.is_empty() {
            let what = if pem.is_empty() { "has no caBundle" } else { "has a caBundle without a certificate in PEM" };
            diagnosis.fail(
                "ca-bundle",
                format!("{} {what}: the API server can't verify meshvet", webhook.name),
                FILL_IN,
            );
        }
        all.push((webhook.name.clone(), certificates));
    }
    all
}

/// How a caBundle gets right.
pub(super) const FILL_IN: &str = "mode managed: see the log of meshvet, which writes it; cert-manager: see its annotation \
    cert-manager.io/inject-ca-from; by hand: `meshvet ca-bundle ca.pem --patch WEBHOOK,…`";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::doctor::Outcome;

    fn configuration() -> Value {
        let issued = rcgen::generate_simple_self_signed(["a".to_owned()]).expect("a certificate");
        let bundle = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, issued.cert.pem());
        let webhook = |name: &str, resources: &[&str]| {
            json!({
                "name": name,
                "clientConfig": {
                    "caBundle": bundle,
                    "service": {"namespace": "vet", "name": "meshvet", "path": "/validate/ignore", "port": 443},
                },
                "rules": [{
                    "apiGroups": ["appmesh.k8s.aws"],
                    "apiVersions": ["v1beta2"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": resources,
                }],
                "failurePolicy": "Ignore",
                "timeoutSeconds": 5,
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            })
        };
        let routes = ["backendgroups", "gatewayroutes", "virtualrouters", "virtualservices"];
        let mut webhooks =
            vec![webhook("nodes.dev", &["virtualgateways", "virtualnodes"]), webhook("routes.dev", &routes)];
        for entry in ENTRIES {
            let mut webhook = webhook(entry.name, &[]);
            webhook["clientConfig"]["service"]["path"] = entry.path.into();
            webhook["timeoutSeconds"] = TIMEOUT_SECONDS.into();
            webhook["matchConditions"] = json!([{"name": "its", "expression": entry.condition}]);
            webhooks.push(webhook);
        }
        json!({"metadata": {"name": "meshvet"}, "webhooks": webhooks})
    }

    fn judged(configuration: Value) -> (Diagnosis, Option<Called>) {
        let mut diagnosis = Diagnosis::default();
        let called = judge(&serde_json::from_value(configuration).expect("a configuration"), &mut diagnosis);
        (diagnosis, called)
    }

    #[test]
    fn a_sound_configuration_has_nothing_to_mend() {
        let (diagnosis, called) = judged(configuration());
        assert_eq!(diagnosis.worst(), Outcome::Ok, "{diagnosis:#?}");
        let called = called.expect("a Service");
        assert_eq!((called.service, called.port), (("vet".to_owned(), "meshvet".to_owned()), 443));
        assert!(!called.fails_closed && called.trusted.iter().all(|(_, trusted)| trusted.len() == 1));
    }

    #[test]
    fn a_condition_is_known_however_it_is_wrapped_and_with_the_workloads_of_a_policy() {
        let workloads = entry("workloads.meshvet.dev").expect("an entry");
        let text = workloads.condition.trim().trim_end_matches(')');
        assert!(workloads.is_condition(&text.replace('\n', "   ")));
        assert!(workloads.is_condition(&format!("{text} || (request.kind.kind == 'Fleet'))")));
        assert!(!workloads.is_condition(&text.replace("CREATE", "UPDATE")));
    }

    #[test]
    fn each_mistake_is_told_by_its_check() {
        for (pointer, value, name, outcome, words) in [
            ("/webhooks/0/clientConfig/caBundle", json!(""), "ca-bundle", Outcome::Failed, "nodes.dev has no caBundle"),
            ("/webhooks/1/clientConfig/caBundle", json!("bm8="), "ca-bundle", Outcome::Failed, "without a certificate"),
            ("/webhooks/0/clientConfig/service/path", json!("/review"), "path", Outcome::Failed, "\"/review\""),
            ("/webhooks/0/clientConfig/service/name", json!("other"), "webhooks", Outcome::Failed, "another Service"),
            ("/webhooks/0/rules/0/operations", json!(["CREATE"]), "rules", Outcome::Failed, "virtualgateways and"),
            ("/webhooks/0/rules/0/apiVersions", json!(["v1"]), "rules", Outcome::Failed, "virtualnodes"),
            ("/webhooks/1/rules", json!([]), "rules", Outcome::Warning, "backendgroups, gatewayroutes"),
            ("/webhooks/0/timeoutSeconds", json!(1), "timeout", Outcome::Warning, "1 s"),
            ("/webhooks/0/timeoutSeconds", json!(30), "timeout", Outcome::Warning, "30 s"),
            ("/webhooks/0/failurePolicy", json!("Fail"), "failure-policy", Outcome::Ok, "Fail for nodes.dev, Ignore"),
            ("/webhooks/0/failurePolicy", json!("Fail"), "path", Outcome::Warning, "objects pass all the same"),
            (
                "/webhooks/1/clientConfig/service/path",
                json!("/validate"),
                "path",
                Outcome::Warning,
                "without a warning",
            ),
            ("/webhooks", json!([]), "webhooks", Outcome::Failed, "calls a Service"),
            (
                "/webhooks/4/clientConfig/service/path",
                json!("/validate"),
                "path",
                Outcome::Failed,
                "serves reviews at /workloads",
            ),
            (
                "/webhooks/4/failurePolicy",
                json!("Fail"),
                "entries",
                Outcome::Warning,
                "writes of workloads are refused",
            ),
            ("/webhooks/4/timeoutSeconds", json!(5), "entries", Outcome::Warning, "workloads.meshvet.dev waits 5 s"),
            ("/webhooks/5/matchConditions", json!([]), "entries", Outcome::Warning, "has no matchConditions"),
            ("/webhooks/5/matchConditions/0/expression", json!("true"), "entries", Outcome::Warning, "secrets.meshvet"),
            ("/webhooks/2/name", json!("other"), "entries", Outcome::Warning, "no webhook deletions.meshvet.dev"),
            ("/webhooks/4/name", json!("other"), "entries", Outcome::Ok, "workloads (webhook.workloads.enabled)"),
        ] {
            let mut configuration = configuration();
            *configuration.pointer_mut(pointer).expect(pointer) = value;
            let (diagnosis, _) = judged(configuration);
            let told = diagnosis
                .checks
                .iter()
                .any(|check| check.name == name && check.outcome == outcome && check.message.contains(words));
            assert!(told, "{pointer}: {diagnosis:#?}");
            assert!(diagnosis.checks.iter().all(|check| check.outcome == Outcome::Ok || check.fix.is_some()));
        }
    }
}
