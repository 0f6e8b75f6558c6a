//! MV401–MV403: what an ARN tells by itself.

use super::*;

pub(crate) fn cases() -> Vec<Case> {
    [shape(), place()].concat()
}

fn shape() -> Vec<Case> {
    vec![
        denies(
            "MV401",
            "a placeholder",
            |s| set_certificate(s, "${CERTIFICATE_ARN}"),
            FIELD,
            &["placeholder ${CERTIFICATE_ARN}", "listener 8443", "arn:aws:acm:REGION:ACCOUNT:certificate/UUID"],
        ),
        denies("MV401", "nothing", |s| set_certificate(s, ""), FIELD, &["no ARN is given"]),
        denies("MV401", "an authority's ARN", |s| set_certificate(s, ROOT), FIELD, &["\"acm-pca\"", "\"acm\""]),
        denies(
            "MV401",
            "a short account",
            |s| set_certificate(s, "arn:aws:acm:eu-west-1:1111:certificate/11111111-2222-3333-4444-555555555555"),
            FIELD,
            &["\"1111\"", "twelve digits"],
        ),
        denies("MV401", "a certificate as an authority", |s| set_trust(s, &[CERTIFICATE]), TRUST, &["acm-pca"]),
        denies(
            "MV401",
            "the second of two",
            |s| set_trust(s, &[ROOT, "<CA_ARN>"]),
            "spec.backendDefaults.clientPolicy.tls.validation.trust.acm.certificateAuthorityARNs[1]",
            &["<CA_ARN>"],
        ),
        warns(
            "MV401",
            "a partition of the future",
            |s| {
                set_certificate(
                    s,
                    "arn:aws-moon:acm:moon-north-1:111122223333:certificate/11111111-2222-3333-4444-555555555555",
                )
            },
            FIELD,
            &["aws-moon"],
        ),
        good("MV401", "certificate and authority", sound),
        good("MV401", "of a listener that is DISABLED", |s| {
            set_certificate(s, "<ARN>");
            s.set("/spec/listeners/0/tls/mode", "DISABLED".into());
        }),
        good("MV401", "China", |s| {
            set_certificate(
                s,
                "arn:aws-cn:acm:cn-north-1:111122223333:certificate/11111111-2222-3333-4444-555555555555",
            );
        }),
    ]
}

fn place() -> Vec<Case> {
    const ELSEWHERE: &str = "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-3333-4444-555555555555";
    const THEIRS: &str = "arn:aws:acm:eu-west-1:444455556666:certificate/11111111-2222-3333-4444-555555555555";
    const SHARED: &str =
        "arn:aws:acm-pca:eu-west-1:444455556666:certificate-authority/11111111-2222-3333-4444-555555555555";
    vec![
        denies(
            "MV402",
            "by the node's own ARN",
            |s| {
                sound(s);
                set_certificate(s, ELSEWHERE);
            },
            FIELD,
            &["us-east-1", "eu-west-1"],
        ),
        denies(
            "MV402",
            "by the policy",
            |s| {
                set_certificate(s, ELSEWHERE);
                s.policy = "aws: {region: eu-west-1}".to_owned();
            },
            FIELD,
            &["us-east-1"],
        ),
        denies(
            "MV402",
            "by where meshvet is",
            |s| {
                set_certificate(s, ELSEWHERE);
                let home = Home { region: Some("eu-west-1".to_owned()), account: None, unanswered: None };
                s.aws.insert(Question::Home, Answer::Home(home));
            },
            FIELD,
            &["us-east-1"],
        ),
        denies(
            "MV402",
            "an authority",
            |s| {
                sound(s);
                set_trust(s, &[&ROOT.replace("eu-west-1", "eu-central-1")]);
            },
            TRUST,
            &["the authority is in Region eu-central-1", "an authority in eu-west-1"],
        ),
        good("MV402", "the same Region", sound),
        good("MV402", "a Region that isn't known", |s| set_certificate(s, ELSEWHERE)),
        good("MV402", "the node's ARN beats the policy", |s| {
            sound(s);
            s.policy = "aws: {region: us-east-1}".to_owned();
        }),
        denies(
            "MV403",
            "by the node's own ARN",
            |s| {
                sound(s);
                set_certificate(s, THEIRS);
            },
            FIELD,
            &["444455556666", "111122223333"],
        ),
        denies(
            "MV403",
            "by the policy",
            |s| {
                set_certificate(s, THEIRS);
                s.policy = "aws: {account: '111122223333'}".to_owned();
            },
            FIELD,
            &["444455556666"],
        ),
        good("MV403", "an authority that is shared", |s| {
            sound(s);
            set_trust(s, &[SHARED]);
        }),
        good("MV403", "an account that isn't known", |s| set_certificate(s, THEIRS)),
    ]
}
