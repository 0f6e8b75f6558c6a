//! A made-up API: *gates* with listeners, routes from them to Services, *servers* behind these, and policies that are objects of
//! their own and attached to what they are for. It has nothing but facts: what a folder under `apis` would make of its objects.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use meshvet::apis::core::{config_map_store, secret_store};
use meshvet::apis::{Native, Subject};
use meshvet::k8s::{FieldPath, Labels, ObjectRef};
use meshvet::mesh::{
    Aim, Attached, AwsResource, CertificateSource, ClientEnd, Covered, DIRECT, Discovery, Fact, FactId, Gateway, Hop,
    Inlet, KeyRef, Member, NameCheck, Outlet, Overlay, PlaneOf, Release, ServerEnd, ServerTls, StoreKey, Target,
    TlsMode, TrustSource, Validation, View, World,
};
use meshvet::policy::Policy;
use meshvet::rules::{Surface, judge};

use crate::support::mint::{Authority, Issued};

pub(crate) const API: &str = "example.com/v1";

pub(crate) static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("gates root"));
pub(crate) static OTHER: LazyLock<Authority> = LazyLock::new(|| Authority::new("other root"));

pub(crate) fn object(kind: &str, namespace: &str, name: &str) -> ObjectRef {
    ObjectRef::new(API, kind, namespace, name)
}

pub(crate) fn gate() -> ObjectRef {
    object("Gate", "edge", "web")
}

pub(crate) fn server() -> ObjectRef {
    object("Server", "shop", "api")
}

pub(crate) fn service() -> ObjectRef {
    ObjectRef::new("v1", "Service", "shop", "api")
}

fn at(path: &str) -> FieldPath {
    path.split('.').fold(FieldPath::root(), |field, key| field.key(key))
}

/// A certificate by reference to a Secret.
pub(crate) fn keys(namespace: &str, secret: &str) -> CertificateSource {
    let store = StoreKey::secret(namespace, secret);
    let key = |name: &str| KeyRef { store: store.clone(), key: name.to_owned(), field: at("spec.tls.refs") };
    CertificateSource::Keys { chain: key("tls.crt"), key: key("tls.key") }
}

/// A listener that speaks TLS with these certificates, which must cover these names.
pub(crate) fn listener(port: u16, certificates: Vec<CertificateSource>, covers: &[&str]) -> ServerEnd {
    let covers =
        covers.iter().map(|name| Covered { name: (*name).into(), field: at("spec.hostname"), reason: "hostname" });
    let covers = covers.collect();
    let tls = ServerTls { field: at("spec.tls"), mode: TlsMode::Strict, certificates, covers, validation: None };
    let anchor = format!("listener {port}").into();
    ServerEnd { anchor, field: at("spec"), port: Some(port), protocol: "https".into(), tls: Some(tls), gate: None }
}

pub(crate) fn member(object: ObjectRef, servers: Vec<ServerEnd>, gateway: Option<Gateway>) -> Member {
    Member {
        object,
        api: "example.com",
        noun: "gate",
        release: Release::default(),
        pod_selector: None,
        revision: None,
        discovery: Discovery::None,
        servers,
        clients: Vec::new(),
        backends: Vec::new(),
        gateway: gateway.map(Box::new),
        class: None,
        plane: PlaneOf::Own(&DIRECT),
        extends: None,
        aws: AwsResource::default(),
    }
}

fn hop(object: ObjectRef, from: Inlet, to: Target, port: Option<u16>) -> Hop {
    let outlet = Outlet { to, port, arriving: Vec::new(), idle: false, field: at("spec.to") };
    Hop {
        object,
        labels: Labels::default(),
        release: Release::default(),
        from: vec![from],
        to: vec![outlet],
        hosts: Vec::new(),
        group: false,
        raw: false,
    }
}

/// A policy for the Service: this authority's certificates, for this name.
pub(crate) fn policy(name: &str, rank: i64, host: &str) -> Fact {
    let trust = KeyRef { store: StoreKey::config_map("shop", "ca"), key: "ca.crt".into(), field: at("spec.ca") };
    let validation = Validation {
        field: at("spec.validation"),
        trust: Some(TrustSource::Key(trust)),
        names: NameCheck::Name(host.into(), at("spec.validation.hostname")),
    };
    let client = ClientEnd {
        anchor: format!("policy {name}").into(),
        field: at("spec"),
        is_default: false,
        enforce: true,
        ports: Vec::new(),
        certificates: Vec::new(),
        validation: Some(validation),
    };
    Fact::Attached(Arc::new(Attached {
        object: object("BackendPolicy", "shop", name),
        aims: vec![Aim { target: service(), section: None }],
        rank,
        client,
    }))
}

pub(crate) fn secret(namespace: &str, name: &str, issued: &Issued) -> Fact {
    let data = [("tls.crt", &issued.chain), ("tls.key", &issued.key)];
    let store = secret_store(data.map(|(key, text)| (key.to_owned(), text.clone().into_bytes())));
    Fact::Store(StoreKey::secret(namespace, name), store.into())
}

pub(crate) fn bundle(authority: &Authority) -> Fact {
    let store = config_map_store([("ca.crt".to_owned(), authority.pem().into_bytes())]);
    Fact::Store(StoreKey::config_map("shop", "ca"), store.into())
}

/// The gate `edge/web` for `web.example.com` on 443; a route from it to port 8443 of Service `shop/api`; behind that the server
/// `shop/api`, certified for `api.shop.svc`, for which a policy asks. All sound.
pub(crate) struct Gates {
    pub(crate) gate: Member,
    pub(crate) route: Hop,
    pub(crate) service: Hop,
    pub(crate) server: Member,
    pub(crate) others: Vec<Fact>,
}

impl Gates {
    pub(crate) fn sound() -> Self {
        let parent = Inlet::Named { parent: gate(), section: None, port: None, field: at("spec.parent") };
        Self {
            gate: member(
                gate(),
                vec![listener(443, vec![keys("edge", "web")], &["web.example.com"])],
                Some(Gateway::default()),
            ),
            route: hop(object("Route", "edge", "web"), parent, Target::Object(service()), Some(8443)),
            service: hop(service(), Inlet::Callers, Target::Object(server()), None),
            server: member(server(), vec![listener(8443, vec![keys("shop", "api")], &[])], None),
            others: vec![
                policy("strict", 1, "api.shop.svc"),
                bundle(&AUTHORITY),
                secret("edge", "web", &AUTHORITY.leaf(&["web.example.com"]).issue()),
                secret("shop", "api", &AUTHORITY.leaf(&["api.shop.svc"]).issue()),
            ],
        }
    }

    pub(crate) fn world(&self) -> World {
        let mut world = World::default();
        world.extend([
            Fact::Member(self.gate.clone().into()),
            Fact::Hop(self.route.clone().into()),
            Fact::Hop(self.service.clone().into()),
            Fact::Member(self.server.clone().into()),
        ]);
        world.extend(self.others.iter().cloned());
        world
    }

    /// What is found on the gate, then on the server, then on the policies.
    pub(crate) fn found(&self) -> [Vec<&'static str>; 3] {
        self.found_over(&Overlay::default())
    }

    /// The same with changes laid over the world.
    pub(crate) fn found_over(&self, overlay: &Overlay) -> [Vec<&'static str>; 3] {
        let world = self.world();
        let view = View::new(&world).over(overlay);
        let mut policies = BTreeMap::new();
        for fact in self.others.iter().chain(&overlay.learnt).filter(|fact| matches!(fact, Fact::Attached(_))) {
            policies.insert(fact.id(), fact.clone());
        }
        policies.retain(|id, _| !overlay.forgotten.contains(id));
        let mut of_policies: Vec<&str> =
            policies.into_values().flat_map(|policy| codes_of(view, policy_object(&policy), policy)).collect();
        of_policies.dedup();
        [codes(view, &self.gate), codes(view, &self.server), of_policies]
    }
}

fn policy_object(policy: &Fact) -> ObjectRef {
    match policy.id() {
        FactId::Object(object) => object,
        other => panic!("{other:?} is no policy"),
    }
}

/// The codes of what is found on a member, each once.
pub(crate) fn codes(view: View<'_>, member: &Member) -> Vec<&'static str> {
    codes_of(view, member.object.clone(), Fact::Member(member.clone().into()))
}

fn codes_of(view: View<'_>, object: ObjectRef, fact: Fact) -> Vec<&'static str> {
    let subject = Subject {
        object,
        annotations: BTreeMap::new(),
        unknown_fields: Vec::new(),
        schema_faults: Vec::new(),
        facts: vec![fact],
        native: Native::Core,
    };
    let judgement = judge(&subject, view, &Policy::default(), Timestamp::now(), Surface::Check);
    let mut codes: Vec<&str> = judgement.findings.iter().map(|finding| finding.rule.code).collect();
    codes.dedup();
    codes
}
