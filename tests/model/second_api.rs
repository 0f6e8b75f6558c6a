//! Facts of a second API are judged by the rules as they are.

use meshvet::mesh::{
    FactId, NameCheck, Namespaces, Overlay, PolicyInForce, Promise, PromisedStore, StoreFields, StoreKey, StoreState,
    View,
};

use crate::gates::{
    AUTHORITY, Gates, OTHER, bundle, codes, gate, keys, listener, object, policy, secret, server, service,
};

const NOTHING: [&[&str]; 3] = [&[], &[], &[]];

/// What is wrong between the server and the policy is told to both, and not to the gate.
fn by_policy(code: &'static str) -> [Vec<&'static str>; 3] {
    [vec![], vec![code], vec![code]]
}

#[test]
fn what_is_sound_is_silent() {
    assert_eq!(Gates::sound().found(), NOTHING);
}

#[test]
fn a_listener_is_asked_for_the_names_that_it_must_cover() {
    let mut gates = Gates::sound();
    gates.gate.servers = vec![listener(443, vec![keys("edge", "web")], &["web.example.com", "www.example.com"])];
    assert_eq!(gates.found(), [&["MV101"][..], &[], &[]]);
    // Another certificate may have the other name, and one that isn't there yet too.
    gates.gate.servers =
        vec![listener(443, vec![keys("edge", "web"), keys("edge", "www")], &["web.example.com", "www.example.com"])];
    assert_eq!(gates.found(), [&["MV202"][..], &[], &[]]);
    gates.others.push(secret("edge", "www", &AUTHORITY.leaf(&["www.example.com"]).issue()));
    assert_eq!(gates.found(), NOTHING);
    gates.others.push(secret("edge", "www", &AUTHORITY.leaf(&["else.example.com"]).issue()));
    assert_eq!(gates.found(), [&["MV101"][..], &[], &[]]);
}

#[test]
fn an_attached_policy_holds_for_whoever_calls_its_target() {
    let gates = Gates::sound();
    let world = gates.world();
    let view = View::new(&world);
    let links = view.links_from(&gates.gate);
    let [link] = links.as_slice() else { panic!("{links:?}") };
    assert!(matches!(link.policy, PolicyInForce::Enforced(end) if &*end.anchor == "policy strict"));
    assert_eq!((link.service(), &link.server.object), (&service(), &server()));
    let via: Vec<&str> = link.via.iter().map(|step| step.hop.object.kind.as_str()).collect();
    assert_eq!(via, ["Route", "Service"]);

    // Of two the lower rank holds, then the name.
    let mut gates = Gates::sound();
    gates.others.push(policy("later", 2, "wrong.shop.svc"));
    assert_eq!(gates.found(), NOTHING);
    gates.others.push(policy("earlier", 0, "wrong.shop.svc"));
    assert_eq!(gates.found(), by_policy("MV104"));
}

#[test]
fn a_policy_asks_for_one_name_of_one_authority() {
    let mut gates = Gates::sound();
    gates.others.push(secret("shop", "api", &AUTHORITY.leaf(&["else.shop.svc"]).issue()));
    assert_eq!(gates.found(), by_policy("MV104"));
    gates.others.push(secret("shop", "api", &AUTHORITY.leaf(&["*.shop.svc"]).issue()));
    assert_eq!(gates.found(), NOTHING, "a wildcard matches a host");
    gates.others.push(bundle(&OTHER));
    assert_eq!(gates.found(), by_policy("MV301"));
}

#[test]
fn a_policy_for_a_server_without_tls_finds_plaintext() {
    let mut gates = Gates::sound();
    for server in &mut gates.server.servers {
        server.tls = None;
    }
    assert_eq!(gates.found(), by_policy("MV305"));
}

#[test]
fn a_way_without_a_port_may_reach_any_of_several_listeners() {
    let mut gates = Gates::sound();
    gates.route.to[0].port = None;
    gates.server.servers.push(listener(9443, vec![keys("shop", "api")], &[]));
    let world = gates.world();
    let links = View::new(&world).links_from(&gates.gate);
    assert!(
        matches!(links.as_slice(), [one, other] if one.instead.len() == 1 && other.instead[0].anchor == one.listener.anchor),
        "{links:?}"
    );
    // Each fails, whichever is meant.
    gates.others.push(bundle(&OTHER));
    assert_eq!(gates.found(), by_policy("MV301"));
    gates.route.to[0].port = Some(9443);
    assert_eq!(gates.found(), by_policy("MV301"));
}

#[test]
fn a_promised_secret_is_neither_there_nor_missing() {
    let mut gates = Gates::sound();
    let key = StoreKey::secret("edge", "web");
    let certificate = object("Certificate", "edge", "web");
    static FIELDS: StoreFields = StoreFields { name: "spec.secretName", keys: "spec.keys" };
    let store = PromisedStore {
        by: certificate.clone(),
        kind: key.kind,
        namespaces: Namespaces::One(key.namespace.to_string()),
        name: key.name.to_string(),
        keys: None,
        certificate: None,
        fields: &FIELDS,
        filled_in_by: None,
    };
    let promise = Promise { object: certificate.clone(), stores: vec![store.into()] };
    let mut world = gates.world();
    world.forget(&FactId::Store(key.clone()));
    assert!(matches!(View::new(&world).store(&key), StoreState::Absent));
    world.learn(meshvet::mesh::Fact::Promise(promise.into()));
    assert!(matches!(View::new(&world).store(&key), StoreState::Promised(it) if it.by == certificate));
    assert_eq!(codes(View::new(&world), &gates.gate), [""; 0]);
    let touched = View::new(&world).touched_by(&FactId::Object(certificate.clone()));
    assert!(touched.contains(&gate()));
    // Once it is there, it is judged.
    gates.others.clear();
    world.learn(secret("edge", "web", &AUTHORITY.leaf(&["else.example.com"]).issue()));
    assert_eq!(codes(View::new(&world), &gates.gate), ["MV101"]);
    world.forget(&FactId::Object(certificate));
    world.forget(&FactId::Store(key.clone()));
    assert!(matches!(View::new(&world).store(&key), StoreState::Absent));
}

#[test]
fn an_overlay_changes_what_is_judged_and_not_the_world() {
    let gates = Gates::sound();
    let before = gates.found();
    let changes = [
        (vec![secret("shop", "api", &AUTHORITY.leaf(&["else.shop.svc"]).issue())], vec![], by_policy("MV104")),
        (vec![bundle(&OTHER)], vec![], by_policy("MV301")),
        (vec![policy("strict", 1, "else.shop.svc")], vec![], by_policy("MV104")),
    ];
    for (learnt, forgotten, after) in changes {
        let overlay = Overlay { learnt, forgotten, ..Overlay::default() };
        assert_eq!(gates.found_over(&overlay), after, "{overlay:?}");
        assert_eq!(gates.found(), before);
    }
    // Without the policy, or without the route, nobody asks for anything.
    let broken = vec![secret("shop", "api", &OTHER.leaf(&["else.shop.svc"]).issue())];
    for gone in [object("BackendPolicy", "shop", "strict"), object("Route", "edge", "web")] {
        let overlay = Overlay { learnt: broken.clone(), forgotten: vec![FactId::Object(gone)], ..Overlay::default() };
        assert_eq!(gates.found_over(&overlay), NOTHING, "{overlay:?}");
    }
}

#[test]
fn whom_an_object_touches_is_found_in_both_directions() {
    let gates = Gates::sound();
    let world = gates.world();
    let touched = |id: FactId| View::new(&world).touched_by(&id).into_iter().cloned().collect::<Vec<_>>();
    let all = [object("BackendPolicy", "shop", "strict"), gate(), server()];
    let stores = [StoreKey::secret("shop", "api"), StoreKey::secret("edge", "web")];
    for id in stores.map(FactId::Store).into_iter().chain(
        [service(), object("Route", "edge", "web"), object("BackendPolicy", "shop", "strict"), gate(), server()]
            .map(FactId::Object),
    ) {
        assert_eq!(touched(id.clone()), all, "{id:?}");
    }
    assert_eq!(touched(FactId::Store(StoreKey::secret("shop", "else"))), []);
    assert_eq!(touched(FactId::Object(object("Route", "edge", "else"))), []);
}

#[test]
fn a_name_is_checked_by_list_by_one_name_by_the_host_or_not_at_all() {
    let check = |names: NameCheck| {
        let mut gates = Gates::sound();
        gates.server.servers = vec![listener(8443, vec![keys("shop", "api")], &["other.shop.svc"])];
        let mut fact = policy("strict", 1, "api.shop.svc");
        if let meshvet::mesh::Fact::Attached(attached) = &mut fact {
            let attached = std::sync::Arc::make_mut(attached);
            attached.client.validation.as_mut().expect("a validation").names = names;
        }
        gates.others.push(fact);
        gates.found()
    };
    let field = meshvet::k8s::FieldPath::root();
    let list = |name: &str| NameCheck::List(vec![(name.to_owned(), field.clone())]);
    // The certificate has api.shop.svc; the host that is called is other.shop.svc, which only who goes by it minds.
    assert_eq!(check(list("api.shop.svc")), [&[][..], &["MV101"], &[]]);
    let by_pattern: [&[&str]; 3] = [&[], &["MV104", "MV101"], &["MV104"]];
    assert_eq!(check(list("*.shop.svc")), by_pattern, "a list is taken to the letter");
    assert_eq!(check(NameCheck::Nothing), [&[][..], &["MV101"], &[]]);
    assert_eq!(check(NameCheck::Host), [&[][..], &["MV101"], &[]]);
}
