//! MV404–MV408, MV411, MV413: what AWS answers, and that it doesn't.

use super::*;

pub(crate) fn cases() -> Vec<Case> {
    [certificate(), authorities(), unanswered()].concat()
}

fn certificate() -> Vec<Case> {
    vec![
        denies(
            "MV404",
            "a certificate",
            |s| {
                sound(s);
                answer(s, CERTIFICATE, Answer::NotFound);
            },
            FIELD,
            &["no such certificate", CERTIFICATE],
        ),
        denies(
            "MV404",
            "an authority",
            |s| {
                sound(s);
                answer(s, ROOT, Answer::NotFound);
            },
            TRUST,
            &["no such authority", ROOT],
        ),
        good("MV404", "there it is", sound),
        good("MV404", "not asked", |s| set_certificate(s, CERTIFICATE)),
        denies(
            "MV405",
            "a public one",
            |s| {
                sound(s);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.kind = "AMAZON_ISSUED".to_owned();
                acm.told(s);
            },
            FIELD,
            &["public", "AMAZON_ISSUED"],
        ),
        denies(
            "MV405",
            "an imported one",
            |s| {
                sound(s);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.kind = "IMPORTED".to_owned();
                acm.told(s);
            },
            FIELD,
            &["imported"],
        ),
        good("MV405", "a private one", sound),
        denies(
            "MV406",
            "pending",
            |s| {
                sound(s);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.status = "PENDING_VALIDATION".to_owned();
                acm.told(s);
            },
            FIELD,
            &["PENDING_VALIDATION", "wait until"],
        ),
        denies(
            "MV406",
            "revoked",
            |s| {
                sound(s);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.status = "REVOKED".to_owned();
                acm.told(s);
            },
            FIELD,
            &["REVOKED", "request another"],
        ),
        good("MV406", "issued", sound),
        warns(
            "MV413",
            "an EC key",
            |s| described(s, Acm::new(&["blue.apps.local"]).key("EC_prime256v1")),
            FIELD,
            &["EC_prime256v1"],
        ),
        good("MV413", "RSA of 4096 bits", |s| described(s, Acm::new(&["blue.apps.local"]).key("RSA_4096"))),
        good("MV413", "RSA as ACM also writes it", |s| described(s, Acm::new(&["blue.apps.local"]).key("RSA-2048"))),
    ]
}

fn authorities() -> Vec<Case> {
    vec![
        denies(
            "MV407",
            "deleted",
            |s| {
                sound(s);
                authority(s, ROOT, "DELETED", true, "");
            },
            TRUST,
            &["DELETED", "no trust bundle", "restore"],
        ),
        denies(
            "MV407",
            "pending",
            |s| {
                sound(s);
                authority(s, ROOT, "PENDING_CERTIFICATE", true, "");
            },
            TRUST,
            &["PENDING_CERTIFICATE", "install"],
        ),
        warns(
            "MV407",
            "disabled",
            |s| {
                sound(s);
                authority(s, ROOT, "DISABLED", true, &AUTHORITY.pem());
            },
            TRUST,
            &["DISABLED", "enable"],
        ),
        warns(
            "MV407",
            "behind a listener's certificate",
            |s| {
                sound(s);
                authority(s, ROOT, "DELETED", true, "");
            },
            FIELD,
            &["it issued the listener 8443's certificate", "can't renew"],
        ),
        denies(
            "MV407",
            "behind a listener's certificate, and gone",
            |s| {
                sound(s);
                set_trust(s, &[STRANGER]);
                answer(s, ROOT, Answer::NotFound);
            },
            FIELD,
            &["gone"],
        ),
        good("MV407", "active", sound),
        warns(
            "MV411",
            "a subordinate",
            |s| {
                sound(s);
                let below = AUTHORITY.intermediate("scene issuing", -10, 300);
                authority(s, ROOT, "ACTIVE", false, &format!("{}{}", below.pem(), AUTHORITY.pem()));
            },
            TRUST,
            &["subordinate", "the root, CN=scene root"],
        ),
        good("MV411", "a root", sound),
    ]
}

fn unanswered() -> Vec<Case> {
    vec![
        warns(
            "MV408",
            "denied",
            |s| {
                sound(s);
                let principal = Some("arn:aws:sts::111122223333:assumed-role/meshvet/pod".to_owned());
                let why = Unanswered::Denied { call: Call::DescribeCertificate, principal };
                answer(s, CERTIFICATE, Answer::Unanswered(why));
            },
            FIELD,
            &["acm:DescribeCertificate is denied to arn:aws:sts::111122223333:assumed-role/meshvet/pod", "deploy/iam"],
        ),
        warns(
            "MV408",
            "an authority behind a certificate",
            |s| {
                sound(s);
                set_trust(s, &[STRANGER]);
                let why = Unanswered::Throttled { call: Call::DescribeCertificateAuthority };
                answer(s, ROOT, Answer::Unanswered(why));
            },
            FIELD,
            &["acm-pca:DescribeCertificateAuthority was throttled"],
        ),
        warns(
            "MV408",
            "an authority's certificate",
            |s| {
                sound(s);
                let why = Unanswered::TimedOut { call: Call::GetCertificateAuthorityCertificate };
                let facts = AuthorityFacts {
                    status: "ACTIVE".to_owned(),
                    is_root: true,
                    bundle: None,
                    bundle_unanswered: Some(why),
                };
                answer(s, ROOT, Answer::Authority(Arc::new(facts)));
            },
            TRUST,
            &["acm-pca:GetCertificateAuthorityCertificate was not answered in time", "apply again"],
        ),
        warns(
            "MV408",
            "the account",
            |s| {
                set_certificate(s, CERTIFICATE);
                let why = Unanswered::NoCredentials { call: Call::GetCallerIdentity, why: "none".to_owned() };
                let home = Home { unanswered: Some(why), ..Home::default() };
                s.aws.insert(Question::Home, Answer::Home(home));
            },
            FIELD,
            &["the node's account is unknown", "aws.account"],
        ),
        denies(
            "MV408",
            "where the unknown is to deny",
            |s| {
                sound(s);
                s.policy = "unknown: deny".to_owned();
                answer(s, CERTIFICATE, Answer::Unanswered(Unanswered::TimedOut { call: Call::DescribeCertificate }));
            },
            FIELD,
            &["was not answered in time"],
        ),
        good("MV408", "answered", sound),
        good("MV408", "not asked", |s| set_certificate(s, CERTIFICATE)),
    ]
}
