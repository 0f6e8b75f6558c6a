//! What of the webhook configuration says how the API server reaches meshvet: the `caBundle` that verifies it, and the path.

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
use crate::admission::entries;
use crate::admission::paths::Door;

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
        let ours: Vec<Webhook> = ours.map(|(place, webhook)| Webhook::read(place, webhook)).collect();
        if ours.is_empty() {
            let service = format!("{}/{}", self.namespace, self.service);
            return Err(ManagedError::NoWebhook { configuration: self.name.clone(), service });
        }
        Ok(Some(Bundles { object, ours }))
    }

    /// Makes every webhook of ours trust exactly `wanted` and call `door`; false when the configuration has changed since it was
    /// read.
    pub(super) async fn write(&self, bundles: Bundles, wanted: &[Trusted], door: &Door) -> Result<bool, ManagedError> {
        let Bundles { mut object, ours } = bundles;
        let pem: String = wanted.iter().map(|certificate| certificate.pem.trim_end().to_owned() + "\n").collect();
        let encoded = Value::from(STANDARD.encode(pem));
        for webhook in ours {
            let found = object.data.get_mut("webhooks").and_then(|all| all.get_mut(webhook.place));
            if let Some(config) = found.and_then(|hook| hook.get_mut("clientConfig")).and_then(Value::as_object_mut) {
                config.insert("caBundle".to_owned(), encoded.clone());
                if let Some(service) = config.get_mut("service").and_then(Value::as_object_mut) {
                    service.insert("path".to_owned(), door.path(webhook.own_path).into());
                }
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
#[derive(Clone)]
pub(super) struct Bundles {
    object: Object,
    ours: Vec<Webhook>,
}

/// A webhook of ours.
#[derive(Clone)]
struct Webhook {
    /// Its place among all.
    place: usize,
    trusted: Vec<CertificateDer<'static>>,
    /// Where it sends reviews.
    path: String,
    /// The path of its entry, before anything is added to it.
    own_path: &'static str,
}

impl Webhook {
    fn read(place: usize, webhook: &Value) -> Self {
        let name = webhook["name"].as_str().unwrap_or_default();
        let path = webhook["clientConfig"]["service"]["path"].as_str().unwrap_or_default().to_owned();
        let own_path = entries::path_of(name, webhook["failurePolicy"].as_str());
        Self { place, trusted: trusted(webhook), path, own_path }
    }
}

impl Bundles {
    /// Whether every webhook trusts exactly these.
    pub(super) fn are(&self, wanted: &[Trusted]) -> bool {
        self.ours.iter().all(|Webhook { trusted, .. }| {
            trusted.len() == wanted.len() && wanted.iter().all(|wanted| trusted.contains(&wanted.der))
        })
    }

    /// Whether every webhook calls this door.
    pub(super) fn call(&self, door: &Door) -> bool {
        self.ours.iter().all(|webhook| webhook.path == door.path(webhook.own_path))
    }

    /// The paths of their entries, before anything is added to them.
    pub(super) fn own_paths(&self) -> impl Iterator<Item = &'static str> {
        self.ours.iter().map(|webhook| webhook.own_path)
    }

    /// Where they send reviews.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.ours.iter().map(|webhook| webhook.path.as_str())
    }

    /// Whether any trusts anything: somebody has had an authority.
    pub(super) fn trust_somebody(&self) -> bool {
        self.ours.iter().any(|webhook| !webhook.trusted.is_empty())
    }

    /// What every webhook trusts.
    pub(super) fn common(&self) -> Vec<CertificateDer<'static>> {
        let mut common = self.ours.first().map(|webhook| webhook.trusted.clone()).unwrap_or_default();
        common.retain(|certificate| self.ours.iter().all(|webhook| webhook.trusted.contains(certificate)));
        common
    }
}

/// The certificates of one webhook's bundle; none where it can't be read.
fn trusted(webhook: &Value) -> Vec<CertificateDer<'static>> {
    let encoded = webhook["clientConfig"]["caBundle"].as_str().unwrap_or_default();
    let pem = STANDARD.decode(encoded).unwrap_or_default();
    CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().unwrap_or_default()
}
