//! In which order: `sort=-priority,due`, what it compares, and where a page begins.

use std::str::FromStr;

use sqlx::{Postgres, QueryBuilder};

use crate::{
    input::{Fault, parsed_field},
    parameters::NotOneOf,
};

/// Keys with their directions; `-` goes down. Newest first, unless said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort(Vec<(Key, bool)>);

crate::schema::words! {
    /// What a list can be sorted by; `-` goes down.
    SortKey: "due", "-due", "priority", "-priority", "position", "-position", "created", "-created", "updated", "-updated", "title", "-title",
        "number", "-number";
}

/// What a list can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Due,
    Priority,
    Position,
    Created,
    Updated,
    Title,
    Number,
}

const KEYS: [(&str, Key); 7] = [
    ("due", Key::Due),
    ("priority", Key::Priority),
    ("position", Key::Position),
    ("created", Key::Created),
    ("updated", Key::Updated),
    ("title", Key::Title),
    ("number", Key::Number),
];

impl Default for Sort {
    fn default() -> Self {
        Self(vec![(Key::Created, true)])
    }
}

/// Why an order was refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum SortFault {
    /// Not on the list.
    #[error(
        "must be keys with commas between them, `-` before one that goes down: due, priority, position, created, updated, title, number"
    )]
    Key,
    /// Twice the same.
    #[error("must name a key once")]
    Twice,
}

impl Fault for SortFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Key => NotOneOf(&[]).code(),
            Self::Twice => "repeated",
        }
    }
}

impl FromStr for Sort {
    type Err = SortFault;

    fn from_str(text: &str) -> Result<Self, SortFault> {
        let mut keys: Vec<(Key, bool)> = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (name, down) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
            let (_, key) = KEYS.iter().find(|(known, _)| *known == name).ok_or(SortFault::Key)?;
            if keys.iter().any(|(named, _)| named == key) {
                return Err(SortFault::Twice);
            }
            keys.push((*key, down));
        }
        Ok(Self(keys))
    }
}

parsed_field!(Sort);

/// One comparison of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// What is compared, of a task `t`.
    pub(super) sql: &'static str,
    /// Its type in Postgres.
    kind: &'static str,
    /// Whether it goes down.
    pub(super) down: bool,
}

impl Sort {
    /// What is compared, one after the other; the id breaks ties, and nothing comes after it. None of these is ever null: what
    /// has no due value is due at infinity, and has a comparison of its own where the order goes down.
    pub(super) fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        for (key, down) in self.0.iter().copied() {
            let column = |sql, kind, down| Column { sql, kind, down };
            if key == Key::Due && down {
                columns.push(column(UNDATED, "boolean", false));
            }
            columns.push(match key {
                Key::Due => column("t.due_key", "timestamptz", down),
                Key::Priority => column("t.urgency", "smallint", !down),
                Key::Position => column("t.position", "numeric", down),
                Key::Updated => column("t.updated_at", "timestamptz", down),
                Key::Title => column("t.title_key", "text", down),
                Key::Number => column("t.number", "integer", down),
                Key::Created => column("t.id", "uuid", down),
            });
            if key == Key::Created {
                return columns;
            }
        }
        let down = columns.last().is_some_and(|last| last.down);
        columns.push(Column { sql: "t.id", kind: "uuid", down });
        columns
    }

    /// Whether tasks of all projects stand in this order in one index (migrations/0049): then it can be walked.
    pub(super) fn walks(&self) -> bool {
        matches!(self.0.first(), Some((Key::Created | Key::Due | Key::Updated, _)))
    }

    /// Whether the index that serves this order begins with the status.
    pub(super) fn by_status(&self) -> bool {
        !matches!(self.0.first(), Some((Key::Number, _)))
    }

    /// Newest or oldest first: the primary keys serve that without a status.
    pub(super) fn by_age(&self) -> bool {
        matches!(self.0.first(), Some((Key::Created, _)))
    }

    /// Whether its first comparison bounds `due_key` or `updated_at` by itself.
    pub(super) fn by_due(&self) -> bool {
        matches!(self.0.first(), Some((Key::Due, _)))
    }

    pub(super) fn by_update(&self) -> bool {
        matches!(self.0.first(), Some((Key::Updated, _)))
    }
}

const UNDATED: &str = "(t.due_key = 'infinity')";

/// A stretch of an order that one index scan can give: all of it, but for `-due`, where the dated ones come down and the
/// undated ones follow.
#[derive(Debug)]
pub(super) struct Phase<'a> {
    /// Which tasks belong to it.
    pub(super) only: &'static str,
    /// Its order.
    pub(super) columns: &'a [Column],
    /// After what, in the order of its columns.
    pub(super) after: Option<&'a [String]>,
}

/// The stretches of an order that are left after a position.
pub(super) fn phases<'a>(columns: &'a [Column], after: Option<&'a [String]>) -> Vec<Phase<'a>> {
    if columns[0].sql != UNDATED {
        return vec![Phase { only: "true", columns, after }];
    }
    let undated = |after| Phase { only: "t.due_key = 'infinity'", columns: &columns[2..], after };
    let dated = |after| Phase { only: "t.due_key < 'infinity'", columns: &columns[1..], after };
    match after {
        Some(after) if after[0] == "true" => vec![undated(Some(&after[2..]))],
        Some(after) => vec![dated(Some(&after[1..])), undated(None)],
        None => vec![dated(None), undated(None)],
    }
}

impl Phase<'_> {
    /// What comes after the position. One comparison of rows where all goes one way: an index finds its beginning. Otherwise
    /// the first column finds it roughly.
    pub(super) fn push_after(&self, sql: &mut QueryBuilder<Postgres>) {
        let Some(after) = self.after else { return };
        let pairs: Vec<(&Column, &String)> = self.columns.iter().zip(after).collect();
        let beyond = |column: &Column| if column.down { " < " } else { " > " };
        if pairs.iter().all(|(column, _)| column.down == self.columns[0].down) {
            sql.push(" and (");
            list(sql, &pairs, |sql, (column, _)| push(sql, column.sql));
            sql.push(")").push(beyond(&self.columns[0])).push("(");
            list(sql, &pairs, |sql, (column, value)| bind(sql, column, value));
            sql.push(")");
            return;
        }
        let (first, value) = pairs[0];
        sql.push(" and ").push(first.sql).push(if first.down { " <= " } else { " >= " });
        bind(sql, first, value);
        sql.push(" and (");
        for (place, (column, value)) in pairs.iter().enumerate() {
            sql.push(if place == 0 { "(" } else { " or (" });
            for (earlier, value) in &pairs[..place] {
                sql.push(earlier.sql).push(" = ");
                bind(sql, earlier, value);
                sql.push(" and ");
            }
            sql.push(column.sql).push(beyond(column));
            bind(sql, column, value);
            sql.push(")");
        }
        sql.push(")");
    }

    /// ` order by …`
    pub(super) fn push_order(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push(" order by ");
        let columns: Vec<&Column> = self.columns.iter().collect();
        list(sql, &columns, |sql, column| {
            push(sql, &format!("{}{}", column.sql, if column.down { " desc" } else { "" }));
        });
    }
}

fn bind(sql: &mut QueryBuilder<Postgres>, column: &Column, value: &str) {
    sql.push_bind(value.to_owned()).push("::").push(column.kind);
}

fn push(sql: &mut QueryBuilder<Postgres>, text: &str) {
    sql.push(text);
}

/// With commas between.
fn list<T: Copy>(sql: &mut QueryBuilder<Postgres>, items: &[T], mut write: impl FnMut(&mut QueryBuilder<Postgres>, T)) {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            sql.push(", ");
        }
        write(sql, *item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_made_of_known_keys_each_once() {
        let code = |text: &str| text.parse::<Sort>().map(|sort| sort.columns().len()).map_err(|fault| fault.code());
        assert_eq!(code("-priority,due"), Ok(3));
        assert_eq!(code("-due"), Ok(3), "what is undated has a comparison of its own");
        assert_eq!(code("-created,due"), Ok(1), "after the id nothing is left to compare");
        assert_eq!(code("colour"), Err("not_one_of"));
        assert_eq!(code(""), Err("not_one_of"));
        assert_eq!(code("due,-due"), Err("repeated"));
    }

    #[test]
    fn a_page_begins_where_one_comparison_finds_it() {
        let text = |sort: &str, after: &[&str]| {
            let columns = sort.parse::<Sort>().unwrap().columns();
            let after: Vec<String> = after.iter().map(ToString::to_string).collect();
            let mut sql = QueryBuilder::new("");
            for phase in phases(&columns, Some(&after)) {
                phase.push_after(&mut sql);
                sql.push(";");
            }
            sql.into_string()
        };
        assert_eq!(
            text("-priority,due", &["0", "infinity", "x"]),
            " and (t.urgency, t.due_key, t.id) > ($1::smallint, $2::timestamptz, $3::uuid);"
        );
        assert_eq!(
            text("-due", &["false", "2031-01-01", "x"]),
            " and (t.due_key, t.id) < ($1::timestamptz, $2::uuid);;"
        );
        assert_eq!(text("-due", &["true", "infinity", "x"]), " and (t.id) < ($1::uuid);");
        assert!(
            text("title,-updated", &["a", "b", "x"]).starts_with(" and t.title_key >= $1::text and ((t.title_key > ")
        );
    }
}
