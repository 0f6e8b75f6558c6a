//! A folder as the kubelet makes it of a Secret or a ConfigMap.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use serde_json::Value;

/// File names and what is in them.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// A mounted volume: each file is a link through `..data`, which is itself a link to a folder of this moment's content.
pub(crate) struct Volume {
    folder: PathBuf,
}

impl Volume {
    pub(crate) fn mount(folder: PathBuf, files: &Files) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let volume = Self { folder };
        volume.update(files);
        for (name, _) in files {
            symlink(Path::new("..data").join(name), volume.folder.join(name)).unwrap();
        }
        volume
    }

    /// Swaps the content, all files at once: `..data` is replaced by renaming a new link over it.
    pub(crate) fn update(&self, files: &Files) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let content = format!("..content_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        std::fs::create_dir(self.folder.join(&content)).unwrap();
        for (name, bytes) in files {
            std::fs::write(self.folder.join(&content).join(name), bytes).unwrap();
        }
        let before = std::fs::read_link(self.folder.join("..data")).ok();
        symlink(&content, self.folder.join("..data_tmp")).unwrap();
        std::fs::rename(self.folder.join("..data_tmp"), self.folder.join("..data")).unwrap();
        if let Some(before) = before {
            std::fs::remove_dir_all(self.folder.join(before)).unwrap();
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The files that a Secret or ConfigMap, as kubectl prints it, becomes.
pub(crate) fn files(object: &Value) -> Files {
    let secret = object["kind"] == "Secret";
    let data = object["data"].as_object().into_iter().flatten();
    data.map(|(name, text)| {
        let text = text.as_str().expect("text");
        let bytes = if secret {
            let engine = base64::engine::general_purpose::STANDARD;
            engine.decode(text).expect("base64")
        } else {
            text.as_bytes().to_vec()
        };
        (name.clone(), bytes)
    })
    .collect()
}
