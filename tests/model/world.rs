//! The real thing: people with sessions, two organizations, and what is known of the things that were made.

use std::{collections::HashMap, time::Duration};

use common::{
    ids::{AccountId, OrgId, SessionId},
    secrets::{Purpose, SessionToken},
};
use harness::TestApp;
use uuid::Uuid;

use crate::{
    state::State,
    step::{Id, ORGS, PEOPLE},
};

/// Everybody's. As cheap to verify as argon2 lets it be: what it costs to guess is tested elsewhere.
pub(crate) const PASSWORD: &str = "a password for every one";
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$HnKyy6mXXct2DsFE2E2+/w$fZOUgZ9ggVauiqCG5IlVJlYeW/Zawsd6WNKlyU8H9I8";

pub(crate) struct World<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) http: reqwest::Client,
    pub(crate) people: Vec<Somebody>,
    /// Their ids and slugs.
    pub(crate) orgs: Vec<(OrgId, String)>,
    pub(crate) ids: HashMap<Id, Uuid>,
    /// What programs show.
    pub(crate) tokens: HashMap<Id, String>,
    /// What each mail of an invitation holds.
    pub(crate) mails: HashMap<(Id, u32), String>,
    /// The other way: what a real id is called here.
    pub(crate) names: HashMap<Uuid, String>,
}

pub(crate) struct Somebody {
    pub(crate) id: AccountId,
    pub(crate) email: String,
    pub(crate) session: String,
}

impl<'a> World<'a> {
    /// Furnishes the database with what [`State::founded`] says there is.
    pub(crate) async fn furnish(app: &'a TestApp, http: &reqwest::Client, state: &State) -> Self {
        let mark = &Uuid::now_v7().simple().to_string()[20..];
        let tokens: Vec<_> = PEOPLE.iter().map(|_| SessionToken::random().unwrap()).collect();
        let people: Vec<_> = PEOPLE
            .iter()
            .zip(&tokens)
            .map(|(name, token)| Somebody {
                id: AccountId::new(),
                email: format!("{}-{mark}@example.org", name.to_lowercase()),
                session: token.reveal(),
            })
            .collect();
        let orgs: Vec<_> = ORGS.iter().map(|name| (OrgId::new(), format!("{name}-{mark}"))).collect();
        let members: Vec<_> = orgs
            .iter()
            .zip(&state.orgs)
            .flat_map(|((id, _), org)| org.members.iter().map(|(who, member)| (id.0, people[*who].id.0, member.role)))
            .collect();
        sqlx::query(
            "with people as (
                 insert into accounts (id, email, name, password_hash, email_verified_at)
                 select id, email, 'Somebody', $3, now() from unnest($1::uuid[], $2::text[]) a (id, email)
             ), signed_in as (
                 insert into sessions (id, account_id, token_hash, expires_at)
                 select s.id, s.account, s.hash, now() + interval '1 day'
                 from unnest($4::uuid[], $1::uuid[], $5::bytea[]) s (id, account, hash)
             ), organizations as (
                 insert into organizations (id, slug, name)
                 select id, slug, 'A Team' from unnest($6::uuid[], $7::text[]) o (id, slug)
             )
             insert into memberships (org_id, account_id, role)
             select * from unnest($8::uuid[], $9::uuid[], $10::text[])",
        )
        .bind(people.iter().map(|somebody| somebody.id.0).collect::<Vec<_>>())
        .bind(people.iter().map(|somebody| somebody.email.clone()).collect::<Vec<_>>())
        .bind(HASH)
        .bind(people.iter().map(|_| SessionId::new().0).collect::<Vec<_>>())
        .bind(tokens.iter().map(|token| token.hash().as_bytes().to_vec()).collect::<Vec<_>>())
        .bind(orgs.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
        .bind(orgs.iter().map(|(_, slug)| slug.clone()).collect::<Vec<_>>())
        .bind(members.iter().map(|member| member.0).collect::<Vec<_>>())
        .bind(members.iter().map(|member| member.1).collect::<Vec<_>>())
        .bind(members.iter().map(|member| member.2).collect::<Vec<_>>())
        .execute(&app.admin)
        .await
        .unwrap();
        let ids = people.iter().map(|somebody| somebody.id.0).chain(orgs.iter().map(|(id, _)| id.0));
        let names = ids.zip(PEOPLE.into_iter().chain(ORGS).map(str::to_owned)).collect();
        Self {
            app,
            http: http.clone(),
            names,
            people,
            orgs,
            ids: HashMap::new(),
            tokens: HashMap::new(),
            mails: HashMap::new(),
        }
    }

    /// The name of a real id; itself if it is nobody's here.
    pub(crate) fn name(&self, id: Uuid) -> String {
        self.names.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    pub(crate) fn learn(&mut self, new: Id, id: Uuid) {
        self.ids.insert(new, id);
        self.names.insert(id, new.to_string());
    }

    /// The token of an invitation's newest mail, which no answer ever shows.
    pub(crate) async fn read_mail(&mut self, invitation: Id, mail: u32) {
        let token = sqlx::query_scalar::<_, Uuid>("select token_id from invitations where id = $1")
            .bind(self.ids[&invitation])
            .fetch_one(&self.app.admin)
            .await
            .unwrap();
        self.mails.insert((invitation, mail), self.app.key.mailed_token(Purpose::Invitation, token).reveal());
    }
}

/// A client that keeps its connections, for many small requests.
pub(crate) fn client() -> reqwest::Client {
    let idle = Duration::from_secs(2);
    reqwest::Client::builder().pool_idle_timeout(idle).timeout(harness::PATIENCE).build().unwrap()
}

/// An application in which nobody is slowed down, since thousands of sequences come from one address, and in which many can
/// be at work at once.
pub(crate) async fn unthrottled() -> TestApp {
    let app = TestApp::with_settings(&[("TASKBELL_DATABASE_CONNECTIONS", "8")]).await;
    let never = "create or replace function throttle(keys bytea[], free integer[], first double precision[],
                     most double precision[], memory double precision[]) returns double precision
                     language sql as 'select 0::double precision'";
    sqlx::raw_sql(never).execute(&app.admin).await.unwrap();
    app
}
