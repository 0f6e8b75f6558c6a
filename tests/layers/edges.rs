//! Which file uses which: every path of every file, resolved.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, Macro, Visibility};

use crate::tree::{FileId, ModuleId, Tree, imports};

/// What one file uses of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    /// The line of the using file.
    pub(super) line: usize,
    /// The path as it stands there.
    pub(super) path: String,
}

/// The uses of each pair of files, the user first. Files of which one is the module around the other aren't among them.
pub(super) type Edges = BTreeMap<(FileId, FileId), Vec<Use>>;

/// Resolves all paths of the crate.
pub(super) fn edges(tree: &Tree, syntaxes: &[syn::File]) -> Edges {
    let mut edges = Edges::new();
    for (file, syntax) in syntaxes.iter().enumerate() {
        let mut walk = Walk { tree, file, module: tree.files[file].module, edges: &mut edges };
        walk.visit_file(syntax);
    }
    for uses in edges.values_mut() {
        uses.sort();
        uses.dedup();
    }
    edges
}

struct Walk<'a> {
    tree: &'a Tree,
    file: FileId,
    module: ModuleId,
    edges: &'a mut Edges,
}

impl Walk<'_> {
    fn note(&mut self, to: FileId, path: &[String], line: usize) {
        if to != self.file && !self.tree.are_kin(self.file, to) {
            self.edges.entry((self.file, to)).or_default().push(Use { line, path: path.join("::") });
        }
    }

    fn note_path(&mut self, path: &[String], line: usize) {
        let found = match path {
            [name] => self.tree.resolve_by_glob(self.module, name),
            path => self.tree.resolve(self.module, path),
        };
        if let Some(found) = found {
            self.note(self.tree.file_of(found), path, line);
        }
    }

    /// The paths in what is given to a macro, which has no grammar but its own: names with `::` between them.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(_) if starts_path(&tokens, at) => {
                    at = self.path_in_tokens(&tokens, at, Vec::new());
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Reads the path that begins at `at`, after those parts, and returns where it ends.
    fn path_in_tokens(&mut self, tokens: &[TokenTree], mut at: usize, mut path: Vec<String>) -> usize {
        let line = tokens[at].span().start().line;
        while let Some(TokenTree::Ident(name)) = tokens.get(at) {
            path.push(name.to_string());
            at += 1;
            if !is_colons(tokens, at) {
                break;
            }
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(_)) => at += 2,
                // `a::{b, c}`: each of them after what came before.
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let mut next = 0;
                    while next < inner.len() {
                        if matches!(inner[next], TokenTree::Ident(_)) {
                            next = self.path_in_tokens(&inner, next, path.clone());
                        } else {
                            next += 1;
                        }
                    }
                    return at + 3;
                }
                _ => break,
            }
        }
        let call = matches!(tokens.get(at), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
        if let ([name], true) = (path.as_slice(), call) {
            if let Some(to) = self.tree.resolve_macro(self.module, name) {
                self.note(to, &path, line);
            }
        } else if path.len() > 1 || path[0].starts_with(char::is_uppercase) {
            self.note_path(&path, line);
        }
        at
    }
}

/// Whether the name at `at` begins a path, rather than being a field, a method, a later part or a macro's own variable.
fn starts_path(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    match before {
        Some(TokenTree::Punct(mark)) => match mark.as_char() {
            // `..` before a name is a range's.
            '.' => at > 1 && matches!(&tokens[at - 2], TokenTree::Punct(mark) if mark.as_char() == '.'),
            ':' => !(at > 1 && is_colons(tokens, at - 2)),
            '$' => matches!(&tokens[at], TokenTree::Ident(name) if name == "crate"),
            '\'' => false,
            _ => true,
        },
        _ => true,
    }
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    [at, at + 1].iter().all(|at| matches!(tokens.get(*at), Some(TokenTree::Punct(mark)) if mark.as_char() == ':'))
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let child = self.tree.modules[self.module].children.get(&module.ident.to_string()).copied();
        if let (Some(child), Some(_)) = (child, &module.content) {
            let outer = std::mem::replace(&mut self.module, child);
            visit::visit_item_mod(self, module);
            self.module = outer;
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        for import in imports(item) {
            if let Some(found) = self.tree.resolve(self.module, &import.path) {
                let mut path = import.path;
                if import.name.is_none() {
                    path.push("*".to_owned());
                }
                self.note(self.tree.file_of(found), &path, import.line);
            }
        }
    }

    fn visit_item(&mut self, item: &'ast Item) {
        // A macro's rules are read as tokens; the name before them is no call.
        if let Item::Macro(definition) = item
            && definition.ident.is_some()
        {
            self.tokens(definition.mac.tokens.clone());
            return;
        }
        visit::visit_item(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if path.leading_colon.is_some() {
            parts.insert(0, String::new());
        }
        self.note_path(&parts, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        if let Some(name) = call.path.get_ident()
            && let Some(to) = self.tree.resolve_macro(self.module, &name.to_string())
        {
            self.note(to, &[format!("{name}!")], name.span().start().line);
        }
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        let tokens = match &attribute.meta {
            syn::Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        for (path, line) in quoted_paths(tokens.clone()) {
            self.note_path(&path, line);
        }
        self.tokens(tokens);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// Paths in quotes, as serde's attributes have them.
fn quoted_paths(tokens: TokenStream) -> Vec<(Vec<String>, usize)> {
    let literals = tokens.into_iter().filter_map(|token| match token {
        TokenTree::Literal(literal) => {
            syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|text| (text, literal.span()))
        }
        _ => None,
    });
    let paths = literals.filter_map(|(text, span)| {
        let path = syn::parse_str::<syn::Path>(&text.value()).ok()?;
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        (parts.len() > 1).then(|| (parts, span.start().line))
    });
    paths.collect()
}
