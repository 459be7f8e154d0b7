//! How to ask each route something sensible: `recipes.txt`, read against the routes that are mounted.

use std::fmt::Write as _;

/// One line of `recipes.txt`.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// As it stands in the file, without the body: what the table calls it.
    pub(crate) name: String,
    pub(crate) public: bool,
    pub(crate) method: String,
    pub(crate) path: Template,
    /// Parameters with their values.
    pub(crate) query: Vec<(String, Template)>,
    pub(crate) body: Option<Template>,
}

/// Text with slots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Slot(Slot),
}

/// A place for something of a kind. Its name is that of its kind; a second one of a kind in the same recipe is numbered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) kind: String,
}

impl Recipe {
    /// All of them, in the order of the file.
    pub(crate) fn all() -> Vec<Self> {
        let lines = include_str!("recipes.txt").lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut recipes: Vec<Self> = Vec::new();
        for mut recipe in lines.map(Self::parse) {
            // The same request with another body is another block of the table.
            let before = recipes.iter().filter(|known| known.name.split(" #").next() == Some(&recipe.name)).count();
            if before > 0 {
                let _ = write!(recipe.name, " #{}", before + 1);
            }
            recipes.push(recipe);
        }
        recipes
    }

    fn parse(line: &str) -> Self {
        let (public, line) = line.strip_prefix("public ").map_or((false, line), |line| (true, line));
        let mut words = line.splitn(3, ' ');
        let (method, target) = words.next().zip(words.next()).unwrap_or_else(|| panic!("no recipe: {line}"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut known = Vec::new();
        let mut template = |text: &str| Template::parse(text, &mut known);
        let path = template(path);
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = query.map(|(name, value)| (name.to_owned(), template(value))).collect();
        let body = words.next().map(template);
        Self { name: format!("{method} {target}"), public, method: method.to_owned(), path, query, body }
    }

    /// Every slot of the path and the body, and those of the query.
    pub(crate) fn slots(&self) -> (Vec<&Slot>, Vec<&Slot>) {
        let always = self.path.slots().chain(self.body.iter().flat_map(Template::slots));
        (always.collect(), self.query.iter().flat_map(|(_, value)| value.slots()).collect())
    }

    /// Whether this is about an organization, which then is the slot `org`.
    pub(crate) fn is_of_an_organization(&self) -> bool {
        self.path.slots().any(|slot| slot.kind == "org")
    }

    /// Whether a route answers this. With a slot for each parameter, this is the route's own recipe.
    fn fits(&self, method: &str, pattern: &str) -> Option<bool> {
        let path = self.path.pattern();
        let (own, mounted): (Vec<_>, Vec<_>) = (path.split('/').collect(), pattern.split('/').collect());
        let same = |(own, mounted): (&&str, &&str)| mounted.starts_with('<') || own == mounted;
        let fits = self.method == method && own.len() == mounted.len() && own.iter().zip(&mounted).all(same);
        let slots = |segment: &&str| *segment == "<>";
        fits.then(|| own.iter().filter(|s| slots(s)).count() == mounted.iter().filter(|s| s.starts_with('<')).count())
    }
}

impl Template {
    /// Without slots.
    pub(crate) fn text(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    fn parse(text: &str, known: &mut Vec<String>) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, slot, after)) = next_slot(rest) {
            parts.push(Part::Text(before.to_owned()));
            let before = known.iter().filter(|kind| *kind == slot).count();
            known.push(slot.to_owned());
            let name = if before == 0 { slot.to_owned() } else { format!("{slot}{}", before + 1) };
            parts.push(Part::Slot(Slot { name, kind: slot.to_owned() }));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Self(parts)
    }

    /// Whether it is JSON, not a page's form.
    pub(crate) fn is_object(&self) -> bool {
        self.pattern().starts_with('{')
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().filter_map(|part| if let Part::Slot(slot) = part { Some(slot) } else { None })
    }

    /// The text with every slot filled.
    pub(crate) fn fill(&self, mut value: impl FnMut(&Slot) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Slot(slot) => value(slot),
        };
        self.0.iter().map(part).collect()
    }

    fn pattern(&self) -> String {
        self.fill(|_| "<>".to_owned())
    }
}

/// `{word}` is a slot; every other brace is JSON's.
fn next_slot(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(start, _)| {
        let (slot, after) = text[start + 1..].split_once('}')?;
        let word = !slot.is_empty() && slot.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        word.then(|| (&text[..start], slot, after))
    })
}

/// Routes without a recipe of their own, and recipes without a route.
fn strangers(recipes: &[Recipe], routes: &[(String, String)]) -> Vec<String> {
    let bare = |(method, pattern): &&(String, String)| !recipes.iter().any(|r| r.fits(method, pattern) == Some(true));
    let lost = |recipe: &&Recipe| !routes.iter().any(|(method, pattern)| recipe.fits(method, pattern).is_some());
    let bare = routes.iter().filter(bare).map(|(method, pattern)| format!("{method} {pattern} has no recipe"));
    bare.chain(recipes.iter().filter(lost).map(|recipe| format!("{} is not mounted", recipe.name))).collect()
}

#[tokio::test]
async fn every_mounted_route_has_a_recipe_and_every_recipe_a_route() {
    assert_eq!(strangers(&Recipe::all(), &harness::mounted_routes()), [] as [&str; 0]);
}

#[test]
fn a_route_that_nobody_thought_about_is_named() {
    let recipes = [Recipe::parse("GET /v1/orgs/{org}/tasks/{task}"), Recipe::parse("GET /gone")];
    let route = |pattern: &str| ("GET".to_owned(), pattern.to_owned());
    let routes = [route("/v1/orgs/<_>/tasks/<id>"), route("/v1/orgs/<_>/labels/<id>")];
    assert_eq!(
        strangers(&recipes, &routes),
        ["GET /v1/orgs/<_>/labels/<id> has no recipe", "GET /gone is not mounted"]
    );
    // A recipe that names one thing says nothing about the others.
    let literal = [Recipe::parse("DELETE /v1/me/sessions/current")];
    let route = [("DELETE".to_owned(), "/v1/me/sessions/<id>".to_owned())];
    assert_eq!(strangers(&literal, &route), ["DELETE /v1/me/sessions/<id> has no recipe"]);
}

#[test]
fn slots_are_words_in_braces_wherever_they_stand() {
    let recipe = Recipe::parse(r#"PUT /v1/orgs/{org}/a?b={task} {"c": ["{member}", {"d": {}}], "e": "{member}"}"#);
    let (always, query) = recipe.slots();
    let names = |slots: Vec<&Slot>| slots.iter().map(|slot| slot.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(always), names(query)),
        (vec!["org".into(), "member".into(), "member2".into()], vec!["task".into()])
    );
    let body = recipe.body.unwrap().fill(|slot| slot.name.to_uppercase());
    assert_eq!(body, r#"{"c": ["MEMBER", {"d": {}}], "e": "MEMBER2"}"#);
}
