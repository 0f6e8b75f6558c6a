//! Any text as a manifest: read, decoded and judged without a panic, within bounds.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use meshvet::mesh::View;
use meshvet::policy::Policy;
use meshvet::rules::{Surface, judge};
use meshvet::sources::manifests::load_texts;

fuzz_target!(|text: &str| {
    let read = load_texts([("fuzz.yaml", text)], "default");
    let (policy, now) = (Policy::default(), Timestamp::UNIX_EPOCH);
    for located in &read.objects {
        for finding in judge(&located.reviewed, View::new(&read.world), &policy, now, Surface::Check).findings {
            let _ = located.site.positions.nearest(finding.field());
        }
    }
});
