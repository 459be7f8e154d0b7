"""Reads a calendar with the package icalendar and tells what it has understood, as JSON."""

import json
import sys

from icalendar import Calendar


def moment(event, name):
    """The kind of a value, and the value; of an instant its offset as well, which is what the reader takes it for."""
    if name not in event:
        return None
    value = event[name].dt
    return [type(value).__name__, value.isoformat()]


def told(event):
    assert not event.errors, event.errors
    return {
        "uid": str(event["uid"]),
        "summary": str(event["summary"]),
        "description": str(event["description"]),
        "categories": [str(name) for name in event["categories"].cats],
        "url": str(event["url"]),
        "sequence": int(event["sequence"]),
        "start": moment(event, "dtstart"),
        "end": moment(event, "dtend"),
        "stamp": moment(event, "dtstamp"),
        "modified": moment(event, "last-modified"),
    }


text = sys.stdin.buffer.read()
[calendar] = Calendar.from_ical(text, multiple=True)
assert not calendar.errors, calendar.errors
print(json.dumps({
    "name": str(calendar["name"]),
    "refresh": calendar["refresh-interval"].dt.total_seconds(),
    "events": [told(event) for event in calendar.walk("VEVENT")],
    "others": [other.name for other in calendar.subcomponents if other.name != "VEVENT"],
}))
