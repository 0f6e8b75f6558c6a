//! docs/common-errors.md: made of what meshvet prints for each of the errors, and held against it.
//!
//! `MESHVET_WRITE_DOCS=1 cargo test --test check common_errors` writes the page anew.

use std::fmt::Write as _;
use std::path::Path;

use crate::run::{AUTHORITY, BLUE, Folder, GREEN, NODE, WORKLOAD, secret};
use crate::support::mint::{Authority, Issued};

const INTRO: &str = "\
# Common errors

<!-- Made by the test `common_errors` of tests/check: the output is what meshvet prints. -->

The most common errors, each with the manifest and what `meshvet check .` prints for it. The first ones are
in one small mesh: the node below, the Deployment that it selects, and a Secret `blue-cert` with a certificate for `blue.apps.local`.
For each error only what it changes is shown. [The rules](rules/README.md) have the reasons and more ways to fix them.

";

/// One error.
struct Case {
    title: &'static str,
    why: &'static str,
    /// What is shown of the manifests.
    shown: String,
    arguments: &'static [&'static str],
    folder: Folder,
}

fn case(title: &'static str, why: &'static str, shown: &str, folder: Folder) -> Case {
    Case { title, why, shown: shown.to_owned(), arguments: &["check", "."], folder }
}

/// The node with a part of it changed, of which that part is shown.
fn node(title: &'static str, why: &'static str, from: &str, to: &str) -> Case {
    let text = NODE.replace(from, to);
    assert_ne!(text, NODE, "{title}");
    case(title, why, &text, Folder::with(&text, &BLUE))
}

fn workload(title: &'static str, why: &'static str, from: &str, to: &str) -> Case {
    let text = WORKLOAD.replace(from, to);
    assert_ne!(text, WORKLOAD, "{title}");
    let folder = Folder::sound();
    folder.write("workload.yaml", &text);
    case(title, why, &text, folder)
}

/// The Secret with other files.
fn files(title: &'static str, why: &'static str, shown: &str, chain: &str, key: &str) -> Case {
    let folder = Folder::sound();
    folder.write("secret.yaml", secret(chain, key));
    case(title, why, shown, folder)
}

/// A node `front` that calls `blue`, and trusts what is in its Secret.
fn caller(title: &'static str, why: &'static str, policy: &str, server: &str, root: &Authority) -> Case {
    let service = "apiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualService\nmetadata: {name: blue, namespace: shop}\n\
        spec: {provider: {virtualNode: {virtualNodeRef: {name: blue}}}}\n";
    let front = format!(
        "apiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualNode\nmetadata: {{name: front, namespace: shop}}\nspec:\n  \
         podSelector: {{matchLabels: {{app: front}}}}\n  serviceDiscovery: {{dns: {{hostname: front.apps.local}}}}\n  \
         backends:\n    - virtualService:\n        virtualServiceRef: {{name: blue}}\n        clientPolicy:\n          tls:\n{policy}"
    );
    let pods = WORKLOAD.split("---\n").nth(1).expect("a Deployment").replace("blue-cert:/certs", "front-ca:/certs");
    let pods = pods.replace("app: blue", "app: front").replace("name: blue", "name: front");
    let bundle: String = root.pem().lines().map(|line| format!("    {line}\n")).collect();
    let folder = Folder::with(server, &BLUE);
    folder.write("front.yaml", format!("{front}---\n{pods}---\n{service}"));
    folder.write(
        "front-ca.yaml",
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: front-ca, namespace: shop}}\nstringData:\n  ca.crt: |\n{bundle}"),
    );
    let shown = if server == NODE { front } else { format!("{server}---\n{front}") };
    case(title, why, &shown, folder)
}

const TRUST: &str = "            validation:\n              trust: {file: {certificateChain: /certs/ca.crt}}\n";

fn of_names() -> Vec<Case> {
    let issued = &*GREEN;
    vec![
        files(
            "The certificate has another name",
            "Clients check the node's hostname against the certificate's subject alternative names.",
            "# the Secret blue-cert has a certificate for green.apps.local only\n",
            &issued.chain,
            &issued.key,
        ),
        caller(
            "The client policy lists a name that the certificate doesn't have",
            "A list of subject alternative names replaces the check of the hostname.",
            &format!("{TRUST}              subjectAlternativeNames: {{match: {{exact: [blue.local]}}}}\n"),
            NODE,
            &AUTHORITY,
        ),
        caller(
            "The client trusts another authority",
            "The client's trust bundle must have the root of the server's chain.",
            TRUST,
            NODE,
            &Authority::new("old root"),
        ),
        caller(
            "TLS is enforced for a listener that speaks plaintext",
            "A client policy enforces TLS unless it has `enforce: false`; the listener must speak TLS.",
            TRUST,
            &NODE[..NODE.find("      tls:\n").expect("the listener's TLS")],
            &AUTHORITY,
        ),
    ]
}

fn of_files() -> Vec<Case> {
    let other: &Issued = &GREEN;
    let reversed = |issued: &Issued| {
        let root = issued.chain.strip_prefix(&issued.certificate).unwrap_or_default();
        format!("{root}{}", issued.certificate)
    };
    vec![
        files(
            "The key belongs to another certificate",
            "Half a renewal: only one of the two was replaced. Envoy refuses the pair, and the listener with it.",
            "# tls.key of the Secret blue-cert is the key of another certificate\n",
            &BLUE.chain,
            &other.key,
        ),
        files(
            "The chain begins with the authority",
            "The first certificate of the file is the one that Envoy serves.",
            "# tls.crt of the Secret blue-cert has the root first, and then the leaf\n",
            &reversed(&BLUE),
            &BLUE.key,
        ),
        files(
            "The file is not a certificate",
            "Base64 twice, an empty value, or DER: Envoy loads PEM only.",
            "# tls.crt of the Secret blue-cert holds: bm90IGEgY2VydGlmaWNhdGU=\n",
            "bm90IGEgY2VydGlmaWNhdGU=\n",
            &BLUE.key,
        ),
        Case {
            arguments: &["check", ".", "--now", "2099-01-01"],
            ..files(
                "The certificate has expired",
                "`--now` shows what will have expired by a day.",
                "# the certificate of the Secret blue-cert expires in 90 days\n",
                &BLUE.chain,
                &BLUE.key,
            )
        },
        node(
            "Nothing is mounted at the path",
            "A listener's paths are those in the proxy's container, where the pods' annotation mounts the Secret.",
            "/certs/tls",
            "/etc/certs/tls",
        ),
        node(
            "The Secret has no such file",
            "The file's name is the key in the Secret: `tls.crt`, not `cert.pem`, in a Secret of type kubernetes.io/tls.",
            "/certs/tls.crt",
            "/certs/cert.pem",
        ),
    ]
}

fn of_pods() -> Vec<Case> {
    vec![
        node(
            "The selector matches no pods",
            "Without the workload it isn't known what the proxy loads.",
            "{app: blue}",
            "{app: bleu}",
        ),
        workload(
            "No proxy is injected",
            "The namespace's label is missing, so the pods have no proxy that speaks TLS.",
            ", labels: {appmesh.k8s.aws/sidecarInjectorWebhook: enabled}",
            "",
        ),
        workload(
            "The mount is written the other way round",
            "The annotation's entries are NAME:PATH, separated by commas.",
            "blue-cert:/certs",
            "/certs:blue-cert",
        ),
        workload(
            "A probe in plaintext to a STRICT listener",
            "The kubelet speaks plaintext unless the probe says HTTPS.",
            "{name: app, image: app:1}",
            "{name: app, image: app:1, readinessProbe: {httpGet: {path: /, port: 8443}}}",
        ),
        workload(
            "A label is `yes` without quotes",
            "YAML, as kubectl reads it, has yes, no, on, off, y and n as booleans.",
            "labels: {app: blue}\n",
            "labels: {app: blue, canary: yes}\n",
        ),
    ]
}

fn of_text() -> Vec<Case> {
    let chart = Folder::empty();
    chart.write("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n");
    let template = "apiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualNode\nmetadata:\n  name: {{ .Values.name }}\n";
    chart.write("templates/node.yaml", template);
    vec![
        node(
            "A field is misspelt",
            "The API server may drop it silently, and the listener is left without TLS.",
            "      tls:\n",
            "      tlss:\n",
        ),
        node(
            "A number is in quotes",
            "The API has a number there, and refuses a string.",
            "port: 8443",
            "port: \"8443\"",
        ),
        node(
            "Two sources of one certificate",
            "A certificate is from ACM, or from a file, or from SDS.",
            "          file:\n",
            "          acm: {certificateARN: \"arn:aws:acm:eu-west-1:111122223333:certificate/8c9b1f2e-1111-2222-3333-444455556666\"}\n          file:\n",
        ),
        node(
            "The ARN is not a certificate's",
            "The ARN of a load balancer, of an authority, or one that was cut short.",
            "          file:\n            certificateChain: /certs/tls.crt\n            privateKey: /certs/tls.key\n",
            "          acm: {certificateARN: \"arn:aws:acm:eu-west-1:111122223333:certificat/8c9b1f2e\"}\n",
        ),
        case(
            "A Helm chart instead of what it renders",
            "Templates are not manifests: `helm template` makes them.",
            template,
            chart,
        ),
    ]
}

/// The page's text without what is minted anew: digests of keys, and dates.
fn stable(text: &str) -> String {
    let mut parts = text.split("SHA-256 ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digest = part.len() - part.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
        out.push_str("SHA-256 ");
        out.push_str(if digest >= 12 { "0123456789ab" } else { &part[..digest] });
        out.push_str(&part[digest..]);
    }
    undated(&out)
}

/// Dates without what changes from day to day.
fn undated(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let is_date = |text: &str| {
        let shape: String = text.chars().take(10).map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        shape == "9999-99-99"
    };
    while let Some(first) = rest.chars().next() {
        if is_date(rest) && !rest.starts_with("2099-") {
            out.push_str("YYYY-MM-DD");
            rest = &rest[10..];
            let time: String = rest.chars().take(9).map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
            if matches!(time.as_str(), "T99:99:99" | " 99:99:99") {
                out.push_str(&rest[..1]);
                out.push_str("hh:mm:ss");
                rest = &rest[9..];
            }
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn page() -> String {
    let mut page = INTRO.to_owned();
    let _ = write!(page, "```yaml\n{NODE}---\n{WORKLOAD}```\n");
    let cases = [of_names(), of_files(), of_pods(), of_text()].into_iter().flatten();
    for (number, case) in cases.enumerate() {
        let ran = case.folder.run(case.arguments);
        let said = stable(ran.out.trim_end());
        let _ = write!(
            page,
            "\n## {}. {}\n\n{}\n\n```yaml\n{}```\n\n```text\n$ meshvet {}\n{said}\n```\n",
            number + 1,
            case.title,
            case.why,
            case.shown,
            case.arguments.join(" "),
        );
    }
    page
}

#[test]
fn the_page_of_common_errors_is_fresh() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/common-errors.md");
    let page = page();
    assert_eq!(page.matches("\n## ").count(), 20, "twenty errors");
    for finding in page.split("\n## ").skip(1) {
        assert!(finding.contains(" MV") || finding.contains("error "), "nothing is found: {finding}");
    }
    if std::env::var_os("MESHVET_WRITE_DOCS").is_some() {
        std::fs::write(&kept, &page).expect("the page");
    }
    let text = std::fs::read_to_string(&kept).unwrap_or_default();
    assert!(text == page, "docs/common-errors.md is stale: MESHVET_WRITE_DOCS=1 cargo test --test check common_errors");
}
