//! Due values, offsets and zones.

use common::{
    input::read,
    time::{Due, DueColumns, Instant, Offset, TimeZoneName, When},
};
use jiff::{civil, tz::TimeZone};
use serde_json::{Value, json};

/// A line in each place where a time can stand, a second one as its zone.
pub fn due(bytes: &[u8]) {
    let Some(text) = crate::utf8(bytes) else { return };
    let (point, zone) = text.split_once('\n').unwrap_or((text, "America/Sao_Paulo"));
    let _ = point.parse::<Instant>();
    let offset = crate::one_truth::<Offset>(point);
    let nine = civil::time(9, 0, 0, 0);
    for value in [json!({"date": point}), json!({"at": point}), json!({"local": point, "time_zone": zone})] {
        let _ = read::<When>(value.clone());
        let Ok(due) = read::<Due>(value) else { continue };
        let again = read::<Due>(serde_json::to_value(&due).unwrap_or(Value::Null));
        assert_eq!(again.as_ref(), Ok(&due), "what is shown cannot be sent back");
        let stored = DueColumns::of(Some(&due)).map(DueColumns::due);
        assert_eq!(stored.ok().flatten().as_ref(), Some(&due), "what is stored is another one");
        for reader in ["UTC", "Pacific/Apia", "Australia/Lord_Howe"] {
            let reader = TimeZoneName::stored(reader);
            assert!(!due.in_words(&reader).is_empty());
            let Ok(anchor) = due.anchor(reader.rules(), nine) else { continue };
            if let Some(offset) = offset {
                let _ = offset.from_anchor(&anchor);
            }
        }
    }
    let when: Option<When> = read(json!({ "offset": point })).ok();
    let due = Due::Local {
        local: civil::date(2026, 3, 29).at(2, 30, 0, 0),
        time_zone: TimeZoneName::stored("Europe/Berlin"),
    };
    let _ = when.map(|when| when.instant(Some(&due), &TimeZone::UTC, nine));
}

/// A zone's name.
pub fn zone(bytes: &[u8]) {
    let Some(name) = crate::utf8(bytes) else { return };
    let _ = TimeZoneName::stored(name);
    crate::one_truth::<TimeZoneName>(name);
}
