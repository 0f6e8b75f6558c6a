//! A small sound world, to be changed in one place.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use meshvet::apis::{Entry, Subject, decode_object};
use meshvet::aws::{AwsFacts, Question};
use meshvet::finding::Finding;
use meshvet::k8s::ObjectRef;
use meshvet::mesh::{FactId, Gap, Overlay, Sort, View, World};
use meshvet::policy::Policy;
use meshvet::rules::{Judgement, Surface, examine, judge};
use serde_json::{Value, json};

use crate::support::manifests;
use crate::support::mint::{Authority, Issued};

/// The authority that everything in the sound world is issued by.
pub(crate) static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("scene root"));
/// Another one, of the same shape.
pub(crate) static OTHER: LazyLock<Authority> = LazyLock::new(|| Authority::new("other root"));
static BLUE: LazyLock<Issued> = LazyLock::new(|| AUTHORITY.leaf(&["blue.apps.local"]).issue());

/// A namespace `shop`, proxies injected; a virtual node `blue` with a STRICT listener on 8443 found at `blue.apps.local`;
/// its Deployment, and the Secret `blue-cert` mounted at `/certs`.
pub(crate) struct Scene {
    pub(crate) node: Value,
    pub(crate) deployment: Value,
    pub(crate) namespace: Value,
    /// The keys of Secret `blue-cert`; none: it doesn't exist.
    pub(crate) secret: Option<BTreeMap<String, String>>,
    /// Whatever else is there.
    pub(crate) others: Vec<Value>,
    /// What could not be listed, by the resource.
    pub(crate) unlisted: Vec<(&'static str, Gap)>,
    /// What the change under review deletes.
    pub(crate) deleted: Vec<ObjectRef>,
    /// What AWS has answered.
    pub(crate) aws: AwsFacts,
    pub(crate) policy: String,
    pub(crate) surface: Surface,
    /// Whether a cluster has taken the object, whose CRDs may be others than those that are recorded.
    pub(crate) admitted: bool,
    pub(crate) now: Timestamp,
    /// The kind and name to judge.
    pub(crate) subject: (&'static str, &'static str),
}

/// What was found, to be looked at.
pub(crate) struct Judged {
    pub(crate) findings: Vec<Finding>,
}

impl Scene {
    pub(crate) fn sound() -> Self {
        let mut scene = Self {
            node: manifests::virtual_node("shop", "blue", "blue.apps.local"),
            deployment: manifests::deployment("shop", "blue", "blue-cert:/certs"),
            namespace: manifests::namespace("shop"),
            secret: Some(BTreeMap::new()),
            others: Vec::new(),
            unlisted: Vec::new(),
            deleted: Vec::new(),
            aws: AwsFacts::new(),
            policy: String::new(),
            surface: Surface::Check,
            admitted: false,
            now: Timestamp::now(),
            subject: ("VirtualNode", "blue"),
        };
        scene.certificate(&BLUE);
        scene.key("ca.crt", &AUTHORITY.pem());
        scene
    }

    /// Sets a key of Secret `blue-cert`.
    pub(crate) fn key(&mut self, name: &str, content: &str) {
        self.secret.get_or_insert_default().insert(name.to_owned(), content.to_owned());
    }

    /// Removes a key of Secret `blue-cert`.
    pub(crate) fn without_key(&mut self, name: &str) {
        self.secret.get_or_insert_default().remove(name);
    }

    /// Puts a certificate and its key into Secret `blue-cert`.
    pub(crate) fn certificate(&mut self, issued: &Issued) {
        self.key("tls.crt", &issued.chain);
        self.key("tls.key", &issued.key);
    }

    /// Lets nobody list a resource, but for what is in one namespace.
    pub(crate) fn hide(&mut self, resource: &'static str, sort: Sort, except: Option<&str>) {
        let why = format!("may not list {resource}: forbidden");
        self.unlisted.push((resource, Gap { sort, except: except.map(str::to_owned), why }));
    }

    /// Sets a place of the node, by JSON pointer; what leads there is made.
    pub(crate) fn set(&mut self, pointer: &str, value: Value) {
        put(&mut self.node, pointer, value);
    }

    /// Removes a member of the node.
    pub(crate) fn unset(&mut self, pointer: &str) {
        remove(&mut self.node, pointer);
    }

    /// Sets a place of the Deployment's pod template.
    pub(crate) fn template(&mut self, pointer: &str, value: Value) {
        put(&mut self.deployment, &format!("/spec/template{pointer}"), value);
    }

    /// An annotation of the Deployment's pods.
    pub(crate) fn annotate_pods(&mut self, key: &str, value: &str) {
        self.template(&format!("/metadata/annotations/{}", key.replace('/', "~1")), value.into());
    }

    /// Gives the node a client policy by default: trust in `/certs/ca.crt`, and the certificate of `/certs` to show to `green`, which it
    /// calls and which asks for one.
    pub(crate) fn client(&mut self) {
        let files = json!({"file": {"certificateChain": "/certs/client.crt", "privateKey": "/certs/client.key"}});
        let trust = json!({"file": {"certificateChain": "/certs/ca.crt"}});
        self.set(
            "/spec/backendDefaults/clientPolicy/tls",
            json!({"certificate": files, "validation": {"trust": trust}}),
        );
        self.called("green", json!({"trust": {"sds": {"secretName": "trust"}}}));
        self.key("client.crt", &BLUE.chain);
        self.key("client.key", &BLUE.key);
    }

    /// Lets the node call another, whose listener validates its clients so.
    pub(crate) fn called(&mut self, name: &str, validation: Value) {
        let mut node = manifests::virtual_node("shop", name, &format!("{name}.apps.local"));
        put(&mut node, "/spec/listeners/0/tls/certificate", json!({"sds": {"secretName": name}}));
        put(&mut node, "/spec/listeners/0/tls/validation", validation);
        self.others.extend([node, manifests::virtual_service("shop", name, name)]);
        self.set("/spec/backends", json!([{"virtualService": {"virtualServiceRef": {"name": name}}}]));
    }

    pub(crate) fn judge(&self) -> Judged {
        let (world, judged) = self.world();
        let policy = Policy::parse(&self.policy).expect("a policy");
        let forgotten = self.deleted.iter().cloned().map(FactId::Object).collect();
        let overlay = Overlay { forgotten, ..Overlay::default() };
        let view = View::new(&world).over(&overlay).answered(&self.aws);
        let Judgement { findings } = judge(&judged, view, &policy, self.now, self.surface);
        Judged { findings }
    }

    /// What would have to be asked of AWS.
    pub(crate) fn questions(&self) -> Vec<Question> {
        let (world, judged) = self.world();
        let policy = Policy::parse(&self.policy).expect("a policy");
        examine(&judged, View::new(&world).answered(&self.aws), &policy, self.now, self.surface).questions
    }

    /// Everything there is, and the object to judge.
    fn world(&self) -> (World, Subject) {
        let secret = self.secret.as_ref().map(|keys| {
            let keys: Vec<(&str, &str)> = keys.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            manifests::secret("shop", "blue-cert", &keys)
        });
        let mut objects = vec![self.namespace.clone(), self.node.clone(), self.deployment.clone()];
        objects.extend(secret);
        objects.extend(self.others.iter().cloned());
        let mut world = World::default();
        let mut judged: Option<Subject> = None;
        for object in objects.into_iter().filter(|object| !object.is_null()) {
            match decode_object(object, "default").expect("a readable object") {
                Entry::Subject(mut reviewed) => {
                    if self.admitted {
                        reviewed.schema_faults.clear();
                    }
                    world.extend(reviewed.facts.iter().cloned());
                    if (reviewed.object.kind.as_str(), reviewed.object.name.as_str()) == self.subject {
                        judged = Some(*reviewed);
                    }
                }
                Entry::Fact(fact) => world.learn(fact),
                Entry::Nothing(_) => {}
                Entry::Other => panic!("a kind that nobody reads"),
            }
        }
        for (resource, gap) in &self.unlisted {
            world.note_unlisted(resource, Some(gap.clone()));
        }
        (world, judged.expect("the object to judge"))
    }
}

impl Judged {
    /// Each finding in a line.
    pub(crate) fn told(&self) -> Vec<String> {
        self.findings
            .iter()
            .map(|finding| {
                let problem = &finding.problem;
                format!(
                    "{} {} {} {}: {} (found {:?})",
                    finding.rule.code,
                    finding.severity,
                    finding.object,
                    finding.field().kubernetes(),
                    problem.message,
                    problem.found
                )
            })
            .collect()
    }
}

pub(crate) fn put(object: &mut Value, pointer: &str, value: Value) {
    let mut at = object;
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        at = match (segment.parse::<usize>(), at) {
            (Ok(index), Value::Array(items)) => {
                while items.len() <= index {
                    items.push(Value::Null);
                }
                &mut items[index]
            }
            (_, at) => {
                if !at.is_object() {
                    *at = json!({});
                }
                at.as_object_mut().expect("an object").entry(segment).or_insert(Value::Null)
            }
        };
    }
    *at = value;
}

fn remove(object: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = object.pointer_mut(parent).expect("something to remove from");
    parent.as_object_mut().expect("an object").remove(name);
}
