//! What the policy says of the model itself.

use std::sync::LazyLock;

use crate::mesh::member::Member;
use crate::mesh::mounts::clean_path;
use crate::mesh::plane::Plane;

/// What counts in a mesh besides what its objects say. The policy fills it, and it travels in the [`View`](super::View).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings<'a> {
    /// Whether [groups](crate::mesh::Hop::group) of services count: App Mesh's controller has them switched off unless told otherwise.
    pub groups: bool,
    /// The files of the proxy's own image that a trust bundle may be: absolute paths, cleaned. One that ends with `/` stands for all
    /// below it.
    pub image_files: &'a [String],
    /// Of classes that may not be there themselves: by name, who hands certificates to the proxies of their members.
    pub classes: &'a [(String, &'static Plane)],
    /// What stands behind Services whose pods nobody knows more of: a member for each, of the Service's own name.
    pub backends: &'a [Member],
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Self { groups: false, image_files: image_files(), classes: &[], backends: &[] }
    }
}

impl Settings<'_> {
    /// Whether the proxy's own image has a file at a path.
    pub(in crate::mesh) fn is_in_image(&self, path: &str) -> bool {
        let path = clean_path(path);
        self.image_files.iter().any(|file| match file.ends_with('/') {
            true => path.starts_with(file.as_str()),
            false => *file == path,
        })
    }
}

/// Where Envoy images keep the authorities that their distribution trusts: those of Amazon Linux, as AWS builds the proxy of
/// App Mesh upon, and those of Debian, Ubuntu and Alpine.
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
