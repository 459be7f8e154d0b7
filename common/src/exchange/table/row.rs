//! Rows as they are read: each becomes an object with the fields of a task, and is read as any input is.

use std::{fs::File, io::Seek as _, os::unix::fs::FileExt as _, str::FromStr};

use deserr::Deserr;
use serde_json::{Map, Value, json};

use super::{
    COLUMNS,
    cell::{bare, parted},
};
use crate::{
    error::Result,
    exchange::{
        import::ImportFault,
        spool::{Received, broken},
    },
    ids::AccountId,
    input::{Faults, read},
    tasks::TaskStatus,
    text::{Description, EmailAddress, LabelName, TextFault, Title},
    time::{Due, Instant},
};

/// A task of a table.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub(in crate::exchange) struct Row {
    #[deserr(default)]
    pub(in crate::exchange) key: Option<String>,
    pub(in crate::exchange) title: Title,
    #[deserr(default)]
    pub(in crate::exchange) description: Option<Description>,
    #[deserr(default)]
    pub(in crate::exchange) status: Option<TaskStatus>,
    #[deserr(default)]
    pub(in crate::exchange) priority: i16,
    #[deserr(default)]
    pub(in crate::exchange) start: Option<Due>,
    #[deserr(default)]
    pub(in crate::exchange) due: Option<Due>,
    #[deserr(default)]
    pub(in crate::exchange) assignees: Vec<Person>,
    #[deserr(default)]
    pub(in crate::exchange) labels: Vec<LabelName>,
    #[deserr(default)]
    pub(in crate::exchange) parent: Option<String>,
    #[deserr(default)]
    pub(in crate::exchange) completed_at: Option<Instant>,
}

/// Somebody, by address or by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::exchange) enum Person {
    Id(AccountId),
    Email(String),
}

impl FromStr for Person {
    type Err = TextFault;

    fn from_str(text: &str) -> Result<Self, TextFault> {
        let email = || text.parse::<EmailAddress>().map(|email| Self::Email(email.to_string()));
        text.parse().map(Self::Id).or_else(|_| email())
    }
}

crate::input::parsed_field!(Person);

/// Reads every row with the line on which it begins, until `give` wants no more; first what is wrong with the header.
pub(in crate::exchange) fn rows(
    received: &mut Received,
    give: &mut dyn FnMut(u32, Result<Row, Faults>) -> bool,
) -> Result<()> {
    received.file.rewind().map_err(broken)?;
    let mut table = csv::ReaderBuilder::new().has_headers(false).from_reader(&received.file);
    let mut record = csv::StringRecord::new();
    let mut columns: Option<Vec<&'static str>> = None;
    let line = |at: Option<&csv::Position>| at.map_or(1, |at| line(&received.file, at));
    loop {
        let wanted = match (table.read_record(&mut record), &columns) {
            (Ok(false), _) => break,
            (Ok(true), Some(columns)) => give(line(record.position()), read(object(columns, &record))),
            (Ok(true), None) => match header(&record) {
                Ok(named) => {
                    columns = Some(named);
                    true
                }
                Err(faults) => {
                    give(1, Err(faults));
                    return Ok(());
                }
            },
            (Err(fault), _) if fault.is_io_error() => return Err(broken(std::io::Error::other(fault))),
            // Without its header nothing can be said of a row (seed: tests/fuzz/seeds/table/header_is_no_text).
            (Err(fault), columns) => {
                give(line(fault.position()), Err(Faults::at("", &ImportFault::NotARow))) && columns.is_some()
            }
        };
        if !wanted {
            return Ok(());
        }
    }
    if columns.is_none() {
        give(1, Err(Faults::at("/title", &ImportFault::MissingColumn)));
    }
    Ok(())
}

/// Where a record begins: after what csv takes for its beginning there may be the end of a CRLF, and empty lines.
fn line(file: &File, at: &csv::Position) -> u32 {
    let byte = |place| {
        let mut byte = [0];
        file.read_exact_at(&mut byte, place).is_ok().then_some(byte[0])
    };
    let ends = (at.byte()..).map_while(byte).take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let skipped = ends.filter(|byte| *byte == b'\n').count();
    u32::try_from(at.line().saturating_add(skipped as u64)).unwrap_or(u32::MAX)
}

/// The names of the first line; those that a spreadsheet has put a mark before, too.
fn header(record: &csv::StringRecord) -> Result<Vec<&'static str>, Faults> {
    let (mut columns, mut faults) = (Vec::new(), Vec::new());
    let mut complain = |at: String, fault: ImportFault| faults.extend(Faults::at(&at, &fault).0);
    for name in record {
        let name = name.trim_start_matches('\u{feff}').trim();
        match COLUMNS.iter().find(|(known, _)| *known == name) {
            Some((known, _)) if columns.contains(known) => complain(format!("/{known}"), ImportFault::Repeated),
            Some((known, _)) => columns.push(*known),
            // Not the name: it may be a row of somebody's secrets.
            None => complain(format!("/{}", columns.len()), ImportFault::UnknownColumn),
        }
    }
    if !columns.contains(&"title") {
        complain("/title".to_owned(), ImportFault::MissingColumn);
    }
    if faults.is_empty() { Ok(columns) } else { Err(Faults(faults)) }
}

/// A row as JSON would have it; what is empty is not there.
fn object(columns: &[&'static str], record: &csv::StringRecord) -> Value {
    let cell = |name: &str| {
        let index = columns.iter().position(|column| *column == name)?;
        record.get(index).map(bare).filter(|cell| !cell.is_empty())
    };
    let mut object = Map::new();
    for (name, _) in COLUMNS.iter().filter(|(_, read)| *read) {
        let Some(text) = cell(name) else { continue };
        let value = match *name {
            "start_zone" | "due_zone" => continue,
            "priority" => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
            "start" => point(text, cell("start_zone")),
            "due" => point(text, cell("due_zone")),
            "assignees" | "labels" => Value::from(parted(text)),
            _ => Value::from(text),
        };
        object.insert((*name).to_owned(), value);
    }
    Value::Object(object)
}

fn point(text: &str, zone: Option<&str>) -> Value {
    match zone {
        Some(zone) => json!({ "local": text, "time_zone": zone }),
        None if text.len() == 10 => json!({ "date": text }),
        None => json!({ "at": text }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong, by its place and code.
    type Wrong = Vec<(String, &'static str)>;

    fn read_all(text: &str) -> Vec<(u32, Result<Row, Wrong>)> {
        let (mut file, mut found) = (tempfile::tempfile().unwrap(), Vec::new());
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        rows(&mut Received::of(file), &mut |line, row| {
            let faults = |Faults(faults): Faults| faults.into_iter().map(|f| (f.pointer, f.code)).collect();
            found.push((line, row.map_err(faults)));
            true
        })
        .unwrap();
        found
    }

    #[test]
    fn a_row_is_read_whatever_order_its_columns_have() {
        let text = "\u{feff}due,title,due_zone,assignees,priority,description\r\n\
                    2031-01-01T09:00,\"'=Sum, of\nparts\",Europe/Berlin,a@example.org; b@example.org,3,\r\n\r\n,Two,,,,'-";
        let found = read_all(text);
        assert_eq!(found.len(), 2);
        // A title is one line.
        assert_eq!(found[0].1.as_ref().unwrap_err(), &[("/title".to_owned(), "control_characters")]);
        let two = found[1].1.as_ref().unwrap();
        assert_eq!((found[1].0, two.title.as_str()), (5, "Two"));
        assert_eq!(two.description.as_ref().map(Description::as_str), Some("-"));
    }

    #[test]
    fn what_is_wrong_with_a_table_is_told_with_its_line() {
        let codes = |text: &str| {
            let faults = read_all(text).into_iter().filter_map(|(line, row)| Some((line, row.err()?)));
            faults
                .flat_map(|(line, faults)| faults.into_iter().map(move |(at, code)| (line, at, code)))
                .collect::<Vec<_>>()
        };
        let fault = |line, at: &str, code| (line, at.to_owned(), code);
        assert_eq!(codes(""), [fault(1, "/title", "missing")]);
        assert_eq!(
            codes("name,due,due\nx,,"),
            [(1, "/0", "unknown"), (1, "/due", "repeated"), (1, "/title", "missing")]
                .map(|(line, at, code)| fault(line, at, code))
        );
        assert_eq!(
            codes("title,priority,due,status\nA,high,soon,done\nB,1\n,,,"),
            [
                fault(2, "/due", "not_an_instant"),
                fault(2, "/priority", "wrong_type"),
                fault(2, "/status", "not_one_of"),
                fault(3, "", "not_a_row"),
                fault(4, "/title", "missing"),
            ]
        );
    }
}
