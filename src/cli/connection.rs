//! `--kubeconfig` and `--context`: the cluster that a command speaks with.

use std::path::PathBuf;

use crate::sources::cluster::ConnectOptions;

// No doc comment: clap would make it the command's own.
#[allow(missing_docs, reason = "clap shows the fields' comments, and would show this one instead of the command's")]
#[derive(Debug, clap::Args)]
pub(super) struct ConnectArgs {
    /// How to reach the cluster. Without it: KUBECONFIG, the pod's own ServiceAccount, then ~/.kube/config.
    #[arg(long, env = "MESHVET_KUBECONFIG", value_name = "FILE")]
    pub(super) kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context. Without it: the current one.
    #[arg(long, env = "MESHVET_CONTEXT", value_name = "NAME")]
    context: Option<String>,
}

impl ConnectArgs {
    /// What to connect by.
    pub(super) fn options(&self) -> ConnectOptions {
        ConnectOptions { kubeconfig: self.kubeconfig.clone(), context: self.context.clone() }
    }
}
