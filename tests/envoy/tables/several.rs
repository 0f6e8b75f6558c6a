//! Servers with two listeners, whose ways name one of them by its port, or neither.

use meshvet::finding::Severity;

use crate::calls::Named;
use crate::pairing::Comes::{Fails, Refused, Works};
use crate::pairing::{Identity, Pairing, SOUND, ServerTls};
use crate::proxies::Side;
use crate::support::forge::{Forge, Forged};

const NO_ISSUER: &str = "unable to get local issuer certificate";
const WRONG_VERSION: &str = "WRONG_VERSION_NUMBER";

fn tls(chain: &[&Forged]) -> Option<ServerTls> {
    Some(ServerTls { permissive: false, identity: Identity::of(chain), validation: None })
}

pub(super) fn pairings() -> Vec<Pairing> {
    [validated(), unvalidated(), mutual()].concat()
}

fn several(name: &str, second: Option<ServerTls>, called: Named) -> Pairing {
    Pairing::sound(format!("several: {name}")).second(second, called)
}

fn validated() -> Vec<Pairing> {
    let sound = &*SOUND;
    let right = || tls(&[&sound.leaf, &sound.intermediate]);
    let foreign = || tls(&[&Forge::leaf(&["blue.apps.local"]).issued_by(&sound.other)]);
    let expired = || tls(&[&Forge::leaf(&["blue.apps.local"]).days(-9, -1).issued_by(&sound.root)]);
    let (first, second, neither) = (Named::First, Named::Second, Named::Neither);
    let both_foreign =
        |name: &str, called| several(name, foreign(), called).bundle(&[&Forge::authority("New").self_signed()]);
    let denied = |pairing: Pairing| pairing.comes([Fails(NO_ISSUER), Fails(NO_ISSUER)]).says("MV301", Severity::Deny);
    let mut mismatched = right();
    if let Some(tls) = &mut mismatched {
        tls.identity.key = Some(sound.root.key.pem.clone().into_bytes());
    }
    let refused = || Refused(Side::Server, "KEY_VALUES_MISMATCH");
    let mut policy_of_first = several("the second foreign, and the policy is for the first", foreign(), second);
    let mut policy_of_second = several("the second foreign, and the policy is for the second", foreign(), second);
    let mut idle_policy = several("the second called, and the policy for the first refused", right(), second)
        .bundle_file(b"garbage".to_vec());
    let policies = [(&mut policy_of_first, first), (&mut policy_of_second, second), (&mut idle_policy, first)];
    for (pairing, policy) in policies {
        pairing.second.as_mut().expect("a second listener").policy = policy;
    }
    vec![
        several("both right", right(), neither).comes([Works, Works]),
        several("both right, the second called", right(), second).comes([Works, Works]),
        denied(both_foreign("both foreign", neither)),
        denied(both_foreign("both foreign, and both called", Named::Both)),
        denied(both_foreign("both foreign, the first called", first)),
        denied(both_foreign("both foreign, the second called", second)),
        several("the second foreign", foreign(), neither).comes([Works, Fails(NO_ISSUER)]),
        several("the second foreign, and both called", foreign(), Named::Both)
            .comes([Works, Fails(NO_ISSUER)])
            .says("MV301", Severity::Deny),
        several("the second plaintext, and both called", None, Named::Both)
            .comes([Works, Fails(WRONG_VERSION)])
            .says("MV305", Severity::Deny),
        several("the second foreign, the first called", foreign(), first)
            .comes([Works, Fails(NO_ISSUER)])
            .says("MV301", Severity::Off),
        several("the second foreign and called", foreign(), second)
            .comes([Works, Fails(NO_ISSUER)])
            .says("MV301", Severity::Deny),
        several("the second expired", expired(), neither).comes([Works, Fails("certificate has expired")]),
        several("the second expired, the first called", expired(), first)
            .comes([Works, Fails("certificate has expired")]),
        several("the second expired and called", expired(), second).comes([Works, Fails("certificate has expired")]),
        several("the second plaintext", None, neither).comes([Works, Fails(WRONG_VERSION)]),
        several("the second plaintext, the first called", None, first)
            .comes([Works, Fails(WRONG_VERSION)])
            .says("MV305", Severity::Off),
        several("the second plaintext and called", None, second)
            .comes([Works, Fails(WRONG_VERSION)])
            .says("MV305", Severity::Deny),
        several("both plaintext", None, neither)
            .plaintext_server()
            .comes([Fails(WRONG_VERSION), Fails(WRONG_VERSION)])
            .says("MV305", Severity::Deny),
        several("one plaintext, the other foreign", foreign(), neither)
            .plaintext_server()
            .comes([Fails(WRONG_VERSION), Fails(NO_ISSUER)]),
        several("the second refused", mismatched.clone(), neither).comes([Works, refused()]),
        several("the second refused, the first called", mismatched.clone(), first).comes([Works, refused()]),
        several("the second refused and called", mismatched, second).comes([Works, refused()]),
        idle_policy.comes([Refused(Side::Client, "Failed to load trusted CA certificates"), Works]),
        policy_of_first.comes([Works, Works]),
        policy_of_second.comes([Works, Fails(NO_ISSUER)]).says("MV301", Severity::Deny),
        Pairing { own_policy: true, ..several("the second foreign, by the backend's own policy", foreign(), neither) }
            .comes([Works, Fails(NO_ISSUER)]),
    ]
}

fn unvalidated() -> Vec<Pairing> {
    let sound = &*SOUND;
    let expired = || Forge::leaf(&["red.apps.local"]).days(-9, -1).issued_by(&sound.other);
    let pairing = |name: &str, called| several(name, tls(&[&expired()]), called).chain(&[&expired()]).no_policy();
    vec![
        pairing("both expired, of another name, and not validated", Named::Neither).comes([Works, Works]),
        pairing("both expired, of another name, and not validated, the first called", Named::First)
            .comes([Works, Works]),
        several("one plaintext, and nobody's policy", None, Named::Neither).no_policy().comes([Works, Works]),
    ]
}

fn mutual() -> Vec<Pairing> {
    let sound = &*SOUND;
    let whole = [&sound.leaf, &sound.intermediate];
    let asking = || {
        let mut pairing = Pairing::sound("").mutual(&[&sound.root], &[]).chain(&whole);
        pairing.server.take()
    };
    let expired = Forge::leaf(&["front.apps.local"]).days(-9, -1).issued_by(&sound.root);
    let without =
        |name: &str, called| several(name, asking(), called).comes([Works, Fails("SSLV3_ALERT_HANDSHAKE_FAILURE")]);
    let with = |name: &str, called| {
        several(name, asking(), called)
            .client_chain(&[&expired])
            .comes([Works, Fails("SSLV3_ALERT_CERTIFICATE_EXPIRED")])
    };
    vec![
        without("the second asks in vain", Named::Neither),
        without("the second asks in vain, the first called", Named::First).says("MV304", Severity::Off),
        without("the second asks in vain and is called", Named::Second).says("MV304", Severity::Deny),
        with("the second asks, and the certificate has expired", Named::Neither),
        with("the second asks, and the certificate has expired, the first called", Named::First)
            .says("MV207", Severity::Warn),
        with("the second asks, is called, and the certificate has expired", Named::Second)
            .says("MV207", Severity::Deny),
    ]
}
