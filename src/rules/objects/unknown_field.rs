//! # MV001: `unknown-field`
//!
//! ## What it checks
//! A field that no version of the object's API has, such as `tlss` or `certificatechain`, with the field that was
//! probably meant.
//!
//! ## Why it matters
//! The API server drops the field: a listener whose `tls` is misspelt is created without TLS. Whether you see it depends on
//! the client. `kubectl apply` and `kubectl create` validate strictly and refuse the object; with `--validate=warn` they
//! warn, with `--validate=ignore` they print nothing. Server-side apply (`kubectl apply --server-side`, many GitOps
//! controllers) prints nothing, whatever `--validate` is set to, since the App Mesh CRDs keep unknown fields at their root.
//!
//! ## Example
//! ```yaml
//! spec:
//!   listeners:
//!     - portMapping: {port: 8080, protocol: http}
//!       tlss: {mode: STRICT}        # MV001: did you mean `tls`?
//! ```
//!
//! ## How to fix
//! Rename the field or move it as the finding suggests, or remove it.

use crate::finding::{Mend, Problem, Site};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for unknown in cx.unknown_fields() {
        let api = cx.word(|names| names.api);
        let field = unknown.field.clone();
        let site = Site::new(format!("field {}", field.kubernetes()), field);
        // In the message itself: of a warning, kubectl's users see no more.
        let hint = unknown.meant.as_ref().map(|meant| format!("; did you mean {meant:?}?")).unwrap_or_default();
        let problem = Problem::warn(site, format!("there is no field {:?} here{hint}", unknown.name))
            .found(unknown.name.clone())
            .consequence(format!(
                "where kubectl doesn't validate strictly, as in server-side apply, the API server drops the field or {api} never \
                 reads it, without a word"
            ));
        // A field that belongs elsewhere is moved by hand.
        let here = unknown.meant.as_ref().filter(|meant| !meant.contains(['.', '[']));
        let problem = problem.mend(here.map(|to| Mend::Rename { to: to.clone() }));
        out.add(match &unknown.meant {
            Some(meant) if meant.contains(['.', '[']) => {
                problem.expected(meant.clone()).fix(format!("move it to `{meant}`, or remove it"))
            }
            Some(meant) => problem.expected(meant.clone()).fix(format!("rename it to `{meant}`, or remove it")),
            None => problem.fix("remove it"),
        });
    }
}
