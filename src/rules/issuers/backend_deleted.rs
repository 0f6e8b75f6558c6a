//! # MV308: `backend-deleted`
//!
//! ## What it checks
//! Whether the deletion of a virtual service leaves a node without a route to what it calls: the node names the service
//! among its backends. It is reported at that deletion only: a backend that isn't there yet is normal while objects are
//! applied. Nothing is reported where the service and the node belong to one release, which is deleted as a whole.
//!
//! ## Why it matters
//! Without the service the client's proxy has neither a route nor a client policy for the call. Where the mesh's egress filter is
//! `DROP_ALL` the call is refused; where it is `ALLOW_ALL` it leaves in plaintext, which a STRICT listener refuses.
//!
//! ## Example
//! ```sh
//! kubectl delete virtualservice blue   # VirtualNode front has it among its backends
//! ```
//!
//! ## How to fix
//! Remove the backend from the nodes first, or apply the service again.

use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::Target;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    for backend in &member.backends {
        let Target::Object(service) = &backend.to else { continue };
        if !cx.view.is_deleted(service) {
            continue;
        }
        let site = Site::new(format!("backend {service}"), FieldPath::root().keys(["spec", "backends"]));
        let message = format!("the {} calls {service}, which is being deleted", member.noun);
        out.add(
            Problem::warn(site, message)
                .expected(format!("{service}, while it is among the backends"))
                .found("its deletion")
                .consequence(
                    "calls have no route: they are refused, or leave in plaintext where the mesh's egress filter lets them",
                )
                .fix("remove it from the backends first, or apply it again"),
        );
    }
}
