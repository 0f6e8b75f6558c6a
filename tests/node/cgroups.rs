//! The cgroups of nodes: each kubelet has a tree of its own, or they would end one another's pods.

use std::path::{Path, PathBuf};

const ROOT: &str = "/sys/fs/cgroup";

/// Every hierarchy: one, or with cgroup v1 one for each controller.
fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    if root.join("cgroup.controllers").exists() {
        return vec![root.to_owned()];
    }
    let entries = std::fs::read_dir(root).expect("cgroups").filter_map(Result::ok);
    // Controllers that share a hierarchy are links to it.
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

/// Makes a tree of this name, empty, whatever a run that was cut off has left there.
pub(crate) fn make(name: &str) {
    remove(name);
    for hierarchy in hierarchies() {
        let folder = hierarchy.join(name);
        std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        // Without these no process can be put there.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let Ok(all) = std::fs::read_to_string(hierarchy.join(file)) {
                let _ = std::fs::write(folder.join(file), all.trim());
            }
        }
    }
}

/// Removes a tree in which no process is left.
pub(crate) fn remove(name: &str) {
    for hierarchy in hierarchies() {
        remove_below(&hierarchy.join(name));
    }
}

fn remove_below(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        remove_below(&entry.path());
    }
    let _ = std::fs::remove_dir(folder);
}

/// What the kernel holds a container to, and the most that it has used, both in bytes: of the container with this id.
pub(crate) fn memory(container: &str) -> (u64, u64) {
    let (limit, most) = if Path::new(ROOT).join("cgroup.controllers").exists() {
        ("memory.max", "memory.peak")
    } else {
        ("memory.limit_in_bytes", "memory.max_usage_in_bytes")
    };
    let folder = hierarchies().into_iter().find_map(|hierarchy| below(&hierarchy, container, limit));
    let folder = folder.unwrap_or_else(|| panic!("no cgroup of {container}"));
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap().trim().parse().expect("a number");
    (read(limit), read(most))
}

/// The folder of this name that has this file.
fn below(folder: &Path, name: &str, file: &str) -> Option<PathBuf> {
    if folder.ends_with(name) && folder.join(file).exists() {
        return Some(folder.to_owned());
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.find_map(|entry| below(&entry.path(), name, file))
}
