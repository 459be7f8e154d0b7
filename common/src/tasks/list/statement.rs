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
/// Of so many projects the first of each are taken, however large the others are.
const FEW_PROJECTS: i64 = 32;

/// What a statement is made from.
pub(super) struct Statement<'a> {
    filter: &'a TaskList,
    columns: Vec<Column>,
    statuses: Vec<&'static str>,
    matches: Matches<'a>,
}

impl<'a> Statement<'a> {
    pub(super) fn of(filter: &'a TaskList) -> Self {
        let statuses = filter.statuses();
        Self { filter, columns: filter.sort.columns(), matches: Matches::of(filter, &statuses), statuses }
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
        sql.push(format_args!(" limit {most}) select array["));
        for (place, _) in self.columns.iter().enumerate() {
            sql.push(format_args!("{}found.k{place}::text", if place > 0 { ", " } else { "" }));
        }
        sql.push("] as keys, p.key as project_key, p.held, ").push(columns!());
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
        sql.push(
            "), crowd as materialized (
                 select count(*) <= greatest(",
        );
        sql.push(FEW_PROJECTS);
        sql.push(", (select sum(task_count) from projects) / greatest(sum(task_count), 1)) as small from visible)");
        self.matches.push_labels(sql);
        if self.matches.narrow() {
            sql.push(", raw as materialized (");
            self.matches.push_narrow(sql, &self.statuses, FEW_TASKS + 1);
            sql.push("), few as materialized (select count(*) <= ").push(FEW_TASKS).push(" as few from raw)");
        }
    }

    fn push_ways(&self, sql: &mut QueryBuilder<Postgres>, after: Option<&[String]>, most: i64) {
        if self.filter.deleted() {
            // What lies in the bin is little (it is emptied), and has one index.
            return self.push_stretches(sql, after, most, "t.deleted_at is not null", true);
        }
        let mut otherwise = "true";
        if self.matches.narrow() {
            sql.push("(select q.* from (select distinct id from raw) c cross join lateral (");
            self.push_stretches(sql, after, 1, "t.id = c.id and t.deleted_at is null", true);
            sql.push(") q where (select few from few)");
            self.push_order(sql);
            sql.push(format_args!(" limit {most}) union all "));
            otherwise = "not (select few from few)";
        }
        // A page for each stretch, and the first of these.
        let by_status = self.filter.sort.by_status() && !(self.filter.sort.by_age() && self.statuses.len() == 4);
        let walks = self.filter.sort.walks() && self.filter.project.is_none();
        sql.push("(select q.* from visible p");
        let here = if by_status { "t.project_id = p.id and t.status = s.status and t.deleted_at is null" } else { "t.project_id = p.id and t.deleted_at is null" };
        self.push_statuses(sql, by_status, " cross join ");
        sql.push(" cross join lateral (");
        self.push_stretches(sql, after, most, here, !by_status);
        sql.push(") q where ").push(otherwise);
        if walks {
            sql.push(" and (select small from crowd)) union all (select q.* from ");
            self.push_statuses(sql, by_status, "");
            sql.push(if by_status { " cross join lateral (" } else { "(" });
            let seen = "t.deleted_at is null and (t.project_id in (select p.id from visible p)) is true";
            let of_status = "t.deleted_at is null and (t.project_id in (select p.id from visible p)) is true and t.status = s.status";
            self.push_stretches(sql, after, most, if by_status { of_status } else { seen }, !by_status);
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
            sql.push(" from tasks t where ").push(of).push(" and ").push(phase.only);
            if any_status && self.statuses.len() < 4 {
                sql.push(" and t.status = any(").push_bind(self.statuses.clone()).push(")");
            }
            if self.filter.deleted() {
                sql.push(" and (t.project_id in (select p.id from visible p)) is true");
            } else if of.starts_with("t.id") {
                sql.push(" and (t.project_id in (select p.id from visible p)) is true");
            }
            self.matches.push(sql);
            self.push_end(sql, phase, most);
        }
    }

    fn push_end(&self, sql: &mut QueryBuilder<Postgres>, phase: &Phase, most: i64) {
        phase.push_after(sql);
        // One task has no order, and its plan no sort.
        if most > 1 {
            phase.push_order(sql);
        }
        sql.push(format_args!(" limit {most})"));
    }

    fn push_order(&self, sql: &mut QueryBuilder<Postgres>) {
        for (place, column) in self.columns.iter().enumerate() {
            let (comma, down) = (if place > 0 { ", " } else { " order by " }, if column.down { " desc" } else { "" });
            sql.push(format_args!("{comma}k{place}{down}"));
        }
    }
}
