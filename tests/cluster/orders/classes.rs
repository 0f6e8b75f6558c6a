//! Which mesh a node is of: by the selector of a Mesh, and by the labels of its namespace. A call comes about where both ends are of one.

use serde_json::{Value, json};

use crate::orders::bed::{Bed, mesh};
use crate::orders::shop::{OTHER, ROOT, Shop};
use crate::orders::writes::Write::{Apply, Delete, Patch};
use crate::sandbox::eventually;
use crate::support::manifests::namespace;

tests![a_mesh_that_comes_to_select_both_ends_of_a_broken_call_is_told];

/// `front` in one namespace, and `blue`, which it calls, in another that no mesh selects. Returns the namespace of `blue`.
fn apart(bed: &Bed, name: &str, trusted: &str) -> String {
    let (left, right) = (Shop::new(&format!("{name}-left")), Shop::new(&format!("{name}-right")));
    let labelled = |shop: &Shop, mesh: &str| {
        let mut space = shop.namespace();
        space["metadata"]["labels"]["mesh"] = mesh.into();
        space
    };
    let mut client = left.client();
    client["spec"]["backends"][0]["virtualService"]["virtualServiceRef"]["namespace"] = right.name.as_str().into();
    let objects: [Value; 9] = [
        labelled(&left, name),
        labelled(&right, "none"),
        right.server_secret(&right.leaf()),
        right.deployment("blue", "blue-tls:/certs"),
        right.server(),
        right.service(),
        left.client_secret(trusted, &ROOT),
        left.deployment("front", "front-tls:/certs"),
        client,
    ];
    for object in objects {
        bed.does(&Apply(object)).succeeds_silently();
    }
    right.name
}

fn a_mesh_that_comes_to_select_both_ends_of_a_broken_call_is_told() {
    let bed = Bed::start("classes", &[]);
    bed.does(&Delete(mesh("everywhere", json!({})))).succeeds();
    let both = |name: &str| json!({"matchExpressions": [{"key": "mesh", "operator": "In", "values": [name, "none"]}]});
    let one = |name: &str| json!({"matchLabels": {"mesh": name}});
    let label = |name: &str| json!({"metadata": {"labels": {"mesh": name}}});
    let cases = [
        ("selector", OTHER.pem(), true),
        ("sound-selector", ROOT.pem(), true),
        ("label", OTHER.pem(), false),
        ("sound-label", ROOT.pem(), false),
    ];
    for (name, trusted, by_selector) in &cases {
        bed.does(&Apply(mesh(name, one(name)))).succeeds();
        let right = apart(&bed, name, trusted);
        bed.settle();
        assert!(bed.figures().rules(&right).is_empty(), "{name}: apart, nobody calls it");
        let said = match by_selector {
            true => bed.does(&Apply(mesh(name, both(name)))),
            false => bed.does(&Patch(namespace(&right), label(name))),
        };
        let said = said.succeeds();
        let call = format!("{name}-left/front → ");
        if name.starts_with("sound") {
            assert!(said.warnings.is_empty(), "{said}");
            bed.settle();
            assert!(bed.figures().rules(&right).is_empty(), "{name}");
        } else {
            assert!(said.tells(&["MV301".to_owned(), call.clone()]), "{said}");
            eventually("an Event tells it", || {
                let places = [right.clone(), format!("{name}-left")];
                let events: Vec<_> = places.iter().flat_map(|place| bed.events(place)).collect();
                let is_told = events.iter().any(|event| event.note.starts_with("MV301") && event.warns);
                if is_told { Ok(()) } else { Err(format!("{events:?}")) }
            });
        }
        // The next one starts without it.
        bed.does(&Apply(mesh(name, one("nobody")))).succeeds();
    }
}
