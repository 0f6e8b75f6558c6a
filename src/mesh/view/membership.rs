//! Which mesh a member belongs to, as far as that is known.

use crate::mesh::class::Class;
use crate::mesh::facts::Fact;
use crate::mesh::member::Member;
use crate::mesh::unlisted::Sort;
use crate::mesh::view::View;

/// Whether one thing belongs to another; objects that couldn't be listed may leave it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belonging {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// It depends on objects that may be unlisted.
    Unknown,
}

impl<'a> View<'a> {
    /// The class that a member belongs to: the one that it names, else the one that selects its namespace. None where it isn't
    /// known, as in manifests that don't contain it.
    pub(crate) fn class_of(&self, member: &Member) -> Option<&'a Class> {
        let laid = self.laid().filter_map(|fact| match fact {
            Fact::Class(class) => Some(&**class),
            _ => None,
        });
        let known = self.world.classes().filter(|class| self.counts(&class.object));
        let mut all = laid.chain(known).filter(|class| class.object.api_version == member.object.api_version);
        if let Some(name) = &member.class {
            return all.find(|class| class.object.name == *name);
        }
        let labels = self.namespace(member.object.namespace());
        all.find(|class| {
            class
                .namespaces
                .as_ref()
                .is_some_and(|selector| selector.is_empty() || labels.is_some_and(|labels| selector.matches(labels)))
        })
    }

    /// Whether the same proxies serve all members of a class.
    pub(super) fn share_proxies(&self, class: &Class) -> bool {
        let Some(settings) = &class.settings else { return class.one_proxy };
        let laid = self.laid().filter_map(|fact| match fact {
            Fact::Class(class) => Some(&**class),
            _ => None,
        });
        let known = self.world.classes().filter(|class| self.counts(&class.object));
        class.one_proxy || laid.chain(known).any(|class| class.object == *settings && class.one_proxy)
    }

    /// The name of the mesh that a member belongs to, also if it names one that isn't known.
    pub(crate) fn mesh_of<'m>(&self, member: &'m Member) -> Option<&'m str>
    where
        'a: 'm,
    {
        match &member.class {
            Some(name) => Some(name),
            None => self.class_of(member).map(|class| class.object.name.as_str()),
        }
    }

    /// Whether two members belong to one mesh.
    pub(crate) fn share_a_mesh(&self, one: &Member, other: &Member) -> Belonging {
        let certain = |same: bool| if same { Belonging::Yes } else { Belonging::No };
        match (&one.class, &other.class) {
            (Some(one), Some(other)) => return certain(one == other),
            // A mesh that selects the namespace selects both.
            (None, None) if one.object.namespace() == other.object.namespace() => return Belonging::Yes,
            _ => {}
        }
        let is_unknown =
            |member: &Member| member.class.is_none() && self.mesh_of(member).is_none() && self.may_hide(member);
        if is_unknown(one) || is_unknown(other) {
            return Belonging::Unknown;
        }
        certain(self.mesh_of(one) == self.mesh_of(other))
    }

    /// Whether an unknown mesh may select a member: no mesh could be listed, or its namespace's labels aren't known.
    fn may_hide(&self, member: &Member) -> bool {
        let (unlisted, namespace) = (self.world.unlisted(), member.object.namespace());
        let labels_hidden =
            || self.namespace(namespace).is_none() && unlisted.hides(Sort::Namespaces, namespace).is_some();
        unlisted.any(Sort::Classes) || labels_hidden()
    }
}
