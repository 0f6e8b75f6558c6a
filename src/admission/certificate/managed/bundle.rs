//! The `caBundle` of the webhook configuration: what the API server verifies meshvet by.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::Resource as _;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use kube::core::DynamicObject as Object;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use super::ManagedOptions;
use super::authority::Trusted;
use super::error::{ManagedError, Refused as _};

/// The configuration, by name.
pub(super) struct Configuration {
    api: Api<DynamicObject>,
    name: String,
    namespace: String,
    service: String,
}

impl Configuration {
    pub(super) fn new(client: kube::Client, options: &ManagedOptions) -> Self {
        // Untyped, so that a field that this version of meshvet doesn't know is kept.
        let resource = ApiResource::erase::<ValidatingWebhookConfiguration>(&());
        Self {
            api: Api::all_with(client, &resource),
            name: options.webhook_configuration.clone(),
            namespace: options.namespace.clone(),
            service: options.service.clone(),
        }
    }

    /// What each of its webhooks that calls meshvet's Service trusts; None when there is no such configuration.
    pub(super) async fn read(&self) -> Result<Option<Bundles>, ManagedError> {
        let found = self.api.get_opt(&self.name).await;
        let found = found.map_err(|error| ManagedError::request("get", self.what(), &error))?;
        let Some(object) = found else { return Ok(None) };
        let webhooks = object.data.get("webhooks").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let ours = webhooks.iter().enumerate().filter(|(_, webhook)| self.is_ours(webhook));
        let ours: Vec<(usize, Vec<CertificateDer<'static>>)> =
            ours.map(|(place, webhook)| (place, trusted(webhook))).collect();
        if ours.is_empty() {
            let service = format!("{}/{}", self.namespace, self.service);
            return Err(ManagedError::NoWebhook { configuration: self.name.clone(), service });
        }
        Ok(Some(Bundles { object, ours }))
    }

    /// Makes every webhook of ours trust exactly `wanted`; false when the configuration has changed since it was read.
    pub(super) async fn write(&self, bundles: Bundles, wanted: &[Trusted]) -> Result<bool, ManagedError> {
        let Bundles { mut object, ours } = bundles;
        let pem: String = wanted.iter().map(|certificate| certificate.pem.trim_end().to_owned() + "\n").collect();
        let encoded = Value::from(STANDARD.encode(pem));
        for (place, _) in ours {
            let webhook = object.data.get_mut("webhooks").and_then(|all| all.get_mut(place));
            if let Some(config) = webhook.and_then(|hook| hook.get_mut("clientConfig")).and_then(Value::as_object_mut) {
                config.insert("caBundle".to_owned(), encoded.clone());
            }
        }
        let params = PostParams { field_manager: Some("meshvet".to_owned()), ..PostParams::default() };
        match self.api.replace(&self.name, &params, &object).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(ManagedError::request("update", self.what(), &error)),
        }
    }

    fn is_ours(&self, webhook: &Value) -> bool {
        let service = &webhook["clientConfig"]["service"];
        service["name"] == self.service.as_str() && service["namespace"] == self.namespace.as_str()
    }

    fn what(&self) -> String {
        format!("{} {}", ValidatingWebhookConfiguration::kind(&()), self.name)
    }
}

/// The configuration as it was read.
pub(super) struct Bundles {
    object: Object,
    /// The places of our webhooks, each with what it trusts.
    ours: Vec<(usize, Vec<CertificateDer<'static>>)>,
}

impl Bundles {
    /// Whether every webhook trusts exactly these.
    pub(super) fn are(&self, wanted: &[Trusted]) -> bool {
        self.ours.iter().all(|(_, trusted)| {
            trusted.len() == wanted.len() && wanted.iter().all(|wanted| trusted.contains(&wanted.der))
        })
    }

    /// What every webhook trusts.
    pub(super) fn common(&self) -> Vec<CertificateDer<'static>> {
        let mut common = self.ours.first().map(|(_, trusted)| trusted.clone()).unwrap_or_default();
        common.retain(|certificate| self.ours.iter().all(|(_, trusted)| trusted.contains(certificate)));
        common
    }
}

/// The certificates of one webhook's bundle; none where it can't be read.
fn trusted(webhook: &Value) -> Vec<CertificateDer<'static>> {
    let encoded = webhook["clientConfig"]["caBundle"].as_str().unwrap_or_default();
    let pem = STANDARD.decode(encoded).unwrap_or_default();
    CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().unwrap_or_default()
}
