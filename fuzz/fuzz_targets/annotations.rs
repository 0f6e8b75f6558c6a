//! Any text as the annotations that mount files into a proxy: read without a panic, and never into nonsense. The first line is
//! the annotation of Secrets, the rest that of volumes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshvet::apis::appmesh::annotations::{conflicts, parse_secret_mounts, parse_volume_mounts};
use meshvet::mesh::clean_path;

fuzz_target!(|text: &str| {
    let (secrets, volumes) = text.split_once('\n').unwrap_or((text, ""));
    let (secrets, volumes) = (parse_secret_mounts(secrets), parse_volume_mounts(volumes));
    for problem in conflicts(&secrets, &volumes, ["tls", "ca"]) {
        let _ = problem.to_string();
    }
    for mount in secrets.mounts.iter().chain(&volumes.mounts) {
        assert!(!mount.name.is_empty() && !mount.path.is_empty(), "an entry of nothing is a problem, not a mount");
        let clean = clean_path(&mount.path);
        assert_eq!(clean_path(&clean), clean, "a clean path stays as it is");
    }
});
