//! Events in the cluster: what people who look at meshvet's pod or namespace should see without reading its log.

use k8s_openapi::api::core::v1::{ObjectReference, Pod};
use kube::Client;
use kube::api::Api;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::mpsc;

use crate::sources::cluster::told;

/// What the API server takes as an Event's note, in bytes.
const LONGEST_NOTE: usize = 1024;

/// What has happened to the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// The file can't be used, for this reason: the last good policy stays.
    PolicyRejected(String),
    /// This file's policy is in force again, after one that couldn't be used.
    PolicyMended(String),
}

/// Writes Events, in the background. Does nothing where meshvet doesn't run in a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events(Option<mpsc::UnboundedSender<News>>);

impl Events {
    /// Writes Events about the pod of this name, in its namespace. Must be called within a tokio runtime.
    pub(crate) fn start(client: Client, namespace: String, pod: String) -> Self {
        let (sender, mut news) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(news) = news.recv().await {
                if let Err(error) = publish(&client, &namespace, &pod, &news).await {
                    tracing::warn!(
                        error = told(&error),
                        "could not write an Event; a Role must allow create on events.events.k8s.io to the ServiceAccount of meshvet"
                    );
                }
            }
        });
        Self(Some(sender))
    }

    /// Tells of it.
    pub(crate) fn tell(&self, news: News) {
        if let Some(sender) = &self.0 {
            // Whoever would take it has ended only when the process does.
            let _ = sender.send(news);
        }
    }
}

async fn publish(client: &Client, namespace: &str, pod: &str, news: &News) -> Result<(), kube::Error> {
    // `kubectl describe pod` shows only what names the pod by its uid. Who may not look at pods tells without.
    let found = Api::<Pod>::namespaced(client.clone(), namespace).get_metadata_opt(pod).await.ok().flatten();
    let about = ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        namespace: Some(namespace.to_owned()),
        name: Some(pod.to_owned()),
        uid: found.and_then(|pod| pod.metadata.uid),
        ..ObjectReference::default()
    };
    let reporter = Reporter { controller: "meshvet".to_owned(), instance: Some(pod.to_owned()) };
    // A recorder that is kept would count a second rejection as the first one again, in the words of the first.
    Recorder::new(client.clone(), reporter).publish(&event(news), &about).await
}

fn event(news: &News) -> Event {
    let (type_, reason, note) = match news {
        News::PolicyRejected(error) => (
            EventType::Warning,
            "PolicyRejected",
            format!("The new policy can't be used; the last good one stays in force: {error}"),
        ),
        News::PolicyMended(file) => {
            (EventType::Normal, "PolicyAccepted", format!("The policy {file} can be used again, and is in force"))
        }
    };
    Event {
        type_,
        reason: reason.to_owned(),
        note: Some(short(note)),
        action: "ReadPolicy".to_owned(),
        secondary: None,
    }
}

/// As much of a note as an Event takes.
pub(crate) fn short(mut note: String) -> String {
    if note.len() > LONGEST_NOTE {
        note.truncate(note.floor_char_boundary(LONGEST_NOTE - '…'.len_utf8()));
        note.push('…');
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_as_long_as_an_event_takes() {
        let note = |error: &str| event(&News::PolicyRejected(error.to_owned())).note.expect("a note");
        assert!(note("severitys: there is no such key").ends_with("severitys: there is no such key"));
        let long = note(&"é".repeat(2_000));
        assert!(long.len() <= LONGEST_NOTE && long.ends_with("é…"), "{}", long.len());
    }
}
