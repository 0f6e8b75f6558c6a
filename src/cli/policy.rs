//! The policy's file: read at start, and again when it changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;

use crate::admission::file_watch::FileWatch;
use crate::policy::Policy;

/// The policy of a file; the default one without a file.
pub(super) fn read(path: Option<&Path>) -> anyhow::Result<Policy> {
    let Some(path) = path else { return Ok(Policy::default()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("the policy {} can't be read", path.display()))?;
    Policy::parse(&text).with_context(|| {
        format!("the policy {} can't be used (`meshvet schema` prints what it may hold)", path.display())
    })
}

/// Reads the policy again whenever its file changes. A broken one is logged once and changes nothing.
pub(super) fn follow(path: PathBuf, policy: Arc<ArcSwap<Policy>>) -> FileWatch {
    let mut last = std::fs::read_to_string(&path).ok();
    let file = path.clone();
    FileWatch::new(&[&file], move || {
        let text = std::fs::read_to_string(&path).ok();
        if text == last {
            return;
        }
        last = text;
        match read(Some(&path)) {
            Ok(read) => {
                policy.store(Arc::new(read));
                tracing::info!(file = %path.display(), "the policy was read again");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "the new policy can't be used; the last good one stays");
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::finding::Severity;
    use crate::mesh::World;
    use crate::rules::Rule;

    fn severity(policy: &Policy) -> Severity {
        let rule = Rule::find("MV101").expect("a rule");
        policy.effective("shop", &World::default()).severity(rule, rule.default)
    }

    #[test]
    fn a_policy_that_cant_be_used_names_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.yaml");
        let error = format!("{:#}", read(Some(&path)).expect_err("no file"));
        assert!(error.contains("config.yaml can't be read: No such file"), "{error}");
        std::fs::write(&path, "severitys: {}").expect("a file");
        let error = format!("{:#}", read(Some(&path)).expect_err("no policy"));
        assert!(error.contains("config.yaml can't be used") && error.contains("severitys"), "{error}");
    }

    #[tokio::test]
    async fn a_changed_policy_is_taken_over_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, "{}").expect("a file");
        let policy = Arc::new(ArcSwap::from_pointee(read(Some(&path)).expect("a policy")));
        let _watch = follow(path.clone(), Arc::clone(&policy));
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
        }
    }
}
