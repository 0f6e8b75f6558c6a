//! Whether a user may watch a cluster: checked before watching, since a forbidden watch is retried forever.

use futures::{StreamExt, stream};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::Client;
use kube::api::{Api, PostParams};

use crate::sources::cluster::{ClusterOptions, Lacking, Resource, watched_resources};

/// The most rights checked at a time.
const AT_ONCE: usize = 8;

/// The rights that the user lacks to watch all namespaces, as far as the API server reports them; None where none is missing.
/// Optional kinds don't count.
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

/// Whether the API server denies it to the user. Where it doesn't answer, the watch itself will show it.
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

/// The user's name according to the API server.
async fn caller(client: &Client) -> Option<String> {
    let reviews = Api::<SelfSubjectReview>::all(client.clone());
    let answer = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await.ok()?;
    answer.status?.user_info?.username
}
