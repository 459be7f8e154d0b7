#![allow(clippy::disallowed_methods, clippy::all, clippy::pedantic)]
use common::{access::{ReadTasks, OrgRef}, db::{self, Db}, secrets::{ServerKey, SessionToken}, tasks};
use serde_json::json;
#[tokio::test]
async fn probe() {
    let Ok(url) = std::env::var("PROBE") else { return };
    let admin = sqlx::PgPool::connect(&url).await.unwrap();
    let app = url.replace("postgres@", "taskbell_app@");
    let pool = db::connect(&app.parse().unwrap(), 1).await.unwrap();
    let key = ServerKey::new("a key for tests only, long enough to be one".to_owned().into()).unwrap();
    let db = Db::new(pool, key, Default::default());
    let who: Vec<(uuid::Uuid,)> = sqlx::query_as("select id from accounts order by id limit 50").fetch_all(&admin).await.unwrap();
    let file = std::env::var("CASES").unwrap();
    for line in std::fs::read_to_string(file).unwrap().lines().filter(|l| !l.is_empty()) {
        let (n, query) = line.split_once(' ').unwrap();
        let token = SessionToken::random().unwrap();
        sqlx::query("insert into sessions (id, account_id, token_hash, expires_at) values (gen_random_uuid(), $1, $2, now() + interval '1 day')")
            .bind(who[n.parse::<usize>().unwrap()].0).bind(token.hash().as_bytes()).execute(&admin).await.unwrap();
        let credential: common::secrets::Credential = token.reveal().parse().unwrap();
        let mut query: serde_json::Map<String, serde_json::Value> = query.split('&').filter(|p| !p.is_empty() && *p != "-").map(|p| { let (a, b) = p.split_once('=').unwrap(); (a.to_owned(), json!(b.replace('+', " "))) }).collect();
        let pages = query.remove("pages").map_or(1, |p| p.as_str().unwrap().parse::<usize>().unwrap());
        let mut times = vec![]; let mut count = 0; let mut first = 0.0; let mut total = String::new();
        for round in 0..6 {
            let mut q = query.clone();
            count = 0;
            for page in 0..pages {
                let mut scope = db.begin_request::<ReadTasks>(&credential, OrgRef::Slug("org-0".parse().unwrap()), &Default::default()).await.unwrap();
                let list = common::input::read::<tasks::TaskList>(json!(q)).unwrap();
                let start = std::time::Instant::now();
                let page_ = tasks::list(&mut scope, list).await.unwrap();
                let ms = start.elapsed().as_secs_f64() * 1e3;
                if round == 0 && page == 0 { first = ms; } else if page + 1 == pages { times.push(ms); }
                count += page_.data.len();
                total = page_.page.total.map_or(String::new(), |t| format!("{t:?}"));
                match page_.page.next_cursor { Some(c) => { q.insert("cursor".into(), json!(c)); } None => break }
            }
        }
        times.sort_by(f64::total_cmp);
        println!("{line:70} first {first:7.2} median {:7.2} ms, {count} items {total}", times.get(times.len() / 2).copied().unwrap_or_default());
    }
}
