//! What is done again and again, by one worker at a time: whichever moves a job's next time on does this turn of it.

use std::time::Duration;

use crate::{db::Db, error::Result};

/// Makes the jobs known, before the first turn is taken.
///
/// # Errors
/// The database's.
pub async fn know(db: &Db, jobs: &[&str]) -> Result<()> {
    sqlx::query!("insert into timetable (job) select unnest($1::text[]) on conflict do nothing", &names(jobs))
        .execute(&db.pool)
        .await?;
    Ok(())
}

/// Takes the turn of each of these jobs whose time has come, and answers which those are. A turn that nobody took is not made up for:
/// what is late begins a new count. Nobody has to give a turn back: whoever is lost with it, the next one comes in its time.
///
/// # Errors
/// The database's.
pub async fn take(db: &Db, jobs: &[(&str, Duration)]) -> Result<Vec<String>> {
    let taken = sqlx::query_scalar!(
        r#"with asked as (select * from unnest($1::text[], $2::float8[]) a (job, seconds)),
           due as (
               select t.job, a.seconds * interval '1 second' as every from timetable t join asked a on a.job = t.job
               where t.next_at <= clock_timestamp() order by t.job for update of t skip locked
           )
           update timetable t set begun_at = clock_timestamp(), ended_at = null,
                  next_at = case when t.next_at > clock_timestamp() - d.every then t.next_at + d.every else clock_timestamp() + d.every end
           from due d where t.job = d.job
           returning t.job"#,
        &names(&jobs.iter().map(|(job, _)| *job).collect::<Vec<_>>()),
        &jobs.iter().map(|(_, every)| every.as_secs_f64()).collect::<Vec<_>>(),
    )
    .fetch_all(&db.pool)
    .await?;
    Ok(taken)
}

/// Notes that a turn is over, for whoever looks.
///
/// # Errors
/// The database's.
pub async fn end(db: &Db, job: &str) -> Result<()> {
    sqlx::query!("update timetable set ended_at = clock_timestamp() where job = $1", job).execute(&db.pool).await?;
    Ok(())
}

fn names(jobs: &[&str]) -> Vec<String> {
    jobs.iter().map(|job| (*job).to_owned()).collect()
}
