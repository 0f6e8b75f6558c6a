//! Three objects that make a node or a call, in each of their six orders, broken and sound: whichever comes last is the one of which it is
//! reported. And the same without a pause, where no watch has told of the one when the next is reviewed.

use serde_json::Value;

use crate::orders::case::{Case, Expected, Step};
use crate::orders::shop::{OTHER, ROOT, Shop};
use crate::orders::writes::Write;
use crate::support::manifests::tls_secret;

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// What a set comes to.
struct Made {
    /// What is there before.
    ground: Vec<Write>,
    /// The three, in the order of their names.
    parts: [Value; 3],
    /// What is wrong with it: the rule, and who is named.
    wrong: Option<(&'static str, String)>,
}

/// Three objects: what their breach is called, their names, and how they are made, broken or sound.
type Set = (&'static str, [&'static str; 3], fn(&Shop, broken: bool) -> Made);

const SETS: &[Set] = &[
    ("node_with_a_wrong_name", ["secret", "deployment", "node"], node_with_a_wrong_name),
    ("node_with_the_key_of_another", ["secret", "deployment", "node"], node_with_the_key_of_another),
    ("client_without_the_root", ["client_node", "server_node", "service"], client_without_the_root),
    ("bundle_without_the_root", ["bundle", "client_deployment", "client_node"], bundle_without_the_root),
    ("mutual_without_a_certificate", ["client_node", "server_node", "service"], mutual_without_a_certificate),
    ("mutual_with_another_issuer", ["client_node", "server_node", "service"], mutual_with_another_issuer),
];

fn node_with_a_wrong_name(shop: &Shop, broken: bool) -> Made {
    let name = if broken { "elsewhere.local".to_owned() } else { shop.host() };
    let leaf = ROOT.leaf(&[&name]).issue();
    Made {
        ground: Vec::new(),
        parts: [tls_secret(&shop.name, "blue-tls", &leaf), shop.deployment("blue", "blue-tls:/certs"), shop.server()],
        wrong: broken.then(|| ("MV101", shop.member("blue"))),
    }
}

fn node_with_the_key_of_another(shop: &Shop, broken: bool) -> Made {
    let mut leaf = shop.leaf();
    if broken {
        leaf.key = shop.leaf().key;
    }
    Made {
        ground: Vec::new(),
        parts: [tls_secret(&shop.name, "blue-tls", &leaf), shop.deployment("blue", "blue-tls:/certs"), shop.server()],
        wrong: broken.then(|| ("MV206", shop.member("blue"))),
    }
}

/// The Secrets and Deployments of both, where the client trusts this authority and its certificate is of that one.
fn ground(shop: &Shop, trusted: &str, issuer: &crate::support::mint::Authority) -> Vec<Write> {
    let mut ground = shop.ground();
    ground.push(Write::Apply(shop.client_secret(trusted, issuer)));
    ground
}

fn client_without_the_root(shop: &Shop, broken: bool) -> Made {
    let trusted = if broken { OTHER.pem() } else { ROOT.pem() };
    Made {
        ground: ground(shop, &trusted, &ROOT),
        parts: [shop.client(), shop.server(), shop.service()],
        wrong: broken.then(|| ("MV301", "front → blue".to_owned())),
    }
}

fn bundle_without_the_root(shop: &Shop, broken: bool) -> Made {
    let trusted = if broken { OTHER.pem() } else { ROOT.pem() };
    let ground =
        [shop.server_secret(&shop.leaf()), shop.deployment("blue", "blue-tls:/certs"), shop.server(), shop.service()];
    Made {
        ground: ground.map(Write::Apply).into(),
        parts: [shop.client_secret(&trusted, &ROOT), shop.deployment("front", "front-tls:/certs"), shop.client()],
        wrong: broken.then(|| ("MV301", "front → blue".to_owned())),
    }
}

fn mutual_without_a_certificate(shop: &Shop, broken: bool) -> Made {
    let client = if broken { shop.client() } else { shop.showing_client() };
    Made {
        ground: ground(shop, &ROOT.pem(), &ROOT),
        parts: [client, shop.demanding_server(), shop.service()],
        wrong: broken.then(|| ("MV304", "front → blue".to_owned())),
    }
}

fn mutual_with_another_issuer(shop: &Shop, broken: bool) -> Made {
    Made {
        ground: ground(shop, &ROOT.pem(), if broken { &OTHER } else { &ROOT }),
        parts: [shop.showing_client(), shop.demanding_server(), shop.service()],
        wrong: broken.then(|| ("MV301", "front → blue".to_owned())),
    }
}

/// Every set in every order, broken and sound, with a pause before the last and without any.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, names, make) in SETS {
        for order in ORDERS {
            for broken in [true, false] {
                for pauses in [true, false] {
                    let (kind, pace) = (if broken { "broken" } else { "sound" }, if pauses { "" } else { "_at_once" });
                    let names = order.map(|part| names[part]).join("_");
                    cases.push(Case {
                        name: format!("{kind}_{what}_by_{names}{pace}"),
                        steps: Box::new(move |shop| steps(&make(shop, broken), order, pauses)),
                    });
                }
            }
        }
    }
    cases
}

fn steps(Made { ground, parts, wrong }: &Made, order: [usize; 3], pauses: bool) -> Vec<Step> {
    let [first, second, third] = order.map(|part| Write::Apply(parts[part].clone()));
    // Of a mesh that isn't whole yet, what isn't there may be said.
    let mut steps = vec![Step { writes: ground.clone(), expected: Expected::Anything }];
    steps.retain(|step| !step.writes.is_empty());
    let expected = match (wrong.clone(), pauses) {
        (Some((rule, who)), true) => Expected::Report(rule, who),
        (Some((rule, who)), false) => Expected::Somehow(rule, who),
        (None, true) => Expected::Silence,
        (None, false) => Expected::Soundness,
    };
    if pauses {
        steps.push(Step { writes: vec![first, second], expected: Expected::Anything });
        steps.push(Step { writes: vec![third], expected });
    } else {
        steps.push(Step { writes: vec![first, second, third], expected });
    }
    steps
}
