//! Which APIs of meshes are vetted.

use crate::apis::{APIS, Api, mesh_api};

/// Some of the APIs of meshes; by default all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vetted(u32);

impl Default for Vetted {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Vetted {
    /// Those of these names ([`Api::folder`](crate::apis::Api::folder)); names of none are left out. All, where none is named.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let places = names.into_iter().filter_map(|name| APIS.iter().position(|api| api.folder == name));
        match places.fold(0, |all, place| all | 1 << place) {
            0 => Self::default(),
            some => Self(some),
        }
    }

    /// Those of these groups, `*` for all.
    pub(crate) fn of_groups(groups: &[String]) -> Self {
        let is_among = |api: &&&Api| groups.iter().any(|group| group == "*" || group == api.group);
        Self::of(APIS.iter().filter(is_among).map(|api| api.folder))
    }

    /// Whether a kind of this group is looked at: one of a vetted API, or of none of them.
    pub(crate) fn takes(self, group: &str) -> bool {
        let Some((api, _)) = mesh_api(group) else { return true };
        APIS.iter().position(|other| std::ptr::eq(*other, api)).is_none_or(|place| self.0 & 1 << place != 0)
    }

    /// Whether any of them gives pods a proxy.
    pub(crate) fn has_proxied(self) -> bool {
        APIS.into_iter().any(|api| api.proxy.is_some() && self.takes(api.group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apis::mesh_apis;

    #[test]
    fn an_api_that_is_not_named_is_left_out_and_what_all_rest_on_is_not() {
        let apis: Vec<_> = mesh_apis().map(|(api, _)| api).collect();
        for kept in &apis {
            let vetted = Vetted::of([kept.folder]);
            for api in &apis {
                assert_eq!(vetted.takes(api.group), api.folder == kept.folder, "{} of {}", api.folder, kept.folder);
            }
            assert!(vetted.takes("") && vetted.takes("apps") && vetted.takes("cert-manager.io"));
        }
        assert_eq!(Vetted::of([]), Vetted::default());
        let group = apis.first().map(|api| api.group.to_owned()).expect("an API");
        assert!(Vetted::of_groups(std::slice::from_ref(&group)).takes(&group));
        assert!(apis.iter().all(|api| Vetted::of_groups(&["*".to_owned()]).takes(api.group)));
        assert!(apis.iter().all(|api| Vetted::default().takes(api.group)));
    }
}
