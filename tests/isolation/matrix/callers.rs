//! Who asks: one column of the table each, one line here each. A new kind of credential is named in `tests/isolation/furnish` as a
//! `bearer` and gets a line.

use std::collections::BTreeMap;

use crate::world::World;

/// A kind of caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) name: &'static str,
    credential: Credential,
    /// Who this is, as far as anybody knows.
    person: Option<(&'static str, &'static str)>,
    /// The organizations whose things may be shown.
    pub(crate) home: &'static [&'static str],
    /// The variants of project things that may be shown at home.
    pub(crate) sees: &'static [&'static str],
    /// Narrows another caller: asks for what there is, and in the long run for all the rest.
    pub(crate) narrows: bool,
}

#[derive(Clone, Copy, Debug)]
enum Credential {
    None,
    Text(&'static str),
    Named(&'static str, &'static str),
}

const NOTHING: &[&str] = &[];
const OPEN: &[&str] = &["own", "unshared", "assigned"];
const GRANTED: &[&str] = &["own", "granted", "assigned"];
const ALL: &[&str] = &["own", "granted", "private", "unshared", "assigned"];

/// The columns, from left to right.
pub(crate) const CALLERS: &[Caller] = &[
    stray("nobody", Credential::None),
    stray("garbage", Credential::Text("tbs_garbage")),
    stray("unknown", Credential::Text("tbs_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
    stray("expired", Credential::Named("a", "expired")),
    session("outsider", "x", "outsider", &[], NOTHING),
    session("suspended", "a", "suspended", &[], NOTHING),
    session("removed", "a", "removed", &[], NOTHING),
    session("invited", "x", "invited", &["a"], NOTHING),
    session("guest", "a", "guest", &["a"], NOTHING),
    session("viewer", "a", "viewer", &["a"], GRANTED),
    session("commenter", "a", "commenter", &["a"], GRANTED),
    session("editor", "a", "editor", &["a"], GRANTED),
    session("manager", "a", "manager", &["a"], GRANTED),
    session("custom", "a", "custom", &["a"], OPEN),
    session("member", "a", "member", &["a"], OPEN),
    session("keeper", "a", "keeper", &["a"], ALL),
    session("admin", "a", "admin", &["a"], OPEN),
    session("owner", "a", "owner", &["a"], OPEN),
    session("twin", "x", "twin", &["a", "b"], OPEN),
    session("foreigner", "b", "owner", &["b"], OPEN),
    // Personal tokens: the owner's, with one scope each, and with all; and others.
    scope("t-own", "scope 0"),
    scope("t-upd", "scope 1"),
    scope("t-mli", "scope 2"),
    scope("t-mma", "scope 3"),
    scope("t-rol", "scope 4"),
    scope("t-aud", "scope 5"),
    scope("t-del", "scope 6"),
    scope("t-pcr", "scope 7"),
    scope("t-pma", "scope 8"),
    scope("t-tre", "scope 9"),
    scope("t-twr", "scope 10"),
    scope("t-tco", "scope 11"),
    scope("t-com", "scope 12"),
    scope("t-me", "scope 13"),
    scope("t-all", "token of owner"),
    Caller {
        credential: Credential::Named("a", "token of viewer"),
        ..session("t-viewer", "a", "viewer", &["a"], GRANTED)
    },
    // Of somebody who belongs to both, for the other organization.
    Caller { credential: Credential::Named("x", "token of twin"), ..session("t-other", "x", "twin", &["b"], OPEN) },
    stray("t-expired", Credential::Named("a", "token expired")),
    stray("t-revoked", Credential::Named("a", "token revoked")),
];

const fn stray(name: &'static str, credential: Credential) -> Caller {
    Caller { name, credential, person: None, home: &[], sees: NOTHING, narrows: false }
}

const fn scope(name: &'static str, variant: &'static str) -> Caller {
    Caller { credential: Credential::Named("a", variant), narrows: true, ..session(name, "a", "owner", &["a"], OPEN) }
}

const fn session(
    name: &'static str,
    tenant: &'static str,
    who: &'static str,
    home: &'static [&'static str],
    sees: &'static [&'static str],
) -> Caller {
    Caller { name, credential: Credential::Named(tenant, who), person: Some((tenant, who)), home, sees, narrows: false }
}

impl Caller {
    /// What stands after `Bearer`.
    pub(crate) fn token<'w>(&self, world: &'w World) -> Option<&'w str> {
        match self.credential {
            Credential::None => None,
            Credential::Text(text) => Some(text),
            Credential::Named(tenant, variant) => Some(world.get(tenant, "bearer", variant)),
        }
    }

    /// Whether no account stands behind the credential.
    pub(crate) fn is_nobody(&self) -> bool {
        self.person.is_none()
    }

    /// Whether this is that person.
    pub(crate) fn is(&self, tenant: &str, who: &str) -> bool {
        self.person.is_some_and(|person| person == (tenant, who))
    }

    /// The caller's own thing of a kind that each person has.
    pub(crate) fn own<'w>(&self, world: &'w World, kind: &str) -> Option<&'w str> {
        self.person.and_then(|(tenant, who)| world.find(tenant, kind, &format!("of {who}")))
    }

    /// What must not be shown to this caller within the organization of `tenant` (or outside any): ids, tokens, canaries. Each
    /// with the name of the thing it gives away.
    pub(crate) fn forbidden(&self, world: &World, tenant: Option<&str>) -> BTreeMap<String, String> {
        let mut forbidden = BTreeMap::from([("$argon2".to_owned(), "a password's hash".to_owned())]);
        for (owner, kind, variant, value) in world.things().filter(|(owner, ..)| *owner != "x") {
            let own = self.is(owner, variant.trim_start_matches("of "));
            let here = self.home.contains(&owner) && tenant.is_none_or(|tenant| tenant == owner);
            // What hangs on projects has a private one.
            let of_project = world.find("a", kind, "private").is_some();
            let hidden = of_project && ALL.contains(&variant) && !self.sees.contains(&variant);
            if own || (here && !hidden) {
                continue;
            }
            let canary = match kind {
                "org" => Some(format!("canary-{owner}-org-")),
                _ if of_project || kind == "person" => Some(format!("canary-{owner}-{variant}-")),
                _ => None,
            };
            // A slug is a short word, and begins every canary.
            let value = if value.len() < 32 { format!("\"{value}\"") } else { value.to_owned() };
            for needle in canary.into_iter().chain([value]) {
                forbidden.insert(needle, format!("{owner}.{kind}.{variant}"));
            }
        }
        forbidden
    }

    /// The same for what needs no credential: it acts for tenant `a`, whoever asks.
    pub(crate) fn forbidden_to_anybody(world: &World) -> BTreeMap<String, String> {
        session("anybody", "x", "anybody", &["a"], ALL).forbidden(world, None)
    }
}

#[test]
fn every_column_has_a_head_of_its_own() {
    let mut heads: Vec<_> = CALLERS.iter().map(|caller| super::table::head(caller.name)).collect();
    heads.sort_unstable();
    heads.dedup();
    assert_eq!(heads.len(), CALLERS.len());
}
