//! An API server that authenticates itself, by the configuration that docs/security.md shows.

use std::process::Command;

use rcgen::ExtendedKeyUsagePurpose;
use serde_json::json;

use crate::control_plane::ControlPlane;
use crate::release::Release;
use crate::support::manifests::namespace;
use crate::support::mint::Authority;
use crate::world::install_crds;

tests![only_an_api_server_that_shows_its_certificate_gets_verdicts];

const PLACE: (&str, &str) = ("meshvet-system", "meshvet");

/// A file of docs/security.md: what stands between a line "```yaml NAME" and "```".
fn file(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security.md");
    let text = std::fs::read_to_string(path).unwrap();
    let fence = format!("```yaml {name}");
    let lines = text.lines().skip_while(|line| *line != fence).skip(1).take_while(|line| *line != "```");
    let lines: Vec<&str> = lines.collect();
    assert!(!lines.is_empty(), "docs/security.md has no file {fence}");
    lines.join("\n")
}

fn only_an_api_server_that_shows_its_certificate_gets_verdicts() {
    let authority = Authority::new("Callers of meshvet");
    let shown = authority.leaf(&["kube-apiserver"]).extended_usages(&[ExtendedKeyUsagePurpose::ClientAuth]).issue();
    let plane = ControlPlane::start_with("callers", |folder| {
        let here = |text: String| text.replace("/etc/kubernetes/admission", &folder.display().to_string());
        for (name, text) in [
            ("configuration.yaml", here(file("configuration"))),
            ("callers.kubeconfig", here(file("kubeconfig"))),
            ("caller.crt", shown.chain.clone()),
            ("caller.key", shown.key.clone()),
        ] {
            std::fs::write(folder.join(name), text).expect("a file");
        }
        vec![format!("--admission-control-config-file={}", folder.join("configuration.yaml").display())]
    });
    install_crds(&plane);
    plane.kubectl.create(&namespace(PLACE.0), &[]).succeeds();
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": PLACE.0, "name": "meshvet-callers"},
        "stringData": {"ca.crt": authority.pem()},
    });
    plane.kubectl.create(&secret, &[]).succeeds();
    let fail = ["webhook.failurePolicy=Fail", "clientCa.secretName=meshvet-callers"];
    let release = Release::install(&plane, PLACE, &fail);
    let installation = release.installation();
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("default");

    // Whoever shows none, or another's, isn't even told that there is nothing.
    let other = Authority::new("Somebody else");
    let other = other.leaf(&["kube-apiserver"]).extended_usages(&[ExtendedKeyUsagePurpose::ClientAuth]).issue();
    for (name, issued) in [("shown", Some(&shown)), ("none", None), ("other", Some(&other))] {
        let address = format!("{}:8443", replica.address);
        let mut arguments = vec!["s_client".to_owned(), "-quiet".to_owned(), "-connect".to_owned(), address];
        if let Some(issued) = issued {
            for (option, suffix, text) in [("-cert", "crt", &issued.chain), ("-key", "key", &issued.key)] {
                let file = plane.folder().join(format!("{name}.{suffix}"));
                std::fs::write(&file, text).expect("a file");
                arguments.extend([option.to_owned(), file.display().to_string()]);
            }
        }
        let script = "printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' | openssl \"$@\"";
        let output = Command::new("sh").args(["-c", script, "sh"]).args(&arguments).output().expect("sh runs");
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(told.contains("HTTP/1.1 404"), name == "shown", "{name}: {told}");
        assert_eq!(told.contains("meshvet"), name == "shown", "{name}: {told}");
    }
}
