//! The certificates of Services whose pods are in no mesh: the Secrets that the policy file names for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::{CertificateSource, KeyRef, Member, PlaneOf, ServerEnd, ServerTls, StoreKey, TlsMode, UNKNOWN};
use crate::policy::error::PolicyError;

/// The certificate that a Service's pods present when they are called over TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BackendFile {
    /// The Secret with their certificate (`tls.crt`), in the Service's namespace.
    pub secret: String,
}

/// A member for each Service, with the Service's own name.
///
/// # Errors
/// A key isn't `NAMESPACE/SERVICE` or `NAMESPACE/SERVICE:PORT`, or names no Secret.
pub(super) fn resolve(backends: &BTreeMap<String, BackendFile>) -> Result<Vec<Member>, PolicyError> {
    let mut members: Vec<Member> = Vec::new();
    for (key, backend) in backends {
        let wrong = |problem: String| PolicyError::Value { path: format!("backends.{key}"), problem };
        let Some((object, port)) = service(key) else {
            return Err(wrong("must be NAMESPACE/SERVICE, or NAMESPACE/SERVICE:PORT for one port".to_owned()));
        };
        if backend.secret.is_empty() || backend.secret.contains('/') {
            return Err(wrong(format!("secret must be the name of a Secret in {}", object.namespace())));
        }
        let end = server(object.namespace(), &backend.secret, port);
        match members.iter_mut().find(|known| known.object == object) {
            Some(known) => known.servers.push(end),
            None => members.push(Member {
                servers: vec![end],
                plane: PlaneOf::Own(&UNKNOWN),
                ..Member::plain(object, "", "backend")
            }),
        }
    }
    Ok(members)
}

fn service(key: &str) -> Option<(ObjectRef, Option<u16>)> {
    let (namespace, name) = key.split_once('/')?;
    let (name, port) = match name.split_once(':') {
        Some((name, port)) => (name, Some(port.parse().ok().filter(|port| *port > 0)?)),
        None => (name, None),
    };
    let is_name = |text: &str| !text.is_empty() && !text.contains(['/', ' ']);
    (is_name(namespace) && is_name(name)).then(|| (ObjectRef::new("v1", "Service", namespace, name), port))
}

fn server(namespace: &str, secret: &str, port: Option<u16>) -> ServerEnd {
    let field = FieldPath::root();
    let store = StoreKey::secret(namespace, secret);
    let key = |key: &str| KeyRef { store: store.clone(), key: key.to_owned(), field: field.clone() };
    let pair = CertificateSource::Keys { chain: key("tls.crt"), key: key("tls.key") };
    ServerEnd {
        anchor: port.map_or_else(|| Arc::from("every port"), |port| Arc::from(format!("port {port}"))),
        port,
        protocol: "tls".to_owned(),
        tls: Some(ServerTls {
            field: field.clone(),
            mode: TlsMode::Strict,
            certificates: vec![pair],
            covers: Vec::new(),
            validation: None,
        }),
        gate: None,
        field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_named_by_its_service_and_perhaps_a_port() {
        let named = |key: &str| service(key).map(|(object, port)| (object.to_string(), port));
        assert_eq!(named("shop/api"), Some(("Service shop/api".to_owned(), None)));
        assert_eq!(named("shop/api:8443"), Some(("Service shop/api".to_owned(), Some(8443))));
        for key in ["api", "/api", "shop/", "shop/api:", "shop/api:x", "shop/api:0", "shop/a/b", "shop/a b"] {
            assert_eq!(named(key), None, "{key}");
        }
    }

    #[test]
    fn an_invalid_entry_is_reported_by_its_key() {
        let one = |key: &str, secret: &str| {
            let backend = BackendFile { secret: secret.to_owned() };
            resolve(&BTreeMap::from([(key.to_owned(), backend)])).map_err(|error| error.to_string())
        };
        assert_eq!(one("shop/api", "api-tls").map(|members| members.len()), Ok(1));
        assert!(one("api", "api-tls").is_err_and(|error| error.contains("backends.api: must be NAMESPACE/SERVICE")));
        assert!(one("shop/api", "").is_err_and(|error| error.contains("the name of a Secret in shop")));
    }
}
