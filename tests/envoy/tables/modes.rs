//! Modes of listeners, clients without TLS, and mutual TLS.

use meshvet::finding::Severity;

use crate::pairing::{Pairing, SOUND, file};
use crate::proxies::Side;
use crate::support::forge::{ANY_USAGE, CLIENT_AUTH, Forge, KEY_ENCIPHERMENT, Kind, SERVER_AUTH};

pub(super) fn pairings() -> Vec<Pairing> {
    [plain(), without_policy(), unasked(), mutual()].concat()
}

/// Clients that validate nothing.
fn without_policy() -> Vec<Pairing> {
    let sound = &*SOUND;
    let blue = || Forge::leaf(&["blue.apps.local"]);
    let pairing = |name: &str| Pairing::sound(format!("no policy: {name}"));
    let shown = |name: &str, forge: Forge| pairing(name).chain(&[&forge.issued_by(&sound.other)]).no_policy();
    let kind = |name: &str, kind: Kind| shown(name, blue().key(kind)).says("MV215", Severity::Deny);
    vec![
        pairing("a STRICT server").no_policy().works(),
        pairing("a PERMISSIVE server").permissive().no_policy().works(),
        pairing("a server that validates its clients").mutual(&[&sound.root], &[]).no_policy(),
        pairing("a server whose chain lacks a link").chain(&[&sound.leaf]).no_policy().works(),
        pairing("a server whose key is another's")
            .key_file(sound.root.key.pem.clone().into_bytes())
            .no_policy()
            .refused(Side::Server, "KEY_VALUES_MISMATCH")
            .says("MV206", Severity::Deny),
        pairing("a server whose chain begins with the intermediate")
            .chain_file(file(&[&sound.intermediate, &sound.leaf]))
            .no_policy()
            .refused(Side::Server, "Failed to load certificate chain")
            .says("MV211", Severity::Deny),
        pairing("a server whose intermediates are swapped")
            .chain(&[&sound.leaf, &sound.root, &sound.intermediate])
            .no_policy()
            .works(),
        shown("a server of another name", Forge::leaf(&["red.apps.local"])).works().says("MV101", Severity::Warn),
        shown("a server of another authority", blue()).works(),
        shown("a server whose certificate has expired", blue().days(-9, -1)).works().says("MV207", Severity::Warn),
        shown("a server whose certificate isn't valid yet", blue().days(2, 9)).works().says("MV208", Severity::Warn),
        shown("a server with a certificate for clients", blue().usages(&[CLIENT_AUTH]))
            .works()
            .says("MV212", Severity::Warn),
        shown("a PERMISSIVE server whose certificate has expired", blue().days(-9, -1))
            .permissive()
            .works()
            .says("MV207", Severity::Warn),
        kind("a server with an Ed25519 key", Kind::Ed25519).fails("SSLV3_ALERT_HANDSHAKE_FAILURE"),
        kind("a server with a P-521 key", Kind::Curve("P-521")).fails("SSLV3_ALERT_HANDSHAKE_FAILURE"),
        shown("a server with a P-384 key", blue().key(Kind::P384))
            .fails("SSLV3_ALERT_HANDSHAKE_FAILURE")
            .says("MV215", Severity::Deny),
        kind("a server with a P-224 key", Kind::Curve("P-224"))
            .refused(Side::Server, "Failed to load certificate chain"),
        kind("a server with a short key", Kind::Rsa(1024)).refused(Side::Server, "2048-bit or larger keys"),
        shown("a server with an RSA key for encipherment", blue().key(Kind::Rsa(2048)).key_usage(KEY_ENCIPHERMENT))
            .fails("KEY_USAGE_BIT_INCORRECT")
            .says("MV215", Severity::Deny),
    ]
}

/// Certificates that a client shows if it is asked, and nobody asks.
fn unasked() -> Vec<Pairing> {
    let sound = &*SOUND;
    let front = || Forge::leaf(&["front.apps.local"]);
    let shown = |name: &str, forge: Forge| {
        Pairing::sound(format!("unasked: a client's certificate {name}"))
            .client_chain(&[&forge.issued_by(&sound.other)])
    };
    let mut mismatched = shown("with another's key", front());
    if let Some(identity) = &mut mismatched.client_tls().identity {
        identity.key = Some(sound.root.key.pem.clone().into_bytes());
    }
    vec![
        shown("of another authority", front()).works(),
        shown("that has expired", front().days(-9, -1)).works().says("MV207", Severity::Warn),
        shown("that isn't valid yet", front().days(2, 9)).works().says("MV208", Severity::Warn),
        shown("for servers only", front().usages(&[SERVER_AUTH])).works().says("MV212", Severity::Warn),
        shown("for nobody", front().usages(&[ANY_USAGE])).works().says("MV212", Severity::Warn),
        shown("with an Ed25519 key", front().key(Kind::Ed25519)).works().says("MV215", Severity::Warn),
        shown("with a P-384 key", front().key(Kind::P384)).works().says("MV215", Severity::Off),
        shown("with a P-521 key", front().key(Kind::Curve("P-521"))).works().says("MV215", Severity::Off),
        shown("with an RSA key for encipherment", front().key(Kind::Rsa(2048)).key_usage(KEY_ENCIPHERMENT))
            .works()
            .says("MV215", Severity::Warn),
        shown("with a P-256 key for encipherment", front().key_usage(KEY_ENCIPHERMENT))
            .refused(Side::Client, "Failed to load certificate chain")
            .says("MV215", Severity::Deny),
        shown("with a P-224 key", front().key(Kind::Curve("P-224")))
            .refused(Side::Client, "Failed to load certificate chain")
            .says("MV215", Severity::Deny),
        shown("with a short key", front().key(Kind::Rsa(1024)))
            .refused(Side::Client, "2048-bit or larger keys")
            .says("MV215", Severity::Deny),
        mismatched.refused(Side::Client, "KEY_VALUES_MISMATCH").says("MV206", Severity::Deny),
        shown("that has expired, of a PERMISSIVE server", front().days(-9, -1))
            .permissive()
            .works()
            .says("MV207", Severity::Warn),
        shown("that has expired, of the backend's own policy", front().days(-9, -1))
            .own_policy()
            .works()
            .says("MV207", Severity::Warn),
    ]
}

fn plain() -> Vec<Pairing> {
    let other = || Pairing::sound("").bundle(&[&SOUND.other]);
    let named = |name: &str, pairing: Pairing| Pairing { name: format!("modes: {name}"), ..pairing };
    let sound = || Pairing::sound("");
    vec![
        named("neither speaks TLS", sound().plaintext_server().plaintext_client()),
        named("the client alone speaks TLS", sound().plaintext_server()),
        named("a plaintext client and a STRICT server", sound().plaintext_client()),
        named("a plaintext client and a PERMISSIVE server", sound().permissive().plaintext_client()),
        named("a TLS client and a PERMISSIVE server", sound().permissive()),
        named("a TLS client that distrusts a PERMISSIVE server", other().permissive()),
        named("a TLS client that expects another name of a PERMISSIVE server", sound().permissive().host("red.local")),
        named("a plaintext client and a STRICT server that is refused", sound().plaintext_client().key_file(None)),
        named("a plaintext client and a PERMISSIVE server that is refused", {
            sound().permissive().plaintext_client().chain_file(Vec::new())
        }),
        named("a client that is refused and a plaintext server", sound().plaintext_server().bundle_file(Vec::new())),
        named("a default policy that no backend takes trusts another", sound().instead_of(file(&[&SOUND.other])))
            .works(),
        named("a default policy that no backend takes has a broken bundle", sound().instead_of(b"garbage".to_vec()))
            .works(),
        named("both are refused", sound().key_file(Vec::new()).bundle_file(Vec::new())),
        named("a client shows a certificate that nobody asks for", {
            sound().client_chain(&[&SOUND.client, &SOUND.intermediate])
        }),
    ]
}

fn mutual() -> Vec<Pairing> {
    let sound = &*SOUND;
    let front = || Forge::leaf(&["front.apps.local"]);
    let issued = |forge: Forge| forge.issued_by(&sound.intermediate);
    let pairing = |name: &str| Pairing::sound(format!("mutual: {name}")).mutual(&[&sound.root], &[]);
    let named = |name: &str, names: &[&str]| Pairing::sound(format!("mutual: {name}")).mutual(&[&sound.root], names);
    let whole = [&sound.client, &sound.intermediate];
    let shown = |name: &str, forge: Forge| pairing(name).client_chain(&[&issued(forge), &sound.intermediate]);
    let alone = front().self_signed();
    let mut broken = pairing("the server's bundle is broken").client_chain(&whole);
    let mut with_key = pairing("the client's key is absent").client_chain(&whole);
    if let Some(validation) = &mut broken.server_tls().validation {
        validation.bundle = Some(b"garbage".to_vec());
    }
    if let Some(identity) = &mut with_key.client_tls().identity {
        identity.key = None;
    }
    let mut absent = pairing("the server's bundle is absent").client_chain(&whole);
    if let Some(validation) = &mut absent.server_tls().validation {
        validation.bundle = None;
    }
    let mut twice = pairing("the server's bundle has another root first").client_chain(&whole);
    if let Some(validation) = &mut twice.server_tls().validation {
        validation.bundle = Some(file(&[&sound.other, &sound.root]));
    }
    vec![
        pairing("a client that the server trusts").client_chain(&whole),
        pairing("a client without a certificate"),
        pairing("a plaintext client").plaintext_client(),
        pairing("a plaintext client of a PERMISSIVE server").permissive().plaintext_client(),
        pairing("a client without a certificate of a PERMISSIVE server").permissive(),
        pairing("a client that a PERMISSIVE server trusts").permissive().client_chain(&whole),
        pairing("a client without its intermediate").client_chain(&[&sound.client]),
        pairing("a client of another authority").client_chain(&[&front().issued_by(&sound.other)]),
        pairing("a client that sends another root").client_chain(&[&front().issued_by(&sound.other), &sound.other]),
        pairing("a client that is self-signed").client_chain(&[&alone]),
        Pairing::sound("mutual: a client that is self-signed and trusted")
            .mutual(&[&alone], &[])
            .client_chain(&[&alone]),
        shown("a client for servers only", front().usages(&[SERVER_AUTH])),
        shown("a client for clients only", front().usages(&[CLIENT_AUTH])),
        shown("a client for anything", front().usages(&[])),
        shown("a client that has expired", front().days(-9, -2)),
        shown("a client that isn't valid yet", front().days(2, 9)),
        shown("a client with an unknown critical extension", front().extension("1.2.3.4", true, vec![5, 0])),
        shown("a client with damaged names", front().extension("2.5.29.17", false, vec![5, 0])),
        named("a client of an expected name", &["front.apps.local"]).client_chain(&whole),
        named("a client of one of the expected names", &["red.local", "front.apps.local"]).client_chain(&whole),
        named("a client of another name", &["red.apps.local"]).client_chain(&whole),
        named("a client of another name and authority", &["red.apps.local"])
            .client_chain(&[&front().issued_by(&sound.other)]),
        named("a client whose wildcard fits", &["front.apps.local"])
            .client_chain(&[&issued(Forge::leaf(&["*.apps.local"])), &sound.intermediate]),
        pairing("a client that trusts the server no more").client_chain(&whole).bundle(&[&sound.other]),
        broken,
        with_key,
        absent,
        twice,
    ]
}
