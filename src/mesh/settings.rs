//! What the policy file sets for the model itself.

use std::sync::LazyLock;

use crate::mesh::member::Member;
use crate::mesh::mounts::clean_path;
use crate::mesh::plane::Plane;

/// What affects a mesh besides its objects. Comes from the policy file, and is passed along in the [`View`](super::View).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings<'a> {
    /// Whether [groups](crate::mesh::Hop::group) of services count: App Mesh's controller ignores them by default.
    pub groups: bool,
    /// The files of the proxy's own image that may serve as a trust bundle: absolute paths, cleaned. One that ends with `/` stands for all
    /// below it.
    pub image_files: &'a [String],
    /// For classes that may not exist as objects: by name, the control plane of their members.
    pub classes: &'a [(String, &'static Plane)],
    /// What is behind Services whose pods are otherwise unknown: one member each, with the Service's name.
    pub backends: &'a [Member],
    /// At admission: the namespace of the object under review, whose author learns of another namespace what a call shows, and not in which
    /// of its Secrets something is.
    pub told_to: Option<&'a str>,
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Self { groups: false, image_files: image_files(), classes: &[], backends: &[], told_to: None }
    }
}

impl Settings<'_> {
    /// Whether where a member has its files from is told.
    pub(crate) fn tells_stores_of(&self, member: &Member) -> bool {
        self.told_to.is_none_or(|namespace| namespace == member.object.namespace())
    }

    /// Whether the proxy's own image has a file at a path.
    pub(in crate::mesh) fn is_in_image(&self, path: &str) -> bool {
        let path = clean_path(path);
        self.image_files.iter().any(|file| match file.ends_with('/') {
            true => path.starts_with(file.as_str()),
            false => *file == path,
        })
    }
}

/// Where Envoy images keep the CAs of their distribution: Amazon Linux, on which AWS builds App Mesh's
/// proxy, and Debian, Ubuntu and Alpine.
pub(crate) fn image_files() -> &'static [String] {
    static FILES: LazyLock<Vec<String>> = LazyLock::new(|| {
        [
            "/etc/pki/tls/cert.pem",
            "/etc/pki/tls/certs/ca-bundle.crt",
            "/etc/pki/tls/certs/ca-bundle.trust.crt",
            "/etc/pki/ca-trust/extracted/",
            "/etc/ssl/cert.pem",
            "/etc/ssl/certs/ca-bundle.crt",
            "/etc/ssl/certs/ca-certificates.crt",
        ]
        .map(str::to_owned)
        .to_vec()
    });
    &FILES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_image_is_known_by_its_path_or_its_folder() {
        let known = |path| Settings::default().is_in_image(path);
        assert!(known("/etc/pki/tls/cert.pem") && known("/etc/ssl//certs/./ca-certificates.crt"));
        assert!(known("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"));
        assert!(!known("/etc/pki/tls") && !known("/etc/pki/tls/cert.pem.bak") && !known("/certs/ca.crt"));
        let own = ["/opt/ca/".to_owned()];
        let own = Settings { image_files: &own, ..Settings::default() };
        assert!(own.is_in_image("/opt/ca/root.pem") && !own.is_in_image("/etc/pki/tls/cert.pem"));
    }
}
