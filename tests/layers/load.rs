//! Loads the files of a crate, as `mod` brings them in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Item, ItemMod, Meta};

use crate::prune::Pruned;
use crate::source::{Sources, slashed};
use crate::tree::{File, Imports, Module, ModuleId, Tree, defined};

/// Reads the crate of which `src/lib.rs`, and perhaps `src/main.rs`, is the root: the tree, and what stands in each of
/// its files apart from test code. That stays with the thread that read it, which knows its lines.
pub(super) fn load(sources: &Sources) -> (Tree, Vec<syn::File>) {
    let mut loader = Loader { sources, tree: Tree::default(), syntaxes: Vec::new(), tests: BTreeSet::new() };
    for root in ["src/lib.rs", "src/main.rs"] {
        if sources.text(root).is_some() {
            loader.load(Place { path: PathBuf::from(root), folder: PathBuf::from("src") }, Vec::new(), None);
        }
    }
    let Loader { mut tree, syntaxes, tests, .. } = loader;
    let known: BTreeSet<&str> = tree.files.iter().map(|file| file.path.as_str()).collect();
    let orphans = sources.paths().into_iter().filter(|path| !known.contains(path) && !tests.contains(*path));
    let orphans: Vec<String> = orphans.map(|path| format!("{path}: no `mod` brings it in")).collect();
    tree.problems.extend(orphans);
    (tree, syntaxes)
}

struct Loader<'a> {
    sources: &'a Sources,
    tree: Tree,
    syntaxes: Vec<syn::File>,
    /// The files that only tests bring in.
    tests: BTreeSet<String>,
}

impl Loader<'_> {
    fn load(&mut self, place: Place, path: Vec<String>, parent: Option<ModuleId>) -> Option<ModuleId> {
        let name = slashed(&place.path);
        let Some(text) = self.sources.text(&name) else {
            self.tree.problems.push(format!("{name}: a `mod` names it, and it isn't there"));
            return None;
        };
        let mut syntax = match syn::parse_file(text) {
            Ok(syntax) => syntax,
            Err(error) => {
                self.tree.problems.push(format!("{name}:{}: {error}", error.span().start().line));
                return None;
            }
        };
        let pruned = Pruned::of(&mut syntax);
        for (around, module) in &pruned.modules {
            self.mark_test(&place.within(around), module);
        }
        let (file, module) = (self.tree.files.len(), self.tree.modules.len());
        self.tree.modules.push(Module::new(path, parent, file));
        self.tree.files.push(File { path: name, module, test_lines: pruned.lines });
        let items = syntax.items.clone();
        self.syntaxes.push(syntax);
        self.fill(&place, module, &items);
        Some(module)
    }

    /// Notes what the items of a module define and import, and loads the modules among them.
    fn fill(&mut self, place: &Place, module: ModuleId, items: &[Item]) {
        for item in items {
            if let Item::Mod(inner) = item {
                self.module(place, module, inner);
                continue;
            }
            let known = &mut self.tree.modules[module];
            if let Item::Macro(definition) = item {
                known.macros.extend(definition.ident.as_ref().map(ToString::to_string));
            }
            known.items.extend(defined(item));
            let mut imports = Imports::default();
            imports.visit_item(item);
            known.imports.extend(imports.0);
        }
    }

    /// A module within a module.
    fn module(&mut self, place: &Place, around: ModuleId, item: &ItemMod) {
        let name = item.ident.to_string();
        let modules = &mut self.tree.modules;
        let path = [modules[around].path.as_slice(), std::slice::from_ref(&name)].concat();
        let child = if let Some((_, items)) = &item.content {
            let child = modules[around].children.get(&name).copied().unwrap_or(modules.len());
            if child == modules.len() {
                let file = modules[around].file;
                modules.push(Module::new(path, Some(around), file));
            }
            self.fill(&place.within(std::slice::from_ref(&name)), child, items);
            Some(child)
        } else {
            self.load(place.file_of(self.sources, item), path, Some(around))
        };
        self.tree.modules[around].children.extend(child.map(|child| (name, child)));
    }

    /// Notes the files that only tests bring in.
    fn mark_test(&mut self, place: &Place, module: &ItemMod) {
        let place = place.file_of(self.sources, module);
        let name = slashed(&place.path);
        let Some(text) = self.sources.text(&name) else { return };
        if self.tests.insert(name)
            && let Ok(file) = syn::parse_file(text)
        {
            for item in &file.items {
                if let Item::Mod(inner) = item
                    && inner.content.is_none()
                {
                    self.mark_test(&place, inner);
                }
            }
        }
    }
}

/// Where a module's code stands, and the folder of the modules in it.
struct Place {
    path: PathBuf,
    folder: PathBuf,
}

impl Place {
    /// The place of an inline module.
    fn within(&self, modules: &[String]) -> Self {
        Self {
            path: self.path.clone(),
            folder: modules.iter().fold(self.folder.clone(), |folder, name| folder.join(name)),
        }
    }

    /// The place of `mod x;`.
    fn file_of(&self, sources: &Sources, module: &ItemMod) -> Self {
        let name = module.ident.to_string();
        if let Some(path) = named_path(module) {
            let path = self.path.parent().unwrap_or(Path::new("")).join(path);
            let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
            return Self { path, folder };
        }
        let folder = self.folder.join(&name);
        let file = self.folder.join(format!("{name}.rs"));
        let path = if sources.text(&slashed(&file)).is_some() { file } else { folder.join("mod.rs") };
        Self { path, folder }
    }
}

/// The file that `#[path = "…"]` names.
fn named_path(module: &ItemMod) -> Option<String> {
    module.attrs.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    })
}
