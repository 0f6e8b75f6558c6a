//! From a pod's volumes and mounts to the file system of its proxy.

use serde::Deserialize;
use serde_json::Value;

use crate::mesh::{Hidden, Mount, Part, StoreKey, Volume, clean_path};

/// A pod's volume, as far as its content is known. Everything but the name is optional in the API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::apis) struct PodVolume {
    pub(in crate::apis) name: String,
    secret: Option<SecretVolume>,
    config_map: Option<ConfigMapVolume>,
    projected: Option<ProjectedVolume>,
    /// Whatever other source is there: csi, hostPath, emptyDir, …
    #[serde(flatten)]
    other: serde_json::Map<String, Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SecretVolume {
    secret_name: String,
    items: Option<Vec<Item>>,
    optional: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConfigMapVolume {
    name: String,
    items: Option<Vec<Item>>,
    optional: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProjectedVolume {
    sources: Vec<ProjectedSource>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProjectedSource {
    secret: Option<ConfigMapVolume>,
    config_map: Option<ConfigMapVolume>,
    /// Tokens, the downward API, trust bundles: files that are not certificates of the mesh, or can't be known.
    #[serde(flatten)]
    other: serde_json::Map<String, Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    key: String,
    path: String,
}

/// One entry of a container's `volumeMounts`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::apis) struct VolumeMount {
    name: String,
    mount_path: String,
    sub_path: Option<String>,
    sub_path_expr: Option<String>,
}

impl PodVolume {
    /// What the volume holds, in the pod's namespace.
    pub(in crate::apis) fn content(&self, namespace: &str) -> Volume {
        if let Some(secret) = &self.secret {
            let store = StoreKey::secret(namespace, &secret.secret_name);
            return Volume::Files(vec![part(store, secret.items.as_deref(), secret.optional)]);
        }
        if let Some(map) = &self.config_map {
            let store = StoreKey::config_map(namespace, &map.name);
            return Volume::Files(vec![part(store, map.items.as_deref(), map.optional)]);
        }
        if let Some(projected) = &self.projected {
            return self.projected_content(projected, namespace);
        }
        let kind = self.other.keys().next().cloned().unwrap_or_else(|| "emptyDir".to_owned());
        Volume::Opaque { kind, name: self.name.clone() }
    }

    fn projected_content(&self, projected: &ProjectedVolume, namespace: &str) -> Volume {
        let mut parts = Vec::new();
        for source in &projected.sources {
            if let Some(secret) = &source.secret {
                let store = StoreKey::secret(namespace, &secret.name);
                parts.push(part(store, secret.items.as_deref(), secret.optional));
            } else if let Some(map) = &source.config_map {
                let store = StoreKey::config_map(namespace, &map.name);
                parts.push(part(store, map.items.as_deref(), map.optional));
            }
        }
        Volume::Files(parts)
    }
}

/// The files that a volume has from elsewhere than Secrets and ConfigMaps, and that may be certificates.
fn hidden(volume: &PodVolume) -> Vec<Hidden> {
    let sources = volume.projected.iter().flat_map(|projected| &projected.sources);
    let bundles = sources.filter_map(|source| source.other.get(TRUST_BUNDLE)?.get("path")?.as_str());
    let hidden =
        |path: &str| Hidden { kind: TRUST_BUNDLE.to_owned(), volume: volume.name.clone(), path: relative(path) };
    bundles.map(hidden).collect()
}

/// The projected source of a ClusterTrustBundle's certificates.
const TRUST_BUNDLE: &str = "clusterTrustBundle";

fn relative(path: &str) -> String {
    clean_path(path).trim_start_matches('/').to_owned()
}

fn part(store: StoreKey, items: Option<&[Item]>, optional: Option<bool>) -> Part {
    // An empty list projects every key, as an absent one does.
    let items = items
        .filter(|items| !items.is_empty())
        .map(|items| items.iter().map(|item| (item.key.clone(), relative(&item.path))).collect());
    Part { store, items, optional: optional.unwrap_or(false) }
}

/// A volume mounted by name, as a container or the `volumeMounts` annotation asks.
pub(in crate::apis) fn mount(volumes: &[PodVolume], namespace: &str, wanted: &VolumeMount) -> Mount {
    let found = volumes.iter().find(|volume| volume.name == wanted.name);
    let volume = match found {
        None => Volume::Missing { name: wanted.name.clone() },
        // An expression over the pod's environment can't be known here.
        Some(volume) if wanted.sub_path_expr.as_deref().is_some_and(|path| path.contains("$(")) => {
            Volume::Opaque { kind: "subPathExpr".to_owned(), name: volume.name.clone() }
        }
        Some(volume) => volume.content(namespace),
    };
    let sub_path = wanted.sub_path.as_deref().or(wanted.sub_path_expr.as_deref());
    let sub_path = sub_path.map(relative);
    Mount {
        at: clean_path(&wanted.mount_path),
        sub_path: sub_path.filter(|path| !path.is_empty()),
        volume,
        hidden: found.map(hidden).unwrap_or_default(),
    }
}

/// A volume mounted by the `volumeMounts` annotation.
pub(in crate::apis) fn annotated_mount(volumes: &[PodVolume], namespace: &str, name: &str, path: &str) -> Mount {
    let wanted = VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() };
    mount(volumes, namespace, &wanted)
}

/// A Secret mounted by the `secretMounts` annotation.
pub(in crate::apis) fn secret_mount(namespace: &str, secret: &str, path: &str) -> Mount {
    let part = Part { store: StoreKey::secret(namespace, secret), items: None, optional: false };
    Mount { at: clean_path(path), sub_path: None, volume: Volume::Files(vec![part]), hidden: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::Located;
    use crate::mesh::Mounts;
    use serde_json::json;

    fn locate(volume: Value, mount_entry: Value, path: &str) -> String {
        let volumes: Vec<PodVolume> = vec![serde_json::from_value(volume).expect("a volume")];
        let wanted: VolumeMount = serde_json::from_value(mount_entry).expect("a mount");
        let mounts = Mounts::new(vec![mount(&volumes, "shop", &wanted)]);
        match mounts.locate(path) {
            Located::Keys(keys) => {
                keys.iter().map(|(part, key)| format!("{} {key}", part.store)).collect::<Vec<_>>().join(", ")
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn each_volume_source_leads_to_its_store_or_is_opaque() {
        let at = json!({"name": "v", "mountPath": "/certs/"});
        let cases = [
            (json!({"name": "v", "secret": {"secretName": "blue"}}), "Secret shop/blue tls.crt"),
            (json!({"name": "v", "secret": {"secretName": "blue", "items": []}}), "Secret shop/blue tls.crt"),
            (
                json!({"name": "v", "secret": {"secretName": "blue", "items": [{"key": "c", "path": "./tls.crt"}]}}),
                "Secret shop/blue c",
            ),
            (json!({"name": "v", "configMap": {"name": "ca"}}), "ConfigMap shop/ca tls.crt"),
            (
                json!({"name": "v", "projected": {"sources": [
                    {"secret": {"name": "a"}}, {"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "b"}}
                ]}}),
                "Secret shop/a tls.crt, ConfigMap shop/b tls.crt",
            ),
            (
                json!({"name": "v", "projected": {"sources": [
                    {"clusterTrustBundle": {"name": "x", "path": "ca.crt"}}, {"secret": {"name": "a"}}
                ]}}),
                "Secret shop/a tls.crt",
            ),
            (
                json!({"name": "v", "projected": {"sources": [
                    {"secret": {"name": "a"}}, {"clusterTrustBundle": {"name": "x", "path": "tls.crt"}}
                ]}}),
                "Opaque { kind: \"clusterTrustBundle\", name: \"v\" }",
            ),
            (json!({"name": "v", "csi": {"driver": "x"}}), "Opaque { kind: \"csi\", name: \"v\" }"),
            (json!({"name": "v", "hostPath": {"path": "/"}}), "Opaque { kind: \"hostPath\", name: \"v\" }"),
            (json!({"name": "v"}), "Opaque { kind: \"emptyDir\", name: \"v\" }"),
            (json!({"name": "w"}), "VolumeMissing { name: \"v\" }"),
        ];
        for (volume, found) in cases {
            assert_eq!(locate(volume.clone(), at.clone(), "/certs/tls.crt"), found, "{volume}");
        }
    }

    #[test]
    fn a_sub_path_is_honoured_and_an_expression_is_opaque() {
        let volume = json!({"name": "v", "secret": {"secretName": "blue"}});
        let file = json!({"name": "v", "mountPath": "/etc/tls.pem", "subPath": "tls.crt"});
        assert_eq!(locate(volume.clone(), file, "/etc/tls.pem"), "Secret shop/blue tls.crt");
        let expression = json!({"name": "v", "mountPath": "/etc/tls.pem", "subPathExpr": "$(POD_NAME)"});
        assert!(locate(volume, expression, "/etc/tls.pem").starts_with("Opaque"));
    }
}
