//! What a field looks like in an example, by its name, where its type has no example of its own.

use serde_json::{Value, json};

/// What things are called, by their schema: a role is called otherwise than a person.
pub(super) fn named(schema: &str) -> Option<(&'static str, &'static str)> {
    let name = match schema {
        "Account" | "AccountChanges" | "Membership" | "NewAccount" => "Ada",
        "NewOrganization" | "Organization" | "OrganizationChanges" | "OrganizationFate" => "Acme and Sons",
        "NewProject" | "Project" | "ProjectChanges" => "Operations",
        "NewToken" | "PersonalToken" | "NewPersonalToken" => "A weekly report",
        "BreakGlass" => return Some(("reason", "Its manager has left, and the tasks must be handed over.")),
        _ => return None,
    };
    Some(("name", name))
}

/// A sample that `nullable` fields of this name may have as null.
pub(super) fn sample(field: &str, nullable: bool) -> Option<Value> {
    let nothing = matches!(
        field,
        "archived_at"
            | "completed_at"
            | "completed_by"
            | "deleted_at"
            | "deletion_due_at"
            | "edited_at"
            | "next_cursor"
            | "parent_id"
            | "problem"
            | "reason"
            | "skipped"
    );
    if nothing && nullable {
        return Some(Value::Null);
    }
    let text = match field {
        "actor_name" => "Ada",
        "name" => "Night shift",
        "address" | "last_used_address" => "192.0.2.7",
        "body" => "Is it *paid*?",
        "colour" => "#2f6f4e",
        "description" => "To the *new* account.",
        "detail" => "is required",
        "email" => "ada@example.org",
        "former_key" => "OPS",
        "key" => "OPS-42",
        "locale" => "de-AT",
        "pointer" => "/title",
        "reply" => "250 2.0.0 Ok: queued as 4dZ2kq1Zz9",
        "request_id" => "01a20394-4f31-7324-a04f-3355b6a513bc",
        "role" => "member",
        "secret" => "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "slug" | "org_slug" => "acme",
        "time_zone" => "Europe/Berlin",
        "title" => "Pay the rent",
        "token" => "tbl_6vWbkzjS0m0rJdqZ0pcLZ3dEo4hN1sXyQvTgRkMuBaE",
        "type" => "urn:taskbell:problem:invalid",
        "uri" => "otpauth://totp/Taskbell:ada%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Taskbell",
        "user_agent" => "curl/7.88.1",
        "worker" => "worker-1",
        "recovery_codes" => return Some(json!(["k7qmw-2zr4x"])),
        "changes" => return Some(json!({ "title": { "from": "Pay", "to": "Pay the rent" } })),
        "before" | "after" => return Some(json!({ "role": "member" })),
        "has_more" | "gone" | "dry_run" => return Some(json!(false)),
        "limit" => return Some(json!(50)),
        "index" => return Some(json!(0)),
        "status" => return Some(json!(200)),
        _ => return None,
    };
    Some(json!(text))
}
