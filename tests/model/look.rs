//! What there is, read straight from the tables as their superuser, in the words of `state.rs`.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::world::World;

/// Organization, kind, thing, person, person, the rest.
type Row = (Uuid, String, Option<Uuid>, Option<Uuid>, Option<Uuid>, Option<String>);

const EVERYTHING: &str = "
    select id, 'closed', null::uuid, null::uuid, null::uuid, null
    from organizations where id = any($1) and deletion_due_at is not null
    union all
    select org_id, 'member', null, account_id, null, role || ' ' || status
    from memberships where org_id = any($1) and status <> 'removed'
    union all
    select org_id, 'role', null, null, null, key || ' ' || permissions from roles where org_id = any($1)
    union all
    select i.org_id, 'invitation', i.id, a.id, i.invited_by, i.role
    from invitations i left join accounts a on a.email = i.email
    where i.org_id = any($1) and i.accepted_at is null and i.revoked_at is null and i.declined_at is null
    union all
    select org_id, 'project', id, null, null, key || ' ' || visibility from projects where org_id = any($1)
    union all
    select org_id, 'grant', project_id, account_id, null, role from project_grants where org_id = any($1)
    union all
    select org_id, 'token', id, account_id, null, scopes::text from tokens
    where org_id = any($1) and revoked_at is null and expires_at > now()
    union all
    select org_id, 'assigned', task_id, account_id, null, null from task_assignees where org_id = any($1)
    union all
    select org_id, 'task', id, null, project_id,
           concat_ws(' ', title, version, (completed_at is not null)::text, (deleted_at is not null)::text)
    from tasks where org_id = any($1)
    union all
    select org_id, 'place', id, null, null, (row_number() over (partition by project_id order by position))::text
    from tasks where org_id = any($1)
    union all
    select org_id, 'said', task_id, author_id, null, count(*)::text from comments
    where org_id = any($1) and deleted_at is null group by org_id, task_id, author_id
    union all
    select org_id, 'did', task_id, null, null, action || ' ' || count(*) from task_events
    where org_id = any($1) group by org_id, task_id, action
    union all
    select d.org_id, 'owed', d.task_id, d.account_id, null, count(*)::text
    from deliveries d join mails m on m.id = d.mail_id
    where d.org_id = any($1) and d.kind = 'reminder' and d.cancelled_at is null and m.state in ('scheduled', 'retry', 'claimed')
    group by d.org_id, d.task_id, d.account_id
    union all
    select org_id, 'log', null, null, null, action || ' ' || count(*)
    from audit_events where org_id = any($1) and action <> 'access.denied' group by org_id, action";

/// What must hold whatever has happened, in whichever order: each of these finds who breaks it.
const BROKEN: &str = "
    select 'an organization without an active owner: ' || o.id from organizations o
    where o.id = any($1) and not exists (
        select from memberships m where m.org_id = o.id and m.role = 'owner' and m.status = 'active')
    union all
    select 'a project without an active manager: ' || p.key from projects p
    where p.org_id = any($1) and not exists (
        select from project_grants g join memberships m on m.org_id = g.org_id and m.account_id = g.account_id
        where g.org_id = p.org_id and g.project_id = p.id and g.role = 'manager' and m.status = 'active')
    union all
    select 'who is out keeps ' || what from memberships m, lateral (
        select 'a token' from tokens t where t.org_id = m.org_id and t.account_id = m.account_id and t.revoked_at is null
        union all
        select 'an assignment' from task_assignees a where a.org_id = m.org_id and a.account_id = m.account_id
        union all
        select 'an invitation' from invitations i where i.org_id = m.org_id and i.invited_by = m.account_id
            and i.accepted_at is null and i.revoked_at is null and i.declined_at is null
        union all
        select 'a delivery' from deliveries d join mails s on s.id = d.mail_id
        where d.org_id = m.org_id and d.account_id = m.account_id and d.kind = 'reminder' and d.cancelled_at is null
          and s.state in ('scheduled', 'retry', 'claimed')
        union all
        select 'a grant' from project_grants g
        where g.org_id = m.org_id and g.account_id = m.account_id and m.status = 'removed') kept (what)
    where m.org_id = any($1) and m.status <> 'active'";

impl World<'_> {
    /// One line for each thing, sorted.
    pub(crate) async fn lines(&self) -> BTreeSet<String> {
        let orgs: Vec<Uuid> = self.orgs.iter().map(|(id, _)| id.0).collect();
        let rows: Vec<Row> = sqlx::query_as(EVERYTHING).bind(orgs).fetch_all(&self.app.admin).await.unwrap();
        let name = |id: Option<Uuid>| id.map_or_else(|| "-".to_owned(), |id| self.name(id));
        rows.into_iter()
            .map(|(org, kind, thing, one, other, rest)| {
                let rest = rest.unwrap_or_else(|| "-".to_owned());
                format!("{} {kind} {} {} {} {rest}", self.name(org), name(thing), name(one), name(other))
            })
            .collect()
    }

    /// Which of the rules that always hold do not.
    pub(crate) async fn broken(&self) -> Vec<String> {
        let orgs: Vec<Uuid> = self.orgs.iter().map(|(id, _)| id.0).collect();
        sqlx::query_scalar(BROKEN).bind(orgs).fetch_all(&self.app.admin).await.unwrap()
    }
}

/// What only one of the two has; nothing when they agree.
pub(crate) fn difference(model: &BTreeSet<String>, real: &BTreeSet<String>) -> Option<String> {
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>, who: &str| -> Vec<String> {
        these.difference(those).map(|line| format!("  only {who} has: {line}")).collect()
    };
    let lines = [only(model, real, "the model"), only(real, model, "Postgres")].concat();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
