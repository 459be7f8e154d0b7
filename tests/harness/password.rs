use common::passwords;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::{Actor, Reply, TestApp};

/// What everybody's is who has one.
pub const PASSWORD: &str = "correct horse battery";

static HASH: OnceCell<String> = OnceCell::const_new();

impl TestApp {
    /// Somebody with a verified account, a session and [`PASSWORD`].
    pub async fn person_with_password(&self, name: &str) -> Actor {
        let person = self.person(name).await;
        self.give_password(&person).await;
        person
    }

    /// Lets somebody have [`PASSWORD`].
    ///
    /// # Panics
    /// When the database does not.
    pub async fn give_password(&self, person: &Actor) {
        let hash = HASH.get_or_init(async || passwords::hash(PASSWORD.parse().unwrap()).await.unwrap()).await;
        sqlx::query("update accounts set password_hash = $1 where id = $2")
            .bind(hash)
            .bind(person.id.0)
            .execute(&self.admin)
            .await
            .unwrap();
    }

    /// Tries to sign in.
    pub async fn sign_in(&self, email: &str, password: &str) -> Reply {
        self.stranger().post("/v1/sessions", json!({ "email": email, "password": password })).await
    }

    /// The same person in another session.
    pub async fn signed_in(&self, person: &Actor) -> Actor {
        let token = self.sign_in(&person.email, PASSWORD).await.is(201).text_at("/token");
        person.with_token(Some(&token))
    }
}
