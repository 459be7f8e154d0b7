//! What a slot holds in turn. All of it is looked up among the furnished things, so that a new kind needs no line here.

use uuid::Uuid;

use crate::{expected::is_full, world::World};

/// Kinds that are proofs in themselves: whoever holds one may use it, so there is no "somebody else's".
const PROOFS: &[&str] = &["calendar", "email_change", "mail_link", "open_offer", "reset", "verification"];

/// The cursors that a list gives out: to tenant `a`'s owner, and to `b`'s.
pub(crate) type Cursors = (String, String);

/// Something that a slot may hold.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: String,
    /// None for the caller's own, of a kind that each person has.
    pub(crate) value: Option<String>,
    /// The tenant it belongs to.
    pub(crate) tenant: Option<&'static str>,
    /// Whether the answer must be the one for what does not exist: things of others are in this like ids of nothing.
    pub(crate) nothing: bool,
    /// Whether it has a row in the table; the others are only compared.
    pub(crate) shown: bool,
}

impl Variant {
    fn of(tenant: &'static str, name: impl Into<String>, value: &str) -> Self {
        let value = Some(value.to_owned());
        Self { name: name.into(), value, tenant: Some(tenant), nothing: tenant != "a", shown: true }
    }

    fn nobodys(name: String, value: String, nothing: bool) -> Self {
        Self { name, value: Some(value), tenant: None, nothing, shown: true }
    }
}

/// Everything that a slot of this kind holds in turn; the first is [`usual`].
pub(crate) fn variants(world: &World, kind: &str, cursors: Option<&Cursors>) -> Vec<Variant> {
    let mut variants = if kind == "cursor" {
        let (own, foreign) = cursors.unwrap_or_else(|| panic!("a cursor belongs into the query of a list"));
        vec![Variant::of("a", "own", own), Variant::of("b", "foreign", foreign)]
    } else if is_personal(world, kind) {
        personal(world, kind)
    } else {
        furnished(world, kind)
    };
    let own = variants[0].value.clone().unwrap_or_else(|| Uuid::nil().to_string());
    let mut forms: Vec<Form> = variants.iter().filter_map(|v| v.value.as_deref()).map(Form::of).collect();
    forms.sort_unstable_by_key(|form| *form != Form::of(&own));
    forms.dedup();
    for form in forms {
        for salt in 0..if is_full() { 20 } else { 1 } {
            let name = if form == Form::of(&own) { "random".to_owned() } else { format!("random-{}", form.name()) };
            variants.push(Variant { shown: salt == 0, ..Variant::nobodys(name, form.random(), true) });
        }
    }
    variants.push(Variant::nobodys("garbage".to_owned(), "~not~one~".to_owned(), false));
    variants
}

/// What a slot of this kind holds while others vary; none for the caller's own.
pub(crate) fn usual<'w>(world: &'w World, kind: &str) -> Option<&'w str> {
    if is_personal(world, kind) { None } else { Some(world.get("a", kind, "own")) }
}

fn is_personal(world: &World, kind: &str) -> bool {
    world.find("a", kind, "of owner").is_some()
}

/// What each person has: one's own, that of somebody else in the organization, that of somebody elsewhere.
fn personal(world: &World, kind: &str) -> Vec<Variant> {
    vec![
        Variant { name: "mine".to_owned(), value: None, tenant: None, nothing: false, shown: true },
        Variant { nothing: true, ..Variant::of("a", "colleague's", world.get("a", kind, "of target")) },
        Variant::of("b", "foreign", world.get("b", kind, "of target")),
    ]
}

/// What organizations have: all of `a`'s, and of others one in each form (all of them in the long run).
fn furnished(world: &World, kind: &str) -> Vec<Variant> {
    let mut variants = vec![Variant::of("a", "own", world.get("a", kind, "own"))];
    let things = || world.things().filter(|(_, other, ..)| *other == kind);
    for (_, _, variant, value) in things().filter(|(tenant, _, variant, _)| *tenant == "a" && *variant != "own") {
        variants.push(Variant::of("a", variant, value));
    }
    for (_, _, variant, value) in things().filter(|(tenant, ..)| *tenant == "x") {
        variants.push(Variant::of("x", variant, value));
    }
    let mut forms = Vec::new();
    let is_proof = PROOFS.contains(&kind);
    let mut foreign: Vec<_> = things().filter(|(tenant, ..)| *tenant == "b" && !is_proof).collect();
    foreign.sort_unstable_by_key(|(_, _, variant, _)| *variant != "own");
    for (_, _, variant, value) in foreign {
        let name = if variant == "own" { "foreign".to_owned() } else { format!("foreign-{variant}") };
        let shown = !forms.contains(&Form::of(value));
        forms.push(Form::of(value));
        if shown || is_full() {
            variants.push(Variant { shown, ..Variant::of("b", name, value) });
        }
    }
    assert!(!forms.is_empty() || is_proof, "{kind}: furnish one of b's, or say that it is a proof in itself");
    variants
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Id,
    Token,
    Word,
}

impl Form {
    fn of(value: &str) -> Self {
        match value.len() {
            36 if Uuid::try_parse(value).is_ok() => Self::Id,
            43 => Self::Token,
            _ => Self::Word,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Token => "token",
            Self::Word => "word",
        }
    }

    /// Something in this form that nobody has.
    fn random(self) -> String {
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        match self {
            Self::Id => one.to_string(),
            // The last character of 43 carries four bits.
            Self::Token => format!("{}{}A", one.simple(), &other.simple().to_string()[22..]),
            Self::Word => format!("no-such-{}", &one.simple().to_string()[20..]),
        }
    }
}
