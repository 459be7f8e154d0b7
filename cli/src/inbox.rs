use std::net::{IpAddr, SocketAddr};

use local::Inbox;

use crate::{Failure, signals};

/// Catches mail until told to stop.
pub(crate) async fn run(address: IpAddr, smtp_port: u16, http_port: u16) -> Result<(), Failure> {
    let inbox = Inbox::start(SocketAddr::new(address, smtp_port), None).await?;
    let page = inbox.serve_web(SocketAddr::new(address, http_port)).await?;
    println!("mail sent to {} is shown at http://{}", inbox.smtp_addr(), page.addr());
    signals::stop().await;
    page.shutdown().await;
    Ok(())
}
