//! How findings are told: one file a format, all of the same [`Report`].

pub mod html;
mod json;
pub mod map;
mod text;
pub mod tree;

use crate::finding::{Finding, Severity};

pub use json::json;
pub(crate) use text::{BOLD, FAINT, GREEN, RED, YELLOW, clean, plural};
pub use text::{Style, text};

/// What judging manifests showed.
#[derive(Debug, Default)]
pub struct Report {
    /// What was found, in the order of the objects in their files, most severe first for each. Each only once.
    pub findings: Vec<Reported>,
    /// Files, or documents in them, that couldn't be read.
    pub errors: Vec<Unread>,
    /// How many objects were judged.
    pub objects: usize,
    /// Certificates and authorities at AWS that nobody asked about.
    pub not_asked: usize,
}

/// A finding with its place in a file.
#[derive(Debug)]
pub struct Reported {
    /// The finding.
    pub finding: Finding,
    /// Where its field stands; None where its object is in no file.
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
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
}

/// Something that couldn't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
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
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|it| it.finding.suppressed.is_none() && it.finding.severity == severity).count()
    }

    /// Findings that their object's owner asked to leave.
    pub fn suppressed(&self) -> usize {
        self.findings.iter().filter(|it| it.finding.suppressed.is_some()).count()
    }

    /// Whether anything of this severity or above was found.
    pub fn fails(&self, at: Severity) -> bool {
        self.findings.iter().any(|it| it.finding.suppressed.is_none() && it.finding.severity >= at)
    }
}
