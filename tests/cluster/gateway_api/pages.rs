//! What the pages tell a reader without App Mesh to try.

use std::path::Path;

use crate::gateway_api::bed::shared;
use crate::install::reader;
use crate::sandbox::eventually;

tests![the_check_after_the_installation_is_answered_with_a_warning];

/// The block of commands that docs/install.md calls `name`.
fn block(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/install.md");
    let text = std::fs::read_to_string(path).expect("the page");
    let (_, block) = text.split_once(&format!("```sh {name}\n")).expect("the block");
    block.split_once("\n```").expect("its end").0.to_owned()
}

fn the_check_after_the_installation_is_answered_with_a_warning() {
    let plane = shared().plane;
    let check = || plane.kubectl.script(&block("gateway"), &reader(plane));
    eventually("meshvet answers", || {
        let outcome = check();
        if outcome.stderr.is_empty() { Err(outcome.to_string()) } else { Ok(()) }
    });
    check().warns(&["default/meshvet-is-there MV513"]);
}
