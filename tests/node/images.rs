//! The images on the nodes: meshvet's, as `scripts/dist` made it, and two that the suite makes.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::node;
use crate::sandbox;

/// Of pods that do nothing.
pub(crate) const PAUSE: &str = "localhost/pause:1";
/// kubectl and a shell, for `helm test`.
pub(crate) const KUBECTL: &str = "localhost/kubectl:1";
/// meshvet's, without its tag.
pub(crate) const MESHVET: &str = "localhost/meshvet";

/// The folder that `scripts/dist` wrote: `MESHVET_DIST`, or its default.
fn dist() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/dist-out");
    std::env::var_os("MESHVET_DIST").map_or_else(default, PathBuf::from)
}

/// The file in [`dist`] whose name begins and ends like this.
fn distributed(start: &str, end: &str) -> PathBuf {
    let folder = dist();
    let entries = std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
    let fits = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(start) && name.ends_with(end)
    };
    let found = entries.map(|entry| entry.path()).find(fits);
    found.unwrap_or_else(|| panic!("no {start}…{end} in {}: run scripts/dist", folder.display()))
}

/// The archive of meshvet's image for this machine. `MESHVET_NODE_IMAGE` puts another in its place.
pub(crate) fn meshvet() -> PathBuf {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let default = || distributed("meshvet-", &format!("-linux-{arch}.oci.tar"));
    std::env::var_os("MESHVET_NODE_IMAGE").map_or_else(default, PathBuf::from)
}

/// The chart, packaged. `MESHVET_NODE_CHART` puts another in its place, a folder say.
pub(crate) fn chart() -> PathBuf {
    std::env::var_os("MESHVET_NODE_CHART").map_or_else(|| distributed("meshvet-chart-", ".tgz"), PathBuf::from)
}

/// All of them.
pub(crate) fn all() -> Vec<PathBuf> {
    let pause = node::program("pause");
    let pause = make(PAUSE, "pause", &[(&pause, "/pause")], "/pause");
    let kubectl = sandbox::assets().join("kubectl");
    let busybox = Path::new("/bin/busybox");
    let kubectl = make(KUBECTL, "kubectl", &[(&kubectl, "/bin/kubectl"), (busybox, "/bin/sh")], "/bin/sh");
    vec![pause, kubectl, meshvet()]
}

/// An image of nothing but these programs, each linked statically, for a user who isn't root.
fn make(image: &str, name: &str, programs: &[(&Path, &str)], entry: &str) -> PathBuf {
    let storage = sandbox::work().join("images");
    let buildah = |arguments: &[&str]| {
        let mut command = Command::new("buildah");
        command.args(["--storage-driver", "vfs", "--root"]).arg(storage.join("root")).arg("--runroot");
        let output = command.arg(storage.join("run")).args(arguments).output().expect("buildah runs");
        assert!(output.status.success(), "buildah {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    buildah(&["from", "--name", name, "scratch"]);
    for (program, path) in programs {
        buildah(&["copy", "--quiet", "--chmod=0755", name, &program.display().to_string(), path]);
    }
    let entry = format!("[\"{entry}\"]");
    buildah(&["config", "--entrypoint", &entry, "--user", "65532:65532", "--env", "PATH=/bin", name]);
    let archive = storage.join(format!("{name}.tar"));
    buildah(&["commit", "--quiet", "--rm", name, &format!("oci-archive:{}:{image}", archive.display())]);
    archive
}
