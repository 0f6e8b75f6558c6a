//! Look-up by labels, so that a question about one object costs what it touches, not the size of its namespace.

use hashbrown::HashMap;

use crate::k8s::{LabelSelector, Labels, ObjectRef};
use crate::mesh::index::few::Few;

type Objects = Few<ObjectRef>;

/// Labelled objects by namespace and label: answers "which of these does a selector select".
#[derive(Debug, Default)]
pub(crate) struct LabelIndex {
    namespaces: HashMap<String, Labelled>,
}

#[derive(Debug, Default)]
struct Labelled {
    all: Objects,
    by_label: HashMap<String, HashMap<String, Objects>>,
}

impl LabelIndex {
    pub(crate) fn insert(&mut self, object: &ObjectRef, labels: &Labels) {
        let space = self.namespaces.entry(object.namespace().to_owned()).or_default();
        space.all.insert(object.clone());
        for (key, value) in labels.iter() {
            space
                .by_label
                .entry(key.to_owned())
                .or_default()
                .entry(value.to_owned())
                .or_default()
                .insert(object.clone());
        }
    }

    pub(crate) fn remove(&mut self, object: &ObjectRef, labels: &Labels) {
        let Some(space) = self.namespaces.get_mut(object.namespace()) else { return };
        space.all.remove(object);
        for (key, value) in labels.iter() {
            if let Some(values) = space.by_label.get_mut(key) {
                drop_from(values, value, object);
                if values.is_empty() {
                    space.by_label.remove(key);
                }
            }
        }
        if space.all.is_empty() {
            self.namespaces.remove(object.namespace());
        }
    }

    /// Objects of the namespace that can match: a superset, narrowed by the selector's rarest label.
    pub(crate) fn candidates(&self, namespace: &str, selector: &LabelSelector) -> impl Iterator<Item = &ObjectRef> {
        let space = self.namespaces.get(namespace);
        let narrowest = space.and_then(|space| {
            selector
                .match_labels
                .iter()
                .map(|(key, value)| space.by_label.get(key).and_then(|values| values.get(value)))
                .min_by_key(|objects| objects.map_or(0, Few::len))
        });
        let chosen = match narrowest {
            Some(objects) => objects,
            None => space.map(|space| &space.all),
        };
        chosen.into_iter().flatten()
    }
}

/// Selectors by namespace and one of their labels: answers "which selectors select this object".
#[derive(Debug, Default)]
pub(crate) struct SelectorIndex {
    namespaces: HashMap<String, Selecting>,
}

#[derive(Debug, Default)]
struct Selecting {
    /// Selectors without matchLabels: empty ones, and those of expressions alone.
    broad: Objects,
    by_label: HashMap<String, HashMap<String, Objects>>,
}

impl SelectorIndex {
    pub(crate) fn insert(&mut self, object: &ObjectRef, selector: &LabelSelector) {
        let space = self.namespaces.entry(object.namespace().to_owned()).or_default();
        match selector.match_labels.iter().next() {
            None => space.broad.insert(object.clone()),
            Some((key, value)) => {
                space
                    .by_label
                    .entry(key.to_owned())
                    .or_default()
                    .entry(value.to_owned())
                    .or_default()
                    .insert(object.clone());
            }
        }
    }

    pub(crate) fn remove(&mut self, object: &ObjectRef, selector: &LabelSelector) {
        let Some(space) = self.namespaces.get_mut(object.namespace()) else { return };
        match selector.match_labels.iter().next() {
            None => {
                space.broad.remove(object);
            }
            Some((key, value)) => {
                if let Some(values) = space.by_label.get_mut(key) {
                    drop_from(values, value, object);
                    if values.is_empty() {
                        space.by_label.remove(key);
                    }
                }
            }
        }
        if space.broad.is_empty() && space.by_label.is_empty() {
            self.namespaces.remove(object.namespace());
        }
    }

    /// Holders of selectors that can match these labels: a superset.
    pub(crate) fn candidates<'a>(&'a self, namespace: &str, labels: &'a Labels) -> impl Iterator<Item = &'a ObjectRef> {
        let space = self.namespaces.get(namespace);
        let by_label = space.into_iter().flat_map(move |space| {
            labels.iter().filter_map(|(key, value)| space.by_label.get(key)?.get(value)).flatten()
        });
        space.into_iter().flat_map(|space| &space.broad).chain(by_label)
    }
}

fn drop_from(values: &mut HashMap<String, Objects>, value: &str, object: &ObjectRef) {
    if let Some(objects) = values.get_mut(value) {
        objects.remove(object);
        if objects.is_empty() {
            values.remove(value);
        }
    }
}
