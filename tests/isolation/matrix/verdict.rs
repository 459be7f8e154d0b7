//! What must hold of every answer, whatever the table says.

use std::collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry};

use serde_json::Value;

use super::{
    callers::{CALLERS, Caller},
    lane::{Cell, Change, Outcome},
    recipes::Recipe,
};
use crate::world::World;

/// Tables in which a refusal, or a read, may leave something behind.
const RECORDS: &[&str] = &["audit_events", "throttles"];

/// What is known: a route, and the thing it shows or the slot in which it tells somebody else's from nobody's.
const EXCUSED: &[(&str, &str)] = &[
    // One's own membership names the organization, suspended or removed as it may be.
    ("GET /v1/me/export", "a.org.id"),
    ("GET /v1/me/deletion", "a.org.id"),
    ("PUT /v1/me/deletion", "a.org.id"),
    // To be mended: a suspended member is told what the organization is called now.
    ("GET /v1/me/deletion", "a.org.own"),
    ("PUT /v1/me/deletion", "a.org.own"),
    // To be mended: the cursors of one's own lists are not bound to the account. They only say where to begin.
    ("GET /v1/me/audit", "cursor"),
];

/// Who is given private projects in an export without a grant in them: whoever holds all that an owner has, and nobody else.
const EXPORTS_ALL: &[&str] = &["owner", "t-all", "foreigner"];

fn is_excused(recipe: &Recipe, caller: &Caller, thing: &str) -> bool {
    let exported = recipe.name == "GET /v1/orgs/{org}/export" && EXPORTS_ALL.contains(&caller.name);
    EXCUSED.iter().any(|(route, excused)| recipe.name.starts_with(route) && thing == *excused)
        || exported && [".granted", ".private"].iter().any(|project| thing.ends_with(project))
}

/// Who looks (a column, or anybody), and at which tenant's organization.
type Eyes = (Option<&'static str>, Option<&'static str>);

/// How many pairs were compared, and everything that should not be.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) pairs: usize,
    pub(crate) violations: Vec<String>,
    /// What must not be shown: by caller (none for anybody), and by the organization that is asked.
    forbidden: HashMap<Eyes, BTreeMap<String, String>>,
}

/// All outcomes of one recipe.
pub(crate) fn judge(recipe: &Recipe, outcomes: &[&Outcome], world: &World, verdict: &mut Verdict) {
    for (index, caller) in CALLERS.iter().enumerate() {
        nothing_is_nothing(recipe, outcomes, (index, caller), verdict);
    }
    for outcome in outcomes {
        strangers_are_refused(recipe, outcome, verdict);
        canaries_are_silent(recipe, outcome, world, verdict);
        writes_stay_at_home(recipe, outcome, world, verdict);
    }
}

/// (a) What belongs to others is answered byte for byte like what does not exist.
fn nothing_is_nothing(
    recipe: &Recipe,
    outcomes: &[&Outcome],
    (index, caller): (usize, &Caller),
    verdict: &mut Verdict,
) {
    let mut first = HashMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.row.is_about_nothing(caller)) {
        let Some((slot, _)) = &outcome.row.about else { continue };
        let Some(Cell { answer, .. }) = &outcome.cells[index] else { continue };
        let (name, known) = match first.entry(&slot.name) {
            Entry::Vacant(place) => {
                place.insert((&outcome.row.name, answer));
                continue;
            }
            Entry::Occupied(first) => *first.get(),
        };
        verdict.pairs += 1;
        if known != answer && !is_excused(recipe, caller, &slot.name) {
            verdict.violations.push(format!(
                "{} tells {} and {name} apart to {}:\n  {answer:?}\n  {known:?}",
                recipe.name, outcome.row.name, caller.name
            ));
        }
    }
}

/// (c) Without a credential nothing, without a membership nothing that could be told from nothing.
fn strangers_are_refused(recipe: &Recipe, outcome: &Outcome, verdict: &mut Verdict) {
    let answer = |name| {
        let index = CALLERS.iter().position(|caller| caller.name == name).unwrap();
        &outcome.cells[index].as_ref().unwrap().answer
    };
    let mut demand = |holds: bool, what: &str| {
        if !holds {
            verdict.violations.push(format!("{} ({}): {what}", recipe.name, outcome.row.name));
        }
    };
    for (caller, Cell { answer, .. }) in outcome.asked() {
        let refused = answer.status == 401 && answer.body.contains("\"unauthenticated\"");
        demand(refused == caller.is_nobody() || recipe.public, &format!("{} gets {}", caller.name, answer.status));
        demand(answer.status < 500, &format!("{} gets {}: {}", caller.name, answer.status, answer.body));
    }
    if recipe.is_of_an_organization() {
        let foreign = outcome.row.tenant(recipe) == Some("b");
        demand(answer("foreigner").status == 404 || foreign, "the owner of b is not answered by 404");
        demand(answer("outsider").status == 404, "an outsider is not answered by 404");
        demand(answer("suspended") == answer("outsider"), "a suspended member is told from an outsider");
    }
}

/// (b) Nothing that is not for the caller's eyes is in any answer, but what the caller has sent.
fn canaries_are_silent(recipe: &Recipe, outcome: &Outcome, world: &World, verdict: &mut Verdict) {
    for (caller, Cell { asked, answer, .. }) in outcome.asked() {
        let tenant = outcome.row.tenant(recipe);
        let eyes = (Some(caller.name).filter(|_| !recipe.public), tenant);
        let forbidden = verdict.forbidden.entry(eyes).or_insert_with(|| {
            if recipe.public { Caller::forbidden_to_anybody(world) } else { caller.forbidden(world, tenant) }
        });
        let sent = format!("{}{}", asked.target, asked.body.as_deref().unwrap_or_default());
        let told = format!("{:?}{}", answer.headers, answer.body);
        let shown = forbidden.iter().filter(|(needle, _)| told.contains(*needle) && !sent.contains(*needle));
        let shown: BTreeSet<&str> =
            shown.map(|(_, thing)| &**thing).filter(|thing| !is_excused(recipe, caller, thing)).collect();
        if !shown.is_empty() {
            let violation = format!("{} ({}) shows {shown:?} to {}", recipe.name, outcome.row.name, caller.name);
            verdict.violations.push(violation);
        }
    }
}

/// A write that succeeds changes nothing of a tenant the caller is not at home in; everything else changes nothing at all.
fn writes_stay_at_home(recipe: &Recipe, outcome: &Outcome, world: &World, verdict: &mut Verdict) {
    for (caller, Cell { answer, changes, .. }) in outcome.asked() {
        let elsewhere: &[&str] = match caller.home {
            // What needs no credential acts for `a`, whoever asks.
            _ if recipe.public => &["b"],
            ["b"] => &["a"],
            home if home.contains(&"b") => &[],
            _ => &["b"],
        };
        let writes = recipe.method != "GET" && answer.status < 400;
        let wrong = |change: &&Change| {
            if writes {
                owner(change, world).is_some_and(|owner| elsewhere.contains(&owner))
            } else {
                !RECORDS.contains(&&*change.what)
            }
        };
        for change in changes.iter().filter(wrong) {
            verdict.violations.push(format!(
                "{} ({}) is answered with {} to {}, and changes {change:?}",
                recipe.name, outcome.row.name, answer.status, caller.name
            ));
        }
    }
}

/// Whose a row is, by its columns.
fn owner<'w>(change: &Change, world: &'w World) -> Option<&'w str> {
    let column = |name: &str| change.content.get(name).and_then(Value::as_str);
    let id = matches!(&*change.what, "organizations" | "accounts").then(|| column("id")).flatten();
    let owners: Vec<&str> = [column("org_id"), id, column("account_id")].into_iter().flatten().collect();
    let owned = |value: &str| {
        let mut things = world.things().filter(|(_, kind, ..)| ["org", "person"].contains(kind));
        things.find(|(.., known)| *known == value).map(|(tenant, ..)| tenant)
    };
    owners.into_iter().find_map(owned)
}
