//! What a worker tells a Prometheus, after a scenario of which everything is known.

use harness::Figures;

use super::{Place, Stage, server::Deed};

#[tokio::test]
async fn what_a_worker_shows_is_what_has_happened() {
    let stage = Stage::with(&[], "smtp+plain").await;
    for _ in 0..2 {
        let mail = stage.owe().await;
        assert_eq!(stage.tries(mail, 1).await[0].outcome, "sent");
    }
    stage.server.misbehave(Place::Rcpt, Deed::Says(b"550 5.1.1 nobody\r\n"));
    let dead = stage.owe().await;
    assert_eq!(stage.tries(dead, 1).await[0].outcome, "dead");
    stage.server.misbehave(Place::Dot, Deed::HangsUp);
    let uncertain = stage.owe().await;
    assert_eq!(stage.tries(uncertain, 1).await[0].outcome, "uncertain");
    stage.server.behave();
    harness::eventually("it is to be sent again", async || (stage.state(uncertain).await == "retry").then_some(()))
        .await;
    // Two hours late.
    stage.change(uncertain, "next_at = now(), due_at = now() - interval '2 hours'").await;
    stage.hint(uncertain).await;
    assert_eq!(stage.tries(uncertain, 2).await[1].outcome, "sent");
    // Its life ends before its next try could be.
    stage.server.misbehave(Place::Rcpt, Deed::Says(b"450 4.2.1 later\r\n"));
    let late = stage.owe().await;
    assert_eq!(stage.tries(late, 1).await[0].outcome, "retry");
    stage.change(late, "next_at = now(), expires_at = now() + interval '6 seconds'").await;
    stage.hint(late).await;
    assert_eq!(stage.tries(late, 2).await[1].outcome, "expired");
    stage.server.misbehave(Place::Auth, Deed::Says(b"535 5.7.8 wrong\r\n"));
    let waits = stage.owe().await;
    assert_eq!(stage.tries(waits, 1).await[0].outcome, "retry");
    stage.change(waits, "next_at = now() + interval '30 minutes'").await;

    let held = "insert into mails (id, account_id, kind, due_at, next_at, expires_at, held_at)
                values (gen_random_uuid(), $1, 'notice', now(), now() - interval '1 minute', now() + interval '1 hour', now())";
    sqlx::query(held).bind(stage.reader.id.0).execute(&stage.app.admin).await.unwrap();
    // Counted after it is committed.
    assert!((stage.alarms().await - 1.0).abs() < 0.5);
    let figures = Figures::at(&stage.figures).await;
    for (verdict, count) in [("sent", 3.0), ("dead", 1.0), ("uncertain", 1.0), ("misconfigured", 1.0), ("retry", 2.0)] {
        let name = format!("taskbell_mail_attempts_total{{kind=\"notice\",verdict=\"{verdict}\"}}");
        assert!((figures.of(&name) - count).abs() < 0.5, "{name}: {}", figures.page);
    }
    let lateness = |le: &str| {
        let name = format!("taskbell_mail_lateness_seconds_bucket{{le=\"{le}\",kind=\"notice\"}}");
        assert!(figures.has(&name), "{name}: {}", figures.page);
        figures.of(&name)
    };
    assert!((lateness("3600.0"), lateness("10800.0"), lateness("43200.0")) == (2.0, 3.0, 3.0), "{}", figures.page);
    for (name, value) in [
        ("taskbell_mails_due", 0.0),
        ("taskbell_mails_held", 1.0),
        ("taskbell_mails_lost_last_hour{state=\"dead\"}", 1.0),
        ("taskbell_mails_lost_last_hour{state=\"expired\"}", 1.0),
        ("taskbell_mails_due_within_hour", 1.0),
        ("taskbell_mails_in_hand", 0.0),
        ("taskbell_mails_uncertain", 0.0),
        ("taskbell_mails_oldest_due_seconds", 0.0),
        ("taskbell_mail_claims_lost_total", 0.0),
    ] {
        assert!(figures.has(name) && (figures.of(name) - value).abs() < 0.5, "{name}: {}", figures.page);
    }
    assert!(figures.of("taskbell_queue_outstanding") >= 0.0, "{}", figures.page);
    let now: f64 =
        sqlx::query_scalar("select extract(epoch from now())::float8").fetch_one(&stage.app.admin).await.unwrap();
    let turned = figures.of("taskbell_job_last_turn_timestamp_seconds{job=\"sweep\"}");
    assert!((now - turned).abs() < 20.0, "{turned} and {now}");
    // Nobody is named.
    for word in ["@", "reader", &waits.to_string(), "535 5.7.8"] {
        assert!(!figures.page.contains(word), "{word}: {}", figures.page);
    }
    assert_listed(&figures);
    stage.worker.stop().await;
}

/// docs/operations.md names each.
fn assert_listed(figures: &Figures) {
    let page = include_str!("../../../docs/operations.md");
    for name in figures.names() {
        assert!(page.contains(&format!("`{name}")), "docs/operations.md does not name {name}");
    }
}
