//! The statement of a list (docs/adr/0017). Filters are free, so it is built; values are bound, always.
//!
//! It looks in one of three ways, decided by Postgres when it runs, by counting:
//! * *narrow*: a filter with an index of its own finds few tasks (of one person, with these words, …): these are looked at, all;
//! * *merge*: few projects are seen, or asked for: in each the first of the order are taken, by its index, and the first of these;
//! * *walk*: in the order, past what is not asked for or not seen, until the page is full.
//!
//! None of them looks at much: narrow at [`FEW_TASKS`], merge at a page for each project, and a walk passes little that it does
//! not take, or one of the others were chosen.

use sqlx::{Postgres, QueryBuilder};

use super::{
    filter::TaskList,
    matches::Matches,
    sort::{Column, Phase, phases},
};
use crate::{
    access::{Permission, ReadTasks, WriteTasks},
    page::Total,
    tasks::task::columns,
};

/// So many are looked at one by one sooner than an order is walked.
const FEW_TASKS: i64 = 2_000;
/// A walk passes, for each task that it takes, as many as there are for each that is seen. Projects are few when there are not
/// more of them than so many times that.
const FEW_PROJECTS: i64 = 4;

/// `is true` keeps it a question about a task: as a join it would decide the order in which tasks are looked at.
const SEEN: &str = "(t.project_id in (select p.id from visible p)) is true";

/// What a statement is made from.
pub(in crate::tasks) struct Statement<'a> {
    filter: &'a TaskList,
    columns: Vec<Column>,
    statuses: Vec<&'static str>,
    matches: Matches<'a>,
    /// Where tasks are taken from.
    tasks: &'static str,
}

impl<'a> Statement<'a> {
    /// Of one organization, by what the caller may see there.
    pub(super) fn of(filter: &'a TaskList) -> Self {
        let statuses = filter.statuses();
        Self {
            filter,
            columns: filter.sort.columns(),
            matches: Matches::of(filter, &statuses),
            statuses,
            tasks: "tasks",
        }
    }

    /// Of all the caller's organizations: `my_tasks` gives what they see, by status.
    pub(in crate::tasks) fn of_mine(filter: &'a TaskList) -> Self {
        Self { tasks: "mine", matches: Matches::of_mine(filter), ..Self::of(filter) }
    }

    /// One page of them: where each is, and `keys`, its position in the order.
    pub(in crate::tasks) fn places(&self, after: Option<&[String]>) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new("with ");
        let most = self.filter.limit.and_one();
        self.push_mine(&mut sql);
        sql.push(" select m.org_id, found.id, ");
        self.push_keys(&mut sql);
        sql.push(" as keys from (");
        self.push_stretches(&mut sql, after, most, "true", false);
        sql.push(") found join mine m on m.id = found.id");
        self.push_order(&mut sql);
        sql.push(format_args!(" limit {most}"));
        sql
    }

    /// How many of them there are, up to one more than is counted.
    pub(in crate::tasks) fn count_places(&self) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new("with ");
        self.push_mine(&mut sql);
        sql.push(" select count(*) from (");
        self.push_stretches(&mut sql, None, Total::MOST + 1, "true", false);
        sql.push(") counted");
        sql
    }

    fn push_mine(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push("mine as materialized (select * from my_tasks(").push_bind(self.statuses.clone()).push("))");
    }

    fn push_keys(&self, sql: &mut QueryBuilder<Postgres>) {
        for (place, _) in self.columns.iter().enumerate() {
            sql.push(format_args!("{}found.k{place}::text", if place > 0 { ", " } else { "array[" }));
        }
        sql.push("]");
    }

    /// One page: the columns of a task, and `keys`, its position in the order.
    pub(super) fn page(&self, after: Option<&[String]>) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new("");
        let most = self.filter.limit.and_one();
        self.push_candidates(&mut sql);
        sql.push(", found as materialized (select * from (");
        self.push_ways(&mut sql, after, most);
        sql.push(") ways");
        self.push_order(&mut sql);
        sql.push(format_args!(" limit {most}) select "));
        self.push_keys(&mut sql);
        sql.push(" as keys, p.key as project_key, p.held, ").push(columns!());
        // Not a join: the order and the number of the rows are settled.
        sql.push(" from found cross join lateral (select * from tasks t where t.id = found.id offset 0) t");
        sql.push(" join visible p on p.id = t.project_id");
        self.push_order(&mut sql);
        sql
    }

    /// How many there are, up to one more than is counted.
    pub(super) fn count(&self) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new("");
        let most = Total::MOST + 1;
        self.push_candidates(&mut sql);
        sql.push(" select count(*) from (select from (");
        self.push_ways(&mut sql, None, most);
        sql.push(format_args!(") ways limit {most}) counted"));
        sql
    }

    /// Who sees what is decided once for each project; then which way to go.
    fn push_candidates(&self, sql: &mut QueryBuilder<Postgres>) {
        let held = if self.filter.deleted() { WriteTasks::BITS } else { ReadTasks::BITS };
        sql.push(
            "with visible as materialized (
                 select * from (select id, key, task_count, permissions_in(id, visibility) as held from projects) p where p.held & ",
        );
        sql.push_bind(held).push(" <> 0");
        self.matches.push_projects(sql);
        sql.push("), crowd as materialized (select count(*) <= ").push(FEW_PROJECTS);
        sql.push(" * (select sum(task_count) from projects) / greatest(sum(task_count), 1) as small from visible)");
        self.matches.push_labels(sql);
        if self.matches.narrow() {
            self.matches.push_common(sql);
            sql.push(", raw as materialized (");
            self.matches.push_narrow(sql, &self.statuses, FEW_TASKS + 1);
            sql.push("), few as materialized (select count(*) <= ").push(FEW_TASKS);
            sql.push(" and not (select common from common) as few from raw)");
        }
    }

    fn push_ways(&self, sql: &mut QueryBuilder<Postgres>, after: Option<&[String]>, most: i64) {
        if self.filter.deleted() {
            // What lies in the bin is little (it is emptied), and has one index.
            return self.push_stretches(sql, after, most, &format!("t.deleted_at is not null and {SEEN}"), true);
        }
        let mut otherwise = "true";
        if self.matches.narrow() {
            sql.push("(select q.* from (select distinct id from raw) c cross join lateral (");
            self.push_stretches(sql, after, 1, &format!("t.id = c.id and t.deleted_at is null and {SEEN}"), true);
            sql.push(") q where (select few from few)");
            self.push_order(sql);
            sql.push(format_args!(" limit {most}) union all "));
            otherwise = "not (select few from few)";
        }
        // A page for each stretch, and the first of these.
        let by_status = self.filter.sort.by_status();
        let here = if by_status { "t.project_id = p.id and t.status = s.status" } else { "t.project_id = p.id" };
        sql.push("(select q.* from visible p");
        self.push_statuses(sql, by_status, " cross join ");
        sql.push(" cross join lateral (");
        self.push_stretches(sql, after, most, &format!("{here} and t.deleted_at is null"), !by_status);
        sql.push(") q where ").push(otherwise);
        if self.filter.sort.walks() && self.filter.project.is_none() {
            let by_status = !(self.filter.sort.by_age() && self.statuses.len() == 4);
            let here = if by_status { "t.status = s.status and t.deleted_at is null" } else { "t.deleted_at is null" };
            sql.push(" and (select small from crowd)) union all (select q.* from ");
            self.push_statuses(sql, by_status, "");
            sql.push(if by_status { " cross join lateral (" } else { "(" });
            self.push_stretches(sql, after, most, &format!("{here} and {SEEN}"), !by_status);
            sql.push(") q where ").push(otherwise).push(" and not (select small from crowd)");
        }
        sql.push(")");
    }

    fn push_statuses(&self, sql: &mut QueryBuilder<Postgres>, by_status: bool, join: &str) {
        if by_status {
            sql.push(join).push("unnest(").push_bind(self.statuses.clone()).push("::text[]) s (status)");
        }
    }

    /// The first of the order, of some tasks; one select for each of its phases.
    fn push_stretches(
        &self,
        sql: &mut QueryBuilder<Postgres>,
        after: Option<&[String]>,
        most: i64,
        of: &str,
        any_status: bool,
    ) {
        for (place, phase) in phases(&self.columns, after).iter().enumerate() {
            sql.push(if place > 0 { " union all (select t.id" } else { "(select t.id" });
            for (place, column) in self.columns.iter().enumerate() {
                sql.push(format_args!(", {} as k{place}", column.sql));
            }
            sql.push(" from ").push(self.tasks).push(" t where ").push(of).push(" and ").push(phase.only);
            if any_status && self.statuses.len() < 4 {
                sql.push(" and t.status = any(").push_bind(self.statuses.clone()).push(")");
            }
            self.matches.push(sql);
            push_end(sql, phase, most);
        }
    }

    fn push_order(&self, sql: &mut QueryBuilder<Postgres>) {
        for (place, column) in self.columns.iter().enumerate() {
            let (comma, down) = (if place > 0 { ", " } else { " order by " }, if column.down { " desc" } else { "" });
            sql.push(format_args!("{comma}k{place}{down}"));
        }
    }
}

fn push_end(sql: &mut QueryBuilder<Postgres>, phase: &Phase, most: i64) {
    phase.push_after(sql);
    // One task has no order, and its plan no sort.
    if most > 1 {
        phase.push_order(sql);
    }
    sql.push(format_args!(" limit {most})"));
}
