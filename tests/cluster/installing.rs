//! The ways of deploy/README.md to give meshvet a certificate, as they stand there.

use serde_json::json;

use crate::control_plane::ControlPlane;
use crate::install::{Installation, follow_readme, reader};
use crate::world::{install_crds, plane};

tests![
    the_readmes_check_says_that_it_judges,
    nothing_is_blocked_before_there_is_a_certificate,
    the_ca_bundle_command_fills_it_in,
    a_self_issued_certificate_will_do,
    a_certificate_is_renewed_by_the_readme,
];

fn the_readmes_check_says_that_it_judges() {
    follow_readme(plane(), "verify").refused(&["MV004 not-exactly-one-source"]);
}

fn nothing_is_blocked_before_there_is_a_certificate() {
    let plane = ControlPlane::start("half-installed");
    install_crds(&plane);
    follow_readme(&plane, "install").succeeds_silently();
    follow_readme(&plane, "cert-manager").succeeds_silently();
    follow_readme(&plane, "verify").succeeds();
}

fn the_ca_bundle_command_fills_it_in() {
    let plane = ControlPlane::start("ca-bundle");
    install_crds(&plane);
    let installation = Installation::of_deploy(&plane);
    let take_out =
        [0, 1].map(|hook| json!({"op": "remove", "path": format!("/webhooks/{hook}/clientConfig/caBundle")}));
    let take_out = json!(take_out).to_string();
    let patch = ["patch", "validatingwebhookconfiguration", "meshvet", "--type=json", "-p", &take_out];
    plane.kubectl.run(&patch, "").succeeds();

    follow_readme(&plane, "ca-bundle").succeeds_silently();
    let webhook = plane.kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
    let webhooks = webhook["webhooks"].as_array().expect("webhooks");
    assert_eq!(webhooks.len(), 2, "{webhook}");
    for webhook in webhooks {
        assert_eq!(webhook["clientConfig"]["service"]["path"], "/validate");
        assert!(webhook["clientConfig"]["caBundle"].is_string(), "{webhook}");
    }
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("default");
}

fn a_self_issued_certificate_will_do() {
    let plane = ControlPlane::start("self-signed");
    install_crds(&plane);
    follow_readme(&plane, "install").succeeds_silently();
    follow_readme(&plane, "self-signed").succeeds_silently();
    let installation = Installation::found(&plane);
    let replica = installation.start("0");
    // What `kubectl logs` would have written.
    std::fs::write(reader(&plane).join("meshvet.log"), replica.log()).unwrap();
    follow_readme(&plane, "self-signed-bundle").succeeds_silently();
    installation.route_to(&[&replica]);
    installation.wait_until_judging("default");
    follow_readme(&plane, "verify").refused(&["MV004 not-exactly-one-source"]);
}

fn a_certificate_is_renewed_by_the_readme() {
    let plane = ControlPlane::start("renewed");
    install_crds(&plane);
    let installation = Installation::of_deploy(&plane);
    let secret = ["-n", "meshvet-system", "secret", "meshvet-tls"];
    let before = plane.kubectl.get(&secret)["data"]["tls.crt"].clone();
    // The second and third command of the block "openssl".
    let again = crate::install::readme("openssl");
    let again: Vec<&str> = again.split("\nopenssl ").skip(1).collect();
    let again: Vec<&str> = again.iter().filter_map(|command| command.split("\nkubectl ").next()).collect();
    let script = format!("openssl {}", again.join("\nopenssl "));
    plane.kubectl.script(&script, &reader(&plane)).succeeds();
    follow_readme(&plane, "renew").succeeds();
    assert_ne!(plane.kubectl.get(&secret)["data"]["tls.crt"], before);
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("default");
}
