//! Any bytes as the body of an admission review: read, and its object judged, without a panic.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use meshvet::admission::quick;
use meshvet::admission::review::{Matter, Request};
use meshvet::mesh::{View, World};
use meshvet::policy::Policy;
use meshvet::rules::{Surface, judge};

fuzz_target!(|body: &[u8]| {
    let request = quick::parse(body);
    assert_eq!(format!("{request:?}"), format!("{:?}", Request::parse(body)), "both ways read the same");
    let Ok(request) = request else { return };
    let Matter::Object(change) = &request.subject else { return };
    let (world, policy) = (World::default(), Policy::default());
    for reviewed in [Some(&change.new), change.old.as_ref()].into_iter().flatten().flatten() {
        let _ = judge(reviewed, View::new(&world), &policy, Timestamp::UNIX_EPOCH, Surface::Admission);
    }
});
