//! # MV201: `file-not-mounted`
//!
//! ## What it checks
//! Whether anything is mounted where a proxy of the selected workloads will read a certificate, a key or a trust bundle:
//! by `appmesh.k8s.aws/secretMounts` or `volumeMounts`, or, where the pod brings its own `envoy` container, by that
//! container's `volumeMounts`. The longest mount path wins, by whole segments.
//!
//! ## Why it matters
//! The proxy gets the path from App Mesh, finds no file, and refuses the listener or cluster: the workload answers
//! nothing on that port. It only warns, since the workload may be about to change.
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

use crate::finding::{Mend, Problem};
use crate::mesh::{FileRef, Place};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;
use crate::rules::uses::FileUse;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in cx.files() {
        let path = &using.file.path;
        let (message, found, fix) = match using.place {
            Place::NotMounted { nearest } => {
                let found = match nearest {
                    Some(near) => format!("nothing there; the nearest mounted path is {near}"),
                    None => "no mount at all".to_owned(),
                };
                let fix = match nearest {
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
                "add the volume to the pod template, or name one that it has".to_owned(),
            ),
            _ => continue,
        };
        out.add(
            Problem::warn(using.site(), message)
                .expected(format!("a Secret mounted at {} or above", folder(path)))
                .found(found)
                .consequence(format!("the proxy refuses its configuration: {}", using.role.absent_log(path)))
                .fix(fix)
                .mend(elsewhere(cx, &using)),
        );
    }
}

/// The path is mended by the letter where exactly one mount of the proxy holds a file of that name.
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
