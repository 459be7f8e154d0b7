//! The table of docs/reminders.md, as it stands there.

/// The places at which a mail server can misbehave, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Dot,
}

/// The columns.
pub(super) const PLACES: [Place; 7] =
    [Place::Greeting, Place::Ehlo, Place::Auth, Place::Mail, Place::Rcpt, Place::Data, Place::Dot];

impl Place {
    /// What the log of attempts calls a failure at this place.
    pub(super) fn phase(self) -> &'static str {
        match self {
            Self::Greeting | Self::Ehlo | Self::StartTls | Self::Auth => "connect",
            Self::Mail | Self::Rcpt | Self::Data => "envelope",
            Self::Dot => "body",
        }
    }

    /// Where a mail server's surplus is noticed.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Greeting => Self::Ehlo,
            Self::Ehlo | Self::StartTls => Self::Auth,
            Self::Auth => Self::Mail,
            Self::Mail => Self::Rcpt,
            // Of what is noticed before the body, nothing of the body was written.
            Self::Rcpt | Self::Data => Self::Data,
            Self::Dot => Self::Dot,
        }
    }
}

/// What the page promises for a row: the cells, place by place.
pub(super) fn row(name: &str) -> Vec<String> {
    let row = rows().into_iter().find(|row| row[0] == name);
    row.unwrap_or_else(|| panic!("docs/reminders.md has no row \"{name}\"")).split_off(1)
}

/// The names of all rows.
pub(super) fn names() -> Vec<String> {
    rows().into_iter().map(|mut row| row.swap_remove(0)).collect()
}

fn rows() -> Vec<Vec<String>> {
    let page = include_str!("../../../docs/reminders.md");
    let table = page.lines().skip_while(|line| !line.starts_with("| the mail server | greeting |"));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}
