//! The ways of deploy/README.md to give meshvet a certificate, as they stand there.

use meshvet::admission::entries::ENTRIES;
use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::install::{Installation, follow_readme, reader, set_bundles};
use crate::world::{install_crds, plane};

tests![
    the_readmes_check_says_that_it_judges,
    nothing_is_blocked_before_there_is_a_certificate,
    the_ca_bundle_command_fills_it_in,
    a_self_issued_certificate_will_do,
    a_certificate_is_renewed_by_the_readme,
    installing_again_changes_nothing,
];

/// `deploy/` with a certificate that openssl makes, as its README says.
#[track_caller]
fn with_a_certificate_of_our_own(plane: &ControlPlane) -> Installation<'_> {
    follow_readme(plane, "install").succeeds_silently();
    follow_readme(plane, "files").succeeds();
    follow_readme(plane, "paths").succeeds();
    follow_readme(plane, "openssl").succeeds();
    Installation::found(plane)
}

/// What a copy of the program issues to itself at each start, as an argument of the Deployment.
const SELF_SIGNED: &str = r#"[
  {"op":"replace","path":"/spec/replicas","value":1},
  {"op":"test","path":"/spec/template/spec/containers/0/args/8","value":"--managed-certificate=meshvet-authority"},
  {"op":"replace","path":"/spec/template/spec/containers/0/args/8","value":"--self-signed"},
  {"op":"replace","path":"/spec/template/spec/containers/0/args/9","value":"--dns-name=meshvet.meshvet-system.svc"}]"#;

fn the_readmes_check_says_that_it_judges() {
    follow_readme(plane(), "verify").refused(&["MV004 not-exactly-one-source"]);
}

fn nothing_is_blocked_before_there_is_a_certificate() {
    let plane = ControlPlane::start("half-installed");
    install_crds(&plane);
    follow_readme(&plane, "install").succeeds_silently();
    follow_readme(&plane, "files").succeeds();
    follow_readme(&plane, "cert-manager").succeeds_silently();
    follow_readme(&plane, "verify").succeeds();
}

fn the_ca_bundle_command_fills_it_in() {
    let plane = ControlPlane::start("ca-bundle");
    install_crds(&plane);
    let installation = with_a_certificate_of_our_own(&plane);
    set_bundles(&plane, "meshvet", None);

    follow_readme(&plane, "ca-bundle").succeeds_silently();
    let webhook = plane.kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
    let webhooks = webhook["webhooks"].as_array().expect("webhooks");
    // Five for objects of meshes and of gateways.
    assert_eq!(webhooks.len(), 5 + ENTRIES.len(), "{webhook}");
    for webhook in webhooks {
        let path = webhook["clientConfig"]["service"]["path"].as_str().unwrap_or_default();
        assert!(!path.is_empty() && path != "/validate", "every entry of deploy/ passes what isn't judged: {webhook}");
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
    let patch = ["-n", "meshvet-system", "patch", "deployment", "meshvet", "--type=json", "-p", SELF_SIGNED];
    plane.kubectl.run(&patch, "").succeeds_silently();
    let installation = Installation::found(&plane);
    let replica = installation.start("0");
    let log = replica.log();
    let (_, logged) = log.split_once("\"ca_bundle\":\"").unwrap_or_else(|| panic!("no caBundle:\n{log}"));
    let bundle = logged.split('"').next().expect("it ends");
    set_bundles(&plane, "meshvet", Some(bundle));
    installation.route_to(&[&replica]);
    installation.wait_until_judging("default");
    follow_readme(&plane, "verify").refused(&["MV004 not-exactly-one-source"]);
}

fn a_certificate_is_renewed_by_the_readme() {
    let plane = ControlPlane::start("renewed");
    install_crds(&plane);
    let installation = with_a_certificate_of_our_own(&plane);
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

fn installing_again_changes_nothing() {
    let plane = ControlPlane::start("installed-again");
    install_crds(&plane);
    let installation = Installation::of_deploy(&plane);
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("default");
    let kept = || {
        let secret = plane.kubectl.get(&["-n", "meshvet-system", "secret", "meshvet-authority"]);
        let configuration = plane.kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
        let hooks = configuration["webhooks"].as_array().expect("webhooks").iter();
        let bundles: Vec<Value> = hooks.map(|hook| hook["clientConfig"]["caBundle"].clone()).collect();
        assert!(bundles.iter().all(|bundle| bundle.is_string()), "{configuration}");
        (secret["data"].clone(), bundles)
    };
    let before = kept();
    follow_readme(&plane, "install").succeeds_silently();
    assert_eq!(kept(), before, "the authority and the caBundle are meshvet's own");
    follow_readme(&plane, "verify").refused(&["MV004 not-exactly-one-source"]);
}
