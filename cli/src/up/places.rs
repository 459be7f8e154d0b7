//! Where everything of a stack is to be found.

use std::path::{Path, PathBuf};

use url::Url;

use crate::tour::Cast;

/// Addresses and directories of a running stack.
#[derive(Clone)]
pub(super) struct Places {
    /// The API.
    pub(super) api: Url,
    /// The mail catcher's page.
    pub(super) inbox: Url,
    /// The database, as the role that migrates.
    pub(super) database: Url,
    /// The database, as the API's role.
    pub(super) app: Url,
    /// The queue.
    pub(super) redis: String,
    /// Everything on disk.
    pub(super) data: PathBuf,
    /// Who plays the tour here, or has played it.
    pub(super) cast: Cast,
}

impl Places {
    /// Present once the tour has been played, with the mark of its cast: data lasts, and so does the memory of having seen it.
    pub(super) fn played(data: &Path) -> PathBuf {
        data.join("tour-played")
    }

    /// Present once a tour has begun: one that was cut short has left some of its people behind.
    pub(super) fn begun(data: &Path) -> PathBuf {
        data.join("tour-begun")
    }

    /// Where a process writes.
    pub(super) fn log(&self, process: &str) -> PathBuf {
        self.data.join("log").join(format!("{process}.log"))
    }

    /// What to do next, with everything to paste.
    pub(super) fn welcome(&self) -> String {
        let Self { api, inbox, database, app, redis, data, cast } = self;
        let (owner, password) = (cast.owner(), Cast::PASSWORD);
        format!(
            "\nTaskbell is up.\n\
             \n  API       {api}v1\
             \n  inbox     {inbox}\
             \n  Postgres  {database}  (migrates)\
             \n            {app}  (the API's role)\
             \n  Redis     {redis}\
             \n  logs      {logs}\n\
             \nSign-ins of the demo, with the password {password}:\n  {people}\n\
             \nTry it:\n\
             \n  TOKEN=$(curl -s {api}v1/sessions -H 'Content-Type: application/json' \\\
             \n    -d '{{\"email\":\"{owner}\",\"password\":\"{password}\"}}' | sed 's/.*\"token\":\"\\([^\"]*\\)\".*/\\1/')\
             \n  curl -s {api}v1/orgs/{slug}/deliveries -H \"Authorization: Bearer $TOKEN\"\n",
            slug = cast.slug(),
            logs = data.join("log").display(),
            people = cast.emails().join("  "),
        )
    }
}
