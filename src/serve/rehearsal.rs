//! A rehearsal: the real admission server on loopback, over a world that is in no cluster, and what is submitted to it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinHandle};

use crate::admission::certificate::self_issued::self_issue;
use crate::admission::certificate::serving::ServingCertificateError;
use crate::admission::drain::{Drain, Phase};
use crate::admission::listener::{Limits, Server, tls_config};
use crate::admission::server::router;
use crate::admission::service::Admission;
use crate::apis::{self, Part, Row, SchemaFault};
use crate::k8s::ObjectRef;
use crate::mesh::World;
use crate::operate::metrics::Metrics;
use crate::policy::Policy;
use crate::serve::api_server::ApiServer;
use crate::sources::manifests::{Manifests, Site};
use crate::sources::{NoReader, SharedWorld};

pub(crate) use crate::serve::api_server::{Told, Unanswered, invalid};

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

/// A member to submit: of App Mesh, a virtual node or gateway.
pub(crate) struct Submission {
    /// Its kind.
    pub(crate) row: &'static Row,
    /// Which it is.
    pub(crate) object: ObjectRef,
    /// The object as kubectl would send it.
    pub(crate) manifest: Value,
    /// The file that it stands in.
    pub(crate) file: String,
    /// What the API server refuses before it asks anybody.
    pub(crate) schema_faults: Vec<SchemaFault>,
    line: u32,
}

/// The members in the order of their files, those that can't be read among them; and the world.
pub(crate) fn submissions(manifests: Manifests) -> (Vec<Submission>, World) {
    let name = |site: &Site| manifests.source(site.source).map(|source| source.name.clone()).unwrap_or_default();
    let judged = manifests.objects.iter();
    let judged = judged.map(|it| (&it.reviewed.object, &it.raw, &it.site, it.reviewed.schema_faults.as_slice()));
    let unreadable = manifests.undecodable.iter().map(|it| (&it.error.object, &it.raw, &it.site, &[][..]));
    let mut found: Vec<Submission> = judged
        .chain(unreadable)
        .filter_map(|(object, raw, site, faults)| {
            let row = apis::row(&object.api_version, &object.kind).filter(|row| row.part == Part::Member)?;
            let mut manifest = raw.clone()?;
            let metadata = manifest.get_mut("metadata")?.as_object_mut()?;
            // As kubectl fills it in.
            metadata.entry("namespace").or_insert_with(|| object.namespace().into());
            let schema_faults = faults.to_vec();
            Some(Submission { row, object: object.clone(), manifest, file: name(site), schema_faults, line: site.line })
        })
        .collect();
    let files: Vec<String> = manifests.sources.iter().map(|source| source.name.clone()).collect();
    found.sort_by_key(|it| (files.iter().position(|file| *file == it.file), it.line));
    (found, manifests.world)
}

/// The admission server on loopback, with a certificate of its own.
pub(crate) struct Rehearsal {
    address: SocketAddr,
    authority_pem: String,
    drain: Drain,
    serving: JoinHandle<()>,
}

impl Rehearsal {
    /// Serves, over this world and by this policy. Must be called within a tokio runtime.
    pub(crate) async fn start(world: World, policy: Policy) -> Result<Self, RehearsalError> {
        let issued = self_issue(&[HOST.to_owned()])?;
        let (metrics, drain) = (Arc::new(Metrics::default()), Drain::default());
        let (world, policy) = (SharedWorld::new(world), Arc::new(ArcSwap::from_pointee(policy)));
        let clock = Arc::new(Timestamp::now);
        let admission = Admission::new(world, Arc::new(NoReader), policy, clock, Arc::clone(&metrics));
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
        Ok(Self { address, authority_pem: issued.authority_pem, drain, serving })
    }

    /// Where it serves.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whoever asks it, as kube-apiserver would.
    pub(crate) async fn api_server(&self) -> Result<ApiServer, Unanswered> {
        ApiServer::connect(self.address, HOST, &self.authority_pem).await
    }

    /// Stops serving.
    pub(crate) async fn end(self) -> Result<(), RehearsalError> {
        self.drain.advance(Phase::Stopping);
        Ok(self.serving.await?)
    }
}
