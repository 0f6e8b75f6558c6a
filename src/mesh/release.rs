//! Whether two objects are of one release, so that a change to both is applied one after the other.

use std::collections::BTreeMap;

const HELM_NAME: &str = "meta.helm.sh/release-name";
const HELM_NAMESPACE: &str = "meta.helm.sh/release-namespace";
const ARGO_TRACKING: &str = "argocd.argoproj.io/tracking-id";
const INSTANCE: &str = "app.kubernetes.io/instance";

/// What says which release an object is of.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a> {
    /// The object's own labels.
    pub labels: &'a BTreeMap<String, String>,
    /// The object's own annotations.
    pub annotations: &'a BTreeMap<String, String>,
}

/// Whether both were installed by one Helm release, one Argo CD application, or carry one `app.kubernetes.io/instance`.
pub fn same_release(one: Marks<'_>, other: Marks<'_>) -> bool {
    let both = |key: fn(Marks<'_>) -> Option<&str>| key(one).is_some_and(|value| key(other) == Some(value));
    (both(|marks| marks.annotation(HELM_NAME)) && both(|marks| marks.annotation(HELM_NAMESPACE)))
        || both(|marks| marks.argo_application())
        || both(|marks| marks.labels.get(INSTANCE).map(String::as_str))
}

impl<'a> Marks<'a> {
    fn annotation(self, key: &str) -> Option<&'a str> {
        self.annotations.get(key).map(String::as_str)
    }

    /// `application:group/kind:namespace/name` is how Argo CD marks what it tracks.
    fn argo_application(self) -> Option<&'a str> {
        let (application, _) = self.annotation(ARGO_TRACKING)?.split_once(':')?;
        Some(application).filter(|application| !application.is_empty())
    }
}
