//! A sorted set that mostly has one element: most labels, names and references of a mesh concern one object.

use std::collections::{BTreeSet, btree_set};

/// A set. One element takes no memory of its own, where a [`BTreeSet`] takes room for eleven.
#[derive(Debug, Default)]
pub(crate) enum Few<V> {
    /// Empty.
    #[default]
    None,
    /// One element.
    One(V),
    /// At least two elements.
    Many(BTreeSet<V>),
}

impl<V: Ord> Few<V> {
    pub(crate) fn insert(&mut self, value: V) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(value),
            Self::One(one) if one == value => Self::One(one),
            Self::One(one) => Self::Many([one, value].into()),
            Self::Many(mut many) => {
                many.insert(value);
                Self::Many(many)
            }
        };
    }

    pub(crate) fn remove(&mut self, value: &V) {
        match self {
            Self::One(one) if one == value => *self = Self::None,
            Self::Many(many) => {
                many.remove(value);
                if many.len() == 1 {
                    *self = many.pop_first().map_or(Self::None, Self::One);
                }
            }
            Self::None | Self::One(_) => {}
        }
    }
}

impl<V> Few<V> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(_) => 1,
            Self::Many(many) => many.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl<'s, V> IntoIterator for &'s Few<V> {
    type Item = &'s V;
    type IntoIter = std::iter::Chain<
        std::option::IntoIter<&'s V>,
        std::iter::Flatten<std::option::IntoIter<btree_set::Iter<'s, V>>>,
    >;

    /// In order.
    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self {
            Few::None => (None, None),
            Few::One(one) => (Some(one), None),
            Few::Many(many) => (None, Some(many.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_set_that_a_larger_one_would_be() {
        let (mut few, mut set) = (Few::default(), BTreeSet::new());
        for (is_added, value) in
            [(true, 2), (true, 2), (true, 1), (true, 3), (false, 2), (false, 9), (false, 3), (true, 0)]
        {
            if is_added {
                few.insert(value);
                set.insert(value);
            } else {
                few.remove(&value);
                set.remove(&value);
            }
            assert!(few.into_iter().eq(&set), "{few:?}");
            assert_eq!((few.len(), few.is_empty()), (set.len(), set.is_empty()));
        }
        [0, 1].iter().for_each(|value| few.remove(value));
        assert!(few.is_empty() && few.into_iter().next().is_none());
    }

    #[test]
    fn it_is_no_larger_than_a_set() {
        assert!(size_of::<Few<usize>>() <= size_of::<BTreeSet<usize>>() + size_of::<usize>());
    }
}
