//! What commands on a living cluster have in common: which cluster, how Secrets are read, and how far reading is.

use anyhow::Context as _;
use clap::ValueEnum;
use indicatif::HumanCount;
use kube::Client;

use crate::aws::AwsFacts;
use crate::cli::aws::AwsArgs;
use crate::cli::connection::ConnectArgs;
use crate::cli::progress::Progress;
use crate::mesh::{FreshStores, SecretAccess, World};
use crate::policy::Policy;
use crate::sources::SharedWorld;
use crate::sources::cluster::{ClusterOptions, KubeReader, Step, connect_told, list_all, read_stores};
use crate::survey::Read;
use crate::text::plural;
use crate::text::suggest;

/// Which cluster, and how its Secrets are read.
#[derive(Debug, clap::Args)]
pub(super) struct ClusterArgs {
    #[command(flatten)]
    connection: ConnectArgs,

    /// How to read Secrets. What is in them stays here: only names, dates and digests are kept.
    #[arg(long, value_enum, value_name = "HOW", default_value = "get")]
    secrets: Secrets,

    #[command(flatten)]
    pub(super) aws: AwsArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Secrets {
    /// Each that a proxy mounts, by its name. Needs get.
    Get,
    /// All of them, page by page. Needs list; with --watch, watch too.
    List,
    /// None: what is in them is unknown.
    None,
}

/// A cluster that answers.
pub(super) struct Cluster {
    pub(super) client: Client,
    pub(super) options: ClusterOptions,
    /// `context prod`, or what else tells it from others.
    pub(super) name: String,
}

/// What is known of a cluster.
pub(super) struct Known {
    pub(super) world: SharedWorld,
    /// Secrets that were read by name, and what AWS has answered.
    pub(super) read: Read,
    /// What could not be read, one sentence each.
    pub(super) problems: Vec<String>,
    /// What a reader should know, one sentence each.
    pub(super) notes: Vec<String>,
}

impl ClusterArgs {
    /// Connects, and sees that the API server answers.
    pub(super) async fn open(&self) -> anyhow::Result<Cluster> {
        let options = self.connection.options();
        let (client, origin) = connect_told(&options).await?;
        client.apiserver_version().await.with_context(|| {
            format!("the API server doesn't answer ({origin}); does `kubectl version` with the same options?")
        })?;
        let access = match self.secrets {
            Secrets::Get => SecretAccess::OnDemand,
            Secrets::List => SecretAccess::Complete,
            Secrets::None => SecretAccess::Never,
        };
        let name = origin.rsplit_once(", ").map_or(origin.as_str(), |(_, context)| context).to_owned();
        Ok(Cluster {
            client,
            options: ClusterOptions { access, service_accounts: self.aws.aws, ..Default::default() },
            name,
        })
    }
}

impl Cluster {
    /// The namespace that is meant where none is given: the context's.
    pub(super) fn default_namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// Reads everything once, and says how far it is.
    pub(super) async fn read(&self, aws: &AwsArgs, namespace: Option<&str>, policy: &Policy) -> anyhow::Result<Known> {
        let progress = Reading::start();
        let world = SharedWorld::with_inventory(World::new(self.options.access));
        let gaps = list_all(&self.client, self.options, namespace, &world, &|step| progress.tell(step)).await;
        let (fresh, unread) = self.secrets(&world, FreshStores::new(), policy, &progress).await;
        progress.end(fresh.len());
        if let Some(namespace) = namespace {
            exists(&world, namespace)?;
        }
        let mut notes = gaps.notes;
        notes.extend(unread);
        if self.options.access == SecretAccess::Never {
            notes.push("Secrets were left alone (--secrets none): what is in them isn't judged".to_owned());
        }
        let read = Read { stores: fresh, aws: AwsFacts::new() };
        let read = with_aws(aws, &world, read, policy).await?;
        Ok(Known { world, read, problems: gaps.problems, notes })
    }

    /// The Secrets that the world's proxies mount, those of `fresh` not again.
    pub(super) async fn secrets(
        &self,
        world: &SharedWorld,
        fresh: FreshStores,
        policy: &Policy,
        progress: &Reading,
    ) -> (FreshStores, Vec<String>) {
        if self.options.access != SecretAccess::OnDemand {
            return (fresh, Vec::new());
        }
        let reader = KubeReader::new(self.client.clone(), self.options.access);
        read_stores(&reader, world, fresh, policy, &|step| progress.tell(step)).await
    }
}

/// Asks AWS what the world's objects name there, where that is wanted.
pub(super) async fn with_aws(aws: &AwsArgs, world: &SharedWorld, read: Read, policy: &Policy) -> anyhow::Result<Read> {
    let stores = read.stores;
    let unknown = |facts: &AwsFacts| {
        // The question alone takes no Secret.
        Read { stores: FreshStores::new(), aws: facts.clone() }.unknown_at_aws(world, policy)
    };
    let facts = aws.ask(policy, unknown).await?;
    Ok(Read { stores, aws: facts })
}

/// An error for a namespace that isn't there. Where namespaces may not be listed, nobody can say.
fn exists(world: &SharedWorld, namespace: &str) -> anyhow::Result<()> {
    world.read(|world| {
        if world.namespace(namespace).is_some() || world.namespaces().next().is_none() {
            return Ok(());
        }
        let hint = suggest::nearest(namespace, world.namespaces()).map(|near| format!("; did you mean {near}?"));
        let hint = hint.unwrap_or_else(|| "; -A judges all namespaces".to_owned());
        Err(anyhow::anyhow!("the cluster has no namespace {namespace}{hint}"))
    })
}

/// How far reading a cluster is: a line where that is a terminal, and in the end one line anywhere.
pub(super) struct Reading {
    line: Progress,
    listed: std::sync::atomic::AtomicUsize,
}

impl Reading {
    pub(super) fn start() -> Self {
        Self { line: Progress::of_cluster(), listed: Default::default() }
    }

    pub(super) fn tell(&self, step: Step) {
        match step {
            Step::Listed { kind, objects } => {
                self.listed.store(objects, std::sync::atomic::Ordering::Relaxed);
                self.line.say(format!("{} objects ({kind})", HumanCount(objects as u64)));
            }
            Step::Read { stores, of } => {
                self.line.say(format!("{} of {} Secrets", HumanCount(stores as u64), HumanCount(of as u64)));
            }
        }
    }

    /// Says something of its own.
    pub(super) fn say(&self, text: String) {
        self.line.say(text);
    }

    /// Clears the line, and says what was read.
    pub(super) fn end(self, secrets: usize) {
        self.clear();
        let objects = plural(self.listed.load(std::sync::atomic::Ordering::Relaxed), "object");
        let secrets = if secrets == 0 { String::new() } else { format!(", {} by name", plural(secrets, "Secret")) };
        super::tell(&format!("read {objects}{secrets}"));
    }

    /// Clears the line.
    pub(super) fn clear(&self) {
        self.line.clear();
    }
}
