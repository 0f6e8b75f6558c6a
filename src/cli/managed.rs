//! The arguments of the certificate that `meshvet serve` keeps by itself.

use std::time::Duration;

use anyhow::bail;

use super::duration::duration;
use crate::admission::certificate::managed::ManagedOptions;

/// Below this, renewals would follow one another faster than an API server answers.
const SHORTEST: Duration = Duration::from_secs(3);
/// How many serving certificates an authority has to outlive: while one authority follows another, both must be trusted for
/// longer than any certificate lives.
const LEAVES: u32 = 5;

/// The certificate that meshvet keeps by itself.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ManagedArgs {
    /// Let meshvet manage the serving certificate: its authority is in this Secret, which all replicas share, in the Service's namespace.
    ///
    /// The Secret and a Lease of the same name are created if they don't exist, and the caBundle and the secret paths in the webhook
    /// configuration are kept up to date. Needs get and update on the three, and create and patch for the Secret and the Lease, to make
    /// them by name.
    #[arg(long, env = "MESHVET_MANAGED_CERTIFICATE", value_name = "SECRET")]
    managed_certificate: Option<String>,

    /// The ValidatingWebhookConfiguration whose webhooks call the Service.
    #[arg(long, env = "MESHVET_WEBHOOK_CONFIGURATION", value_name = "NAME", default_value = "meshvet")]
    webhook_configuration: String,

    /// The Service that the API server calls meshvet by.
    #[arg(
        long,
        env = "MESHVET_SERVICE",
        value_name = "NAMESPACE/NAME",
        default_value = "meshvet-system/meshvet",
        value_parser = namespaced
    )]
    service: (String, String),

    /// Lifetime of a managed serving certificate. It is renewed after two thirds of it.
    #[arg(long, env = "MESHVET_CERTIFICATE_LIFE", value_name = "DURATION", default_value = "168h", value_parser = duration)]
    certificate_life: Duration,

    /// Lifetime of the managed authority. It is replaced after two thirds of it.
    #[arg(long, env = "MESHVET_AUTHORITY_LIFE", value_name = "DURATION", default_value = "43800h", value_parser = duration)]
    authority_life: Duration,
}

pub(super) fn namespaced(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok((namespace.to_owned(), name.to_owned()))
        }
        _ => Err("expected NAMESPACE/NAME".to_owned()),
    }
}

impl ManagedArgs {
    /// Whether a certificate is to be kept.
    pub(super) fn is_asked_for(&self) -> bool {
        self.managed_certificate.is_some()
    }

    /// What to keep; None where it isn't asked for.
    ///
    /// # Errors
    /// For lives that leave no time to renew.
    pub(super) fn options(&self) -> anyhow::Result<Option<ManagedOptions>> {
        let Some(secret) = self.managed_certificate.clone() else { return Ok(None) };
        if self.certificate_life < SHORTEST {
            bail!("--certificate-life is below {SHORTEST:?}, which leaves no time to renew");
        }
        if self.authority_life < self.certificate_life * LEAVES {
            bail!(
                "--authority-life must be at least {LEAVES} times --certificate-life, so that there is time to replace the authority"
            );
        }
        let (namespace, service) = self.service.clone();
        Ok(Some(ManagedOptions {
            namespace,
            service,
            secret,
            webhook_configuration: self.webhook_configuration.clone(),
            certificate_life: self.certificate_life,
            authority_life: self.authority_life,
        }))
    }
}
