//! `meshvet doctor`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{ColorChoice, ValueEnum};
use jiff::Timestamp;

use super::managed::namespaced;
use crate::cli::connection::ConnectArgs;
use crate::doctor::{self, Outcome, Questions};
use crate::sources::cluster::connect;

const EXAMPLES: &str = "\
Examples:
  meshvet doctor                                      the installation of the current context
  meshvet doctor --context prod -o json --fail-on warning
                                                      for a nightly job
  meshvet doctor --kubeconfig ~/.kube/prod --webhook-configuration vet
                                                      a release of another name
  meshvet doctor --address 10.0.3.7:8443              where pods can't be reached by port-forward
  meshvet doctor --service-account vet/meshvet        whose rights to look at, where no pod runs
  meshvet doctor --color always | less -R

It reads with your own rights, and says of what you may not see that it wasn't looked at. Reaching pods takes the right to get and
create pods/portforward in meshvet's namespace, looking at meshvet's rights the right to create subjectaccessreviews.

Exit codes: 0 nothing at or above --fail-on, 1 something, 2 the API server can't be asked.";

/// Check an installation of meshvet from outside, and say what to fix.
///
/// Checks whether the API server answers, the mesh's CRDs are installed, the webhook configuration is right, replicas are ready and serve
/// a certificate that the caBundle verifies, and the ServiceAccount has the rights that it needs. It changes nothing and reads no Secret.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DoctorArgs {
    /// The ValidatingWebhookConfiguration: the name of the Helm release.
    #[arg(long, value_name = "NAME", default_value = "meshvet")]
    webhook_configuration: String,

    /// The address where meshvet serves reviews. Without it: each ready pod, through the API server's port-forward.
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    address: Option<String>,

    /// meshvet's ServiceAccount. Without it: the one that its pods run as.
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = namespaced)]
    service_account: Option<(String, String)>,

    /// The format of the report.
    #[arg(short, long, value_enum, ignore_case = true, value_name = "FORMAT", default_value = "text")]
    output: Output,

    /// The lowest outcome that makes the exit code 1.
    #[arg(long, value_enum, ignore_case = true, value_name = "OUTCOME", default_value = "failed")]
    fail_on: FailOn,

    #[command(flatten)]
    connection: ConnectArgs,

    /// When to colour the output.
    #[arg(long, value_enum, ignore_case = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people: a line a check, and what to do.
    Text,
    /// For programs: one JSON object.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// What doesn't work.
    #[value(aliases = ["deny", "denial", "error"])]
    Failed,
    /// Warnings too: what works but should be fixed, and what could not be checked.
    #[value(alias = "warn")]
    Warning,
}

fn address(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(text.to_owned()),
        _ => Err("expected HOST:PORT, such as 10.0.3.7:8443".to_owned()),
    }
}

impl DoctorArgs {
    /// Looks, and prints what was found.
    ///
    /// # Errors
    /// When there is no cluster to look at.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(self.examine())
    }

    async fn examine(self) -> anyhow::Result<ExitCode> {
        let options = self.connection.options();
        let client = connect(&options).await?;
        let questions = Questions {
            configuration: self.webhook_configuration,
            address: self.address,
            service_account: self.service_account,
            now: Timestamp::now(),
        };
        let diagnosis = doctor::examine(&client, &questions).await;
        super::print(&match self.output {
            Output::Text => doctor::text(&diagnosis, super::style(self.color)),
            Output::Json => doctor::json(&diagnosis).context("the result could not be written as JSON")?,
        })?;
        let least = if self.fail_on == FailOn::Warning { Outcome::Warning } else { Outcome::Failed };
        Ok(if diagnosis.unreachable {
            ExitCode::from(super::COULD_NOT_RUN)
        } else if diagnosis.worst() >= least {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }
}
