//! The report as people look at it: the real binary's page in a real Chromium, opened, clicked, searched and walked by keyboard.
//!
//! Pictures of each state are kept in the folder `report-pictures` of the build's temporary folder (`target/tmp`).

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod contrast;
mod counts;
mod gateways;
mod large;
mod looks;
mod narrow;
mod served;
mod shots;
mod states;
mod tree;
mod walks;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::support::mesh::Mesh;

/// The report of a mesh as a page in a folder, made by the real binary.
pub(crate) struct Report {
    folder: TempDir,
}

pub(crate) const PAGE: &str = "mesh.html";

impl Report {
    #[track_caller]
    pub(crate) fn of(mesh: &Mesh) -> Self {
        let report = Self { folder: tempfile::tempdir().expect("a folder") };
        mesh.write(&report.folder.path().join("mesh.json"));
        report.make();
        report
    }

    /// One that manifests have yet to be added to.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// Adds a manifest, and makes the page again.
    #[track_caller]
    pub(crate) fn add(&mut self, name: &str, manifest: &str) {
        std::fs::write(self.folder.path().join(name), manifest).expect("a file");
        self.make();
    }

    #[track_caller]
    fn make(&self) {
        let output = Command::new(env!("CARGO_BIN_EXE_meshvet"))
            .args(["check", ".", "-o", "html"])
            .current_dir(self.folder.path())
            .output()
            .expect("meshvet runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}: {said}", output.status);
        std::fs::write(self.folder.path().join(PAGE), output.stdout).expect("a file");
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the page is made of.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        let page = std::fs::read_to_string(self.folder.path().join(PAGE)).expect("the page");
        let (_, data) = page.split_once("id=\"data\">").expect("the data");
        let (data, _) = data.split_once("</script>").expect("its end");
        serde_json::from_str(data).expect("JSON")
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.folder.path().join(PAGE).display())
    }

    /// The page opened in a browser of its own.
    #[track_caller]
    pub(crate) fn open(&self) -> Browser {
        let mut browser = Browser::start(1440, 900);
        browser.open(&self.url());
        browser
    }
}
