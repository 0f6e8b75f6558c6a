//! Meshes of any size as manifests: nodes that call one another over several namespaces, sound but for what is broken on purpose.

use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use serde_json::{Value, json};

const NAMESPACES: [&str; 5] = ["shop", "payments", "search", "media", "ops"];
const NAMES: [&str; 12] = [
    "front", "cart", "catalog", "orders", "reviews", "stock", "prices", "invoices", "ledger", "mailer", "images",
    "audit",
];

/// What is the matter with a node of the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matter {
    Nothing,
    Expired,
    Expiring,
    Misnamed,
    OtherIssuer,
    Plaintext,
    /// Its callers don't enforce TLS on it, and it speaks none.
    PlaintextByChoice,
    Acm,
}

/// A mesh of `count` nodes, the node of each number in the state that `matter` says.
pub(crate) struct Mesh {
    count: usize,
    matter: fn(usize) -> Matter,
}

impl Mesh {
    /// front calls cart, cart calls catalog, whose certificate has ended.
    pub(crate) fn of_three() -> Self {
        Self { count: 3, matter: |number| if number == 2 { Matter::Expired } else { Matter::Nothing } }
    }

    /// front calls cart, whose certificate another authority issued than the one that front trusts.
    pub(crate) fn of_two() -> Self {
        Self { count: 2, matter: |number| if number == 1 { Matter::OtherIssuer } else { Matter::Nothing } }
    }

    /// A mesh with a bit of everything.
    pub(crate) fn of(count: usize) -> Self {
        let matter = |number: usize| match number {
            n if n % 61 == 17 => Matter::Expired,
            n if n % 43 == 20 => Matter::Expiring,
            n if n % 97 == 31 => Matter::Misnamed,
            n if n % 83 == 44 => Matter::OtherIssuer,
            n if n % 89 == 52 => Matter::Plaintext,
            n if n % 37 == 30 => Matter::PlaintextByChoice,
            n if n % 53 == 26 => Matter::Acm,
            _ => Matter::Nothing,
        };
        Self { count, matter }
    }

    /// A mesh in which nothing is wrong.
    pub(crate) fn sound(count: usize) -> Self {
        Self { count, matter: |_| Matter::Nothing }
    }

    /// How many nodes it has.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// What is the matter with a node.
    pub(crate) fn matter(&self, number: usize) -> Matter {
        (self.matter)(number)
    }

    fn name(number: usize) -> String {
        let base = NAMES[number % NAMES.len()];
        if number < NAMES.len() { base.to_owned() } else { format!("{base}-{}", number / NAMES.len()) }
    }

    fn namespace(&self, number: usize) -> &'static str {
        if self.count <= NAMES.len() { NAMESPACES[0] } else { NAMESPACES[number / 7 % NAMESPACES.len()] }
    }

    /// `namespace/name` of a node.
    pub(crate) fn full_name(&self, number: usize) -> String {
        format!("{}/{}", self.namespace(number), Self::name(number))
    }

    fn host(&self, number: usize) -> String {
        format!("{}.{}.svc.cluster.local", Self::name(number), self.namespace(number))
    }

    /// Whom a node calls: a tree with a few ties across, so that most are called by one and some by several.
    pub(crate) fn callees(&self, number: usize) -> Vec<usize> {
        if self.count <= NAMES.len() {
            return (number + 1 < self.count).then_some(number + 1).into_iter().collect();
        }
        let mut callees: Vec<usize> = (1..=3).map(|child| number * 3 + child).collect();
        if number % 4 == 1 {
            callees.push(number + 9);
        }
        callees.retain(|callee| *callee < self.count && callee % 29 != 0);
        callees
    }

    /// Writes the manifests to one file, as `kubectl get -o json` would print them.
    pub(crate) fn write(&self, path: &Path) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": self.objects()});
        std::fs::write(path, list.to_string()).expect("a file");
    }

    pub(crate) fn objects(&self) -> Vec<Value> {
        let (root, stranger) = (authority("Mesh root"), authority("Old root"));
        // One key for all: making two thousand takes longer than all the rest.
        let key = KeyPair::generate().expect("a key");
        let mut objects: Vec<Value> = NAMESPACES
            .iter()
            .map(|name| {
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name,
                    "labels": {"appmesh.k8s.aws/sidecarInjectorWebhook": "enabled"}}})
            })
            .collect();
        for number in 0..self.count {
            objects.push(self.secret(number, &root, &stranger, &key));
            objects.push(self.deployment(number));
            objects.push(self.service(number));
            objects.push(self.node(number));
        }
        objects
    }

    fn secret(&self, number: usize, root: &Issuer, stranger: &Issuer, key: &KeyPair) -> Value {
        let matter = (self.matter)(number);
        let host = if matter == Matter::Misnamed { "renamed.example.local".to_owned() } else { self.host(number) };
        let mut params = CertificateParams::new(vec![host.clone()]).expect("a name");
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, host.get(..host.len().min(64)).expect("ASCII"));
        params.use_authority_key_identifier_extension = true;
        let spread = i64::try_from(number % 240).expect("a few days");
        let (from, to) = match matter {
            Matter::Expired => (-95, -5),
            Matter::Expiring => (-84, 6),
            _ => (-30 - spread / 8, 60 + spread),
        };
        params.not_before = in_days(from).into();
        // Half a day further from now, so that no two runs a moment apart count another number of days.
        params.not_after = if to < 0 { in_days(to) - HALF_A_DAY } else { in_days(to) + HALF_A_DAY }.into();
        let issuer = if matter == Matter::OtherIssuer { stranger } else { root };
        let leaf = params.signed_by(key, issuer).expect("a leaf");
        json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"namespace": self.namespace(number), "name": format!("{}-tls", Self::name(number))},
            "stringData": {"tls.crt": leaf.pem(), "tls.key": key.serialize_pem(), "ca.crt": root.pem()}})
    }

    fn deployment(&self, number: usize) -> Value {
        let name = Self::name(number);
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": self.namespace(number), "name": name}, "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}, "annotations": {"appmesh.k8s.aws/secretMounts": format!("{name}-tls:/certs")}},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]},
            },
        }})
    }

    fn service(&self, number: usize) -> Value {
        json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualService",
            "metadata": {"namespace": self.namespace(number), "name": Self::name(number)},
            "spec": {"provider": {"virtualNode": {"virtualNodeRef": {"name": Self::name(number)}}}}})
    }

    fn node(&self, number: usize) -> Value {
        let matter = (self.matter)(number);
        let mut listener = json!({"portMapping": {"port": 8443, "protocol": "http"}});
        let file = json!({"file": {"certificateChain": "/certs/tls.crt", "privateKey": "/certs/tls.key"}});
        let acm = json!({"acm": {"certificateARN": "arn:aws:acm:eu-central-1:123456789012:certificate/11112222-3333-4444-5555-666677778888"}});
        match matter {
            Matter::Plaintext | Matter::PlaintextByChoice => {}
            Matter::Acm => listener["tls"] = json!({"mode": "STRICT", "certificate": acm}),
            _ => listener["tls"] = json!({"mode": "STRICT", "certificate": file}),
        }
        let backends = self.callees(number).into_iter().map(|callee| {
            let reference = json!({"namespace": self.namespace(callee), "name": Self::name(callee)});
            let mut service = json!({"virtualServiceRef": reference});
            if (self.matter)(callee) == Matter::PlaintextByChoice {
                service["clientPolicy"] = json!({"tls": {"enforce": false, "validation": {
                    "trust": {"file": {"certificateChain": "/certs/ca.crt"}}}}});
            }
            json!({"virtualService": service})
        });
        json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode",
        "metadata": {"namespace": self.namespace(number), "name": Self::name(number)},
        "spec": {
            "podSelector": {"matchLabels": {"app": Self::name(number)}},
            "listeners": [listener],
            "backends": backends.collect::<Vec<_>>(),
            "backendDefaults": {"clientPolicy": {"tls": {"validation": {"trust": {"file": {"certificateChain": "/certs/ca.crt"}}}}}},
            "serviceDiscovery": {"dns": {"hostname": self.host(number)}},
        }})
    }
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Issuer {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = in_days(-400).into();
    params.not_after = in_days(3000).into();
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root")
}

const HALF_A_DAY: Duration = Duration::from_secs(12 * 60 * 60);

fn in_days(days: i64) -> SystemTime {
    let span = Duration::from_secs(days.unsigned_abs() * 24 * 60 * 60);
    if days < 0 { SystemTime::now() - span } else { SystemTime::now() + span }
}
