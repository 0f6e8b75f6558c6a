//! Lines of code that speak of one mesh API.

use std::ops::RangeInclusive;

use proc_macro2::{Delimiter, LineColumn, TokenStream, TokenTree};
use regex::Regex;

use crate::source::Sources;
use crate::tree::Tree;

/// App Mesh's kinds, its group and the keys of its annotations (which the group begins), in any of the ways in which
/// names are written: `VirtualNode`, `virtual_node`, `virtualnodes`, `"virtual node"`, `VIRTUAL_NODE`,
/// `"virtual-node"`. Without word boundaries, because names are made of words: `is_virtual_node`, `GrpcGatewayRoute`.
pub(super) const APP_MESH: &str =
    r"(?i-u)virtual[ _-]?(?:node|gateway|service|router)|gateway[ _-]?route|backend[ _-]?group|app[ _-]?mesh";

/// Gateway API's kinds and its group, and Ingress, likewise. Not `Gateway`, which is a neutral word too.
pub(super) const GATEWAY_API: &str = r"(?i-u)(?:http|grpc|tls|tcp|udp)[ _-]?route|listener[ _-]?set|reference[ _-]?grant|backend[ _-]?tls[ _-]?polic|gateway[ _-]?class|gateway[ _-]?api|ingress|networking\.k8s\.io";

/// A line that is allowed.
pub(super) struct Allowed {
    /// The file.
    pub(super) file: &'static str,
    /// A piece of the line, which no other line with such words has.
    pub(super) piece: &'static str,
    /// Why the word has to be there.
    pub(super) reason: &'static str,
}

/// A line of code that has one of the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The file.
    pub(super) file: String,
    /// Its number.
    pub(super) number: usize,
    /// The line without comments.
    pub(super) code: String,
}

/// The lines with such words in files outside `homes`, which are paths of folders or of files without `.rs`.
pub(super) fn lines(sources: &Sources, tree: &Tree, words: &str, homes: &[&str]) -> Vec<Line> {
    let words = Regex::new(words).expect("the expression is one");
    let away = tree.files.iter().filter(|file| !homes.iter().any(|home| is_in(&file.path, home)));
    let mut found = Vec::new();
    for file in away {
        let text = sources.text(&file.path).unwrap_or_default();
        for (at, code) in code(text).into_iter().enumerate() {
            let test = |lines: &RangeInclusive<usize>| lines.contains(&(at + 1));
            if words.is_match(&code) && !file.test_lines.iter().any(test) {
                found.push(Line { file: file.path.clone(), number: at + 1, code: code.trim().to_owned() });
            }
        }
    }
    found
}

fn is_in(path: &str, home: &str) -> bool {
    path.strip_prefix(home).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// What is wrong with these lines, given the list of those that are allowed and how many may be.
pub(super) fn complaints(lines: &[Line], allowed: &[Allowed], most: usize) -> Vec<String> {
    let matches = |line: &Line, entry: &Allowed| line.file == entry.file && line.code.contains(entry.piece);
    let mut found = Vec::new();
    if allowed.len() > most {
        found.push(format!("{} lines are allowed, where at most {most} may be", allowed.len()));
    }
    for entry in allowed {
        let place = format!("{}, {:?} ({})", entry.file, entry.piece, entry.reason);
        match lines.iter().filter(|line| matches(line, entry)).count() {
            1 => {}
            0 => found.push(format!("no line is what the list allows: {place}")),
            count => found.push(format!("{count} lines are what the list allows for one: {place}")),
        }
    }
    let others = lines.iter().filter(|line| !allowed.iter().any(|entry| matches(line, entry)));
    found.extend(others.map(|line| format!("{}:{}: {}", line.file, line.number, line.code)));
    found
}

/// The lines of a file with blanks where comments are.
pub(super) fn code(text: &str) -> Vec<String> {
    let original: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    let mut kept: Vec<Vec<char>> = original.iter().map(|line| vec![' '; line.len()]).collect();
    let mut keep = |from: LineColumn, to: LineColumn| {
        for number in from.line..=to.line {
            let (Some(line), Some(kept)) = (original.get(number - 1), kept.get_mut(number - 1)) else { continue };
            let first = if number == from.line { from.column } else { 0 };
            let last = if number == to.line { to.column.min(line.len()) } else { line.len() };
            kept[first..last].copy_from_slice(&line[first..last]);
        }
    };
    if let Ok(tokens) = text.parse::<TokenStream>() {
        visit(tokens, &mut keep);
    }
    kept.into_iter().map(|line| line.into_iter().collect()).collect()
}

fn visit(tokens: TokenStream, keep: &mut impl FnMut(LineColumn, LineColumn)) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(length) = doc_comment(&tokens[at..]) {
            at += length;
            continue;
        }
        match &tokens[at] {
            TokenTree::Group(group) => {
                if group.delimiter() != Delimiter::None {
                    keep(group.span_open().start(), group.span_open().end());
                    keep(group.span_close().start(), group.span_close().end());
                }
                visit(group.stream(), keep);
            }
            token => keep(token.span().start(), token.span().end()),
        }
        at += 1;
    }
}

/// How many tokens a doc comment at their beginning is: `# [doc = "…"]` or `# ! [doc = "…"]`.
fn doc_comment(tokens: &[TokenTree]) -> Option<usize> {
    let is =
        |at: usize, wanted: char| matches!(tokens.get(at), Some(TokenTree::Punct(mark)) if mark.as_char() == wanted);
    let at = if is(0, '#') && is(1, '!') { 2 } else { usize::from(is(0, '#')) };
    let Some(TokenTree::Group(group)) = tokens.get(at).filter(|_| at > 0) else { return None };
    let first = group.stream().into_iter().next();
    matches!(first, Some(TokenTree::Ident(name)) if name == "doc").then_some(at + 1)
}
