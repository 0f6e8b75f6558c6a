//! What commands on a living cluster have in common: which cluster, how Secrets are read, and how far reading is.

use anyhow::anyhow;
use clap::ValueEnum;
use indicatif::HumanCount;
use kube::Client;

use crate::cli::aws::AwsArgs;
use crate::cli::connection::ConnectArgs;
use crate::cli::progress::Progress;
use crate::mesh::{SecretAccess, World};
use crate::policy::Policy;
use crate::rules::forget_sound_text;
use crate::sources::SharedWorld;
use crate::sources::cluster::{ClusterOptions, Gaps, KubeReader, Listed, Trouble, connect_told, list_all};
use crate::survey::{StoresRead, Surveyor};
use crate::text::plural;
use crate::text::suggest;

/// Which cluster, and how its Secrets are read.
#[derive(Debug, clap::Args)]
pub(super) struct ClusterArgs {
    #[command(flatten)]
    connection: ConnectArgs,

    /// How to read Secrets. Of their content only names, dates and digests are kept, in memory.
    #[arg(long, value_enum, ignore_case = true, value_name = "HOW", default_value = "get")]
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

impl ClusterArgs {
    /// Connects, and sees that the API server answers.
    pub(super) async fn open(&self) -> anyhow::Result<Cluster> {
        let options = self.connection.options();
        let (client, origin) = connect_told(&options).await?;
        answers(&client, &origin).await?;
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

    /// A world for what is in it: nothing yet.
    pub(super) fn world(&self) -> SharedWorld {
        SharedWorld::with_trimmed_inventory(World::new(self.options.access), forget_sound_text)
    }

    /// Reads everything once into `world`, which `surveyor` judges, and says how far it is.
    pub(super) async fn read(
        &self,
        world: &SharedWorld,
        surveyor: &mut Surveyor<'_>,
        aws: &AwsArgs,
        namespace: Option<&str>,
        policy: &Policy,
    ) -> anyhow::Result<Gaps> {
        let progress = Reading::start();
        let mut gaps = list_all(&self.client, self.options, namespace, world, &|listed| progress.list(listed)).await;
        gaps.notes.extend(self.read_stores(surveyor, &progress).await);
        progress.end(surveyor.read().overlay.stores.len());
        if let Some(namespace) = namespace {
            exists(world, namespace)?;
        }
        if self.options.access == SecretAccess::Never {
            gaps.notes.push("Secrets were not read (--secrets none): what is in them isn't judged".to_owned());
        }
        surveyor.ask(&*aws.reader_under(policy)?).await;
        Ok(gaps)
    }

    /// Reads the Secrets that proxies mount; what to say of those that could not be.
    pub(super) async fn read_stores(&self, surveyor: &mut Surveyor<'_>, progress: &Reading) -> Option<String> {
        let reader = KubeReader::new(self.client.clone(), self.options.access).for_person();
        surveyor.read_stores(&reader, &|read| progress.read(read)).await
    }
}

/// Sees that the API server answers.
///
/// # Errors
/// Why it doesn't, and what to do.
pub(super) async fn answers(client: &Client, origin: &str) -> anyhow::Result<()> {
    match client.apiserver_version().await {
        // Who may not ask for the version may still have the rights that count.
        Err(kube::Error::Api(status)) if status.is_forbidden() => Ok(()),
        Err(error) => {
            let Trouble { what, fix } = Trouble::of(&error);
            Err(anyhow!("{what} ({origin})\n  what to do: {fix}"))
        }
        Ok(_) => Ok(()),
    }
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

/// How far reading a cluster is, on terminals alone.
pub(super) struct Reading {
    line: Progress,
    listed: std::sync::atomic::AtomicUsize,
}

impl Reading {
    pub(super) fn start() -> Self {
        Self { line: Progress::of_cluster(), listed: Default::default() }
    }

    fn list(&self, Listed { kind, objects }: Listed) {
        self.listed.store(objects, std::sync::atomic::Ordering::Relaxed);
        self.line.say(format!("{} objects ({kind})", HumanCount(objects as u64)));
    }

    fn read(&self, StoresRead { stores, of }: StoresRead) {
        self.line.say(format!("{} of {} Secrets", HumanCount(stores as u64), HumanCount(of as u64)));
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
        // How far it is, and how much that was, is for those who watch.
        if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
            super::tell(&format!("read {objects}{secrets}"));
        }
    }

    /// Clears the line.
    pub(super) fn clear(&self) {
        self.line.clear();
    }
}
