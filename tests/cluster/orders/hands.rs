//! Who else writes: cert-manager and Flux as they do it, and whoever restores a backup. Under a policy that has all such changes refused,
//! too: what would be refused to a person is never refused to a controller, which would try again for ever.

use serde_json::{Value, json};

use crate::orders::case::{Case, Expected, Step};
use crate::orders::shop::{OTHER, ROOT, Shop};
use crate::orders::writes::Write::{self, Apply, By, Delete, DeleteBy, DryRun};
use crate::support::manifests::{secret, virtual_node};
use crate::support::mint::{Authority, Issued};

/// The ServiceAccounts that these tests write by.
pub(crate) const CERT_MANAGER: &str = "system:serviceaccount:cert-manager:cert-manager";
pub(crate) const FLUX: &str = "system:serviceaccount:flux-system:kustomize-controller";

/// What is said of the last write of a step.
enum Said {
    Nothing,
    /// A warning of this rule, and of whom; nothing is refused.
    Warned(&'static str, &'static str),
    /// A refusal.
    Refused(&'static str, &'static str),
    /// It may be warned of; nothing is refused.
    Passes,
}

use Said::{Nothing, Passes, Refused, Warned};

type Hand = (&'static str, fn(&Shop) -> Vec<(Vec<Write>, Said)>);

/// Whatever the policy.
#[rustfmt::skip]
const ALWAYS: &[Hand] = &[
    ("cert_manager_renews_a_certificate", |it| vec![(issues(it, &it.leaf()), Nothing), (renews(it, &it.leaf()), Nothing)]),
    ("cert_manager_renews_by_another_issuer", |it| vec![(issues(it, &it.leaf()), Nothing), (renews(it, &of(&OTHER, it)), Warned("MV301", "front → blue"))]),
    ("cert_manager_renews_for_another_name", |it| vec![(renews(it, &ROOT.leaf(&["elsewhere.local"]).issue()), Warned("MV101", "blue"))]),
    ("cert_manager_deletes_a_secret", |it| vec![(vec![DeleteBy(CERT_MANAGER, tls(it, &it.leaf()))], Warned("MV202", "blue"))]),
    ("flux_tries_mount_and_path_together", |it| vec![(flux(it, "/certs"), Nothing), (dry(flux_objects(it, "/tls")), Passes)]),
    ("flux_moves_mount_and_path_by_the_workload_first", |it| vec![(flux(it, "/certs"), Nothing), (flux(it, "/tls"), Passes)]),
    ("flux_moves_mount_and_path_by_the_node_first", |it| vec![(flux(it, "/certs"), Nothing), (reversed(flux(it, "/tls")), Passes)]),
    ("flux_changes_nothing", |it| vec![(flux(it, "/certs"), Nothing), (flux(it, "/certs"), Nothing), (dry(flux_objects(it, "/certs")), Nothing)]),
    ("a_backup_with_an_expired_certificate_is_restored", |it| vec![
        (vec![Delete(it.deployment("blue", "")), Delete(tls(it, &it.leaf()))], Passes),
        (vec![Apply(tls(it, &expired(it))), Apply(it.deployment("blue", "blue-tls:/certs"))], Warned("MV207", "blue")),
        (vec![Apply(tls(it, &it.leaf()))], Nothing),
    ]),
    ("a_backup_with_an_expired_certificate_is_restored_by_the_workload_first", |it| vec![
        (vec![Delete(it.deployment("blue", "")), Delete(tls(it, &it.leaf()))], Passes),
        (vec![Apply(it.deployment("blue", "blue-tls:/certs"))], Warned("MV202", "blue")),
    ]),
];

/// Where the policy has changes refused that break a member.
#[rustfmt::skip]
const REFUSING: &[Hand] = &[
    ("a_person_s_rotation_is_refused", |it| vec![(vec![Apply(tls(it, &ROOT.leaf(&["elsewhere.local"]).issue()))], Refused("MV101", "blue")), (vec![Apply(tls(it, &it.leaf()))], Nothing)]),
    ("a_person_s_bundle_is_refused", |it| vec![(vec![Apply(it.client_secret(&OTHER.pem(), &ROOT))], Refused("MV301", "front → blue"))]),
    ("a_person_s_workload_is_refused", |it| vec![(vec![Apply(misnamed(it)), Apply(it.deployment("blue", "other:/certs"))], Refused("MV101", "blue"))]),
    ("a_person_s_deletion_passes", |it| vec![(vec![Delete(tls(it, &it.leaf()))], Warned("MV202", "blue"))]),
    ("a_namespace_that_loses_its_injection_is_warned_of", |it| vec![(vec![Write::Patch(it.namespace(), json!({"metadata": {"labels": {"appmesh.k8s.aws/sidecarInjectorWebhook": null}}}))], Warned("MV218", "blue"))]),
    ("a_repair_passes", |it| vec![(vec![By(CERT_MANAGER, "issuing", tls(it, &ROOT.leaf(&["elsewhere.local"]).issue()))], Warned("MV101", "blue")), (vec![Apply(tls(it, &it.leaf()))], Nothing)]),
];

fn of(authority: &Authority, it: &Shop) -> Issued {
    authority.leaf(&[&it.host()]).issue()
}

fn expired(it: &Shop) -> Issued {
    ROOT.leaf(&[&it.host()]).valid(-90, -1).issue()
}

/// A Secret that nobody reads yet, with a certificate of another name.
fn misnamed(it: &Shop) -> Value {
    crate::support::manifests::tls_secret(&it.name, "other", &ROOT.leaf(&["elsewhere.local"]).issue())
}

/// The Secret of `blue`, as it is made for a Certificate.
fn tls(it: &Shop, leaf: &Issued) -> Value {
    it.server_secret(leaf)
}

/// The private key that cert-manager keeps while it waits for a certificate.
fn next_key(it: &Shop) -> Value {
    let mut next = secret(&it.name, "blue-x7k2p", &[("tls.key", &it.leaf().key)]);
    next["metadata"]["labels"] =
        json!({"cert-manager.io/next-private-key": "true", "controller.cert-manager.io/fao": "true"});
    next
}

/// The Secret of a certificate as cert-manager applies it: with annotations of its own.
fn applied(it: &Shop, leaf: &Issued) -> Value {
    let mut secret = tls(it, leaf);
    secret["metadata"]["annotations"] = json!({
        "cert-manager.io/certificate-name": "blue",
        "cert-manager.io/common-name": it.host(),
        "cert-manager.io/alt-names": it.host(),
        "cert-manager.io/issuer-kind": "Issuer",
        "cert-manager.io/issuer-name": "shop",
    });
    secret["metadata"]["labels"] = json!({"controller.cert-manager.io/fao": "true"});
    secret
}

/// A renewal: another key, the certificate, the same once more by another of its controllers, and the key goes.
fn renews(it: &Shop, leaf: &Issued) -> Vec<Write> {
    let by = |manager, object| By(CERT_MANAGER, manager, object);
    vec![
        by("cert-manager-certificates-key-manager", next_key(it)),
        DeleteBy(CERT_MANAGER, next_key(it)),
        by("cert-manager-certificates-issuing", applied(it, leaf)),
    ]
}

/// The first time, with the second apply that follows each.
fn issues(it: &Shop, leaf: &Issued) -> Vec<Write> {
    let mut writes = renews(it, leaf);
    writes.push(By(CERT_MANAGER, "cert-manager-certificates-issuing", applied(it, leaf)));
    writes
}

/// Workload and node of one Kustomization, with the certificate mounted here.
fn flux_objects(it: &Shop, folder: &str) -> Vec<Value> {
    let mut node = virtual_node(&it.name, "blue", &it.host());
    let file = &mut node["spec"]["listeners"][0]["tls"]["certificate"]["file"];
    *file = json!({"certificateChain": format!("{folder}/tls.crt"), "privateKey": format!("{folder}/tls.key")});
    let mut objects = vec![it.deployment("blue", &format!("blue-tls:{folder}")), node];
    for object in &mut objects {
        object["metadata"]["labels"] =
            json!({"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
    }
    objects
}

fn flux(it: &Shop, folder: &str) -> Vec<Write> {
    flux_objects(it, folder).into_iter().map(|object| By(FLUX, "kustomize-controller", object)).collect()
}

fn dry(objects: Vec<Value>) -> Vec<Write> {
    objects.into_iter().map(DryRun).collect()
}

fn reversed(mut writes: Vec<Write>) -> Vec<Write> {
    writes.reverse();
    writes
}

fn of_hands(hands: &'static [Hand]) -> impl Iterator<Item = Case> {
    hands.iter().map(|(name, steps)| Case {
        name: (*name).to_owned(),
        steps: Box::new(move |shop| {
            let who = |who: &str| if who.contains('→') { who.to_owned() } else { shop.member(who) };
            let mut all = vec![Step { writes: shop.sound(), expected: Expected::Soundness }];
            all.extend(steps(shop).into_iter().map(|(writes, said)| Step {
                writes,
                expected: match said {
                    Nothing => Expected::Silence,
                    Passes => Expected::Passing,
                    Warned(rule, name) => Expected::Passed(rule, who(name)),
                    Refused(rule, name) => Expected::Refusal(rule, who(name)),
                },
            }));
            all
        }),
    })
}

/// By the policy that is the default.
pub(crate) fn cases() -> Vec<Case> {
    of_hands(ALWAYS).collect()
}

/// By one that has changes refused.
pub(crate) fn refusing_cases() -> Vec<Case> {
    of_hands(ALWAYS).chain(of_hands(REFUSING)).collect()
}
