//! TLS to what no proxy of the mesh serves: servers outside, and applications that end TLS behind a `tcp` listener.

use meshvet::finding::Severity;

use crate::pairing::{Pairing, Place, Program, SOUND};
use crate::proxies::Side;
use crate::support::forge::{CLIENT_AUTH, Forge, Kind};

const EXTERNAL: &str = "pay.example.com";

const WRONG_VERSION: &str = "UF TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end";
const NO_ISSUER: &str = "unable to get local issuer certificate";
const SAN: &str = "verify cert failed: SAN matcher, certificate SANs are [pay.example.com]";

/// A client that trusts this root, of a server whose certificate that issued.
fn external(name: &str, forge: Forge) -> Pairing {
    let leaf = forge.issued_by(&SOUND.intermediate);
    Pairing::sound(format!("origination: {name}")).host(EXTERNAL).chain(&[&leaf, &SOUND.intermediate])
}

fn pay() -> Forge {
    Forge::leaf(&[EXTERNAL])
}

pub(super) fn pairings() -> Vec<Pairing> {
    [outside(), behind(), plaintext()].concat()
}

fn outside() -> Vec<Pairing> {
    let sound = &*SOUND;
    let outside = |name: &str| external(name, pay()).outside(Program::Rustls);
    let kind = |name: &str, kind: Kind| external(name, pay().key(kind)).outside(Program::Rustls);
    let selecting = |pairing: Pairing| Pairing { place: Place::Outside { selects: true }, ..pairing };
    let client = [&sound.client, &sound.intermediate];
    vec![
        outside("a server outside").own_policy().works().says("MV305", Severity::Off),
        outside("a server outside, by default").works(),
        selecting(outside("a server outside, of a selector")).own_policy().works(),
        outside("a server in a private zone")
            .host("db.corp.internal")
            .names(&[EXTERNAL])
            .own_policy()
            .works()
            .says("MV305", Severity::Off),
        selecting(outside("a server outside, of a selector, by default")).works(),
        Pairing { protocol: "tcp", ..outside("a server outside, of a tcp listener") }.own_policy().works(),
        external("an Envoy outside", pay()).outside(Program::Envoy).own_policy().works().says("MV305", Severity::Off),
        outside("a server outside, without a policy").no_policy().fails("UPE"),
        outside("a server outside that another authority issued").bundle(&[&sound.other]).own_policy().fails(NO_ISSUER),
        outside("a server outside of another name").names(&["red.apps.local"]).own_policy().fails(SAN),
        outside("a server outside, and a bundle that is broken")
            .bundle_file(b"garbage".to_vec())
            .own_policy()
            .refused(Side::Client, "Failed to load trusted CA certificates from"),
        external("a server outside that has expired", pay().days(-9, -1))
            .outside(Program::Rustls)
            .own_policy()
            .fails("certificate has expired"),
        external("a server outside for clients only", pay().usages(&[CLIENT_AUTH]))
            .outside(Program::Rustls)
            .own_policy()
            .fails("unsupported certificate purpose"),
        kind("a server outside with an RSA key", Kind::Rsa(2048)).own_policy().works(),
        kind("a server outside with a P-384 key", Kind::P384).own_policy().fails("OPENSSL_internal:BAD_ECC_CERT"),
        kind("a server outside with an Ed25519 key", Kind::Ed25519).own_policy().fails("UF"),
        outside("a client shows a certificate to a server outside").client_chain(&client).own_policy().works(),
        outside("a client shows an expired certificate to a server outside")
            .client_chain(&[&Forge::leaf(&["front.apps.local"]).days(-9, -1).issued_by(&sound.other)])
            .own_policy()
            .works(),
        outside("a server outside that trusts the client")
            .mutual(&[&sound.root], &[])
            .client_chain(&client)
            .own_policy()
            .works(),
        outside("a server outside that asks for a certificate in vain")
            .mutual(&[&sound.root], &[])
            .own_policy()
            .fails("TLSV1_ALERT_CERTIFICATE_REQUIRED"),
        outside("a server outside that distrusts the client")
            .mutual(&[&sound.other], &[])
            .client_chain(&client)
            .own_policy()
            .fails("TLSV1_ALERT_UNKNOWN_CA"),
    ]
}

fn behind() -> Vec<Pairing> {
    let sound = &*SOUND;
    let behind = |name: &str| Pairing::sound(format!("origination: {name}")).behind(Program::Rustls);
    let client = [&sound.client, &sound.intermediate];
    let bare = Pairing::sound("origination: an application without a proxy");
    vec![
        Pairing { place: Place::Bare, program: Program::Rustls, ..bare }.own_policy().works(),
        behind("an application behind a tcp listener").own_policy().works().says("MV305", Severity::Off),
        behind("an application behind a tcp listener, by default").works(),
        Pairing::sound("origination: an Envoy behind a tcp listener").behind(Program::Envoy).own_policy().works(),
        behind("an application behind a tcp listener, without a policy").no_policy().fails("UPE"),
        behind("an application behind a tcp listener that another authority issued")
            .bundle(&[&sound.other])
            .own_policy()
            .fails(NO_ISSUER),
        behind("an application behind a tcp listener, of another name")
            .host("red.apps.local")
            .own_policy()
            .fails("verify cert failed: SAN matcher"),
        behind("an application behind a tcp listener that trusts the client")
            .mutual(&[&sound.root], &[])
            .client_chain(&client)
            .own_policy()
            .works(),
    ]
}

fn plaintext() -> Vec<Pairing> {
    let plain = |name: &str| Pairing::sound(format!("origination: {name}")).plaintext_server();
    let listener = |protocol| Pairing { protocol, ..plain(&format!("a plaintext {protocol} listener")) };
    let denied = |pairing: Pairing| pairing.fails(WRONG_VERSION).says("MV305", Severity::Deny);
    let mut out: Vec<Pairing> = ["http", "http2", "grpc"].map(listener).into_iter().map(denied).collect();
    out.extend([
        denied(Pairing { own_policy: true, ..plain("a plaintext http listener, by the backend's own policy") }),
        plain("a plaintext http listener and nobody's policy").no_policy().works().says("MV305", Severity::Off),
        plain("a plaintext application behind a tcp listener")
            .behind(Program::Rustls)
            .own_policy()
            .fails(WRONG_VERSION),
        plain("a plaintext Envoy behind a tcp listener").behind(Program::Envoy).own_policy().fails(WRONG_VERSION),
        plain("an application that hangs up behind a tcp listener").behind(Program::Mute).own_policy().fails("UF -"),
        plain("a plaintext application behind a tcp listener and nobody's policy")
            .behind(Program::Rustls)
            .no_policy()
            .works(),
        plain("a plaintext server outside").host(EXTERNAL).outside(Program::Rustls).own_policy().fails(WRONG_VERSION),
        plain("a server outside that hangs up").host(EXTERNAL).outside(Program::Mute).own_policy().fails("UF -"),
        plain("a plaintext server outside and nobody's policy")
            .host(EXTERNAL)
            .outside(Program::Rustls)
            .no_policy()
            .works(),
    ]);
    out
}
