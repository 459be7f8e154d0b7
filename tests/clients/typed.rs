//! A client that openapi-typescript makes of the description, in TypeScript's strictest mode.

use std::net::Ipv4Addr;

use harness::TestApp;

use crate::workshop::Workshop;

/// Makes the types of a description, and compiles a program with them.
async fn compile(workshop: &Workshop, description: &str, settings: &str) {
    workshop.write("openapi.json", description);
    let _ = workshop.succeed("openapi-typescript", &["openapi.json", "--output=taskbell.d.ts"]).await;
    let _ = workshop.succeed("tsc", &["--project", settings]).await;
}

#[tokio::test]
async fn a_generated_client_walks_the_tour_of_the_readme() {
    let (app, workshop) = tokio::join!(TestApp::start(), Workshop::open());
    let worker = app.work();
    let inbox = app.inbox.serve_web((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let description = app.stranger().get("/openapi.json").await.is(200);
    compile(&workshop, description.text(), "tsconfig.json").await;
    let (api, inbox_url) = (app.api.as_str().trim_end_matches('/'), format!("http://{}", inbox.addr()));
    let said = workshop.succeed("node", &["made/tour.js", api, &inbox_url]).await;
    assert!(said.ends_with("the tour is over\n"), "{said}");
    inbox.shutdown().await;
    worker.stop().await;
}

#[tokio::test]
async fn what_the_description_does_not_know_does_not_compile() {
    let workshop = Workshop::open().await;
    compile(&workshop, &api::description(None).to_string(), "wrong.json").await;
}
