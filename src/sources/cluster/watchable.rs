//! Whether a person may watch a cluster: asked before anything is watched, since a watch that is refused is tried again forever.

use futures::{StreamExt, stream};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::Client;
use kube::api::{Api, PostParams};

use crate::sources::cluster::{ClusterOptions, Lacking, Resource, watched_resources};

/// How many rights are asked about at once.
const AT_ONCE: usize = 8;

/// The rights to watch all namespaces that the caller lacks, as far as the API server says so; None where none is lacking. Kinds that
/// meshvet can do without don't count.
pub(crate) async fn lacking_to_watch(client: &Client, options: ClusterOptions) -> Option<Lacking> {
    let needed = watched_resources(options)
        .filter(|resource| !resource.optional)
        .flat_map(|resource| resource.verbs.iter().map(move |verb| (resource, *verb)));
    let answers = stream::iter(needed).map(async |(resource, verb)| {
        let refused = is_refused(client, resource, verb).await;
        refused.then_some((resource, verb))
    });
    let refused: Vec<(Resource, &str)> = answers.buffered(AT_ONCE).filter_map(async |it| it).collect().await;
    if refused.is_empty() {
        return None;
    }
    let mut lacking = Lacking::of_user(caller(client).await.as_deref(), None);
    for of_one in refused.chunk_by(|(one, _), (other, _)| one.plural == other.plural && one.group == other.group) {
        let verbs: Vec<&str> = of_one.iter().map(|(_, verb)| *verb).collect();
        if let Some((resource, _)) = of_one.first() {
            lacking = lacking.of(resource.group, resource.plural, &verbs);
        }
    }
    Some(lacking)
}

/// Whether the API server says that the caller may not do that. Where it says nothing, the watch itself shows it.
async fn is_refused(client: &Client, resource: Resource, verb: &str) -> bool {
    let attributes = ResourceAttributes {
        group: Some(resource.group.to_owned()),
        resource: Some(resource.plural.to_owned()),
        verb: Some(verb.to_owned()),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let answer = Api::<SelfSubjectAccessReview>::all(client.clone()).create(&PostParams::default(), &review).await;
    answer.is_ok_and(|answer| answer.status.is_some_and(|status| !status.allowed))
}

/// Who the API server takes the caller for.
async fn caller(client: &Client) -> Option<String> {
    let reviews = Api::<SelfSubjectReview>::all(client.clone());
    let answer = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await.ok()?;
    answer.status?.user_info?.username
}
