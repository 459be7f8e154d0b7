//! What a task must be to stand in the list, and which of the filters finds candidates by an index of its own.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::filter::{Assignee, Author, LabelNamed, Parent, PriorityIs, ProjectName, TaskList};
use crate::{
    parameters::Several,
    tasks::TaskRef,
    text::Words,
    time::{Instant, Moment},
};

/// The filter that is asked first, since it has an index and may find few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Parent,
    Words,
    Assignees,
    Labels,
    Authors,
    Updated,
    Due,
    Priority,
}

/// The conditions of a list.
pub(super) struct Matches<'a> {
    filter: &'a TaskList,
    source: Option<Source>,
    /// Where days begin and end.
    zone: &'static str,
}

impl<'a> Matches<'a> {
    pub(super) fn of(filter: &'a TaskList, statuses: &[&str]) -> Self {
        let somebody = |several: &Several<Assignee>| !several.0.contains(&Assignee::None);
        let bounded = filter.due_before.is_some() || filter.due_after.is_some() || filter.overdue();
        let sources = [
            (Source::Parent, matches!(filter.parent, Some(Parent::Task(_)))),
            (Source::Words, filter.q.is_some()),
            (Source::Assignees, filter.assignee.as_ref().is_some_and(somebody)),
            (Source::Labels, filter.label.is_some()),
            (Source::Authors, filter.created_by.is_some()),
            (Source::Updated, filter.updated_since.is_some() && !filter.sort.by_update()),
            (Source::Due, bounded && !filter.sort.by_due()),
            (Source::Priority, filter.priority.is_some()),
        ];
        let source = sources.into_iter().find(|(_, given)| *given).map(|(source, _)| source);
        let zone = "(select o.time_zone from organizations o where o.id = current_org())";
        Self { filter, source: source.filter(|_| !statuses.is_empty() && !filter.deleted()), zone }
    }

    /// Of tasks that come with their organizations' zones.
    pub(super) fn of_mine(filter: &'a TaskList) -> Self {
        Self { filter, source: None, zone: "t.zone" }
    }

    pub(super) fn narrow(&self) -> bool {
        self.source.is_some()
    }

    /// Of the projects that are seen, those that are asked for.
    pub(super) fn push_projects(&self, sql: &mut QueryBuilder<Postgres>) {
        let Some(projects) = &self.filter.project else { return };
        let ids = projects.pick(|name| if let ProjectName::Id(id) = name { Some(id.0) } else { None });
        let keys = projects.pick(|name| if let ProjectName::Key(key) = name { Some(key.to_string()) } else { None });
        sql.push(" and (p.id = any(").push_bind(ids).push(") or p.key = any(").push_bind(keys).push("))");
    }

    /// The labels that are meant; a name may be one in each project.
    pub(super) fn push_labels(&self, sql: &mut QueryBuilder<Postgres>) {
        let Some(labels) = &self.filter.label else { return };
        let ids = labels.pick(|label| if let LabelNamed::Id(id) = label { Some(id.0) } else { None });
        let names = labels.pick(|label| if let LabelNamed::Name(name) = label { Some(name.to_string()) } else { None });
        sql.push(", meant as materialized (select l.id from labels l where l.id = any(").push_bind(ids);
        sql.push(") or lower(l.name) in (select lower(n) from unnest(").push_bind(names).push("::text[]) n))");
    }

    /// Whether the words are in so many tasks that a walk meets them soon. The index would give them all before the first: of the
    /// newest 200 one in twenty is enough not to ask it.
    pub(super) fn push_common(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push(", common as materialized (");
        match &self.filter.q {
            Some(words) if self.source == Some(Source::Words) => {
                sql.push("select count(*) >= 10 as common from (select t.id from tasks t where t.deleted_at is null order by t.id desc limit 200) t where ");
                push_words(sql, words);
            }
            _ => {
                sql.push("select false as common");
            }
        }
        sql.push(")");
    }

    /// Ids that the source finds, of projects that are seen and of others, some perhaps twice.
    pub(super) fn push_narrow(&self, sql: &mut QueryBuilder<Postgres>, statuses: &[&'static str], most: i64) {
        let Some(source) = self.source else { return };
        let among = |sql: &mut QueryBuilder<Postgres>, from: &str| {
            sql.push("select x.id from ").push(from).push("unnest(").push_bind(statuses.to_vec());
            sql.push("::text[]) s (status) cross join lateral (select t.id from tasks t where t.status = s.status and t.deleted_at is null");
        };
        match source {
            Source::Parent => {
                sql.push("select t.id from tasks t where t.parent_id = ");
                self.push_parent(sql);
            }
            Source::Words => {
                let words = self.filter.q.as_ref().map(ToString::to_string);
                sql.push("select w.id from tasks_with(").push_bind(words).push(format_args!(", {most}) w (id)"));
                sql.push(" where not (select common from common)");
            }
            Source::Assignees => {
                sql.push("select a.task_id as id from task_assignees a where a.account_id = any(");
                self.push_assignees(sql);
                sql.push(")");
            }
            Source::Labels => {
                sql.push("select tl.task_id as id from task_labels tl where tl.label_id in (select id from meant)");
            }
            Source::Authors => {
                sql.push("select t.id from tasks t where t.deleted_at is null and t.created_by = any(");
                self.push_authors(sql);
                sql.push(")");
            }
            Source::Updated => {
                among(sql, "");
                self.push_updated(sql);
                sql.push(format_args!(" limit {most}) x"));
            }
            Source::Due => {
                among(sql, "");
                self.push_due(sql);
                sql.push(format_args!(" limit {most}) x"));
            }
            Source::Priority => {
                among(sql, "visible p cross join ");
                sql.push(" and t.project_id = p.id");
                self.push_priority(sql);
                sql.push(format_args!(" limit {most}) x"));
            }
        }
        sql.push(format_args!(" limit {most}"));
    }

    /// ` and …` for each filter but those of project and status.
    pub(super) fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        let filter = self.filter;
        self.push_priority(sql);
        self.push_updated(sql);
        self.push_due(sql);
        if filter.created_by.is_some() {
            sql.push(" and t.created_by = any(");
            self.push_authors(sql);
            sql.push(")");
        }
        match &filter.parent {
            None => {}
            Some(Parent::None) => {
                sql.push(" and t.parent_id is null");
            }
            Some(Parent::Task(_)) => {
                sql.push(" and t.parent_id = ");
                self.push_parent(sql);
            }
        }
        // `is true` keeps a question a question: as a join it would decide the order in which tasks are looked at.
        if let Some(assignees) = &filter.assignee {
            sql.push(" and (exists (select from task_assignees a where a.task_id = t.id and a.account_id = any(");
            self.push_assignees(sql);
            sql.push("))");
            if assignees.0.contains(&Assignee::None) {
                sql.push(" or not exists (select from task_assignees a where a.task_id = t.id)");
            }
            sql.push(") is true");
        }
        if filter.label.is_some() {
            sql.push(" and (exists (select from task_labels tl where tl.task_id = t.id and tl.label_id in (select id from meant))) is true");
        }
        if let Some(words) = &filter.q {
            sql.push(" and ");
            push_words(sql, words);
        }
    }

    fn push_assignees(&self, sql: &mut QueryBuilder<Postgres>) {
        let several = self.filter.assignee.as_ref();
        let ids: Vec<Uuid> = several.map_or_else(Vec::new, |several| {
            several.pick(|who| if let Assignee::Account(id) = who { Some(id.0) } else { None })
        });
        push_accounts(sql, several.is_some_and(|several| several.0.contains(&Assignee::Me)), ids);
    }

    fn push_authors(&self, sql: &mut QueryBuilder<Postgres>) {
        let several = self.filter.created_by.as_ref();
        let ids: Vec<Uuid> = several.map_or_else(Vec::new, |several| {
            several.pick(|who| if let Author::Account(id) = who { Some(id.0) } else { None })
        });
        push_accounts(sql, several.is_some_and(|several| several.0.contains(&Author::Me)), ids);
    }

    fn push_parent(&self, sql: &mut QueryBuilder<Postgres>) {
        match &self.filter.parent {
            Some(Parent::Task(TaskRef::Id(id))) => {
                sql.push_bind(id.0);
            }
            Some(Parent::Task(TaskRef::Key(key, number))) => {
                sql.push("(select n.id from tasks n where n.number = ").push_bind(*number);
                sql.push(" and n.project_id = (select v.id from visible v where v.key = ")
                    .push_bind(key.to_string())
                    .push("))");
            }
            Some(Parent::None) | None => {
                sql.push("null");
            }
        }
    }

    fn push_priority(&self, sql: &mut QueryBuilder<Postgres>) {
        if let Some(priorities) = &self.filter.priority {
            let urgencies = priorities.pick(|PriorityIs(priority)| Some(4 - priority));
            sql.push(" and t.urgency = any(").push_bind(urgencies).push(")");
        }
    }

    fn push_updated(&self, sql: &mut QueryBuilder<Postgres>) {
        if let Some(since) = self.filter.updated_since {
            sql.push(" and t.updated_at >= ").push_bind(since.sql());
        }
    }

    /// A day is over, and begins, where the organization is. `due_key` bounds it for the index: a day's end in UTC.
    fn push_due(&self, sql: &mut QueryBuilder<Postgres>) {
        if let Some(before) = self.filter.due_before {
            push_before(sql, self.zone, |sql| push_moment(sql, self.zone, before));
        }
        if self.filter.overdue() {
            push_before(sql, self.zone, |sql| {
                sql.push("now()");
            });
        }
        match self.filter.due_after {
            None => {}
            Some(Moment::Day(day)) => {
                let day = jiff_sqlx::Date::from(day);
                sql.push(" and t.due_key < 'infinity' and t.due_key >= (").push_bind(day);
                sql.push(" + 1)::timestamp at time zone 'UTC' - interval '15 hours' and (t.due_on > ").push_bind(day);
                sql.push(" or t.due_at >= (")
                    .push_bind(day)
                    .push(" + 1)::timestamp at time zone ")
                    .push(self.zone)
                    .push(")");
            }
            Some(Moment::At(at)) => {
                sql.push(" and t.due_key < 'infinity' and t.due_key >= ").push_bind(at.sql());
                sql.push(" - interval '15 hours' and (t.due_at > ").push_bind(at.sql());
                sql.push(" or (t.due_on + 1)::timestamp at time zone ")
                    .push(self.zone)
                    .push(" > ")
                    .push_bind(at.sql())
                    .push(")");
            }
        }
    }
}

/// What is due before an instant: by then an instant has passed, or a day is over where the organization is.
fn push_before(sql: &mut QueryBuilder<Postgres>, zone: &str, at: impl Fn(&mut QueryBuilder<Postgres>)) {
    sql.push(" and t.due_key <= ");
    at(sql);
    sql.push(" + interval '15 hours' and (t.due_at < ");
    at(sql);
    sql.push(" or t.due_on < (");
    at(sql);
    sql.push(" at time zone ").push(zone).push(")::date)");
}

/// The instant, or the beginning of the day where the organization is.
fn push_moment(sql: &mut QueryBuilder<Postgres>, zone: &str, moment: Moment) {
    match moment {
        Moment::At(at) => {
            push_instant(sql, at);
        }
        Moment::Day(day) => {
            sql.push("(").push_bind(jiff_sqlx::Date::from(day)).push("::timestamp at time zone ").push(zone).push(")");
        }
    }
}

fn push_instant(sql: &mut QueryBuilder<Postgres>, at: Instant) {
    sql.push_bind(at.sql());
}

fn push_words(sql: &mut QueryBuilder<Postgres>, words: &Words) {
    sql.push("(select w.words @@ (select search_query(current_org(), ").push_bind(words.to_string());
    sql.push(")) from task_words w where w.task_id = t.id)");
}

fn push_accounts(sql: &mut QueryBuilder<Postgres>, me: bool, ids: Vec<Uuid>) {
    sql.push_bind(ids).push("::uuid[]");
    if me {
        sql.push(" || current_account()");
    }
}
