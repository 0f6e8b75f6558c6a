//! Whether two objects belong to one release, so that a change to both is applied in sequence.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU64;
use std::sync::LazyLock;

const HELM_NAME: &str = "meta.helm.sh/release-name";
const HELM_NAMESPACE: &str = "meta.helm.sh/release-namespace";
const ARGO_TRACKING: &str = "argocd.argoproj.io/tracking-id";
const INSTANCE: &str = "app.kubernetes.io/instance";
/// How Flux marks the objects that a Kustomization or HelmRelease applies: each prefix with `/name` and `/namespace`.
const FLUX: [&str; 2] = ["kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io"];

/// Which release an object belongs to. Only whether two are the same is ever asked, so that the names' hashes are enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// The Helm release's name and namespace.
    helm: Option<Mark>,
    /// The Argo CD application.
    argo: Option<Mark>,
    /// The Flux object's toolkit, name and namespace.
    flux: Option<Mark>,
    /// The label `app.kubernetes.io/instance`.
    instance: Option<Mark>,
}

/// What stands for names: their hash by a random key of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark(NonZeroU64);

impl Mark {
    fn of(names: impl Hash) -> Self {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self(NonZeroU64::new(KEY.hash_one(names)).unwrap_or(NonZeroU64::MAX))
    }
}

impl Release {
    /// Reads an object's labels and annotations.
    pub fn of(labels: &BTreeMap<String, String>, annotations: &BTreeMap<String, String>) -> Self {
        let annotation = |key: &str| annotations.get(key);
        // Argo CD marks what it tracks with `application:group/kind:namespace/name`.
        let argo = annotations.get(ARGO_TRACKING).and_then(|tracked| tracked.split_once(':'));
        let flux = FLUX.into_iter().find_map(|toolkit| {
            let label = |part: &str| labels.get(&format!("{toolkit}/{part}"));
            Some((toolkit, label("name")?, label("namespace")?))
        });
        Self {
            helm: annotation(HELM_NAME).zip(annotation(HELM_NAMESPACE)).map(Mark::of),
            argo: argo.map(|(application, _)| application).filter(|application| !application.is_empty()).map(Mark::of),
            flux: flux.map(Mark::of),
            instance: labels.get(INSTANCE).map(Mark::of),
        }
    }

    /// Whether both were installed by one Helm release, Argo CD application or Flux object, or have the same `app.kubernetes.io/instance`.
    pub(crate) fn is_that_of(&self, other: &Release) -> bool {
        let both = |one: Option<Mark>, other: Option<Mark>| one.is_some() && one == other;
        both(self.helm, other.helm)
            || both(self.argo, other.argo)
            || both(self.flux, other.flux)
            || both(self.instance, other.instance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Release {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Release::of(&map(labels), &map(annotations))
    }

    #[test]
    fn one_mark_in_common_makes_one_release() {
        let helm = |namespace| release(&[], &[(HELM_NAME, "shop"), (HELM_NAMESPACE, namespace)]);
        assert!(helm("a").is_that_of(&helm("a")));
        assert!(!helm("a").is_that_of(&helm("b")));
        let argo = |tracked| release(&[], &[(ARGO_TRACKING, tracked)]);
        assert!(argo("shop:apps/Deployment:a/b").is_that_of(&argo("shop:v1/Secret:a/c")));
        assert!(!argo(":a").is_that_of(&argo(":a")));
        assert!(!argo("shop").is_that_of(&argo("shop")));
        let flux = |name| {
            let labels =
                [("kustomize.toolkit.fluxcd.io/name", name), ("kustomize.toolkit.fluxcd.io/namespace", "flux")];
            release(&labels, &[])
        };
        assert!(flux("shop").is_that_of(&flux("shop")) && !flux("shop").is_that_of(&flux("till")));
        let instance = release(&[(INSTANCE, "shop")], &[]);
        assert!(instance.is_that_of(&instance));
    }

    #[test]
    fn nothing_in_common_is_no_release() {
        let none = Release::default();
        assert!(!none.is_that_of(&none));
        assert!(!release(&[], &[(HELM_NAME, "shop")]).is_that_of(&release(&[], &[(HELM_NAME, "shop")])));
    }
}
