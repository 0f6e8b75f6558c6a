//! …

use crate::Report;
use crate::mesh::Mesh;

#[test]
fn generate() {
    for (n, mesh) in [(3, Mesh::of_three()), (60, Mesh::of(60)), (200, Mesh::of(200)), (2000, Mesh::of(2000))] {
        let report = Report::of(&mesh);
        std::fs::copy(report.url().strip_prefix("file://").unwrap(), format!("/tmp/report-scratch/gen/{n}.html")).unwrap();
        std::fs::copy(report.url().strip_prefix("file://").unwrap().replace(".html", ".json"), format!("/tmp/report-scratch/gen/{n}.json")).unwrap();
    }
}
