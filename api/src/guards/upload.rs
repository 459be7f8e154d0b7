//! A long body. It goes to a file before anything is opened for it: who sends slowly holds a file, not a transaction.

use std::time::Duration;

use common::{
    access::{Permission, Scope},
    exchange::{Arrived, Desk, Seat, Spool},
    input::Input,
};
use rocket::{
    Data, Request,
    data::{FromData, Outcome, ToByteUnit},
    http::Status,
    tokio::io::AsyncReadExt as _,
};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Org, bearer, desk, input::answer, query::parameters};
use crate::problem::Problem;

/// How long the next bytes may take, and all of them.
const PAUSE: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_mins(10);

/// What somebody has sent who holds `P` in the organization, and how it is to be taken.
pub(crate) struct Upload<P, T, Q> {
    pub(crate) scope: Scope<P>,
    pub(crate) body: T,
    pub(crate) options: Q,
    pub(crate) seat: Seat,
}

#[rocket::async_trait]
impl<'r, P: Permission, T: Arrived, Q: Input> FromData<'r> for Upload<P, T, Q> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        answer(request, Self::of(request, data).await)
    }
}

impl<P: Permission, T: Arrived, Q: Input> Upload<P, T, Q> {
    async fn of(request: &Request<'_>, data: Data<'_>) -> Result<Self, Problem> {
        bearer(request)?;
        // Nobody sends megabytes to learn that they may not.
        drop(Org::<P>::enter(request).await?);
        let (top, sub) = T::MEDIA;
        if !request.content_type().is_some_and(|media| media.top() == top && media.sub() == sub) {
            let detail = format!("The body must be {top}/{sub}, and Content-Type must say so.");
            return Err(Problem::new(Status::UnsupportedMediaType, "other_media_type", detail));
        }
        let options = parameters(request).and_then(common::input::read).map_err(Problem::of_query)?;
        let desk = desk(request)?;
        let spool = receive(data, desk).await?;
        // What is asked for is the same if the file and how it is to be taken are.
        let query = request.uri().query().map_or("", |query| query.as_str());
        let said = [&spool.digest(), query.as_bytes()].concat();
        let body = T::open(spool).await?;
        let seat = desk.seat().await?;
        let Org(scope) = Org::enter_once(request, &said).await?;
        Ok(Self { scope, body, options, seat })
    }
}

async fn receive(data: Data<'_>, desk: &Desk) -> Result<Spool, Problem> {
    let late = |_| Problem::new(Status::RequestTimeout, "too_slow", "The body did not arrive in time.");
    let broken = |_| Problem::new(Status::BadRequest, "broken_body", "The body ended before its time.");
    let mut spool = desk.spool()?;
    // One more than there may be: whoever has it has too much.
    let mut body = data.open((desk.limit() + 1).bytes());
    let mut bytes = vec![0; 64 * 1024];
    let deadline = Instant::now() + WHOLE;
    loop {
        let read = timeout_at(deadline, timeout(PAUSE, body.read(&mut bytes))).await;
        match read.map_err(late)?.map_err(late)?.map_err(broken)? {
            0 => return Ok(spool),
            length => spool.write(&bytes[..length]).await?,
        }
        if spool.length() > desk.limit() {
            let detail = format!("The body has more than {} bytes.", desk.limit());
            return Err(Problem::new(Status::PayloadTooLarge, "too_large", detail));
        }
    }
}
