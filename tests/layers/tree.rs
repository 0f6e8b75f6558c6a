//! The crate as a tree of modules: what each defines and imports, and which file it stands in.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Item, ItemMod, UseTree, Visibility};

/// The crate's own name, by which the binary calls it.
pub(super) const CRATE: &str = "meshvet";

/// The index of a module in [`Tree::modules`].
pub(super) type ModuleId = usize;
/// The index of a file in [`Tree::files`].
pub(super) type FileId = usize;

/// A source file.
pub(super) struct File {
    /// Its path.
    pub(super) path: String,
    /// The module that it is.
    pub(super) module: ModuleId,
    /// The lines of its test code.
    pub(super) test_lines: Vec<RangeInclusive<usize>>,
}

/// A module, of a file or inline.
pub(super) struct Module {
    /// Its path from the crate's root.
    pub(super) path: Vec<String>,
    /// The module around it.
    pub(super) parent: Option<ModuleId>,
    /// The file that it stands in.
    pub(super) file: FileId,
    /// The modules in it.
    pub(super) children: BTreeMap<String, ModuleId>,
    /// The other items that it defines, and whether modules around it may see them.
    pub(super) items: BTreeMap<String, bool>,
    /// The macros that it defines.
    pub(super) macros: BTreeSet<String>,
    /// What it imports, those within functions too.
    pub(super) imports: Vec<Import>,
}

/// One name of a `use`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    /// The name that it brings, `None` for `*`.
    pub(super) name: Option<String>,
    /// The path, with `::` at its beginning as an empty part.
    pub(super) path: Vec<String>,
    /// Where it stands.
    pub(super) line: usize,
    /// Whether modules around may see it.
    pub(super) shown: bool,
}

/// A crate's files and modules.
#[derive(Default)]
pub(super) struct Tree {
    /// The files that are compiled without tests.
    pub(super) files: Vec<File>,
    /// Their modules; the library's root comes first.
    pub(super) modules: Vec<Module>,
    /// What is wrong with the tree: files that nothing brings in, or that aren't there.
    pub(super) problems: Vec<String>,
}

impl Tree {
    /// The module that a file is.
    pub(super) fn module_of(&self, file: FileId) -> &Module {
        &self.modules[self.files[file].module]
    }

    /// The top-level module that a file belongs to; `None` for the roots.
    pub(super) fn top(&self, file: FileId) -> Option<&str> {
        self.module_of(file).path.first().map(String::as_str)
    }

    /// Whether one of two files is the module around the other's.
    pub(super) fn are_kin(&self, one: FileId, other: FileId) -> bool {
        let (one, other) = (&self.module_of(one).path, &self.module_of(other).path);
        one.starts_with(other) || other.starts_with(one)
    }
}

impl Module {
    /// A module of which nothing is known yet.
    pub(super) fn new(path: Vec<String>, parent: Option<ModuleId>, file: FileId) -> Self {
        let (children, items, macros, imports) = Default::default();
        Self { path, parent, file, children, items, macros, imports }
    }
}

/// The name that an item defines, and whether modules around may see it.
pub(super) fn defined(item: &Item) -> Option<(String, bool)> {
    let (name, visibility) = match item {
        Item::Const(item) => (&item.ident, &item.vis),
        Item::Enum(item) => (&item.ident, &item.vis),
        Item::Fn(item) => (&item.sig.ident, &item.vis),
        Item::Static(item) => (&item.ident, &item.vis),
        Item::Struct(item) => (&item.ident, &item.vis),
        Item::Trait(item) => (&item.ident, &item.vis),
        Item::TraitAlias(item) => (&item.ident, &item.vis),
        Item::Type(item) => (&item.ident, &item.vis),
        Item::Union(item) => (&item.ident, &item.vis),
        _ => return None,
    };
    Some((name.to_string(), is_shown(visibility)))
}

fn is_shown(visibility: &Visibility) -> bool {
    !matches!(visibility, Visibility::Inherited)
}

/// Collects the imports of an item, wherever in it they stand.
#[derive(Default)]
pub(super) struct Imports(pub(super) Vec<Import>);

impl Visit<'_> for Imports {
    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        self.0.extend(imports(item));
    }
    fn visit_item_mod(&mut self, _: &ItemMod) {}
}

/// The names that a `use` brings.
pub(super) fn imports(item: &syn::ItemUse) -> Vec<Import> {
    let mut found = Vec::new();
    let start = item.leading_colon.map(|_| String::new()).into_iter().collect();
    unfold(&item.tree, start, is_shown(&item.vis), &mut found);
    found
}

fn unfold(tree: &UseTree, mut path: Vec<String>, shown: bool, found: &mut Vec<Import>) {
    let line = tree.span().start().line;
    match tree {
        UseTree::Path(step) => {
            path.push(step.ident.to_string());
            unfold(&step.tree, path, shown, found);
        }
        UseTree::Name(leaf) => {
            if leaf.ident != "self" || path.is_empty() {
                path.push(leaf.ident.to_string());
            }
            found.push(Import { name: path.last().cloned(), path, line, shown });
        }
        UseTree::Rename(leaf) => {
            if leaf.ident != "self" || path.is_empty() {
                path.push(leaf.ident.to_string());
            }
            found.push(Import { name: Some(leaf.rename.to_string()), path, line, shown });
        }
        UseTree::Glob(_) => found.push(Import { name: None, path, line, shown }),
        UseTree::Group(group) => group.items.iter().for_each(|tree| unfold(tree, path.clone(), shown, found)),
    }
}
