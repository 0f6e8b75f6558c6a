//! What judging many objects showed, as data: every format is a rendering of it.

use crate::apis::{self, Row};
use crate::finding::{Finding, Severity};
use crate::k8s::ObjectRef;
use crate::survey::entry::Entry;
use crate::survey::fixes::Edit;
use crate::text::hex;

/// What judging manifests showed.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What was found, in the order of the objects in their files, most severe first for each. Each only once.
    pub findings: Vec<Reported>,
    /// Files, or documents in them, that couldn't be read.
    pub errors: Vec<Unread>,
    /// How many objects were judged.
    pub objects: usize,
    /// Certificates and authorities at AWS that nobody asked about.
    pub not_asked: usize,
    /// The objects that were judged, each with its file where it is in one. Empty where nobody kept them.
    pub judged: Vec<(ObjectRef, Option<String>)>,
    /// What a baseline knew already: not told, not counted.
    pub known: Vec<Reported>,
    /// What a baseline holds and is no longer found.
    pub gone: Vec<Entry>,
}

/// A finding with its place in a file.
#[derive(Debug)]
pub(crate) struct Reported {
    /// The finding.
    pub finding: Finding,
    /// Where its field is; None where its object is in no file.
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The path as it was given, or `stdin`.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// How many characters are meant; 0: all up to the end of the line.
    pub width: u32,
    /// The line's text, where it may be shown.
    pub text: Option<String>,
    /// The file that the object was rendered from, where the text came by a pipe and says so: what a person has to fix.
    pub template: Option<String>,
    /// What fixes the field automatically, where anything does.
    pub edit: Option<Edit>,
}

impl Place {
    /// The file to fix, and the line and column in it: those of a template aren't known.
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
    /// What recognises the finding in another run, whatever its line: 32 hexadecimal digits.
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
    /// The path as it was given, or `stdin`.
    pub file: String,
    /// 1-based; None where the whole file is meant.
    pub line: Option<u32>,
    /// 1-based, in characters.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
}

impl Report {
    /// Findings that count with this severity: those that aren't suppressed.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|it| it.finding.suppressed.is_none() && it.finding.severity == severity).count()
    }

    /// Findings that their object's owner asked to leave.
    pub(crate) fn suppressed(&self) -> usize {
        self.findings.iter().filter(|it| it.finding.suppressed.is_some()).count()
    }

    /// How many of the judged objects are of a mesh: TLS is theirs, and workloads alone say nothing of it.
    pub(crate) fn mesh_objects(&self) -> usize {
        let of_mesh = |object: &ObjectRef| apis::row(&object.api_version, &object.kind).is_some_and(Row::is_reviewed);
        self.judged.iter().filter(|(object, _)| of_mesh(object)).count()
    }

    /// Whether anything of this severity or above was found.
    pub(crate) fn fails(&self, at: Severity) -> bool {
        self.findings.iter().any(|it| it.finding.suppressed.is_none() && it.finding.severity >= at)
    }
}
