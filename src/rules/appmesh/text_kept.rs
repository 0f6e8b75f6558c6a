//! Which text of App Mesh's objects is kept where a whole cluster is.

use std::sync::LazyLock;

use crate::apis::appmesh::Spec;
use crate::apis::{Native, Subject};
use crate::finding::catalogue::{NOT_EXACTLY_ONE_SOURCE, REFUSED_BY_APP_MESH};
use crate::mesh::{View, World};
use crate::policy::Policy;
use crate::rules::appmesh::{not_exactly_one_source, refused_by_app_mesh};
use crate::rules::context::Context;
use crate::rules::reporter::finds_nothing;

/// Forgets an object's own text where no rule has anything to say of it. It is a tenth of what is kept of a virtual node, and all that
/// is asked of it, in whatever mesh and under whatever policy, are these two rules, which look at nothing else.
pub(super) fn forget_sound_text(subject: &mut Subject) {
    static NOTHING: LazyLock<(World, Policy)> = LazyLock::new(Default::default);
    if !matches!(subject.native, Native::AppMesh(_)) {
        return;
    }
    let (world, policy) = &*NOTHING;
    let view = View::new(world);
    let policy = policy.effective("", view);
    let cx = Context::of_text(subject, view, &policy);
    let is_sound = finds_nothing(NOT_EXACTLY_ONE_SOURCE, not_exactly_one_source::check, &cx)
        && finds_nothing(REFUSED_BY_APP_MESH, refused_by_app_mesh::check, &cx);
    if is_sound {
        subject.native = Native::AppMesh(Spec::Other);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::apis::{Entry, decode_object};
    use crate::rules::{Surface, judge};

    fn subject(spec: Value) -> Subject {
        let object = json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode",
            "metadata": {"name": "blue", "namespace": "shop"}, "spec": spec});
        match decode_object(object, "") {
            Ok(Entry::Subject(subject)) => *subject,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn text_is_kept_where_a_rule_has_something_to_say_of_it() {
        let listener = |port: i64, certificate: Value| {
            json!({"listeners": [{"portMapping": {"port": port, "protocol": "http"},
                "tls": {"mode": "STRICT", "certificate": certificate}}],
                "serviceDiscovery": {"dns": {"hostname": "blue.shop.svc.cluster.local"}}})
        };
        let file = json!({"file": {"certificateChain": "/certs/tls.crt", "privateKey": "/certs/tls.key"}});
        let world = World::default();
        for (spec, is_kept) in [
            (listener(8080, file.clone()), false),
            (listener(80_800, file.clone()), true),
            (listener(8080, json!({})), true),
            (listener(8080, json!({"file": {"certificateChain": "/certs/tls.crt"}})), true),
        ] {
            let whole = subject(spec.clone());
            let mut kept = whole.clone();
            forget_sound_text(&mut kept);
            assert_eq!(matches!(kept.native, Native::AppMesh(Spec::VirtualNode(_))), is_kept, "{spec}");
            let told = |subject: &Subject| {
                let policy = Policy::default();
                let judged = judge(subject, View::new(&world), &policy, Timestamp::UNIX_EPOCH, Surface::Check);
                judged.findings.iter().map(|found| (found.rule.code, found.field().clone())).collect::<Vec<_>>()
            };
            assert_eq!(told(&kept), told(&whole), "{spec}");
        }
    }

    #[test]
    fn no_other_rule_looks_at_app_meshs_text() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
        let mut found = Vec::new();
        for entry in walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("a file")) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            if name != "text_kept.rs" && text.contains("Native::AppMesh(") {
                found.push(name);
            }
        }
        found.sort_unstable();
        assert_eq!(found, ["not_exactly_one_source.rs", "refused_by_app_mesh.rs"]);
    }
}
