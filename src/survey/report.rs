//! The result of judging many objects, as data: every output format renders it.

use crate::apis::{self, Row};
use crate::finding::{Finding, Severity};
use crate::k8s::ObjectRef;
use crate::survey::entry::Entry;
use crate::survey::fixes::Edit;
use crate::text::hex;

/// The result of judging many objects.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The findings, each once, in the order of the objects in their files, most severe first for each object.
    pub findings: Vec<Reported>,
    /// Files, or documents in them, that couldn't be read.
    pub errors: Vec<Unread>,
    /// How many objects were judged.
    pub objects: usize,
    /// The number of certificates and authorities in AWS that weren't asked about.
    pub not_asked: usize,
    /// The judged objects, each with its file if it is in one. May be empty if they weren't recorded.
    pub judged: Vec<(ObjectRef, Option<String>)>,
    /// Findings that a baseline contains: neither reported nor counted.
    pub known: Vec<Reported>,
    /// Baseline entries that are no longer found.
    pub gone: Vec<Entry>,
}

/// A finding with its place in a file.
#[derive(Debug)]
pub(crate) struct Reported {
    /// The finding.
    pub finding: Finding,
    /// Its field's place; None if its object isn't in a file.
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The path as given, or `stdin`.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// How many characters to mark; 0: the rest of the line.
    pub width: u32,
    /// The line's text, if it may be shown.
    pub text: Option<String>,
    /// The file that the object was rendered from, if the text came from a pipe and names it: this is the file to fix.
    pub template: Option<String>,
    /// The edit that fixes the field automatically, if there is one.
    pub edit: Option<Edit>,
}

impl Place {
    /// The file to fix, with line and column; those in a template aren't known.
    pub(crate) fn to_mend(&self) -> (&str, Option<(u32, u32)>) {
        match &self.template {
            Some(template) => (template, None),
            None => (&self.file, Some((self.line, self.column))),
        }
    }
}

impl AsRef<Finding> for Reported {
    fn as_ref(&self) -> &Finding {
        &self.finding
    }
}

impl Reported {
    /// Identifies the finding in other runs, regardless of its line: 32 hexadecimal digits.
    pub(crate) fn fingerprint(&self) -> String {
        let (code, object, anchor) = self.finding.identity();
        let namespace = object.namespace.as_deref().unwrap_or_default();
        let parts = [code, &object.api_version, &object.kind, namespace, &object.name, anchor];
        let digest = ring::digest::digest(&ring::digest::SHA256, parts.join("\0").as_bytes());
        hex(digest.as_ref().get(..16).unwrap_or_default())
    }
}

/// Something that couldn't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unread {
    /// The path as given, or `stdin`.
    pub file: String,
    /// 1-based; None for the whole file.
    pub line: Option<u32>,
    /// 1-based, in characters.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
}

impl Report {
    /// The number of findings with this severity, without suppressed ones.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|it| it.finding.suppressed.is_none() && it.finding.severity == severity).count()
    }

    /// The number of suppressed findings.
    pub(crate) fn suppressed(&self) -> usize {
        self.findings.iter().filter(|it| it.finding.suppressed.is_some()).count()
    }

    /// The number of judged objects that belong to a mesh: only they configure TLS; workloads alone don't.
    pub(crate) fn mesh_objects(&self) -> usize {
        let of_mesh = |object: &ObjectRef| apis::row(&object.api_version, &object.kind).is_some_and(Row::is_reviewed);
        self.judged.iter().filter(|(object, _)| of_mesh(object)).count()
    }

    /// Whether there is a finding of this severity or above that isn't suppressed.
    pub(crate) fn fails(&self, at: Severity) -> bool {
        self.findings.iter().any(|it| it.finding.suppressed.is_none() && it.finding.severity >= at)
    }
}
