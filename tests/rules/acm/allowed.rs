//! MV302 where the allowed authorities are AWS Private CA's.

use super::*;

/// The policy allows these issuers alone.
fn allow(scene: &mut Scene, allowed: &Value) {
    scene.policy = json!({"issuers": {"allowed": [allowed]}}).to_string();
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        denies(
            "MV302",
            "a certificate of ACM, and another authority is allowed",
            |s| {
                sound(s);
                authority(s, STRANGER, "ACTIVE", true, &OTHER.pem());
                allow(s, &json!({"authorityArn": STRANGER}));
            },
            FIELD,
            &["CN=scene root", "bbbbbbbb-2222"],
        ),
        denies(
            "MV302",
            "a certificate by file, and an authority of AWS Private CA is allowed",
            |s| {
                authority(s, STRANGER, "ACTIVE", true, &OTHER.pem());
                allow(s, &json!({"authorityArn": STRANGER}));
            },
            "spec.listeners[0].tls.certificate.file.certificateChain",
            &["CN=scene root"],
        ),
        good("MV302", "a certificate of ACM by the allowed authority", |s| {
            sound(s);
            allow(s, &json!({"authorityArn": ROOT}));
        }),
        good("MV302", "a certificate of ACM by an authority that is allowed by its certificate", |s| {
            sound(s);
            allow(s, &json!({"certificate": AUTHORITY.pem()}));
        }),
        good("MV302", "a certificate by file that an allowed authority of AWS Private CA issued", |s| {
            authority(s, ROOT, "ACTIVE", true, &AUTHORITY.pem());
            allow(s, &json!({"authorityArn": ROOT}));
        }),
        good("MV302", "an authority that AWS hasn't told of", |s| allow(s, &json!({"authorityArn": STRANGER}))),
    ]
}
