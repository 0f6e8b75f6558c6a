//! Rotations as people do them, step by step: each step is silent where it is its turn, and reported where it comes too early.

use serde_json::{Value, json};

use crate::orders::case::{Case, Expected, Step};
use crate::orders::shop::{OTHER, ROOT, Shop};
use crate::orders::writes::Write::{self, Apply, Patch};
use crate::support::mint::Issued;

/// What is done in one step, and what has to be reported: the rule and what the line says besides.
type Turn = (Write, Option<(&'static str, &'static str)>);

/// Its name, whether the listener demands certificates of clients, and its steps.
type Rotation = (&'static str, bool, fn(&Shop) -> Vec<Turn>);

const REFUSED: Option<(&str, &str)> = Some(("MV301", "front → blue"));

#[rustfmt::skip]
const ROTATIONS: &[Rotation] = &[
    ("a_leaf_is_renewed", false, |it| vec![(server(it, &it.leaf()), None), (restart(it, "blue"), None), (server(it, &it.leaf()), None)]),
    ("an_authority_is_replaced", false, |it| vec![
        (bundle(it, &both()), None), (restart(it, "front"), None),
        (server(it, &of_other(it)), None), (restart(it, "blue"), None),
        (bundle(it, &OTHER.pem()), None), (restart(it, "front"), None),
    ]),
    ("an_authority_is_replaced_and_the_old_root_stays", false, |it| vec![(bundle(it, &both()), None), (server(it, &of_other(it)), None)]),
    ("the_old_root_goes_too_early", false, |it| vec![(bundle(it, &both()), None), (bundle(it, &OTHER.pem()), REFUSED)]),
    ("the_server_goes_first", false, |it| vec![(server(it, &of_other(it)), REFUSED), (bundle(it, &both()), None)]),
    ("the_authority_of_clients_is_replaced", true, |it| vec![
        (demands(it, &both()), None), (client(it, false), None), (demands(it, &OTHER.pem()), None),
    ]),
    ("the_old_root_of_clients_goes_too_early", true, |it| vec![(demands(it, &both()), None), (demands(it, &OTHER.pem()), REFUSED)]),
    ("the_client_goes_first", true, |it| vec![(client(it, false), REFUSED), (client(it, true), None)]),
    ("an_intermediate_is_replaced", false, |it| vec![(server(it, &below(it, true)), None), (server(it, &below(it, true)), None)]),
    ("an_intermediate_is_forgotten", false, |it| vec![(server(it, &below(it, false)), REFUSED)]),
    ("a_restart_after_a_bad_rotation_says_what_it_loads", false, |it| vec![
        (server(it, &ROOT.leaf(&["elsewhere.local"]).issue()), Some(("MV101", "blue"))),
        (restart(it, "blue"), Some(("MV101", "(as before; new pods will start with it)"))),
        (server(it, &it.leaf()), None), (restart(it, "blue"), None),
    ]),
    ("a_bad_deployment_is_undone", false, |it| vec![
        (Apply(it.deployment("blue", "")), Some(("MV201", "blue"))), (Apply(it.deployment("blue", "blue-tls:/certs")), None),
    ]),
];

fn both() -> String {
    format!("{}{}", ROOT.pem(), OTHER.pem())
}

fn of_other(it: &Shop) -> Issued {
    OTHER.leaf(&[&it.host()]).issue()
}

/// A leaf of a new intermediate, with that in its chain or without.
fn below(it: &Shop, whole: bool) -> Issued {
    let intermediate = ROOT.intermediate("Shop intermediate", -1, 900);
    let mut leaf = intermediate.leaf(&[&it.host()]).issue();
    if whole {
        // The chain file of the server is what `certificate` holds here.
        leaf.certificate = leaf.chain.clone();
    }
    leaf
}

fn server(it: &Shop, leaf: &Issued) -> Write {
    Apply(it.server_secret(leaf))
}

/// The server's Secret with another bundle for clients' certificates.
fn demands(it: &Shop, bundle: &str) -> Write {
    let mut secret = it.server_secret(&it.leaf());
    secret["stringData"]["ca.crt"] = bundle.into();
    Apply(secret)
}

fn bundle(it: &Shop, pem: &str) -> Write {
    Apply(it.client_secret(pem, &ROOT))
}

/// The client's Secret with a certificate of the old authority, or of the new one.
fn client(it: &Shop, old: bool) -> Write {
    Apply(it.client_secret(&ROOT.pem(), if old { &ROOT } else { &OTHER }))
}

fn restart(it: &Shop, name: &str) -> Write {
    let at = json!({"kubectl.kubernetes.io/restartedAt": format!("{:?}", std::time::Instant::now())});
    Patch(it.deployment(name, ""), json!({"spec": {"template": {"metadata": {"annotations": at}}}}))
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |(name, mutual, turns): &'static Rotation| Case {
        name: (*name).to_owned(),
        steps: Box::new(move |shop| {
            let mut writes = shop.sound();
            if *mutual {
                let ends: [Value; 2] = [shop.showing_client(), shop.demanding_server()];
                writes.extend(ends.map(Apply));
            }
            let mut steps = vec![Step { writes, expected: Expected::Soundness }];
            steps.extend(turns(shop).into_iter().map(|(write, reported)| Step {
                writes: vec![write],
                expected: reported.map_or(Expected::Silence, |(rule, text)| match text {
                    "blue" => Expected::Report(rule, shop.member(text)),
                    text if text.contains('→') => Expected::Report(rule, text.to_owned()),
                    text => Expected::Warning(rule, text.to_owned()),
                }),
            }));
            steps
        }),
    };
    ROTATIONS.iter().map(case).collect()
}
