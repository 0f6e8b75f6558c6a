//! The injector's annotations on pods, and how it reads the ones that mount files into its proxy.
//!
//! Source: the App Mesh controller, `pkg/inject` (`constants.go`, `envoy.go`, `proxy.go`, `utils.go`). The annotations
//! stand on pods, so in a workload on its pod template.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::k8s::syntax::{is_dns_label, is_dns_subdomain};
use crate::text;

/// Secrets to mount into the proxy: `secret:/path, secret2:/path2`. See [`parse_secret_mounts`].
pub const SECRET_MOUNTS: &str = "appmesh.k8s.aws/secretMounts";
/// Volumes of the pod to mount into the proxy: `volume:/path, volume2:/path2`. See [`parse_volume_mounts`].
pub const VOLUME_MOUNTS: &str = "appmesh.k8s.aws/volumeMounts";
/// Whether a proxy is injected: `enabled` or `disabled`. On a pod an annotation, on a namespace a label. See
/// [`injection`](super::injection).
pub(crate) const SIDECAR_INJECTOR_WEBHOOK: &str = "appmesh.k8s.aws/sidecarInjectorWebhook";
/// `disabled` (exactly) keeps the SDS socket away from a pod's proxy where the controller has SDS enabled.
pub(crate) const SDS: &str = "appmesh.k8s.aws/sds";
/// The ports whose incoming traffic the proxy intercepts, instead of the virtual node's listeners'.
pub(crate) const PORTS: &str = "appmesh.k8s.aws/ports";

/// Name of the container that is a proxy: one that a pod brings along, or the one that the injector adds.
pub(crate) const ENVOY_CONTAINER: &str = "envoy";

/// How many problems of one annotation are reported.
const MAX_PROBLEMS: usize = 50;

/// What one of the mount annotations says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mounts {
    /// The mounts, each name once, in the order in which the names were last given. Where an entry is malformed these
    /// are the others: what was meant, though the injector mounts nothing then.
    pub mounts: Vec<AnnotatedMount>,
    /// What is wrong, in the order of the entries.
    pub problems: Vec<AnnotationProblem>,
}

/// One mount that an annotation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotatedMount {
    /// Name of the Secret (`secretMounts`), which becomes the volume's name too; or name of the pod's volume
    /// (`volumeMounts`).
    pub name: String,
    /// Where it is mounted in the proxy's container, as written.
    pub path: String,
}

/// What is wrong with a mount annotation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnnotationProblem {
    /// The annotation is there and empty, which the injector takes for one malformed entry: it refuses the pod.
    #[error("the annotation is empty: leave it out, or give it entries of the form name:/path")]
    Empty,
    /// An entry with a placeholder that nobody filled in. What it would say isn't known.
    #[error("the placeholder {placeholder} in {entry:?} is not filled in")]
    Placeholder {
        /// The entry as written.
        entry: String,
        /// The placeholder.
        placeholder: String,
    },
    /// An entry without exactly one colon (after a trailing comma: an empty one). The injector refuses the pod.
    #[error("{entry:?} is not of the form name:/path")]
    Malformed {
        /// The entry as written.
        entry: String,
    },
    /// An entry that names nothing. The API server refuses the injected pod.
    #[error("{entry:?} has no name before its colon")]
    EmptyName {
        /// The entry as written.
        entry: String,
    },
    /// An entry without a path. The API server refuses the injected pod.
    #[error("{entry:?} has no path after its colon")]
    EmptyPath {
        /// The entry as written.
        entry: String,
    },
    /// A name that is given twice. The injector keeps the last path and says nothing.
    #[error("{name:?} is listed twice: only {kept} is mounted, not {lost}")]
    SameName {
        /// The name.
        name: String,
        /// The path that is lost.
        lost: String,
        /// The path that stays.
        kept: String,
    },
    /// A path that two names are mounted at. The API server refuses the injected pod: mount paths must be unique.
    #[error("{first:?} and {second:?} are both mounted at {path}")]
    SamePath {
        /// The path.
        path: String,
        /// What is mounted there first.
        first: String,
        /// What is mounted there besides.
        second: String,
    },
    /// A name that no volume can have. The injector names the volume after the Secret, and a Secret's name may be longer
    /// than a volume's and hold dots: the API server refuses the injected pod.
    #[error(
        "{name:?} can't be the name of a volume ({reason}): make the Secret a volume of the pod, and name that in {VOLUME_MOUNTS}"
    )]
    InvalidVolumeName {
        /// The name.
        name: String,
        /// Which rule it breaks.
        reason: VolumeNameRule,
    },
    /// A path that doesn't begin with a slash. The kubelet takes it from the root: `certs` is mounted at `/certs`.
    #[error("the path {path:?} of {name:?} is relative: it is mounted at /{path}")]
    RelativePath {
        /// The name.
        name: String,
        /// The path as written.
        path: String,
    },
    /// A Secret whose name is that of a volume which the pod has already. The API server refuses the injected pod:
    /// volume names must be unique.
    #[error("{name:?} is the name of a volume that the pod already has: there would be two with that name")]
    VolumeExists {
        /// The name.
        name: String,
    },
    /// A volume that the pod doesn't have. The API server refuses the injected pod.
    #[error("the pod has no volume {name:?}")]
    NoSuchVolume {
        /// The name.
        name: String,
    },
}

/// The rules for a volume's name (a DNS label, RFC 1123), and for a Secret's (a DNS subdomain).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VolumeNameRule {
    /// No dots.
    #[error("it has a dot")]
    Dot,
    /// At most 63 characters.
    #[error("it is longer than 63 characters")]
    TooLong,
    /// Only lower-case letters, digits and hyphens, and no hyphen at either end.
    #[error("it is not made of lower-case letters, digits and inner hyphens")]
    Characters,
}

impl AnnotationProblem {
    /// The annotation with all problems of this kind fixed that nobody has to be asked about: a relative path gets its
    /// slash, a comma without an entry goes.
    #[must_use]
    pub fn mended(&self, annotation: &str) -> Option<String> {
        let mendable =
            matches!(self, Self::RelativePath { .. }) || matches!(self, Self::Malformed { entry } if entry.is_empty());
        if !mendable {
            return None;
        }
        let entries = annotation.split(',').filter(|entry| !entry.trim().is_empty());
        let entries: Vec<String> = entries.map(|entry| rooted(entry).unwrap_or_else(|| entry.to_owned())).collect();
        Some(entries.join(",")).filter(|mended| mended != annotation && !mended.is_empty())
    }
}

/// An entry whose relative path has got its slash.
fn rooted(entry: &str) -> Option<String> {
    let (name, path) = entry.split_once(':')?;
    let bare = path.trim();
    let relative = !name.trim().is_empty() && !bare.is_empty() && !bare.contains(':') && !bare.starts_with('/');
    relative.then(|| format!("{name}:{}", path.replacen(bare, &format!("/{bare}"), 1)))
}

/// Reads [`SECRET_MOUNTS`] as the injector does.
///
/// It splits at commas, each entry at its colons, of which there must be exactly one, and trims white space from both
/// halves. The pairs go into a map by the Secret's name, so that the last path of a name wins and the order is lost. For
/// each it adds to the pod a volume *named like the Secret*, of all its keys, and mounts that read-only. One malformed
/// entry and it refuses the pod; an empty annotation or a trailing comma is a malformed entry.
#[must_use]
pub fn parse_secret_mounts(annotation: &str) -> Mounts {
    parse(annotation, invalid_volume_name)
}

/// Reads [`VOLUME_MOUNTS`] as the injector does: like [`parse_secret_mounts`], but nothing is added to the pod's volumes.
/// A volume that `secretMounts` adds can be named too.
#[must_use]
pub fn parse_volume_mounts(annotation: &str) -> Mounts {
    // A name that no volume can have is one that the pod doesn't have: see `conflicts`.
    parse(annotation, |_| None)
}

/// What is wrong between the annotations of one pod and with its own volumes: a volume that exists already, one that
/// doesn't exist, a path that both annotations mount something at.
#[must_use]
pub fn conflicts<'a>(
    secret_mounts: &Mounts,
    volume_mounts: &Mounts,
    volumes: impl IntoIterator<Item = &'a str>,
) -> Vec<AnnotationProblem> {
    let volumes: BTreeSet<&str> = volumes.into_iter().collect();
    let secrets: BTreeSet<&str> = secret_mounts.mounts.iter().map(|mount| mount.name.as_str()).collect();
    let paths: BTreeMap<&str, &str> =
        secret_mounts.mounts.iter().map(|mount| (mount.path.as_str(), mount.name.as_str())).collect();

    let existing = secrets
        .iter()
        .filter(|name| volumes.contains(*name))
        .map(|name| AnnotationProblem::VolumeExists { name: (*name).to_owned() });
    let mounted = volume_mounts.mounts.iter().flat_map(|mount| {
        let name = mount.name.as_str();
        let missing = !volumes.contains(name) && !secrets.contains(name) && text::placeholder(name).is_none();
        [
            missing.then(|| AnnotationProblem::NoSuchVolume { name: name.to_owned() }),
            paths.get(mount.path.as_str()).map(|first| AnnotationProblem::SamePath {
                path: mount.path.clone(),
                first: (*first).to_owned(),
                second: name.to_owned(),
            }),
        ]
    });
    existing.chain(mounted.flatten()).take(MAX_PROBLEMS).collect()
}

fn parse(annotation: &str, check_name: fn(&str) -> Option<AnnotationProblem>) -> Mounts {
    let mut problems = Vec::new();
    if annotation.trim().is_empty() {
        problems.push(AnnotationProblem::Empty);
        return Mounts { mounts: Vec::new(), problems };
    }
    // Each name with the place and the path of its last entry.
    let mut last: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for (place, entry) in annotation.split(',').enumerate() {
        let entry = entry.trim();
        // Of what will stand in its place, nothing else is said.
        let unfilled = text::placeholder(entry);
        problems.extend(unfilled.map(|placeholder| AnnotationProblem::Placeholder {
            entry: entry.to_owned(),
            placeholder: placeholder.to_owned(),
        }));
        let Some((name, path)) = entry.split_once(':').filter(|(_, path)| !path.contains(':')) else {
            if unfilled.is_none() {
                problems.push(AnnotationProblem::Malformed { entry: entry.to_owned() });
            }
            continue;
        };
        let (name, path) = (name.trim(), path.trim());
        if name.is_empty() {
            problems.push(AnnotationProblem::EmptyName { entry: entry.to_owned() });
        } else if path.is_empty() {
            problems.push(AnnotationProblem::EmptyPath { entry: entry.to_owned() });
        } else {
            if !path.starts_with('/') && unfilled.is_none() {
                problems.push(AnnotationProblem::RelativePath { name: name.to_owned(), path: path.to_owned() });
            }
            match last.insert(name, (place, path)) {
                Some((_, lost)) if lost != path => problems.push(AnnotationProblem::SameName {
                    name: name.to_owned(),
                    lost: lost.to_owned(),
                    kept: path.to_owned(),
                }),
                Some(_) => {}
                None if unfilled.is_some() => {}
                None => problems.extend(check_name(name)),
            }
        }
    }
    let mut kept: Vec<_> = last.into_iter().map(|(name, (place, path))| (place, name, path)).collect();
    kept.sort_unstable();
    let mut paths = BTreeMap::new();
    for (_, name, path) in &kept {
        if let Some(first) = paths.insert(*path, *name) {
            problems.push(AnnotationProblem::SamePath {
                path: (*path).to_owned(),
                first: first.to_owned(),
                second: (*name).to_owned(),
            });
        }
    }
    problems.truncate(MAX_PROBLEMS);
    let mount = |(_, name, path): (usize, &str, &str)| AnnotatedMount { name: name.to_owned(), path: path.to_owned() };
    Mounts { mounts: kept.into_iter().map(mount).collect(), problems }
}

fn invalid_volume_name(name: &str) -> Option<AnnotationProblem> {
    if is_dns_label(name) {
        return None;
    }
    let reason = match name {
        _ if !is_dns_subdomain(name) => VolumeNameRule::Characters,
        _ if name.contains('.') => VolumeNameRule::Dot,
        _ => VolumeNameRule::TooLong,
    };
    Some(AnnotationProblem::InvalidVolumeName { name: name.to_owned(), reason })
}

#[cfg(test)]
#[path = "annotations_tests.rs"]
mod tests;
