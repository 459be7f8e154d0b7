//! Reminders that a task gets by itself.

use std::str::FromStr;

use deserr::Deserr;
use serde::{Deserialize, Deserializer, Serialize};
use sqlx::{
    Decode, Encode, Postgres,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef},
    types::Json,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema, schema::ArrayBuilder},
};

use crate::{
    access::Core,
    error::Result,
    input::{Fault, Faults},
    reminders::{NewReminder, Recipient},
    time::{Offset, SkipAfter, When},
};

/// How many there may be.
const MOST: usize = 10;

/// Some of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Deserr)]
#[serde(transparent)]
#[deserr(error = Faults, try_from(Vec<DefaultReminder>) = Self::of -> TooMany)]
pub struct DefaultReminders(pub Vec<DefaultReminder>);

/// A reminder that a task gets by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct DefaultReminder {
    /// When.
    pub when: FromDue,
    /// Whoever creates the task, or whoever it is assigned to.
    pub to: DefaultRecipient,
    /// How late it is still of use; twelve hours unless said.
    #[deserr(default)]
    #[serde(default, deserialize_with = "skip_after")]
    pub skip_after: Option<SkipAfter>,
}

/// Before (negative) or after the due value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct FromDue {
    /// How long.
    #[serde(deserialize_with = "parsed")]
    pub offset: Offset,
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Deserr, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(rename_all = "lowercase")]
#[deserr(rename_all = lowercase, error = Faults)]
pub enum DefaultRecipient {
    /// Whoever creates the task.
    Me,
    /// Whoever it is assigned to.
    Assignees,
}

/// More than there may be.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must not have more than {MOST} elements")]
pub struct TooMany;

impl Fault for TooMany {
    fn code(&self) -> &'static str {
        "too_many"
    }
}

impl DefaultReminders {
    fn of(all: Vec<DefaultReminder>) -> std::result::Result<Self, TooMany> {
        if all.len() <= MOST { Ok(Self(all)) } else { Err(TooMany) }
    }

    /// As if the task had named them.
    #[must_use]
    pub fn named(&self) -> Vec<NewReminder> {
        let named = |default: &DefaultReminder| NewReminder {
            when: When::Offset { offset: default.when.offset },
            to: match default.to {
                DefaultRecipient::Me => Recipient::Me,
                DefaultRecipient::Assignees => Recipient::Assignees,
            },
            skip_after: default.skip_after,
        };
        self.0.iter().map(named).collect()
    }
}

impl PartialSchema for DefaultReminders {
    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new()
            .items(utoipa::openapi::Ref::from_schema_name(DefaultReminder::name()))
            .max_items(Some(MOST))
            .description(Some("Reminders that a task gets by itself."))
            .into()
    }
}

impl ToSchema for DefaultReminders {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((DefaultReminder::name().into_owned(), DefaultReminder::schema()));
        DefaultReminder::schemas(schemas);
    }
}

// Stored as they are shown.
impl sqlx::Type<Postgres> for DefaultReminders {
    fn type_info() -> PgTypeInfo {
        Json::<Self>::type_info()
    }

    fn compatible(known: &PgTypeInfo) -> bool {
        Json::<Self>::compatible(known)
    }
}

impl<'r> Decode<'r, Postgres> for DefaultReminders {
    fn decode(value: PgValueRef<'r>) -> std::result::Result<Self, BoxDynError> {
        Json::<Self>::decode(value).map(|stored| stored.0)
    }
}

impl Encode<'_, Postgres> for DefaultReminders {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> std::result::Result<IsNull, BoxDynError> {
        Json(self).encode_by_ref(buffer)
    }
}

/// What was stored as text.
fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: std::fmt::Display>>(
    deserializer: D,
) -> std::result::Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn skip_after<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<SkipAfter>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

/// What the caller's new task gets that is due and says nothing of reminders: what they have chosen, else what the organization has; no
/// more than there may be.
///
/// # Errors
/// The database's.
pub(crate) async fn of_the_caller(core: &mut Core) -> Result<Vec<NewReminder>> {
    let most = usize::try_from(core.db.quotas.reminders).unwrap_or(usize::MAX);
    let chosen = sqlx::query_scalar!(
        r#"select coalesce(n.default_reminders, o.default_reminders) as "chosen!: DefaultReminders"
           from organizations o left join notification_settings n on n.org_id = o.id and n.account_id = current_account()
           where o.id = current_org()"#
    )
    .fetch_one(core.sql())
    .await?;
    let mut named = chosen.named();
    named.truncate(most);
    Ok(named)
}
