//! What is to be tried, made from the catalog alone: whose each row is, by its columns; what a context may see and write; what
//! a role was granted.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::{catalog, world::World};

/// In whose name a connection acts: what the openers would have set.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) name: &'static str,
    org: Option<String>,
    account: Option<String>,
}

impl Context {
    /// Nobody asked for anything.
    pub(crate) fn none() -> Self {
        Self { name: "without context", org: None, account: None }
    }

    /// All that the openers make, for tenant `a`.
    pub(crate) fn all(world: &World) -> Vec<Self> {
        let org = || Some(world.get("a", "org", "id").to_owned());
        let person = |tenant, who| Some(world.get(tenant, "person", who).to_owned());
        vec![
            Self { name: "a's owner in a", org: org(), account: person("a", "owner") },
            Self { name: "a member of both in a", org: org(), account: person("x", "twin") },
            Self { name: "a job of a", org: org(), account: None },
            Self { name: "a's owner outside", org: None, account: person("a", "owner") },
            Self { name: "an outsider", org: None, account: person("x", "outsider") },
        ]
    }

    /// Sets it for one transaction; every permission is held, so that nothing but the tenant stands in the way.
    pub(crate) fn set(&self) -> String {
        let [org, account] = [&self.org, &self.account].map(|id| id.as_deref().unwrap_or_default());
        format!(
            "select set_config('app.org_id', '{org}', true), set_config('app.account_id', '{account}', true),
                    set_config('app.permissions', '-1', true), set_config('app.scopes', '-1', true)"
        )
    }
}

/// Whose a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// The tenant itself.
    Tenant,
    /// A person: `accounts`.
    Person,
    /// `org_id`, and where that is null `account_id` if there is one.
    Organization { or_account: bool },
    /// `org_id`, or from outside organizations `account_id`.
    Holder,
    /// `account_id`.
    Account,
    /// Nothing in the row tells: no role may read it.
    Nobody,
}

/// A column, and what one role may do with it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Column {
    pub(crate) name: String,
    kind: String,
    pub(crate) select: bool,
    pub(crate) insert: bool,
    pub(crate) update: bool,
    /// Of some row, as text.
    #[sqlx(skip)]
    pub(crate) sample: Option<String>,
}

impl Column {
    /// A value that the column has somewhere, so that no check refuses it.
    pub(crate) fn literal(&self) -> Option<String> {
        self.sample.as_ref().map(|text| format!("'{}'::{}", text.replace('\'', "''"), self.kind))
    }
}

/// One table as one role meets it.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) role: &'static str,
    pub(crate) columns: Vec<Column>,
    owner: Owner,
}

/// What one context may do in one table, and what it must not be able to.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) context: Context,
    /// A predicate over what may be seen.
    pub(crate) readable: String,
    /// How many rows may be written.
    pub(crate) writable: i64,
    /// Rows of others, as JSON.
    pub(crate) foreign: Vec<String>,
}

impl Table {
    /// Every table that holds somebody's rows, but what the role is meant to see of everybody.
    pub(crate) async fn all(admin: &mut PgConnection, role: &'static str) -> Vec<Self> {
        let names: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_class
             where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace order by 1",
        )
        .fetch_all(&mut *admin)
        .await
        .unwrap();
        let mut tables = Vec::new();
        for name in names {
            let everybodys = role == "taskbell_worker" && catalog::SENT.contains(&&*name);
            if !catalog::NOBODYS.contains(&&*name) && !everybodys {
                tables.push(Self::load(admin, role, name).await);
            }
        }
        tables
    }

    async fn load(admin: &mut PgConnection, role: &'static str, name: String) -> Self {
        let mut columns: Vec<Column> = sqlx::query_as(
            "select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as kind,
                    has_column_privilege($1, a.attrelid, a.attnum, 'select') as select,
                    a.attidentity <> 'a' and has_column_privilege($1, a.attrelid, a.attnum, 'insert') as insert,
                    a.attidentity <> 'a' and has_column_privilege($1, a.attrelid, a.attnum, 'update') as update
             from pg_attribute a
             where a.attrelid = $2::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum",
        )
        .bind(role)
        .bind(&name)
        .fetch_all(&mut *admin)
        .await
        .unwrap();
        for column in &mut columns {
            let statement = format!("select \"{0}\"::text from {name} where \"{0}\" is not null limit 1", column.name);
            column.sample = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_optional(&mut *admin).await.unwrap();
        }
        let has = |wanted| columns.iter().any(|column| column.name == wanted);
        let owner = match &*name {
            "organizations" => Owner::Tenant,
            "accounts" => Owner::Person,
            name if catalog::HELD.contains(&name) => Owner::Holder,
            _ if has("org_id") => Owner::Organization { or_account: has("account_id") },
            _ if has("account_id") => Owner::Account,
            _ => Owner::Nobody,
        };
        let unguarded = owner == Owner::Nobody && columns.iter().any(|c| c.select || c.insert || c.update);
        assert!(
            !unguarded,
            "whose are the rows of {name}? It has neither org_id nor account_id, and {role} has a grant"
        );
        Self { name, role, columns, owner }
    }

    /// The column that says whose a row is.
    pub(crate) fn owner_column(&self) -> &'static str {
        match self.owner {
            Owner::Tenant | Owner::Person => "id",
            Owner::Organization { .. } | Owner::Holder => "org_id",
            Owner::Account | Owner::Nobody => "account_id",
        }
    }

    /// What that column says of the context's rows, and of tenant `b`'s.
    pub(crate) fn owners(&self, context: &Context, world: &World) -> (Option<String>, String) {
        match self.owner {
            Owner::Tenant | Owner::Organization { .. } | Owner::Holder => {
                (context.org.clone(), world.get("b", "org", "id").to_owned())
            }
            Owner::Person | Owner::Account | Owner::Nobody => {
                (context.account.clone(), world.get("b", "person", "owner").to_owned())
            }
        }
    }

    pub(crate) async fn limits(&self, admin: &mut PgConnection, context: &Context) -> Limits {
        let Self { name, .. } = self;
        let statement = format!("select count(*) from {name} where {}", self.writable(context));
        let writable = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut *admin).await.unwrap();
        let statement = format!("select to_jsonb(t)::text from {name} t where not ({})", self.writable(context));
        let foreign = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(&mut *admin).await.unwrap();
        let readable = self.readable(admin, context).await;
        Limits { context: context.clone(), readable, writable, foreign }
    }

    /// Which rows the context may see. Ids are written out: the role must not need to read another table for it.
    async fn readable(&self, admin: &mut PgConnection, context: &Context) -> String {
        let (org, account) = (context.org.as_ref(), context.account.as_ref());
        let mut list = async |of: &str, id: Option<&String>| {
            let Some(id) = id else { return "null".to_owned() };
            let statement = format!("select {of} = '{id}'");
            let ids: Vec<String> = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(&mut *admin).await.unwrap();
            ids.iter().map(|id| format!("'{id}'")).chain(["null".to_owned()]).collect::<Vec<_>>().join(", ")
        };
        let readable = match self.owner {
            Owner::Tenant if org.is_some() => is("id", org),
            Owner::Tenant => {
                let own = "m.org_id::text from memberships m where m.status = 'active' and m.account_id";
                format!("id in ({})", list(own, account).await)
            }
            Owner::Person => {
                format!(
                    "{} or id in ({})",
                    is("id", account),
                    list("m.account_id::text from memberships m where m.org_id", org).await
                )
            }
            Owner::Organization { or_account: true } if org.is_none() => is("account_id", account),
            _ => self.writable(context),
        };
        format!("coalesce({readable}, false)")
    }

    /// Which rows the context may write.
    fn writable(&self, context: &Context) -> String {
        let (org, account) = (context.org.as_ref(), context.account.as_ref());
        let writable = match self.owner {
            Owner::Tenant => is("id", org),
            Owner::Person => is("id", account),
            Owner::Organization { or_account: true } => {
                format!("{} or (org_id is null and {})", is("org_id", org), is("account_id", account))
            }
            Owner::Organization { or_account: false } => is("org_id", org),
            Owner::Holder if org.is_some() => is("org_id", org),
            Owner::Holder | Owner::Account => is("account_id", account),
            Owner::Nobody => "false".to_owned(),
        };
        format!("coalesce({writable}, false)")
    }
}

fn is(column: &str, id: Option<&String>) -> String {
    id.map_or_else(|| "false".to_owned(), |id| format!("{column} = '{id}'"))
}
