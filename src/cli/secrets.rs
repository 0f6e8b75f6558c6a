//! How `meshvet serve` reads Secrets, and whose.

use anyhow::bail;
use clap::ValueEnum;

use crate::mesh::{SecretAccess, SecretScope};
use crate::sources::cluster::is_label;

/// How Secrets are read.
#[derive(Debug, clap::Args)]
pub(super) struct SecretArgs {
    /// How to read Secrets. RBAC must allow it.
    #[arg(long, env = "MESHVET_SECRETS", value_enum, ignore_case = true, default_value = "watch")]
    secrets: Secrets,

    /// Read Secrets of these namespaces only; the content of others stays unknown. Without it: of all namespaces.
    ///
    /// A Role in each is enough then; otherwise a ClusterRole is needed.
    #[arg(
        long,
        env = "MESHVET_SECRET_NAMESPACES",
        value_name = "NAMESPACE",
        value_delimiter = ',',
        value_parser = namespace
    )]
    secret_namespaces: Vec<String>,
}

/// How Secrets are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Secrets {
    /// Watched: parsed when they arrive, so that a review costs no call. Needs get, list and watch.
    Watch,
    /// Read when a review needs one. Needs get.
    Get,
    /// Not at all: what is in them is unknown.
    None,
}

/// A namespace's name: a DNS label (RFC 1123), or Kubernetes has none of that name.
fn namespace(text: &str) -> Result<String, String> {
    if is_label(text) { Ok(text.to_owned()) } else { Err("expected a namespace's name, such as shop".to_owned()) }
}

impl SecretArgs {
    /// How they are read.
    pub(super) fn access(&self) -> SecretAccess {
        match self.secrets {
            Secrets::Watch => SecretAccess::Complete,
            Secrets::Get => SecretAccess::OnDemand,
            Secrets::None => SecretAccess::Never,
        }
    }

    /// Whose are read.
    ///
    /// # Errors
    /// When none is read at all.
    pub(super) fn scope(&self) -> anyhow::Result<SecretScope> {
        if self.secrets == Secrets::None && !self.secret_namespaces.is_empty() {
            bail!(
                "--secret-namespaces names where Secrets are read, and --secrets none reads none: leave one of them out"
            );
        }
        Ok(SecretScope::of(self.secret_namespaces.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        secrets: SecretArgs,
    }

    fn scope(arguments: &[&str]) -> Result<SecretScope, String> {
        let program = Program::try_parse_from([&["meshvet"], arguments].concat());
        let program = program.map_err(|error| error.to_string())?;
        program.secrets.scope().map_err(|error| error.to_string())
    }

    #[test]
    fn secrets_may_be_read_in_some_namespaces_alone() {
        assert_eq!(scope(&[]), Ok(SecretScope::Everywhere));
        let some = SecretScope::of(["shop", "till"].map(str::to_owned));
        assert_eq!(scope(&["--secret-namespaces=shop,till"]), Ok(some.clone()));
        assert_eq!(scope(&["--secret-namespaces=shop", "--secret-namespaces=till", "--secrets=get"]), Ok(some));
    }

    #[test]
    fn namespaces_that_cant_be_meant_are_refused() {
        let error = scope(&["--secret-namespaces=shop", "--secrets=none"]).expect_err("none at all");
        assert!(error.contains("--secret-namespaces") && error.contains("--secrets none"), "{error}");
        for wrong in ["Shop", "a/b", "shop,", ""] {
            let error = scope(&[&format!("--secret-namespaces={wrong}")]).expect_err(wrong);
            assert!(error.contains("expected a namespace's name"), "{error}");
        }
    }
}
