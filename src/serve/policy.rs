//! The policy's file: read at start, and again when it changes.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use thiserror::Error;

use crate::apis::WorkloadKind;
use crate::apis::core::list_workloads;
use crate::operate::events::{Events, News};
use crate::operate::log::LogLevel;
use crate::operate::metrics::Metrics;
use crate::operate::replica::own_name;
use crate::policy::{Policy, PolicyError, PolicyFile};
use crate::sources::file_watch::FileWatch;

/// Where a pod finds the namespace of its ServiceAccount, which is its own.
const OWN_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Why there is no policy in a file.
#[derive(Debug, Error)]
pub(crate) enum UnusablePolicy {
    /// The file can't be read.
    #[error("the policy file {} can't be read", .path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// What it says, or a file that it names, is no policy.
    #[error("the policy file {} can't be used (`meshvet schema` prints what it may contain)", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        error: Placed,
    },
}

/// What is wrong with a policy, and where.
#[derive(Debug, Error)]
pub(crate) struct Placed {
    /// `policy.yaml:3:5`, as far as it is known.
    place: String,
    error: PolicyError,
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.error)
    }
}

impl UnusablePolicy {
    fn wrong(path: &Path, error: PolicyError) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let place = match error.place(&text) {
            Some((line, column)) => format!("{}:{line}:{column}", path.display()),
            None => path.display().to_string(),
        };
        Self::Wrong { path: path.to_owned(), error: Placed { place, error } }
    }

    /// The error and its cause on one line.
    fn told(&self) -> String {
        self.source().map_or_else(|| self.to_string(), |cause| format!("{self}: {cause}"))
    }
}

/// The policy of a file, or the default one without a file, for the life of the process: kinds that it lists are read from now on.
pub(crate) fn adopt(path: Option<&Path>) -> Result<Policy, UnusablePolicy> {
    let policy = read(path)?;
    // A list that is empty changes nothing, and one that was adopted before stays: `teller` says so.
    let listed = policy.workloads().is_empty() || list_workloads(policy.workloads());
    debug_assert!(listed, "a process adopts one policy");
    Ok(policy)
}

/// The policy of a file; the default one without a file.
pub(crate) fn read(path: Option<&Path>) -> Result<Policy, UnusablePolicy> {
    path.map_or_else(|| Ok(Policy::default()), |path| resolve(path, written(path)?))
}

/// What the file says, with the files that it names.
fn written(path: &Path) -> Result<PolicyFile, UnusablePolicy> {
    let text =
        std::fs::read_to_string(path).map_err(|error| UnusablePolicy::Unread { path: path.to_owned(), error })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let read_file = |name: &str| {
        let file = folder.join(name);
        std::fs::read_to_string(&file).map_err(|error| format!("{} can't be read: {error}", file.display()))
    };
    let read = PolicyFile::parse(&text).and_then(|mut file| file.read_files(read_file).map(|()| file));
    read.map_err(|error| UnusablePolicy::wrong(path, error))
}

fn resolve(path: &Path, file: PolicyFile) -> Result<Policy, UnusablePolicy> {
    Policy::new(file).map_err(|error| UnusablePolicy::wrong(path, error))
}

/// Reads the policy again whenever its file, or a file that it names, changes. A broken one is logged once and changes nothing.
/// `tell` hears of each change: the policy that is in force now, or why there is none to take its place.
pub(super) fn follow(
    path: PathBuf,
    policy: Arc<ArcSwap<Policy>>,
    mut tell: impl FnMut(Result<&Policy, &str>) + Send + 'static,
) -> FileWatch {
    let read = |path: &Path| written(path).map_err(|error| error.told());
    let mut last = read(&path);
    let file = path.clone();
    FileWatch::new(&[&file], move || {
        let now = read(&path);
        if now == last {
            return;
        }
        let resolved = match &now {
            Ok(file) => resolve(&path, file.clone()).map_err(|error| error.told()),
            Err(error) => Err(error.clone()),
        };
        last = now;
        match resolved {
            Ok(read) => {
                let read = Arc::new(read);
                policy.store(Arc::clone(&read));
                tracing::info!(file = %path.display(), "the policy was read again");
                tell(Ok(&read));
            }
            Err(error) => {
                tracing::error!(error, "the new policy can't be used; the last good one stays");
                tell(Err(&error));
            }
        }
    })
}

/// Events about the pod that this is; none where it is no pod, or serves another cluster by a kubeconfig.
pub(super) fn events(client: &kube::Client, by_kubeconfig: bool) -> Events {
    let namespace = std::fs::read_to_string(OWN_NAMESPACE).ok().filter(|_| !by_kubeconfig);
    match namespace {
        Some(namespace) => Events::start(client.clone(), namespace.trim().to_owned(), own_name()),
        None => Events::default(),
    }
}

/// What a changed policy comes to besides verdicts: what is logged, metrics, and Events when one can't be used and when that is over.
/// `workloads`: those that the policy listed at the start.
pub(super) fn teller(
    path: &Path,
    workloads: Vec<WorkloadKind>,
    mut level: LogLevel,
    metrics: Arc<Metrics>,
    events: Events,
) -> impl FnMut(Result<&Policy, &str>) + Send + use<> {
    let file = path.display().to_string();
    let mut was_good = true;
    move |outcome| {
        metrics.policy(outcome.is_ok());
        match outcome {
            Ok(policy) => {
                if policy.workloads() != workloads {
                    tracing::warn!(
                        "the policy's list of workloads has changed since the start: restart to read the new kinds"
                    );
                }
                level.follow(policy.log_level());
                if !was_good {
                    events.tell(News::PolicyMended(file.clone()));
                }
            }
            Err(error) => events.tell(News::PolicyRejected(error.to_owned())),
        }
        was_good = outcome.is_ok();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::finding::Rule;
    use crate::finding::Severity;
    use crate::mesh::{View, World};

    fn severity(policy: &Policy) -> Severity {
        let rule = Rule::find("MV101").expect("a rule");
        policy.effective("shop", View::new(&World::default())).severity(rule, rule.default)
    }

    #[test]
    fn a_policy_that_cant_be_used_names_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.yaml");
        let error = read(Some(&path)).expect_err("no file").told();
        assert!(error.contains("config.yaml can't be read: No such file"), "{error}");
        std::fs::write(&path, "severitys: {}").expect("a file");
        let error = read(Some(&path)).expect_err("no policy").told();
        assert!(error.contains("config.yaml can't be used") && error.contains("severitys"), "{error}");
    }

    #[test]
    fn a_file_that_a_policy_names_is_looked_for_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, "issuers: {allowed: [{certificateFile: root.pem}]}").expect("a file");
        let error = read(Some(&path)).expect_err("no such file").told();
        assert!(
            error.contains("issuers.allowed[0].certificateFile: ") && error.contains("root.pem can't be read"),
            "{error}"
        );
        let root = rcgen::generate_simple_self_signed(["root".to_owned()]).expect("a certificate");
        std::fs::write(folder.path().join("root.pem"), root.cert.pem()).expect("a file");
        let policy = read(Some(&path)).expect("a policy");
        let allowed =
            policy.effective("shop", View::new(&World::default())).allowed_issuers.clone().expect("allowed issuers");
        assert_eq!(allowed.certificates.len(), 1);
    }

    #[tokio::test]
    async fn a_changed_policy_is_taken_over_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, "{}").expect("a file");
        let policy = Arc::new(ArcSwap::from_pointee(read(Some(&path)).expect("a policy")));
        let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
        let _watch = follow(path.clone(), Arc::clone(&policy), move |outcome| {
            let _ = told.send(outcome.map(|_| ()).map_err(str::to_owned));
        });
        assert_eq!(severity(&policy.load()), Severity::Deny);
        for (text, expected) in [
            ("severities: {MV101: warn}", Severity::Warn),
            ("severities: {MV101: nonsense}\n", Severity::Warn),
            ("severities: {MV101: 'off'}", Severity::Off),
        ] {
            std::fs::write(&path, text).expect("a file");
            let taken = async {
                while severity(&policy.load()) != expected {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), taken).await.expect(text);
            let told = tokio::time::timeout(Duration::from_secs(60), hears.recv()).await.expect(text).expect("news");
            assert_eq!(told.is_err(), text.contains("nonsense"), "{text}: {told:?}");
        }
    }
}
