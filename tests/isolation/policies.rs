//! Each policy bears load: with `true` in its place, the attempts of `rows` find a way through.

use sqlx::PgConnection;

use crate::{
    rows::{Context, Limits, ROLES, Table, attempt, plan, silence},
    world::{World, run},
};

/// A policy, and what it says of reading and of writing.
#[derive(Debug, sqlx::FromRow)]
struct Policy {
    table: String,
    name: String,
    command: String,
    using: Option<String>,
    check: Option<String>,
    writes: bool,
}

impl Policy {
    async fn all(admin: &mut PgConnection) -> Vec<Self> {
        sqlx::query_as(
            "select tablename::text as table, policyname::text as name, cmd as command, qual as using, with_check as check,
                    exists (select from unnest(roles) role where has_table_privilege(role, tablename::regclass, 'insert')) as writes
             from pg_policies where schemaname = 'public' order by 1, 2",
        )
        .fetch_all(admin)
        .await
        .unwrap()
    }

    /// Whether it lets everything through, as it stands.
    fn is_open(&self) -> bool {
        [&self.using, &self.check].iter().all(|clause| clause.as_deref().is_none_or(|clause| clause == "true"))
    }

    /// What it would be without its predicates: all of them, and of those that let rows be added only the one for that.
    fn mutants(&self) -> Vec<String> {
        let alter = format!("alter policy {} on {}", self.name, self.table);
        match &*self.command {
            "INSERT" => vec![format!("{alter} with check (true)")],
            "SELECT" | "DELETE" => vec![format!("{alter} using (true)")],
            _ => {
                let all = format!("{alter} using (true) with check (true)");
                let check = format!("{alter} with check (true)");
                if self.writes { vec![all, check] } else { vec![all] }
            }
        }
    }
}

/// What is found when `mutant` stands in a policy's place. Nothing of it stays.
async fn caught(admin: &mut PgConnection, world: &World, plans: &[(Table, Vec<Limits>)], mutant: &str) -> Vec<String> {
    let mut found = Vec::new();
    run(admin, "begin").await;
    run(admin, mutant).await;
    for (table, limits) in plans {
        run(admin, &format!("set local role {}", table.role)).await;
        for limits in limits {
            found.extend(attempt(admin, table, limits, world).await.violations);
        }
    }
    run(admin, "rollback").await;
    found
}

#[tokio::test]
async fn each_policy_is_missed_when_it_is_gone() {
    let world = World::furnish().await;
    let mut admin = world.database.connect().await;
    silence(&mut admin).await;
    let mut contexts = Context::all(&world);
    contexts.push(Context::none());
    let mut plans = Vec::new();
    for role in ROLES {
        plans.extend(plan(&mut admin, role, &contexts).await);
    }
    assert_eq!(caught(&mut admin, &world, &plans, "").await, [] as [&str; 0], "nothing is missing yet");

    let (mut survivors, mut mutants) = (Vec::new(), 0);
    for policy in Policy::all(&mut admin).await.iter().filter(|policy| !policy.is_open()) {
        let own: Vec<_> = plans.iter().filter(|(table, _)| table.name == policy.table).cloned().collect();
        for mutant in policy.mutants() {
            let found = caught(&mut admin, &world, &own, &mutant).await;
            match found.first() {
                Some(first) => println!("{mutant}: {first} (and {} more)", found.len() - 1),
                None => survivors.push(mutant),
            }
            mutants += 1;
        }
    }
    println!("{mutants} mutants");
    assert!(mutants > 0);
    assert_eq!(survivors, [] as [&str; 0]);
}
