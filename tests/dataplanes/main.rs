//! What istiod and Contour do with Gateways and Ingresses, compared with what `meshvet check` reports for the same manifests.
//!
//! Each case is minted anew. What happened with the real programs is in `istio.json` and `contour.json`: the conditions that the
//! controller set, and what a TLS client of the Envoy that it configured saw. `scripts/test dataplanes` builds both controllers and records
//! that again, with a real kube-apiserver, in a network namespace of its own.
//!
//! ```text
//! case ─┬─ manifests ─► kube-apiserver ─► istiod | Contour ─► Envoy ─► client ─► record ─┐
//!       └─ manifests ─► meshvet check ───────────────────────────────────────────────────┴─ must agree
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

mod backend;
mod bed;
mod case;
mod check;
mod client;
mod contour;
mod contour_cases;
mod differences;
mod gateways;
mod istio;
mod istio_cases;
mod minted;
mod policies;
mod proxy;
mod record;

#[allow(dead_code, reason = "shared with the suite `cluster`")]
#[path = "../cluster/control_plane.rs"]
mod control_plane;
#[allow(dead_code, reason = "shared with the suite `cluster`")]
#[path = "../cluster/kubectl.rs"]
mod kubectl;
#[allow(dead_code, reason = "shared with the suite `cluster`")]
#[path = "../cluster/sandbox.rs"]
mod sandbox;
#[path = "../support/mod.rs"]
mod support;

use record::Controller;

#[test]
fn meshvet_and_istio_agree_but_where_it_is_meant() {
    check::hold(Controller::Istio, &istio_cases::all());
}

#[test]
fn meshvet_and_contour_agree_but_where_it_is_meant() {
    check::hold(Controller::Contour, &contour_cases::all());
}

#[test]
fn each_difference_is_of_a_case_and_says_why() {
    let istio = istio_cases::all();
    let contour = contour_cases::all();
    differences::check(&[(Controller::Istio, &istio), (Controller::Contour, &contour)]);
}

/// Records again: `scripts/test dataplanes`. `MESHVET_CONTROLLERS` names the controllers, if not both.
#[test]
#[ignore = "builds both controllers, and writes into tests/dataplanes: scripts/test gateway"]
fn record_anew() {
    let parts = [
        ("assets", sandbox::ASSETS),
        ("envoy", sandbox::ENVOY),
        ("gateway-crds", sandbox::GATEWAY_CRDS),
        ("contour", contour::PROGRAM),
        ("istiod", istio::PROGRAM),
    ];
    let wanted = std::env::var("MESHVET_CONTROLLERS").unwrap_or_else(|_| "contour istiod".to_owned());
    let parts: Vec<(&str, &str)> =
        parts.into_iter().filter(|(part, _)| !["contour", "istiod"].contains(part) || wanted.contains(part)).collect();
    if let Some(code) = sandbox::enter_with(&parts) {
        assert!(code == std::process::ExitCode::SUCCESS, "the recording failed: see above");
        return;
    }
    if wanted.contains("contour") {
        record::write(Controller::Contour, &contour::record(&contour_cases::all()));
    }
    if wanted.contains("istiod") {
        record::write(Controller::Istio, &istio::record(&istio_cases::all()));
    }
}
