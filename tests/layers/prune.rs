//! Takes code under `#[cfg(test)]` out of a file.

use std::ops::RangeInclusive;

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, ImplItem, Item, ItemMod, Meta, Stmt, Token, TraitItem};

/// What was taken out of a file.
#[derive(Default)]
pub(super) struct Pruned {
    /// The lines that it took, first and last.
    pub(super) lines: Vec<RangeInclusive<usize>>,
    /// `mod x;` under `#[cfg(test)]`: the names of the inline modules around it, and the item.
    pub(super) modules: Vec<(Vec<String>, ItemMod)>,
    around: Vec<String>,
}

impl Pruned {
    /// Takes the test code out of `file`.
    pub(super) fn of(file: &mut syn::File) -> Self {
        let mut pruned = Self::default();
        pruned.visit_file_mut(file);
        pruned
    }

    fn drops(&mut self, attributes: &[Attribute], span: Span) -> bool {
        let test = attributes.iter().any(is_test);
        if test {
            let first = attributes.iter().map(|attribute| attribute.span().start().line).min();
            let first = first.unwrap_or(usize::MAX).min(span.start().line);
            self.lines.push(first..=span.end().line);
        }
        test
    }
}

impl VisitMut for Pruned {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        if file.attrs.iter().any(is_test) {
            self.lines.push(1..=usize::MAX);
            file.items.clear();
        }
        self.items(&mut file.items);
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        self.around.push(module.ident.to_string());
        if let Some((_, items)) = &mut module.content {
            self.items(items);
        }
        visit_mut::visit_item_mod_mut(self, module);
        self.around.pop();
    }

    fn visit_item_impl_mut(&mut self, block: &mut syn::ItemImpl) {
        block.items.retain(|item| {
            let attributes: &[Attribute] = match item {
                ImplItem::Const(item) => &item.attrs,
                ImplItem::Fn(item) => &item.attrs,
                ImplItem::Type(item) => &item.attrs,
                ImplItem::Macro(item) => &item.attrs,
                _ => &[],
            };
            !self.drops(attributes, item.span())
        });
        visit_mut::visit_item_impl_mut(self, block);
    }

    fn visit_item_trait_mut(&mut self, block: &mut syn::ItemTrait) {
        block.items.retain(|item| {
            let attributes: &[Attribute] = match item {
                TraitItem::Const(item) => &item.attrs,
                TraitItem::Fn(item) => &item.attrs,
                TraitItem::Type(item) => &item.attrs,
                TraitItem::Macro(item) => &item.attrs,
                _ => &[],
            };
            !self.drops(attributes, item.span())
        });
        visit_mut::visit_item_trait_mut(self, block);
    }

    fn visit_item_enum_mut(&mut self, item: &mut syn::ItemEnum) {
        let variants = std::mem::take(&mut item.variants);
        item.variants = variants.into_iter().filter(|variant| !self.drops(&variant.attrs, variant.span())).collect();
        visit_mut::visit_item_enum_mut(self, item);
    }

    fn visit_fields_named_mut(&mut self, fields: &mut syn::FieldsNamed) {
        let named = std::mem::take(&mut fields.named);
        fields.named = named.into_iter().filter(|field| !self.drops(&field.attrs, field.span())).collect();
        visit_mut::visit_fields_named_mut(self, fields);
    }

    fn visit_expr_struct_mut(&mut self, made: &mut syn::ExprStruct) {
        let fields = std::mem::take(&mut made.fields);
        made.fields = fields.into_iter().filter(|field| !self.drops(&field.attrs, field.span())).collect();
        visit_mut::visit_expr_struct_mut(self, made);
    }

    fn visit_expr_match_mut(&mut self, choice: &mut syn::ExprMatch) {
        choice.arms.retain(|arm| !self.drops(&arm.attrs, arm.span()));
        visit_mut::visit_expr_match_mut(self, choice);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        block.stmts.retain(|statement| {
            let attributes: &[Attribute] = match statement {
                Stmt::Local(local) => &local.attrs,
                Stmt::Item(item) => attributes(item),
                Stmt::Macro(call) => &call.attrs,
                Stmt::Expr(Expr::Block(block), _) => &block.attrs,
                Stmt::Expr(Expr::Call(call), _) => &call.attrs,
                Stmt::Expr(Expr::MethodCall(call), _) => &call.attrs,
                Stmt::Expr(Expr::If(choice), _) => &choice.attrs,
                Stmt::Expr(..) => &[],
            };
            !self.drops(attributes, statement.span())
        });
        visit_mut::visit_block_mut(self, block);
    }
}

impl Pruned {
    fn items(&mut self, items: &mut Vec<Item>) {
        items.retain(|item| {
            let drops = self.drops(attributes(item), item.span());
            if let Item::Mod(module) = item
                && drops
                && module.content.is_none()
            {
                self.modules.push((self.around.clone(), module.clone()));
            }
            !drops
        });
    }
}

/// The attributes of an item.
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether an attribute leaves its item out of every build but that of the tests.
fn is_test(attribute: &Attribute) -> bool {
    let path = attribute.path();
    if path.is_ident("cfg") {
        return attribute.parse_args::<Meta>().is_ok_and(|condition| !possible(&condition));
    }
    path.is_ident("test")
}

/// Whether a `cfg` condition can hold without `test`. Of anything else, both answers are taken for possible.
fn possible(condition: &Meta) -> bool {
    if condition.path().is_ident("test") {
        return false;
    }
    let Meta::List(list) = condition else { return true };
    let Ok(inner) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else { return true };
    if list.path.is_ident("all") {
        return inner.iter().all(possible);
    }
    // `not(…)` of something: only `not(not(test))` could be false, which nobody writes.
    !list.path.is_ident("any") || inner.iter().any(possible)
}
