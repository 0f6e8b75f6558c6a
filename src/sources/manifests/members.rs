//! The members of a mapping, ordered by name.

use std::collections::{BTreeMap, btree_map};
use std::iter::Chain;
use std::vec;

/// Up to so many members are in a list, which costs little for the few that most mappings have.
const FEW: usize = 64;

/// The members of a mapping, each with its name, ordered by it.
#[derive(Clone, Debug)]
pub(super) enum Members<T> {
    Few(Vec<(String, T)>),
    Many(BTreeMap<String, T>),
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<T> Members<T> {
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        match self {
            Self::Few(list) => list.get(place(list, name).ok()?).map(|(_, entry)| entry),
            Self::Many(map) => map.get(name),
        }
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        match self {
            Self::Few(list) => {
                let place = place(list, name).ok()?;
                list.get_mut(place).map(|(_, entry)| entry)
            }
            Self::Many(map) => map.get_mut(name),
        }
    }

    /// Adds a member, or replaces the one with its name.
    pub(super) fn insert(&mut self, name: String, entry: T) {
        match self {
            Self::Many(map) => drop(map.insert(name, entry)),
            Self::Few(list) => match place(list, &name) {
                Ok(place) => {
                    if let Some(slot) = list.get_mut(place) {
                        slot.1 = entry;
                    }
                }
                Err(place) => {
                    list.insert(place, (name, entry));
                    if list.len() > FEW {
                        *self = Self::Many(std::mem::take(list).into_iter().collect());
                    }
                }
            },
        }
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<T> {
        match self {
            Self::Few(list) => place(list, name).ok().map(|place| list.remove(place).1),
            Self::Many(map) => map.remove(name),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        let (few, many) = match self {
            Self::Few(list) => (Some(list), None),
            Self::Many(map) => (None, Some(map)),
        };
        let few = few.into_iter().flatten().map(|(name, entry)| (name.as_str(), entry));
        few.chain(many.into_iter().flatten().map(|(name, entry)| (name.as_str(), entry)))
    }
}

impl<T> IntoIterator for Members<T> {
    type Item = (String, T);
    type IntoIter = Chain<vec::IntoIter<(String, T)>, btree_map::IntoIter<String, T>>;

    fn into_iter(self) -> Self::IntoIter {
        let (few, many) = match self {
            Self::Few(list) => (list, BTreeMap::new()),
            Self::Many(map) => (Vec::new(), map),
        };
        few.into_iter().chain(many)
    }
}

/// Where a name is in the list, or where it belongs.
fn place<T>(list: &[(String, T)], name: &str) -> Result<usize, usize> {
    list.binary_search_by(|(known, _)| known.as_str().cmp(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_members_are_ordered_by_name() {
        for count in [1, FEW, FEW + 1, 500] {
            let mut members = Members::default();
            for number in (0..count).rev() {
                members.insert(format!("{number:03}"), number);
            }
            members.insert("000".to_owned(), 1_000);
            assert_eq!(members.get("000"), Some(&1_000));
            assert_eq!(members.get_mut("none"), None);
            assert!(members.iter().map(|(name, _)| name).is_sorted());
            assert_eq!(members.remove("000"), Some(1_000));
            assert_eq!(
                members.into_iter().map(|(_, number)| number).collect::<Vec<_>>(),
                (1..count).collect::<Vec<_>>()
            );
        }
    }
}
