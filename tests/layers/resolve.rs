//! Finds the file that defines what a path names.

use crate::tree::{CRATE, FileId, ModuleId, Tree};

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A module.
    Module(ModuleId),
    /// Something else, defined in this file.
    Item(FileId),
}

/// What is looked for: names of modules, types and functions don't exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// What can have `::` after it.
    Scope,
    /// The end of a path.
    Any,
}

/// A search under way.
#[derive(Default)]
struct Search {
    /// The names that it is asking for already, so that imports which name each other end it.
    asked: Vec<(ModuleId, String, Wanted)>,
    /// Whether a name that isn't found is taken for one that a macro makes: it counts to where that would be.
    guesses: bool,
}

impl Tree {
    /// What `path` leads to in `module`, or `None` where that is in another crate.
    pub(super) fn resolve(&self, module: ModuleId, path: &[String]) -> Option<Found> {
        let strictly = self.follow(module, path, Wanted::Any, &mut Search::default());
        let guessing = || self.follow(module, path, Wanted::Any, &mut Search { guesses: true, ..Search::default() });
        strictly.or_else(guessing)
    }

    /// The same for a path of one part, where only `*` could have brought it: by name, the `use` was counted.
    pub(super) fn resolve_by_glob(&self, module: ModuleId, name: &str) -> Option<Found> {
        let known = &self.modules[module];
        if known.items.contains_key(name) || known.imports.iter().any(|import| import.name.as_deref() == Some(name)) {
            return None;
        }
        let found = self.look_into_globs(module, name, Wanted::Any, &mut Search::default())?;
        matches!(found, Found::Item(_)).then_some(found)
    }

    /// The file of a macro that is called by its name alone: of this module or of one around it, else any of the crate.
    pub(super) fn resolve_macro(&self, module: ModuleId, name: &str) -> Option<FileId> {
        let mut around = Some(module);
        while let Some(id) = around {
            if self.modules[id].macros.contains(name) {
                return Some(self.modules[id].file);
            }
            around = self.modules[id].parent;
        }
        self.modules.iter().find(|module| module.macros.contains(name)).map(|module| module.file)
    }

    /// The file that what was found counts to.
    pub(super) fn file_of(&self, found: Found) -> FileId {
        match found {
            Found::Module(module) => self.modules[module].file,
            Found::Item(file) => file,
        }
    }

    fn follow(&self, module: ModuleId, path: &[String], wanted: Wanted, search: &mut Search) -> Option<Found> {
        let (first, mut rest) = path.split_first()?;
        let wanted_of = |rest: &[String]| if rest.is_empty() { wanted } else { Wanted::Scope };
        let mut found = match first.as_str() {
            "crate" => Found::Module(self.root_of(module)),
            "self" => Found::Module(module),
            "super" => Found::Module(self.modules[module].parent?),
            "" => {
                let (name, after) = rest.split_first()?;
                rest = after;
                (name == CRATE).then_some(Found::Module(0))?
            }
            name => match self.look_up(module, name, wanted_of(rest), true, search) {
                Some(found) => found,
                None if name == CRATE => Found::Module(0),
                None => return None,
            },
        };
        while let (Found::Module(here), Some((name, after))) = (found, rest.split_first()) {
            rest = after;
            let guess = search.guesses.then_some(Found::Item(self.modules[here].file));
            found = match name.as_str() {
                "super" => Found::Module(self.modules[here].parent?),
                "self" => Found::Module(here),
                name => self.look_up(here, name, wanted_of(rest), true, search).or(guess)?,
            };
        }
        Some(found)
    }

    /// What `name` is in a module. From `inside` it, or by its path, private names are seen too; a `*` elsewhere brings
    /// the others only.
    fn look_up(
        &self,
        module: ModuleId,
        name: &str,
        wanted: Wanted,
        inside: bool,
        search: &mut Search,
    ) -> Option<Found> {
        let question = (module, name.to_owned(), wanted);
        if search.asked.contains(&question) {
            return None;
        }
        search.asked.push(question);
        let known = &self.modules[module];
        let child = known.children.get(name).map(|child| Found::Module(*child));
        let item = known.items.get(name).is_some_and(|shown| *shown || inside) || known.macros.contains(name);
        let item = item.then_some(Found::Item(known.file));
        let found = match wanted {
            Wanted::Scope => child.or(item),
            Wanted::Any => item,
        };
        let seen = known.imports.iter().filter(|import| import.shown || inside);
        let found = found.or_else(|| {
            let mut named = seen.filter(|import| import.name.as_deref() == Some(name));
            named.find_map(|import| self.follow(module, &import.path, wanted, search))
        });
        let found = found.or(child).or_else(|| self.look_into_globs(module, name, wanted, search));
        search.asked.pop();
        found
    }

    fn look_into_globs(&self, module: ModuleId, name: &str, wanted: Wanted, search: &mut Search) -> Option<Found> {
        let mut globs = self.modules[module].imports.iter().filter(|import| import.name.is_none());
        globs.find_map(|import| match self.follow(module, &import.path, Wanted::Scope, search)? {
            Found::Module(there) => {
                let inside = self.modules[module].path.starts_with(&self.modules[there].path);
                self.look_up(there, name, wanted, inside, search)
            }
            Found::Item(_) => None,
        })
    }

    fn root_of(&self, module: ModuleId) -> ModuleId {
        std::iter::successors(Some(module), |id| self.modules[*id].parent).last().unwrap_or(module)
    }
}
