//! Whether two objects are of one release, so that a change to both is applied one after the other.

use crate::mesh::member::Member;

const HELM_NAME: &str = "meta.helm.sh/release-name";
const HELM_NAMESPACE: &str = "meta.helm.sh/release-namespace";
const ARGO_TRACKING: &str = "argocd.argoproj.io/tracking-id";
const INSTANCE: &str = "app.kubernetes.io/instance";

/// Whether both were installed by one Helm release, one Argo CD application, or carry one `app.kubernetes.io/instance`.
pub fn same_release(one: &Member, other: &Member) -> bool {
    let both = |key: fn(&Member) -> Option<&str>| key(one).is_some_and(|value| key(other) == Some(value));
    (both(|member| member.annotation(HELM_NAME)) && both(|member| member.annotation(HELM_NAMESPACE)))
        || both(argo_application)
        || both(|member| member.labels.get(INSTANCE).map(String::as_str))
}

/// `application:group/kind:namespace/name` is how Argo CD marks what it tracks.
fn argo_application(member: &Member) -> Option<&str> {
    let (application, _) = member.annotation(ARGO_TRACKING)?.split_once(':')?;
    Some(application).filter(|application| !application.is_empty())
}

impl Member {
    fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }
}
