//! Objects that make Secrets and ConfigMaps: cert-manager's Certificate, SealedSecret, ExternalSecret and the like. None is judged
//! itself. What one promises stands in for what isn't there yet.

mod bundle;
mod certificate;
mod csi;
mod external;
mod sealed;
pub(crate) mod shim;

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::apis::entry::{Entry, Input};
use crate::apis::faults::Undecodable;
use crate::apis::registry::{Api, Part, Row};
use crate::apis::typed::typed;
use crate::k8s::{Metadata, ObjectRef, TypeRef};
use crate::mesh::{Fact, FactId, Promise, PromisedStore};

/// Whatever makes Secrets and ConfigMaps of its own.
pub static API: Api = Api {
    names: None,
    folder: "promises",
    group: "",
    kinds: &[
        row(CERTIFICATE, |row, input, namespace| entry(row, input, namespace, certificate::stores)),
        Row { namespaced: false, ..row(BUNDLE, |row, input, namespace| entry(row, input, namespace, bundle::stores)) },
        row(SEALED_SECRET, |row, input, namespace| entry(row, input, namespace, sealed::stores)),
        external("v1", "external-secrets.io/v1"),
        external("v1beta1", "external-secrets.io/v1beta1"),
        cluster_external("v1", "external-secrets.io/v1"),
        cluster_external("v1beta1", "external-secrets.io/v1beta1"),
        row(PROVIDER_CLASS, |row, input, namespace| entry(row, input, namespace, csi::stores)),
    ],
    proxy: None,
    crds: Vec::new,
};

/// What a kind is called.
struct Named {
    group: &'static str,
    version: &'static str,
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
}

const CERTIFICATE: Named = Named {
    group: "cert-manager.io",
    version: "v1",
    api_version: "cert-manager.io/v1",
    kind: "Certificate",
    plural: "certificates",
    singular: "certificate",
};
const BUNDLE: Named = Named {
    group: "trust.cert-manager.io",
    version: "v1alpha1",
    api_version: "trust.cert-manager.io/v1alpha1",
    kind: "Bundle",
    plural: "bundles",
    singular: "bundle",
};
const SEALED_SECRET: Named = Named {
    group: "bitnami.com",
    version: "v1alpha1",
    api_version: "bitnami.com/v1alpha1",
    kind: "SealedSecret",
    plural: "sealedsecrets",
    singular: "sealedsecret",
};
const PROVIDER_CLASS: Named = Named {
    group: "secrets-store.csi.x-k8s.io",
    version: "v1",
    api_version: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    plural: "secretproviderclasses",
    singular: "secretproviderclass",
};

type Decode = fn(&'static Row, Input<'_>, &str) -> Result<Entry, Undecodable>;

const fn row(named: Named, decode: Decode) -> Row {
    let Named { group, version, api_version, kind, plural, singular } = named;
    Row {
        kind: TypeRef { api_version, kind },
        known_as: api_version,
        group,
        version,
        plural,
        singular,
        namespaced: true,
        part: Part::Promise,
        mostly_owned: false,
        optional: true,
        decode,
    }
}

const fn external(version: &'static str, api_version: &'static str) -> Row {
    let named = Named {
        group: "external-secrets.io",
        version,
        api_version,
        kind: "ExternalSecret",
        plural: "externalsecrets",
        singular: "externalsecret",
    };
    row(named, |row, input, namespace| entry(row, input, namespace, external::stores))
}

const fn cluster_external(version: &'static str, api_version: &'static str) -> Row {
    let named = Named {
        group: "external-secrets.io",
        version,
        api_version,
        kind: "ClusterExternalSecret",
        plural: "clusterexternalsecrets",
        singular: "clusterexternalsecret",
    };
    let decode: Decode = |row, input, namespace| entry(row, input, namespace, external::cluster_stores);
    Row { namespaced: false, ..row(named, decode) }
}

/// An object of which the spec is read.
#[derive(Deserialize, Default)]
#[serde(default, bound = "S: DeserializeOwned + Default")]
struct Resource<S> {
    metadata: Metadata,
    spec: S,
}

/// Decodes an object, and learns what it promises.
fn entry<S: DeserializeOwned + Default>(
    row: &'static Row,
    input: Input<'_>,
    namespace: &str,
    stores: fn(&ObjectRef, S) -> Vec<PromisedStore>,
) -> Result<Entry, Undecodable> {
    let tape = input.tape().unwrap_or_default();
    let object = row.object(namespace, tape.text_at(&["metadata", "name"]).unwrap_or_default());
    let decoded = typed::<Resource<S>>(&tape).map_err(|error| Undecodable::new(object.clone(), error))?;
    let Resource { metadata, spec } = decoded.object;
    let mut stores = if metadata.deletion_timestamp.is_some() { Vec::new() } else { stores(&object, spec) };
    stores.retain(|store| !store.name.is_empty());
    if stores.is_empty() {
        return Ok(Entry::Nothing(FactId::Object(object)));
    }
    let stores = stores.into_iter().map(Arc::new).collect();
    Ok(Entry::Fact(Fact::Promise(Arc::new(Promise { object, stores }))))
}
