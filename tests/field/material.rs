//! Certificates, keys and revocation lists in the place of their names.
//!
//! In a manifest `"@chain ledger"` becomes the base64 of what it names, as `data` of a Secret wants it, and `"@text chain ledger"`
//! the text itself. A file that is nothing but `@chain ledger` becomes the text. Several parts are joined by ` + `.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::expectation::{Recipe, Recipes};
use crate::support::forge::{CLIENT_AUTH, Forge, Forged, Key, Kind, SERVER_AUTH, revocation_list};

/// What has been minted for a folder.
pub(crate) struct Material<'a> {
    recipes: &'a Recipes,
    authorities: BTreeMap<String, Forged>,
    leaves: BTreeMap<String, Forged>,
}

impl<'a> Material<'a> {
    pub(crate) fn new(recipes: &'a Recipes) -> Self {
        Self { recipes, authorities: BTreeMap::new(), leaves: BTreeMap::new() }
    }

    /// The text of a file with everything in its place.
    pub(crate) fn fill(&mut self, text: &str) -> String {
        if let Some(recipe) = text.strip_prefix('@') {
            return self.make(recipe.trim_end());
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, from)) = rest.split_once("\"@") {
            let (recipe, after) = from.split_once('"').expect("an end");
            out.push_str(before);
            out.push_str(&match recipe.strip_prefix("text ") {
                Some(recipe) => serde_json::to_string(&self.make(recipe)).expect("a text"),
                None => STANDARD.encode(self.make(recipe)),
            });
            rest = after;
        }
        out + rest
    }

    fn make(&mut self, recipe: &str) -> String {
        recipe.split(" + ").map(|part| self.part(part)).collect()
    }

    fn part(&mut self, part: &str) -> String {
        match part.split_once(' ') {
            Some(("root", name)) => self.authority(name).pem(),
            Some(("leaf", name)) => self.leaf(name).pem(),
            Some(("key", name)) => self.leaf(name).key.pem.clone(),
            Some(("chain", name)) => {
                let mut chain = self.leaf(name).pem();
                // Every intermediate, the nearest first; a root isn't sent along.
                let mut by = self.recipe(name).by.as_str();
                while let Some((above, _)) = by.rsplit_once('/') {
                    chain.push_str(&self.authority(by).pem());
                    by = above;
                }
                chain
            }
            Some(("crl", name)) => {
                let list = self.recipes.revocations.get(name).unwrap_or_else(|| panic!("no revocation list {name}"));
                let revoked: Vec<u64> = list.revokes.iter().map(|name| self.leaf(name).serial()).collect();
                revocation_list(&self.authority(&list.by), &revoked, list.days)
            }
            _ => panic!("@{part} is nothing that can be minted"),
        }
    }

    fn recipe(&self, name: &str) -> &'a Recipe {
        self.recipes.certificates.get(name).unwrap_or_else(|| panic!("no certificate {name}"))
    }

    /// An authority by its path: `root`, or `root/intermediate`.
    fn authority(&mut self, path: &str) -> Forged {
        if let Some(known) = self.authorities.get(path) {
            return known.clone();
        }
        let made = match path.rsplit_once('/') {
            Some((above, name)) => Forge::authority(&format!("{name} intermediate")).issued_by(&self.authority(above)),
            None => Forge::authority(&format!("{path} root")).self_signed(),
        };
        self.authorities.insert(path.to_owned(), made.clone());
        made
    }

    fn leaf(&mut self, name: &str) -> Forged {
        if let Some(known) = self.leaves.get(name) {
            return known.clone();
        }
        let recipe = self.recipe(name);
        let names: Vec<&str> = recipe.names.iter().map(String::as_str).collect();
        let usages: Vec<&str> = recipe
            .usages
            .iter()
            .map(|usage| match usage.as_str() {
                "server" => SERVER_AUTH,
                "client" => CLIENT_AUTH,
                other => panic!("{other} is no usage"),
            })
            .collect();
        let by = self.authority(&recipe.by);
        let kind = kind(&recipe.key);
        let mint = || {
            // They are drawn in turn: by leaving out some by chance, two tests side by side don't each see the same half of them.
            for _ in 0..RandomState::new().hash_one(name) % 5 {
                Key::new(kind);
            }
            let leaf = Forge::leaf(&names).usages(&usages).days(recipe.days.0, recipe.days.1).key(kind);
            leaf.issued_by(&by)
        };
        // RSA keys are drawn from a few that all tests share: no two certificates of a folder have the same.
        let is_new = |made: &Forged| self.leaves.values().all(|other| other.key.pem != made.key.pem);
        let made = std::iter::repeat_with(mint).take(50).find(is_new).expect("a key that the folder hasn't");
        self.leaves.insert(name.to_owned(), made.clone());
        made
    }
}

fn kind(key: &str) -> Kind {
    match key {
        "p256" => Kind::P256,
        "p384" => Kind::P384,
        "p521" => Kind::Curve("P-521"),
        "ed25519" => Kind::Ed25519,
        rsa => Kind::Rsa(rsa.strip_prefix("rsa").and_then(|bits| bits.parse().ok()).expect("a kind of key")),
    }
}
