//! What meshvet tells Prometheus, of a real cluster.

use std::time::Duration;

use crate::install::Installation;
use crate::replica::Replica;
use crate::sandbox::eventually;
use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::Authority;
use crate::world::{World, meshvet, plane};

tests![
    a_refusal_is_counted_by_its_rule,
    a_listeners_certificate_is_told_with_its_end,
    what_is_known_has_a_weight_and_an_age,
    a_watch_in_which_nothing_happens_stays_young,
];

fn figure(replica: &Replica, name: &str) -> f64 {
    replica.figure(name).unwrap_or_else(|| panic!("no {name} in:\n{}", replica.get("/metrics").unwrap_or_default()))
}

fn a_refusal_is_counted_by_its_rule() {
    let world = World::new("figures-refusal");
    let installation = Installation::copy_for(plane(), "figures-refusal", "Fail");
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("figures-refusal");
    let denied = |replica: &Replica| replica.figure("meshvet_findings_total{rule=\"MV004\",outcome=\"denied\"}");
    let before = denied(&replica).expect("the refusal that it was waited for by");
    let mut node = virtual_node("figures-refusal", "web", "web.local");
    node["spec"]["listeners"][0]["tls"]["certificate"] = serde_json::json!({});
    world.apply(&node).refused(&["MV004"]);
    assert_eq!(denied(&replica), Some(before + 1.0));
    let text = replica.get("/metrics").expect("an answer");
    assert!(text.contains("content-type: application/openmetrics-text") && text.ends_with("# EOF\n"), "{text}");
    assert!(text.contains(&format!("meshvet_build_info{{version=\"{}\"", env!("CARGO_PKG_VERSION"))), "{text}");
}

fn a_listeners_certificate_is_told_with_its_end() {
    let world = World::new("figures-expiry");
    let leaf = Authority::new("Test root").leaf(&["web.figures-expiry.svc.cluster.local"]).valid(-1, 10).issue();
    world.has([
        tls_secret("figures-expiry", "web-tls", &leaf),
        manifests::deployment("figures-expiry", "web", "web-tls:/certs"),
    ]);
    let node = virtual_node("figures-expiry", "web", &world.hostname("web"));
    world.knows(&node);
    world.apply(&node).succeeds();
    let name = "meshvet_listener_certificate_expiry_timestamp_seconds{namespace=\"figures-expiry\",kind=\"VirtualNode\",name=\"web\",listener=\"listener 8443\"}";
    // Of the suite's listeners only those that end first are told: this one ends before most.
    let (_, parsed) = x509_parser::pem::parse_x509_pem(leaf.certificate.as_bytes()).expect("PEM");
    let ends = parsed.parse_x509().expect("a certificate").validity().not_after.timestamp();
    eventually("its end is told", || match meshvet().figure(name) {
        Some(told) if told == ends as f64 => Ok(()),
        told => {
            let left_out = meshvet().figure("meshvet_listener_certificates_left_out");
            Err(format!("{told:?}, {ends} expected, {left_out:?} left out"))
        }
    });
    world.kubectl.run(&["-n", "figures-expiry", "delete", "virtualnode", "web"], "").succeeds();
    eventually("it is forgotten", || match meshvet().figure(name) {
        None => Ok(()),
        told => Err(format!("{told:?}")),
    });
}

fn what_is_known_has_a_weight_and_an_age() {
    let world = World::new("figures-cache");
    let replica = Installation::found(plane()).start("figures");
    let secrets = "meshvet_cache_bytes{kind=\"Secret\"}";
    let before = figure(&replica, secrets);
    let issued = Authority::new("Test root").leaf(&["web.local"]).issue();
    world.has([tls_secret("figures-cache", "web-tls", &issued)]);
    eventually("a Secret more weighs more", || {
        let now = figure(&replica, secrets);
        if now > before + issued.certificate.len() as f64 / 2.0 { Ok(()) } else { Err(format!("{before}, {now}")) }
    });
    for kind in ["Secret", "VirtualNode", "Pod", "CronJob"] {
        let age = figure(&replica, &format!("meshvet_cache_age_seconds{{kind=\"{kind}\"}}"));
        assert!((0.0..130.0).contains(&age), "{kind}: {age}");
    }
    // Not watched, so without an age: ServiceAccounts matter only where AWS is asked.
    assert_eq!(replica.figure("meshvet_cache_age_seconds{kind=\"ServiceAccount\"}"), None);
}

/// The API server sends a bookmark every minute, and ends a watch after two: the age says that the watch lives.
fn a_watch_in_which_nothing_happens_stays_young() {
    let replica = Installation::found(plane()).start("quiet");
    let age = || figure(&replica, "meshvet_cache_age_seconds{kind=\"CronJob\"}");
    let mut last = age();
    let mut heard = false;
    // Long enough for one bookmark, which comes within a minute and a quarter.
    for _ in 0..85 {
        std::thread::sleep(Duration::from_secs(1));
        let now = age();
        heard |= now < last;
        last = now;
        if heard {
            return;
        }
    }
    panic!("nothing was heard of CronJobs, {last} s");
}
