//! The API's table of contents.

mod accounts;
mod audit;
mod batches;
mod calendar;
mod comments;
mod deletion;
mod deliveries;

mod emails;
mod exchange;
mod health;
mod invitations;
mod labels;
mod memberships;
mod notifications;
mod organizations;
mod passwords;
mod projects;
mod reminders;
mod roles;
mod second_factor;
mod sessions;
mod tasks;
mod tokens;
mod watches;

use rocket::{Build, Rocket, Route, routes};
use url::Url;

use crate::{openapi::contents, reference, table};

contents! {
    "Health": "Whether the service lives, and whether it can serve." {
        "/":
            health::livez "Does the process live?",
            health::readyz "Can requests be served?";
    }
    "Accounts": "Signing up, one's own account, and its end." {
        "/v1/accounts":
            accounts::create "Sign up";
        "/v1/verifications":
            accounts::verify "Prove an address, and begin the account",
            accounts::resend "Send the mail of a sign-up again";
        "/v1/password-resets":
            passwords::ask "Ask for a new password",
            passwords::complete "Set a new password with the mailed token";
        "/v1/email-changes":
            emails::confirm "Confirm a change of address";
        "/v1/me":
            accounts::me "Show one's account",
            accounts::update "Change one's account",
            accounts::export "Download all that is kept of one",
            passwords::change "Change one's password",
            emails::ask "Ask for another address",
            deletion::plan "Tell what the end of one's account would mean",
            deletion::request "Ask for the end of one's account",
            deletion::cancel "Keep one's account",
            audit::list_mine "Read the audit log of one's account";
    }
    "Sessions": "Signing in and out." {
        "/v1/sessions":
            sessions::create "Sign in";
        "/v1/me":
            sessions::list "List one's sessions",
            sessions::destroy "End a session",
            sessions::destroy_current "Sign out",
            sessions::destroy_others "End all one's other sessions";
    }
    "Tokens": "Personal tokens, for programs." {
        "/v1/me":
            tokens::create "Make a personal token",
            tokens::list "List one's personal tokens",
            tokens::destroy "Revoke a personal token";
    }
    "Second factor": "Codes of an authenticator beside the password." {
        "/v1/me":
            second_factor::show "Show one's second factor",
            second_factor::enrol "Begin to set up a second factor",
            second_factor::switch_on "Switch the second factor on",
            second_factor::renew_codes "Make new recovery codes",
            second_factor::switch_off "Switch the second factor off";
    }
    "Organizations": "The tenants: each sees nothing but its own." {
        "/v1/orgs":
            organizations::create "Found an organization",
            organizations::list "List one's organizations",
            organizations::show "Show an organization",
            organizations::update "Change an organization",
            organizations::destroy "Delete an organization, in fourteen days",
            organizations::restore "Restore an organization",
            memberships::transfer "Hand an organization over",
            memberships::explain "Tell what the caller may do, and why",
            audit::list "Read the audit log",
            exchange::export "Export an organization as JSON lines",
            exchange::import "Import the export of an organization";
    }
    "Members": "Who belongs to an organization, and how one comes in." {
        "/v1/orgs":
            memberships::list "List the members",
            memberships::change_role "Give a member another role",
            memberships::suspend "Suspend a member",
            memberships::reinstate "Reinstate a member",
            memberships::destroy "Remove a member",
            memberships::leave "Leave an organization",
            invitations::create "Invite somebody",
            invitations::list "List the invitations that wait",
            invitations::resend "Send an invitation again",
            invitations::destroy "Take an invitation back";
        "/v1/me":
            memberships::accept "Accept an invitation";
        "/v1/invitations":
            invitations::decline "Decline an invitation";
    }
    "Roles": "What members may do: built-in roles, and those of the organization's own." {
        "/v1/orgs":
            roles::list "List the roles",
            roles::create "Make a role",
            roles::show "Show a role",
            roles::update "Change a role",
            roles::destroy "Delete a role";
    }
    "Projects": "What tasks belong to, and who works in it." {
        "/v1/orgs":
            projects::create "Create a project",
            projects::list "List the projects",
            projects::show "Show a project",
            projects::update "Change a project",
            projects::place "Put a project in its place",
            projects::archive "Archive a project",
            projects::unarchive "Open an archived project again",
            projects::destroy "Delete an archived project with everything in it",
            projects::grants "List who has a role in a project",
            projects::grant "Give somebody a role in a project",
            projects::withdraw "Take a role in a project away",
            projects::break_glass "Take access to a private project, as an owner and with a reason";
    }
    "Labels": "What the tasks of a project are sorted by." {
        "/v1/orgs":
            labels::list "List the labels of a project",
            labels::create "Create a label",
            labels::show "Show a label",
            labels::update "Change a label",
            labels::destroy "Delete a label, and take it from its tasks";
    }
    "Tasks": "What is to be done, when and by whom." {
        "/v1/orgs":
            tasks::create "Create a task",
            batches::create "Do many things to tasks at once",
            tasks::list "List tasks",
            tasks::changes "Follow what changes, to keep a copy",
            exchange::export_tasks "Export tasks as a table",
            exchange::import_tasks "Import a table of tasks into a project",
            tasks::show "Show a task",
            tasks::update "Change a task, or move it to another project",
            tasks::destroy "Delete a task, with thirty days to restore it",
            tasks::restore "Restore a deleted task",
            tasks::complete "Complete a task, or this turn of a recurring one",
            tasks::reopen "Open a completed task again",
            tasks::position "Move a task in its project's order",
            tasks::history "Read who changed what",
            reminders::list "List the reminders of a task",
            reminders::create "Add a reminder to a task",
            reminders::destroy "Take a reminder away",
            reminders::outlook "Tell what the reminders of a task would do now";
        "/v1/me":
            tasks::mine "List one's own tasks, of all organizations";
    }
    "Calendar": "One's due tasks, in the calendar that one has." {
        "/v1/me":
            calendar::show "Tell whether one's calendar has an address",
            calendar::create "Give one's calendar an address, a new one",
            calendar::destroy "Take the address of one's calendar away";
        "/calendars":
            calendar::feed "Read a calendar";
    }
    "Comments": "What is said about tasks." {
        "/v1/orgs":
            comments::list "List the comments of a task",
            comments::create "Comment on a task",
            comments::show "Show a comment",
            comments::update "Change one's comment",
            comments::destroy "Delete a comment";
    }
    "Watching": "Who hears of what, and when." {
        "/v1/orgs":
            watches::list "List those who watch a task",
            watches::watch "Watch a task",
            watches::unwatch "Watch a task no longer",
            watches::mute "Mute a task",
            watches::unmute "Mute a task no longer",
            notifications::mutes "List what one has muted",
            notifications::mute "Mute a project",
            notifications::unmute "Mute a project no longer",
            notifications::show "Show what one wants to hear, and when",
            notifications::update "Change what one wants to hear, and when";
    }
    "Deliveries": "Which mails went where, and how far they came." {
        "/v1/orgs":
            deliveries::list "List deliveries",
            deliveries::show "Show a delivery with all that was tried",
            deliveries::snooze "Put a reminder off";
    }
}

/// Every route. Under `/v1/orgs` the first segment is always the organization, and only the guards read it.
pub(crate) fn mount(rocket: Rocket<Build>, home: Url) -> Rocket<Build> {
    let operations = contents().into_iter().flat_map(|chapter| chapter.operations);
    let rocket = rocket.manage(calendar::Home(home.clone())).manage(reference::Description::new(home)).mount(
        "/",
        routes![
            reference::show,
            reference::page,
            reference::start,
            reference::style,
            reference::script,
            reference::icon
        ],
    );
    let routes: Vec<(&'static str, Route)> = operations.map(|operation| (operation.base, operation.route)).collect();
    let shadows = table::shadows(&routes);
    routes.into_iter().chain(shadows).fold(rocket, |rocket, (base, route)| rocket.mount(base, [route]))
}
