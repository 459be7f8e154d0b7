//! Listing deliveries: which, and a page at a time.

use deserr::Deserr;
use sqlx::{Postgres, QueryBuilder};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Delivery;
use crate::{
    access::{ManageProject, Permission, ReadDeliveries, ReadTasks, Scope},
    error::Result,
    ids::{AccountId, TaskId},
    input::Faults,
    mails::{MailKind, MailState},
    page::{Cursor, Limit, Page},
    parameters::Several,
};

/// Which page of which deliveries.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct DeliveryFilter {
    /// Of one task.
    #[deserr(default)]
    pub task: Option<TaskId>,
    /// Owed to one person.
    #[deserr(default)]
    pub account: Option<AccountId>,
    /// Of these kinds.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<MailKind>>, example = json!(["reminder", "digest"]))]
    pub kind: Option<Several<MailKind>>,
    /// In these states, as they stand.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<MailState>>, example = json!(["uncertain", "dead"]))]
    pub state: Option<Several<MailState>>,
    /// Items a page.
    #[deserr(default)]
    pub limit: Limit,
    /// Where the page begins.
    #[deserr(default)]
    pub cursor: Option<Cursor>,
}

/// One's own deliveries, and for those who may read them everybody's; of a private project only with a grant. Whoever manages a
/// project sees those of its tasks, without anybody's address. Newest first.
///
/// # Errors
/// [`Error::BadCursor`](crate::Error::BadCursor).
pub async fn list(scope: &mut Scope<impl Permission>, filter: DeliveryFilter) -> Result<Page<Delivery>> {
    let DeliveryFilter { task, account, kind, state, limit, cursor } = filter;
    let name = format!("deliveries {task:?} {account:?} {kind:?} {state:?}");
    let after = cursor.map(|cursor| cursor.open(scope.core(), &name)).transpose()?;
    let wanted = Wanted {
        task,
        account,
        kinds: kind.map(|kinds| kinds.pick(|kind| Some(kind.as_str()))),
        states: state.map(|states| states.pick(|state| Some(state.as_str()))),
        after,
        limit,
    };
    let deliveries = wanted.statement().build_query_as().fetch_all(scope.sql()).await?;
    Ok(Page::of(deliveries, limit, scope.core(), &name, |delivery: &Delivery| delivery.id.0))
}

/// What is cancelled while it is being sent, and is sent, was sent.
const STATE: &str = "case when d.cancelled_at is null or m.state = 'sent' and d.cancelled_at > m.frozen_at then m.state
                          else 'cancelled' end";
/// Few mails are in these: an index has them (`mails_troubled_idx`), and what is asked for nothing else begins there.
const FEW: [&str; 4] = ["retry", "uncertain", "dead", "expired"];

/// What a walk looks for, and how far it goes.
struct Wanted {
    task: Option<TaskId>,
    account: Option<AccountId>,
    kinds: Option<Vec<&'static str>>,
    states: Option<Vec<&'static str>>,
    after: Option<Uuid>,
    limit: Limit,
}

impl Wanted {
    /// One's own and others' are two walks, each along its index and only as far as the page: `deliveries_account_idx` and
    /// `deliveries_org_idx`. The second is not begun without the permission or a project to manage; it goes on past what is not to be
    /// seen. Mails are looked at when the page is cut, or on the way if a state is asked for.
    fn statement(&self) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new(
            "with visible as materialized (select id from projects where permissions_in(id, visibility) & ",
        );
        sql.push_bind(ReadTasks::BITS);
        sql.push(" <> 0), managed as materialized (select id from projects where permissions_in(id, visibility) & ");
        sql.push_bind(ManageProject::BITS);
        sql.push(
            " <> 0), own as (select d.* from deliveries d where d.account_id = current_account() and current_scopes() & ",
        );
        // A session needs nothing for one's own; a personal token needs to read tasks.
        sql.push_bind(ReadTasks::BITS).push(" <> 0");
        self.narrow(&mut sql);
        self.cut(&mut sql);
        sql.push("), others as (select d.* from deliveries d where (has_permission(").push_bind(ReadDeliveries::BITS);
        sql.push(") or exists (select from managed)) and case when has_permission(").push_bind(ReadDeliveries::BITS);
        // One expression, or Postgres takes it for so rare that sorting everything looks cheaper.
        sql.push(
            ") then d.task_id is null
                        or (select p.id from tasks t join visible p on p.id = t.project_id where t.id = d.task_id) is not null
                   else (select p.id from tasks t join managed p on p.id = t.project_id where t.id = d.task_id) is not null end",
        );
        self.narrow(&mut sql);
        self.cut(&mut sql);
        sql.push(
            "), page as materialized (select d.* from (select * from own union select * from others) d where true",
        );
        self.cut(&mut sql);
        sql.push(")");
        sql.push(" select d.id, d.kind, ")
            .push(STATE)
            .push(" as state, case when d.account_id = current_account() or has_permission(");
        sql.push_bind(ReadDeliveries::BITS).push(
            ") then coalesce(d.reason, m.reason) else without_addresses(coalesce(d.reason, m.reason)) end as reason,
                    d.account_id, d.task_id, d.due_at, m.sent_at, m.attempts
              from page d join mails m on m.id = d.mail_id order by d.id desc",
        );
        sql
    }

    fn narrow(&self, sql: &mut QueryBuilder<Postgres>) {
        if let Some(task) = self.task {
            sql.push(" and d.task_id = ").push_bind(task.0);
        }
        if let Some(account) = self.account {
            sql.push(" and d.account_id = ").push_bind(account.0);
        }
        if let Some(kinds) = &self.kinds {
            sql.push(" and d.kind = any(").push_bind(kinds.clone()).push(")");
        }
        if let Some(states) = &self.states {
            sql.push(" and (select ").push(STATE).push(" from mails m where m.id = d.mail_id) = any(");
            sql.push_bind(states.clone()).push(")");
            if states.iter().all(|state| FEW.contains(state)) {
                // Not bound: of a parameter Postgres cannot know that the index has it.
                let states = states.iter().map(|state| format!("'{state}'")).collect::<Vec<_>>().join(", ");
                sql.push(" and d.mail_id in (select m.id from mails m where m.state in (").push(states).push("))");
            }
        }
    }

    fn cut(&self, sql: &mut QueryBuilder<Postgres>) {
        if let Some(after) = self.after {
            sql.push(" and d.id < ").push_bind(after);
        }
        sql.push(format_args!(" order by d.id desc limit {}", self.limit.and_one()));
    }
}
