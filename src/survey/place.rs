//! From objects and fields to places in files.

use crate::finding::{Finding, Trait};
use crate::sources::manifests::{Manifests, Mark, Site};
use crate::survey::{Place, fixes};

/// The place of a finding's field in its file. For a field that shouldn't exist, the place of its name.
pub(super) fn of_finding(manifests: &Manifests, site: &Site, finding: &Finding) -> Place {
    let by_key = finding.rule.has(Trait::FieldName);
    let mark = Some(finding.field())
        .filter(|_| by_key)
        .and_then(|field| site.positions.key(field))
        .unwrap_or_else(|| site.positions.nearest(finding.field()));
    let mend = finding.problem.mend.as_ref().zip(manifests.source(site.source));
    let edit = mend.and_then(|(mend, source)| fixes::edit(mend, finding.field(), &site.positions, source));
    Place { edit, ..of_mark(manifests, site, mark) }
}

/// The place of a mark in an object's file.
pub(super) fn of_mark(manifests: &Manifests, site: &Site, mark: Mark) -> Place {
    let source = manifests.source(site.source);
    Place {
        file: source.map(|source| source.name.clone()).unwrap_or_default(),
        line: mark.line,
        column: mark.column,
        width: mark.width,
        text: source.and_then(|source| source.line(mark.line)).map(str::to_owned),
        template: source.filter(|source| source.piped).and(site.template.clone()),
        edit: None,
    }
}

/// The file of an object; if it was read from a pipe, the file that it was rendered from.
pub(super) fn file(manifests: &Manifests, site: &Site) -> Option<String> {
    let source = manifests.source(site.source)?;
    Some(site.template.clone().filter(|_| source.piped).unwrap_or_else(|| source.name.clone()))
}
