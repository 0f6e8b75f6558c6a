//! # MV201: `file-not-mounted`
//!
//! ## What it checks
//! Whether anything is mounted where a proxy of the selected workloads will read a certificate, a key or a trust bundle:
//! by `appmesh.k8s.aws/secretMounts` or `volumeMounts`, or, where the pod brings its own `envoy` container, by that
//! container's `volumeMounts`. The longest mount path wins, by whole segments.
//!
//! ## Why it matters
//! The proxy gets the path from App Mesh, finds no file, and refuses the listener or cluster: nothing answers on that port.
//! At admission it only warns, since the workload may be about to change; `check` and `audit` deny it. A trust bundle in a
//! system folder such as `/etc/ssl` only warns too: the proxy's image may have it (policy: `proxyImage.files`).
//!
//! ## Example
//! ```yaml
//! appmesh.k8s.aws/secretMounts: "blue-cert:/certs"
//! # and in the virtual node
//! certificateChain: /certificates/tls.crt      # nothing is mounted at /certificates
//! ```
//!
//! ## How to fix
//! Mount the Secret at the folder that the virtual node names, or name the folder where it is mounted.

use crate::finding::{Mend, Problem, Severity};
use crate::mesh::{FileRef, Place};
use crate::rules::context::{Context, Surface};
use crate::rules::reporter::Reporter;
use crate::rules::uses::{FileUse, Role};

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    // The workload may be about to change; what is judged as a whole is as it will be.
    let severity = match cx.surface {
        Surface::Admission => Severity::Warn,
        Surface::Check => Severity::Deny,
    };
    for using in cx.files() {
        let path = &using.file.path;
        let (message, found, fix) = match using.place {
            Place::NotMounted { nearest } => {
                let stray = stray(cx, &using);
                let found = match (nearest, &stray) {
                    (_, Some(stray)) => format!("nothing there; {stray}"),
                    (Some(near), None) => format!("nothing there; the nearest mounted path is {near}"),
                    (None, None) => "no mount at all".to_owned(),
                };
                let fix = match nearest {
                    _ if stray.is_some() => format!(
                        "put {} on the pods, in the workload's pod template",
                        cx.word(|names| names.mount_annotation)
                    ),
                    Some(near) => format!("mount the Secret at {}, or name a file below {near}", folder(path)),
                    None => {
                        format!("mount the Secret at {} ({})", folder(path), cx.word(|names| names.mount_annotation))
                    }
                };
                (format!("the proxy of {} has nothing mounted at {path}", using.owner()), found, fix)
            }
            Place::VolumeMissing { name } => (
                format!(
                    "the proxy of {} mounts a volume {name:?} at {path}, which the pod doesn't have",
                    using.owner()
                ),
                format!("no volume {name:?}"),
                "add the volume to the pod template, or name a volume that it has".to_owned(),
            ),
            _ => continue,
        };
        out.add(
            Problem::new(severity_of(severity, &using), using.site(), message)
                .expected(format!("a Secret mounted at {} or above", folder(path)))
                .found(found)
                .consequence(format!("the proxy refuses its configuration: {}", using.role.absent_log(path)))
                .fix(fix)
                .mend(elsewhere(cx, &using)),
        );
    }
}

/// Where distributions keep the authorities that they trust: the proxy's own image may have more there than is known.
const SYSTEM: [&str; 5] = [
    "/etc/ssl/",
    "/etc/pki/",
    "/etc/ca-certificates/",
    "/usr/share/ca-certificates/",
    "/usr/local/share/ca-certificates/",
];

fn severity_of(usual: Severity, using: &FileUse<'_>) -> Severity {
    let of_image = using.role == Role::Trust && SYSTEM.iter().any(|folder| using.file.path.starts_with(folder));
    if of_image { Severity::Warn } else { usual }
}

/// The annotation that was meant to mount something, and that nobody reads.
fn stray(cx: &Context<'_>, using: &FileUse<'_>) -> Option<String> {
    let (member, workload) = (cx.member()?, using.workload?);
    let wanted = cx.word(|names| names.mount_annotation);
    if let Some(stray) = workload.proxy(member.api)?.strays.first() {
        let place = stray.field.kubernetes();
        return Some(match stray.annotation == stray.meant {
            true => format!("{} is on {} itself ({place}), and not on its pods", stray.annotation, workload.object),
            false => format!("no one reads the annotation {place}; did you mean {}?", stray.meant),
        });
    }
    let own = cx.subject.annotations.contains_key(wanted.as_str());
    own.then(|| format!("{wanted} is on {}, and not on the pods", cx.subject.object))
}

/// The path is fixed automatically where exactly one mount of the proxy holds a file of that name.
fn elsewhere(cx: &Context<'_>, using: &FileUse<'_>) -> Option<Mend> {
    let path = &using.file.path;
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    let (member, workload) = (cx.member()?, using.workload?);
    let mut found = workload.proxy(member.api)?.mounts.iter().filter_map(|mount| {
        let path = format!("{}/{name}", mount.at.trim_end_matches('/'));
        let there = cx.view.place(member, Some(workload), &FileRef { path: path.clone(), ..using.file.clone() });
        matches!(there, Place::File { .. }).then_some(path)
    });
    let new = found.next()?;
    found.next().is_none().then(|| Mend::Replace { old: path.clone(), new })
}

fn folder(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((folder, _)) => folder,
    }
}
