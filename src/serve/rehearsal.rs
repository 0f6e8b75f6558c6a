//! A rehearsal: the real admission server on loopback, over a world that is in no cluster and learns one object after the other, as a
//! cluster does under `kubectl apply`.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinHandle};
use zeroize::Zeroizing;

use crate::admission::certificate::self_issued::self_issue;
use crate::admission::certificate::serving::ServingCertificateError;
use crate::admission::drain::{Drain, Phase};
use crate::admission::entries::{VALIDATE, entry};
use crate::admission::listener::{Limits, Server, tls_config};
use crate::admission::server::router;
use crate::admission::service::Admission;
use crate::apis::{self, Entry, Part, decode_listed, decode_object};
use crate::k8s::ObjectRef;
use crate::mesh::{Fact, FactId, SecretAccess, World};
use crate::operate::metrics::Metrics;
use crate::policy::Policy;
use crate::serve::api_server::{ApiServer, Asked, invalid};
use crate::sources::manifests::Document;
use crate::sources::{NoReader, SharedWorld, Touched};
use crate::watch::{Board, Seen, judge_all};

pub(crate) use crate::serve::api_server::{Told, Unanswered};

/// The name that the self-issued certificate holds for: the Service's.
const HOST: &str = "meshvet.meshvet-system.svc";

/// Why there is no server on loopback.
#[derive(Debug, Error)]
pub(crate) enum RehearsalError {
    /// No certificate could be issued.
    #[error(transparent)]
    Certificate(#[from] ServingCertificateError),
    /// Nobody may listen there.
    #[error("could not listen on loopback")]
    Listen(#[source] io::Error),
    /// The system doesn't say where it listens.
    #[error(transparent)]
    System(#[from] io::Error),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// The server panicked.
    #[error(transparent)]
    Stopped(#[from] JoinError),
}

/// The admission server on loopback, with a certificate of its own.
pub(crate) struct Rehearsal {
    address: SocketAddr,
    authority_pem: String,
    world: SharedWorld,
    policy: Arc<ArcSwap<Policy>>,
    drain: Drain,
    serving: JoinHandle<()>,
}

impl Rehearsal {
    /// Serves by this policy, over a world in which only this is known. Must be called within a tokio runtime.
    pub(crate) async fn start(known: Vec<Fact>, policy: Policy) -> Result<Self, RehearsalError> {
        let issued = self_issue(&[HOST.to_owned()])?;
        let (metrics, drain) = (Arc::new(Metrics::default()), Drain::default());
        let mut world = World::new(SecretAccess::Complete);
        known.into_iter().for_each(|fact| world.learn(fact));
        let (world, policy) = (SharedWorld::with_inventory(world), Arc::new(ArcSwap::from_pointee(policy)));
        let clock = Arc::new(Timestamp::now);
        let admission =
            Admission::new(world.clone(), Arc::new(NoReader), Arc::clone(&policy), clock, Arc::clone(&metrics));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(RehearsalError::Listen)?;
        let address = listener.local_addr()?;
        let server = Server {
            router: router(Arc::new(admission), drain.clone()),
            tls: Arc::new(tls_config(Arc::new(issued.certificate))?),
            drain: drain.clone(),
            metrics,
            limits: Limits::default(),
        };
        let serving = tokio::spawn(server.serve(listener));
        Ok(Self { address, authority_pem: issued.authority_pem, world, policy, drain, serving })
    }

    /// Where it serves.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The cluster that asks it.
    pub(crate) async fn cluster(&self) -> Result<Cluster, Unanswered> {
        let api_server = ApiServer::connect(self.address, HOST, &self.authority_pem).await?;
        Ok(Cluster { api_server, world: self.world.clone(), stored: HashMap::new() })
    }

    /// What the watcher would report of what is stored by now.
    pub(crate) fn watched(&self) -> Vec<Seen> {
        let mut board = Board::default();
        judge_all(&mut board, &self.world, &self.policy.load(), Timestamp::now(), &Touched::everybody());
        board.problems()
    }

    /// Stops serving.
    pub(crate) async fn end(self) -> Result<(), RehearsalError> {
        self.drain.advance(Phase::Stopping);
        Ok(self.serving.await?)
    }
}

/// A cluster to which objects are applied one by one.
pub(crate) struct Cluster {
    api_server: ApiServer,
    world: SharedWorld,
    /// What was applied, as it was sent.
    stored: HashMap<ObjectRef, Stored>,
}

struct Stored {
    json: Zeroizing<Vec<u8>>,
    holds_pem: bool,
}

impl Cluster {
    /// Submits an object, as `kubectl apply -f FILE` would: asks the webhook where an entry of it would be asked, and stores what it allows.
    pub(crate) async fn apply(&mut self, document: &Document, file: &str) -> Result<Told, Unanswered> {
        if let Some(told) = refused_by_schema(document) {
            return Ok(told);
        }
        let old = self.stored.get(&document.object);
        let asked = Asked { document, old: old.map(|old| old.json.as_slice()), file };
        let told = match webhook(document, old) {
            Some((path, webhook)) => self.api_server.ask(&asked, path, &webhook).await?,
            None => asked.unasked(),
        };
        if told.created {
            learn(&self.world, document);
            let stored = Stored { json: document.json.clone(), holds_pem: document.holds_pem };
            self.stored.insert(document.object.clone(), stored);
        }
        Ok(told)
    }
}

/// What the API server says before it asks anybody: it validates an object by the schema of its kind.
fn refused_by_schema(document: &Document) -> Option<Told> {
    let value = document.row.is_reviewed().then(|| serde_json::from_slice(&document.json).ok())??;
    match decode_object(value, document.object.namespace()) {
        Ok(Entry::Subject(subject)) => invalid(&document.object, &subject.schema_faults),
        _ => None,
    }
}

/// The path and the name of the entry that an object goes to; None where the entries' conditions let it pass.
fn webhook(document: &Document, old: Option<&Stored>) -> Option<(&'static str, String)> {
    let name = match (document.row.part, document.row.kind.kind) {
        (Part::Member | Part::Hop | Part::Policy, _) => {
            return Some((VALIDATE, apis::word(document.row.group, |it| it.webhook)));
        }
        (Part::Workload(_), _) => "workloads.meshvet.dev",
        (Part::Store, _) if !document.holds_pem && old.is_none_or(|old| !old.holds_pem) => return None,
        (Part::Store, "ConfigMap") => "configmaps.meshvet.dev",
        (Part::Store, _) => "secrets.meshvet.dev",
        (Part::Service, _) => "services.meshvet.dev",
        (Part::Place, "Namespace") if old.is_some() => "namespaces.meshvet.dev",
        (Part::Class, _) if old.is_some() => "meshes.meshvet.dev",
        (Part::Place | Part::Class | Part::Settings | Part::Grant | Part::Promise, _) => return None,
    };
    entry(name).map(|entry| (entry.path, entry.name.to_owned()))
}

/// What a watch would make of an object.
fn learn(world: &SharedWorld, document: &Document) {
    let id = FactId::Object(document.object.clone());
    match decode_listed(document.row, &document.json, document.object.namespace()) {
        Ok(Entry::Subject(subject)) => {
            let facts = subject.facts.clone();
            world.step(|step| step.replace(&id, facts), |inventory, ()| inventory.note(&id, Some(*subject)));
        }
        Ok(Entry::Fact(fact)) => world.step(|step| step.replace(&fact.id(), [fact.clone()]), |_, ()| {}),
        Ok(Entry::Nothing(id)) => world.step(|step| step.forget(&id), |_, ()| {}),
        Ok(Entry::Other) => {}
        Err(error) => world.step(|step| step.forget(&id), |inventory, ()| inventory.skip(&id, error)),
    }
}
