//! A lane is a Taskbell of its own on a copy of the furnished world. Lanes share the rows; what one writes no other sees.

use std::sync::Mutex;

use harness::TestApp;
use reqwest::{Client, Method, header, redirect::Policy};
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::{
    callers::{CALLERS, Caller},
    recipes::Recipe,
    rows::{Asked, Row},
    variants::Cursors,
};
use crate::world::World;

/// What came back, as far as bytes tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// A change of the world: the table, and the row as it is now or was before.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Change {
    pub(crate) what: String,
    pub(crate) content: Value,
}

/// One cell: what was asked, what was answered, what was changed by it.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) asked: Asked,
    pub(crate) answer: Answer,
    pub(crate) changes: Vec<Change>,
}

/// A row with its cells, in the order of [`CALLERS`]; none for who does not ask.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) row: Row,
    pub(crate) cells: Vec<Option<Cell>>,
}

impl Outcome {
    /// Who has asked, and what came of it.
    pub(crate) fn asked(&self) -> impl Iterator<Item = (&'static Caller, &Cell)> {
        CALLERS.iter().zip(&self.cells).filter_map(|(caller, cell)| Some((caller, cell.as_ref()?)))
    }
}

pub(crate) struct Lane {
    app: TestApp,
    admin: PgConnection,
    http: Client,
}

impl Lane {
    pub(crate) async fn open(world: &World) -> Self {
        let database = world.database.copy().await;
        let admin = database.connect().await;
        let http = Client::builder().redirect(Policy::none()).timeout(harness::PATIENCE).build().unwrap();
        Self { app: TestApp::with_database(database).await, admin, http }
    }

    pub(crate) async fn close(self) {
        self.admin.close().await.unwrap();
    }

    /// Takes rows until none is left.
    pub(crate) async fn work(&mut self, recipes: &[Recipe], world: &World, rows: &Mutex<Vec<Row>>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        while let Some(row) = take(rows) {
            outcomes.push(self.run(&recipes[row.recipe], world, row).await);
        }
        outcomes
    }

    /// Every caller asks in turn, and each finds the world as it was furnished.
    async fn run(&mut self, recipe: &Recipe, world: &World, row: Row) -> Outcome {
        let mut cells = Vec::with_capacity(CALLERS.len());
        for caller in CALLERS {
            if !row.is_asked_by(caller) {
                cells.push(None);
                continue;
            }
            let asked = row.asked(recipe, caller, world);
            let answer = self.ask(recipe, caller.token(world), &asked).await;
            cells.push(Some(Cell { asked, answer, changes: self.restore().await }));
        }
        Outcome { row, cells }
    }

    async fn ask(&self, recipe: &Recipe, token: Option<&str>, asked: &Asked) -> Answer {
        let method: Method = recipe.method.parse().unwrap();
        let mut request =
            self.http.request(method, self.app.api.join(&asked.target).unwrap()).header("X-Request-Id", "the-same");
        if matches!(&*recipe.method, "PATCH" | "DELETE") {
            // Whatever version there is: the table is about who may.
            request = request.header(header::IF_MATCH, "*");
        }
        if recipe.method == "POST" {
            // Some need one; and what was answered to one caller is nobody else's answer.
            request = request.header("Idempotency-Key", "the-same");
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &asked.body {
            let (kind, body) = match body.split_once(':') {
                Some(("csv", table)) => ("text/csv", table.replace("\\n", "\n")),
                Some(("ndjson", lines)) => ("application/x-ndjson", lines.replace("\\n", "\n")),
                _ if body.starts_with('{') => ("application/json", body.clone()),
                // A page's form is not an object.
                _ => ("application/x-www-form-urlencoded", body.clone()),
            };
            request = request.header(header::CONTENT_TYPE, kind).body(body);
        }
        let response = request.send().await.unwrap();
        let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().filter(|(name, _)| *name != header::DATE);
        let mut headers: Vec<_> = headers.map(|(name, value)| (name.to_string(), text(value))).collect();
        headers.sort_unstable();
        Answer { status: response.status().as_u16(), headers, body: response.text().await.unwrap() }
    }

    /// The world as it was furnished; says what was otherwise.
    async fn restore(&mut self) -> Vec<Change> {
        sqlx::query_as("select what, content from furnish.restore()").fetch_all(&mut self.admin).await.unwrap()
    }

    /// The cursors of a list: what each of the two owners is given after one item.
    pub(crate) async fn cursors(&self, recipe: &Recipe, world: &World) -> Cursors {
        let mut cursors = Vec::new();
        for tenant in ["a", "b"] {
            let path = recipe.path.fill(|slot| world.get(tenant, &slot.kind, "own").to_owned());
            let asked = Asked { target: format!("{path}?limit=1"), body: None };
            let answer = self.ask(recipe, Some(world.get(tenant, "bearer", "owner")), &asked).await;
            let page: Value = serde_json::from_str(&answer.body).unwrap();
            let cursor = page["page"]["next_cursor"].as_str();
            let cursor =
                cursor.unwrap_or_else(|| panic!("{}: {tenant}'s owner has no second page: {page}", recipe.name));
            cursors.push(cursor.to_owned());
        }
        let [own, foreign] = cursors.try_into().unwrap();
        (own, foreign)
    }
}

fn take(rows: &Mutex<Vec<Row>>) -> Option<Row> {
    rows.lock().unwrap().pop()
}
