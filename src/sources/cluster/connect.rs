//! Finds the cluster, and reports what was tried if it can't.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use thiserror::Error;

use crate::sources::cluster::WATCH_SECONDS;
use crate::sources::cluster::failure::chain;

/// The cluster chosen on the command line.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// A kubeconfig file; None: `KUBECONFIG`, then the pod's own ServiceAccount, then `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig; None: its current one.
    pub context: Option<String>,
}

/// Why there is no client for a cluster.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// A kubeconfig that can't be used.
    #[error("{origin}: {reason}")]
    Kubeconfig {
        /// Which kubeconfig.
        origin: String,
        /// What is wrong with it. Never quotes the file, which holds credentials.
        reason: String,
    },
    /// A context that the kubeconfig doesn't have.
    #[error("{origin}: it has no context {context:?}; it has {}", list(.known))]
    UnknownContext {
        /// Which kubeconfig.
        origin: String,
        /// The requested context.
        context: String,
        /// The contexts it has.
        known: Vec<String>,
    },
    /// No context was named, neither on the command line nor in the kubeconfig.
    #[error("{origin}: it sets no current-context; choose one with --context: it has {}", list(.known))]
    NoContext {
        /// Which kubeconfig.
        origin: String,
        /// The contexts it has.
        known: Vec<String>,
    },
    /// In a pod whose ServiceAccount can't be used.
    #[error(
        "this is a pod (KUBERNETES_SERVICE_HOST is set), but its ServiceAccount can't be used: {0}; \
         is automountServiceAccountToken false? Otherwise give --kubeconfig FILE"
    )]
    Pod(#[source] InClusterError),
    /// No configuration was found.
    #[error("no cluster found: {}; give --kubeconfig FILE", .tried.join(", "))]
    Nothing {
        /// Where it was looked for, each with the result.
        tried: Vec<String>,
    },
    /// No client can be made from the configuration.
    #[error("{origin}: {reason}")]
    Client {
        /// Where the configuration came from.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Makes a client for the cluster chosen by the options and the environment. Doesn't contact the cluster.
///
/// # Errors
/// [`ConnectError`], which says what was tried and what to do.
pub async fn connect(options: &ConnectOptions) -> Result<Client, ConnectError> {
    connect_told(options).await.map(|(client, _)| client)
}

/// The same, also returning where the cluster's address came from: `--kubeconfig admin.conf, context prod`.
///
/// # Errors
/// As [`connect`].
pub(crate) async fn connect_told(options: &ConnectOptions) -> Result<(Client, String), ConnectError> {
    // If a process default is already set, it is ring too: the binary has no other.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (origin, mut config) = configuration(options, &Environment::current()).await?;
    config.connect_timeout = Some(Duration::from_secs(10));
    // No request may hang forever. An open watch is silent for at most this long: then the API server ends it.
    config.read_timeout = Some(Duration::from_secs(u64::from(WATCH_SECONDS) + 10));
    config.reset_reader_on_write = true;
    tracing::info!(server = %config.cluster_url, "{origin}");
    let command = config.auth_info.exec.as_ref().and_then(|exec| exec.command.clone());
    match Client::try_from(config) {
        Ok(client) => Ok((client, origin)),
        Err(error) => {
            let mut reason = chain(&error);
            // Whatever failed, it is the credential command.
            if let (Some(command), kube::Error::Auth(_)) = (command, &error) {
                let why = reason.rsplit(": ").next().unwrap_or_default();
                let why = why.split(" (os error").next().unwrap_or_default();
                reason =
                    format!("the command that gives credentials, {command}, can't be run: {why}; is it installed?");
            }
            Err(ConnectError::Client { origin, reason })
        }
    }
}

/// What the environment says about clusters.
#[derive(Debug, Default)]
struct Environment {
    /// `KUBECONFIG`: files to be merged.
    kubeconfig: Option<OsString>,
    /// Whether the environment is a pod's.
    pod: bool,
    /// The home folder.
    home: Option<PathBuf>,
}

impl Environment {
    fn current() -> Self {
        Self {
            kubeconfig: std::env::var_os("KUBECONFIG"),
            pod: std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
            home: std::env::home_dir().filter(|home| !home.as_os_str().is_empty()),
        }
    }
}

/// The configuration, and where it came from.
async fn configuration(options: &ConnectOptions, environment: &Environment) -> Result<(String, Config), ConnectError> {
    if let Some(path) = &options.kubeconfig {
        return from_files(format!("--kubeconfig {}", path.display()), std::slice::from_ref(path), options).await;
    }
    let mut tried = vec!["--kubeconfig is not given".to_owned()];
    let listed = environment.kubeconfig.as_ref().map(|paths| std::env::split_paths(paths).collect::<Vec<_>>());
    let listed: Vec<PathBuf> =
        listed.unwrap_or_default().into_iter().filter(|path| !path.as_os_str().is_empty()).collect();
    if !listed.is_empty() {
        let names: Vec<String> = listed.iter().map(|path| path.display().to_string()).collect();
        return from_files(format!("KUBECONFIG {}", names.join(", ")), &listed, options).await;
    }
    tried.push("KUBECONFIG is not set".to_owned());
    // A context belongs to a kubeconfig, so naming one excludes the pod's own cluster.
    if environment.pod && options.context.is_none() {
        let config = Config::incluster_env().map_err(ConnectError::Pod)?;
        return Ok(("the pod's own ServiceAccount".to_owned(), config));
    }
    if !environment.pod {
        tried.push("not running in a pod (KUBERNETES_SERVICE_HOST is not set)".to_owned());
    }
    let Some(home) = &environment.home else {
        tried.push("there is no home folder with a .kube/config".to_owned());
        return Err(ConnectError::Nothing { tried });
    };
    let path = home.join(".kube").join("config");
    if !path.exists() {
        tried.push(format!("{} does not exist", path.display()));
        return Err(ConnectError::Nothing { tried });
    }
    from_files(path.display().to_string(), std::slice::from_ref(&path), options).await
}

/// Loads kubeconfig files, merged as kubectl merges them.
async fn from_files(
    origin: String,
    paths: &[PathBuf],
    options: &ConnectOptions,
) -> Result<(String, Config), ConnectError> {
    let unusable = |error: &KubeconfigError| ConnectError::Kubeconfig { origin: origin.clone(), reason: reason(error) };
    let kubeconfig = paths
        .iter()
        .try_fold(Kubeconfig::default(), |merged, path| merged.merge(Kubeconfig::read_from(path)?))
        .map_err(|error| unusable(&error))?;
    let known = || kubeconfig.contexts.iter().map(|context| context.name.clone()).collect::<Vec<_>>();
    let asked = options.context.as_ref().or(kubeconfig.current_context.as_ref()).filter(|name| !name.is_empty());
    let Some(context) = asked.cloned() else {
        return Err(ConnectError::NoContext { known: known(), origin });
    };
    if !kubeconfig.contexts.iter().any(|known| known.name == context) {
        return Err(ConnectError::UnknownContext { known: known(), origin, context });
    }
    let chosen = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &chosen).await.map_err(|error| unusable(&error))?;
    Ok((format!("{origin}, context {context}"), config))
}

/// What is wrong, without any of the file's content.
fn reason(error: &KubeconfigError) -> String {
    match error {
        // The parser's own message quotes lines of the file.
        KubeconfigError::Parse(error) => match error.location() {
            Some(place) => format!("no kubeconfig: line {}, column {} can't be read", place.line(), place.column()),
            None => "no kubeconfig: it can't be read as YAML".to_owned(),
        },
        KubeconfigError::ReadConfig(error, _) if error.kind() == std::io::ErrorKind::NotFound => {
            "there is no such file; a relative path starts in the current folder".to_owned()
        }
        KubeconfigError::ReadConfig(error, path) => format!("{}: {error}", path.display()),
        KubeconfigError::LoadClusterOfContext(cluster) => {
            format!("its context names the cluster {cluster:?}, which it doesn't have")
        }
        other => chain(other),
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    const KUBECONFIG: &str = r#"
apiVersion: v1
kind: Config
clusters:
- name: east
  cluster: {server: "https://east.example:6443"}
- name: west
  cluster: {server: "https://west.example:6443"}
users:
- name: me
  user: {token: hush}
contexts:
- name: east
  context: {cluster: east, user: me}
- name: west
  context: {cluster: west, user: me}
current-context: east
"#;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    async fn server(options: &ConnectOptions, environment: &Environment) -> Result<String, String> {
        match configuration(options, environment).await {
            Ok((_, config)) => Ok(config.cluster_url.host().unwrap().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[track_caller]
    fn names(error: Result<String, String>, texts: &[&str]) {
        let error = error.expect_err("no cluster");
        for text in texts {
            assert!(error.contains(text), "{error:?} lacks {text:?}");
        }
        assert!(!error.contains("hush"), "{error:?} shows the token");
    }

    #[tokio::test]
    async fn the_flag_beats_the_environment_which_beats_home() {
        let folder = folder();
        let file = |name, cluster: &str| {
            let text = KUBECONFIG.replace("current-context: east", &format!("current-context: {cluster}"));
            write(folder.path(), name, &text)
        };
        let flag = file("flag", "west");
        let variable = file("variable", "east");
        file(".kube/config", "west");
        let environment =
            Environment { kubeconfig: Some(variable.into()), home: Some(folder.path().into()), pod: true };

        let options = ConnectOptions { kubeconfig: Some(flag), context: None };
        assert_eq!(server(&options, &environment).await.unwrap(), "west.example");
        let options = ConnectOptions::default();
        assert_eq!(server(&options, &environment).await.unwrap(), "east.example");
        let environment = Environment { kubeconfig: None, pod: false, ..environment };
        assert_eq!(server(&options, &environment).await.unwrap(), "west.example");
    }

    #[tokio::test]
    async fn the_context_can_be_chosen() {
        let folder = folder();
        let path = write(folder.path(), "config", KUBECONFIG);
        let choose =
            |context: &str| ConnectOptions { kubeconfig: Some(path.clone()), context: Some(context.to_owned()) };
        assert_eq!(server(&choose("west"), &Environment::default()).await.unwrap(), "west.example");
        let outcome = server(&choose("north"), &Environment::default()).await;
        names(outcome, &["--kubeconfig ", "no context \"north\"", "east, west"]);
    }

    #[tokio::test]
    async fn several_files_are_merged() {
        let folder = folder();
        let first = write(folder.path(), "first", "current-context: west\n");
        let second = write(folder.path(), "second", KUBECONFIG);
        let both = std::env::join_paths([first, second]).unwrap();
        let environment = Environment { kubeconfig: Some(both), ..Environment::default() };
        assert_eq!(server(&ConnectOptions::default(), &environment).await.unwrap(), "west.example");
    }

    #[tokio::test]
    async fn an_error_says_what_was_tried() {
        let options = ConnectOptions::default();
        let home = folder();
        let environment = Environment { home: Some(home.path().into()), ..Environment::default() };
        let outcome = server(&options, &environment).await;
        names(
            outcome,
            &["KUBECONFIG is not set", "not running in a pod", ".kube/config does not exist", "--kubeconfig FILE"],
        );
        names(server(&options, &Environment::default()).await, &["no home folder"]);
    }

    #[tokio::test]
    async fn an_error_of_a_kubeconfig_names_the_file_and_never_quotes_it() {
        let folder = folder();
        for (text, reasons) in [
            (KUBECONFIG.replace("{token: hush}", "{token: hush"), &["line "][..]),
            (KUBECONFIG.replace("users:", "users: hush #"), &["line "]),
            (KUBECONFIG.replace("current-context: east", ""), &["--context", "east, west"]),
            (KUBECONFIG.replace("cluster: east, user", "cluster: south, user"), &["south"]),
            (KUBECONFIG.replace("https://east.example:6443", "::"), &["cluster url"]),
        ] {
            let path = write(folder.path(), "config", &text);
            let options = ConnectOptions { kubeconfig: Some(path), context: None };
            let outcome = server(&options, &Environment::default()).await;
            names(outcome, &[&["--kubeconfig ", "config: "], reasons].concat());
        }
        let options = ConnectOptions { kubeconfig: Some(folder.path().join("none")), context: None };
        names(server(&options, &Environment::default()).await, &["/none: ", "no such file"]);
    }
}
