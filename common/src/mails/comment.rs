//! What a mail about a comment says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    Claim, Content, Subject,
    content::{Said, Unsaid},
};
use crate::{
    access::{Scope, System},
    comments,
    error::Result,
    ids::DeliveryId,
};

/// A comment, as its reader understands it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentContent {
    /// The organization's name.
    pub organization: String,
    /// The organization's name in URLs.
    pub org_slug: String,
    /// The project's name.
    pub project: String,
    /// The task's id.
    pub task_id: Uuid,
    /// `OPS-42`.
    pub task_key: String,
    /// The task.
    pub title: String,
    /// Who said it.
    pub author: String,
    /// What was said, with names for those who are mentioned.
    pub body: String,
    /// Whether the reader is.
    pub mentioned: bool,
    /// The token of its link is derived from this row.
    #[serde(default)]
    pub delivery: Uuid,
}

pub(super) async fn comment(scope: &mut Scope<System>, claim: &Claim) -> Result<Said> {
    let row = sqlx::query!(
        r#"select d.id as "delivery: DeliveryId", a.email, a.name, o.name as organization, o.slug, p.name as project, p.key, t.id as task_id, t.number, t.title,
                  w.name as author, c.body, clock_timestamp() as "date!",
                  (select coalesce(jsonb_object_agg(m.account_id, n.name), '{}') from comment_mentions m
                   join accounts n on n.id = m.account_id where m.comment_id = c.id) as "names!: Json<BTreeMap<Uuid, String>>",
                  exists (select from comment_mentions m where m.comment_id = c.id and m.account_id = a.id) as "mentioned!",
                  v.reason as why_not
           from deliveries d
                join why_not_owed(array(select e.id from deliveries e where e.mail_id = $1 and e.cancelled_at is null)) v on v.delivery_id = d.id
                join comments c on c.org_id = d.org_id and c.id = d.comment_id
                join tasks t on t.org_id = c.org_id and t.id = c.task_id
                join projects p on p.org_id = t.org_id and p.id = t.project_id
                join organizations o on o.id = d.org_id
                join accounts w on w.id = c.author_id
                join accounts a on a.id = d.account_id
           where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row else {
        return Ok(Err("the delivery is cancelled, or its recipient or comment is gone".into()));
    };
    if let Some(reason) = row.why_not {
        return Ok(Err(Unsaid::Void(reason.into())));
    }
    Ok(Ok(Content {
        to: row.email,
        name: Some(row.name),
        date: row.date.to_jiff(),
        deliveries: vec![row.delivery],
        about: Subject::Comment(CommentContent {
            organization: row.organization,
            org_slug: row.slug,
            project: row.project,
            task_id: row.task_id,
            task_key: format!("{}-{}", row.key, row.number),
            title: row.title,
            author: row.author,
            body: comments::with_names(&row.body, &row.names),
            mentioned: row.mentioned,
            delivery: row.delivery.0,
        }),
    }))
}
