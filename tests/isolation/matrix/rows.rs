//! The rows of the table: for each recipe one with everything in order, and one for whatever else a slot may hold.

use super::{
    callers::Caller,
    recipes::{Recipe, Slot, Template},
    variants::{Cursors, Variant, usual, variants},
};
use crate::{expected::is_full, world::World};

/// One row, which every caller asks.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) recipe: usize,
    pub(crate) name: String,
    /// The slot that holds something else than usual.
    pub(crate) about: Option<(Slot, Variant)>,
    body: Option<Template>,
    query: Vec<(String, Template)>,
}

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) target: String,
    pub(crate) body: Option<String>,
}

impl Row {
    /// All rows of a recipe.
    pub(crate) fn all(number: usize, recipe: &Recipe, world: &World, cursors: Option<&Cursors>) -> Vec<Self> {
        let plain = Self {
            recipe: number,
            name: "own".to_owned(),
            about: None,
            body: recipe.body.clone(),
            query: recipe.query.iter().filter(|(_, value)| value.slots().next().is_none()).cloned().collect(),
        };
        let mut rows = vec![plain.clone()];
        if recipe.body.as_ref().is_some_and(Template::is_object) {
            // Who may not write learns nothing about what is wrong with a body.
            rows.push(Self { name: "body={}".to_owned(), body: Some(Template::text("{}")), ..plain.clone() });
        }
        let (always, in_query) = recipe.slots();
        let row = |slot: &Slot, variant: Variant| Self {
            name: format!("{}={}", slot.name, variant.name),
            about: Some((slot.clone(), variant)),
            ..plain.clone()
        };
        for slot in always {
            rows.extend(variants(world, &slot.kind, cursors).into_iter().skip(1).map(|variant| row(slot, variant)));
        }
        for slot in in_query {
            let parameter = recipe.query.iter().find(|(_, value)| value.slots().any(|own| own == slot)).cloned();
            for variant in variants(world, &slot.kind, cursors) {
                let mut row = row(slot, variant);
                row.query.extend(parameter.clone());
                rows.push(row);
            }
        }
        rows
    }

    /// The request of one caller.
    pub(crate) fn asked(&self, recipe: &Recipe, caller: &Caller, world: &World) -> Asked {
        let value = |slot: &Slot| {
            let about = self.about.as_ref().filter(|(about, _)| about == slot);
            let value = about.map_or_else(|| usual(world, &slot.kind), |(_, variant)| variant.value.as_deref());
            // Who is nobody has nothing of their own.
            let mine = || caller.own(world, &slot.kind).unwrap_or("00000000-0000-0000-0000-000000000000");
            value.unwrap_or_else(mine).to_owned()
        };
        let query: Vec<_> = self.query.iter().map(|(name, text)| format!("{name}={}", text.fill(value))).collect();
        let separator = if query.is_empty() { "" } else { "?" };
        Asked {
            target: format!("{}{separator}{}", recipe.path.fill(value), query.join("&")),
            body: self.body.as_ref().map(|body| body.fill(value)),
        }
    }

    /// Whether the table has a line for it.
    pub(crate) fn is_shown(&self) -> bool {
        self.about.as_ref().is_none_or(|(_, variant)| variant.shown)
    }

    /// The tenant whose organization the path names.
    pub(crate) fn tenant(&self, recipe: &Recipe) -> Option<&'static str> {
        match &self.about {
            Some((slot, variant)) if slot.kind == "org" && slot.name == "org" => variant.tenant,
            _ => Some("a"),
        }
        .filter(|_| recipe.is_of_an_organization())
    }

    /// Whether the row is one for this caller: who only narrows another asks nothing that the other would not be answered.
    pub(crate) fn is_asked_by(&self, caller: &Caller) -> bool {
        !caller.narrows || is_full() || !self.is_beside()
    }

    /// Whether it is about an organization's name, or about what is not there.
    pub(crate) fn is_beside(&self) -> bool {
        let about = self.about.as_ref();
        about.is_some_and(|(slot, variant)| slot.kind == "org" || variant.nothing || variant.tenant.is_none())
    }

    /// Whether this caller must be answered as if what the slot holds did not exist.
    pub(crate) fn is_about_nothing(&self, caller: &Caller) -> bool {
        self.about.as_ref().is_some_and(|(slot, variant)| {
            // An organization in which one is at home, a page of one's own list, one's own account.
            let own =
                ["org", "cursor"].contains(&&*slot.kind) && variant.tenant.is_some_and(|t| caller.home.contains(&t));
            variant.nothing && !own && !variant.tenant.is_some_and(|tenant| caller.is(tenant, &variant.name))
        })
    }
}
